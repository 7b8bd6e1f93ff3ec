//! What the sandbox must not do to other machines, and they to it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use local::{API_KEY, example_order};
use serde_json::{Value, json};

use super::tools::Printing;
use super::{LOCAL, Running, answer, run};

#[tokio::test]
async fn other_names_and_pages_of_other_sites_are_refused() {
    let local = Running::start(&["--in-memory"]);
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    let portal = || local.client.get(format!("{}/front-payment/portal", local.base));
    assert_eq!(status(portal()).await, 200);
    assert_eq!(status(portal().header("host", "evil.example")).await, 421);
    assert_eq!(status(portal().header("host", "localhost:1")).await, 200);

    let clock = || local.client.post(format!("{}/front-payment/clock", local.base)).body(r#"{"forward": "1d"}"#);
    for origin in ["http://evil.example", "http://127.0.0.1:1", "null"] {
        assert_eq!(status(clock().header("origin", origin)).await, 403, "{origin}");
    }
    let order = example_order(&local.base, "from elsewhere").to_string();
    let submit = local.client.post(format!("{}/orders", local.base)).bearer_auth(API_KEY).body(order);
    assert_eq!(status(submit.header("origin", "http://evil.example")).await, 403);
    assert!(!local.page("/front-payment/portal").await.contains("from elsewhere"));
    let now = answer(local.client.get(format!("{}/front-payment/clock", local.base))).await.1;
    assert_eq!(now["aheadSeconds"], 0);
    assert_eq!(status(clock().header("origin", &local.base)).await, 200, "its own page");

    let open = Running::start(&["--in-memory", "--host", "0.0.0.0"]);
    let request = open.client.get(format!("{}/front-payment/portal", open.base)).header("host", "sandbox.example");
    assert_eq!(status(request).await, 200, "--host says otherwise");
}

#[tokio::test]
async fn a_form_does_not_lead_to_another_server() {
    let local = Running::start(&["--in-memory"]);
    for referer in ["http://evil.example/console", r"a:/\evil.example"] {
        let moved =
            local.client.post(format!("{}/front-payment/clock", local.base)).body("forward=1s").header("referer", referer);
        let reply = moved.send().await.unwrap();
        assert_eq!((reply.status().as_u16(), &reply.headers()["location"]), (303, &"/front-payment/portal".parse().unwrap()));
    }
}

#[tokio::test]
async fn only_this_machine_is_called_back_and_no_text_adds_a_line() {
    let port = super::tools::free_port();
    let local = Printing::stderr_of(&["--in-memory", "--port", &port]);
    let (base, client) = (format!("http://127.0.0.1:{port}"), front_payment_bridge::http_client::build(None).unwrap());
    let mut order = example_order(&base, "1001\n12:00:00Z POST /orders 201 INJECTED");
    let submit = |order: &Value| client.post(format!("{base}/orders")).bearer_auth(API_KEY).body(order.to_string()).send();
    while submit(&order).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(local.line_with("INJECTED").starts_with(|c: char| c.is_ascii_digit()), "one line");
    order["callback"]["callbackUrl"] = json!("http://169.254.169.254/latest/meta-data");
    let at_front_payment = client.post(format!("{base}/front-payment/api/v1/connect/orders/invoice/submit"));
    let (_, created) = answer(at_front_payment.bearer_auth("sandbox-token").body(order.to_string())).await;
    let link = created["data"]["bankIdUrl"].as_str().unwrap();
    assert_eq!(client.post(format!("{link}/sign")).send().await.unwrap().status(), 303);
    local.line_with("--callback-host allows another host");
}

/// A server that sends a head and a body. If the head has `connection: close`, it sends the body without end.
fn server(head: &'static str, body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _request = connection.read(&mut [0; 4096]).unwrap();
            connection.write_all(head.as_bytes()).unwrap();
            // Until the client closes the connection.
            while connection.write_all(body).is_ok() && head.contains("close") {}
        }
    });
    base
}

#[test]
fn what_another_server_answers_is_neither_read_without_end_nor_printed_as_it_is() {
    let smoke = |url: &str| {
        let output = Command::new(LOCAL).args(["smoke", "--url", url]).env("SMOKE_KEY", "k").output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, said) = smoke(&server("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", &[b' '; 65_536]));
    assert!(code == Some(1) && said.contains("longer than"), "{said}");
    let (code, said) = smoke(&server("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n", b"\x1b[2Jhi\n!"));
    assert!(code == Some(1) && said.contains(r"\u{1b}[2Jhi\n!") && !said.contains('\x1b'), "{said}");
}

#[test]
fn no_key_goes_over_plain_http_to_another_machine() {
    for arguments in [
        vec!["explain", "https://shop.example/x", "--bridge", "http://bridge.example"],
        vec!["trigger", "--url", "http://bridge.example", "slow"],
        vec!["operator", "--url", "http://bridge.example", "{}"],
        vec!["listen", "--url", "http://bridge.example", "--forward-to", "http://localhost:1/"],
    ] {
        let output = run(&arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("plain http"), "{arguments:?}: {said}");
    }
}
