//! The client of Front Payment, over real sockets.

use std::time::{Duration, Instant};

use front_payment_bridge::clock::Clock;
use front_payment_bridge::front_payment::{Client, FrontPayment, SubmitCall, SubmitReply};
use front_payment_bridge::http_client::Tls;
use front_payment_bridge::order::{Order, Rules, Status, StatusWord, parse_tax_rates, validate};
use front_payment_bridge::secrets::Redacted;
use serde_json::{Value, json};

use crate::support::example;
use crate::support::peer::{Behaviour, Peer, reply};

pub fn order(document: &str) -> Order {
    let tax_rates = parse_tax_rates("0,12,15,25").unwrap();
    let rules = Rules { now: "2026-06-15T00:00:00Z".parse().unwrap(), tax_rates: &tax_rates, enforce_advisories: false };
    validate(document.as_bytes(), &rules).unwrap_or_else(|invalid| panic!("{invalid:?}")).order
}

fn client(base_url: &str) -> Client {
    let base_url = format!("{base_url}/api/v1").parse().unwrap();
    Client::new(Tls::new(None).unwrap(), Clock::system(), &base_url).unwrap()
}

async fn submit_to(base_url: &str, document: &str) -> SubmitCall {
    let token = Redacted::new("token-1");
    client(base_url).submit(&order(document), "https://api.example.no/callbacks/1/2", &token, Duration::from_secs(1)).await
}

fn row(submission: &SubmitCall) -> &'static str {
    match submission.reply {
        SubmitReply::Created(_) => "created",
        SubmitReply::Rejected(_) => "refused",
        SubmitReply::Unauthorized => "unauthorized",
        SubmitReply::Unavailable => "unavailable",
        SubmitReply::Failed { unproven: true } => "failed by its word",
        SubmitReply::Failed { unproven: false } => "failed",
        SubmitReply::Unknown => "unknown",
    }
}

const CREATED: &str = r#"{"status_code":201,"status_message":"OK","message":"orderCreatedSuccessfully","is_data":true,"data":{"orderUuid":"ODR4286244937","customerUuid":"CSRT3419523642","bankIdUrl":"https://bankid.example/login"}}"#;

#[tokio::test]
async fn the_request_is_the_pages() {
    let peer = Peer::start(reply(201, "x-ratelimit-remaining: 239\r\n", CREATED)).await;
    let submission = submit_to(&peer.base_url, &example().to_string()).await;
    assert_eq!((submission.http_status, submission.rate_limit_remaining), (Some(201), Some(239)));
    let SubmitReply::Created(created) = submission.reply else { panic!("not created") };
    assert_eq!((created.order_uuid.as_str(), created.status), ("ODR4286244937", Status::Sent));
    let request = peer.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/v1/connect/orders/invoice/submit HTTP/1.1\r\n"), "{head}");
    for header in ["authorization: Bearer token-1", "content-type: application/json", "accept: application/json"] {
        assert!(head.lines().any(|line| line.eq_ignore_ascii_case(header)), "{header} not in {head}");
    }
    let mut expected = example();
    expected["callback"]["callbackUrl"] = json!("https://api.example.no/callbacks/1/2");
    expected["customerDetails"].as_object_mut().unwrap().remove("organizationId");
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
}

#[tokio::test]
async fn figures_go_out_digit_for_digit_defaults_are_filled_in_and_absent_fields_left_out() {
    let peer = Peer::start(reply(201, "", CREATED)).await;
    let document = example()
        .to_string()
        .replace(r#""rate":40"#, r#""rate":4017.8600"#)
        .replace(r#""quantity":"1""#, r#""quantity":"0.10000000000000000001""#)
        .replace(r#""amount":40"#, r#""amount":12345678901234567890"#)
        .replace(r#""discount":0"#, r#""discount":null,"unknown":1"#)
        .replace(r#""grandTotal":"40""#, r#""grandTotal":40.10"#)
        .replace(r#""invoiceMaturity":10,"#, "")
        .replace(r#""preferredLanguage":"en""#, r#""preferredLanguage":"""#)
        .replace(r#""invoiceInterval":0"#, r#""invoiceInterval":"2","settings":{"secureDetails":true}"#);
    assert_eq!(row(&submit_to(&peer.base_url, &document).await), "created");
    let body = peer.requests().remove(0).split_once("\r\n\r\n").unwrap().1.to_owned();
    for part in [
        r#"{"name":"Router","productId":"R_1","quantity":"0.10000000000000000001","rate":4017.8600,"tax":"0","amount":12345678901234567890}"#,
        r#""grandTotal":40.10"#,
        r#""invoiceMaturity":10"#,
        r#""preferredLanguage":"no""#,
        r#""invoiceInterval":"2""#,
        r#""settings":{"secureDetails":true}"#,
    ] {
        assert!(body.contains(part), "{part} not in {body}");
    }
    assert!(!body.contains("unknown") && !body.contains("null") && !body.contains("organizationId"), "{body}");
}

#[tokio::test]
async fn a_thousand_lines_go_out() {
    let peer = Peer::start(reply(201, "", CREATED)).await;
    let mut document = example();
    document["products"] = json!(vec![document["products"][0].clone(); 1_000]);
    assert_eq!(row(&submit_to(&peer.base_url, &document.to_string()).await), "created");
    let body = peer.requests().remove(0).split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["products"].as_array().unwrap().len(), 1_000);
}

#[tokio::test]
async fn replies_over_a_socket_have_their_rows() {
    let big = format!("{{\"status_code\":201,\"data\":{{\"orderUuid\":\"ODR1\",\"x\":\"{}\"}}}}", "x".repeat(10_000_000));
    let half = format!("HTTP/1.1 201 X\r\ncontent-length: {}\r\n\r\n{}", CREATED.len(), &CREATED[..60]).into_bytes();
    for (behaviour, expected) in [
        (reply(201, "", CREATED), "created"),
        (reply(201, "content-type: text/html\r\n", CREATED), "created"),
        (reply(201, "", "<html>"), "unknown"),
        (reply(201, "", &big), "unknown"),
        (Behaviour::Says(half.clone()), "unknown"),
        (Behaviour::SaysAndHangs(half), "unknown"),
        (Behaviour::Says(b"HTTP/1.1 503 X\r\ncontent-length: 100\r\n\r\nhalf".to_vec()), "unknown"),
        (Behaviour::Says(b"no HTTP at all\r\n\r\n".to_vec()), "unknown"),
        (Behaviour::Closes, "unknown"),
        (Behaviour::Resets, "unknown"),
        (Behaviour::Hangs, "unknown"),
        (reply(417, "", r#"{"status_code":417,"errors":["The order date does not match the format d M, Y."]}"#), "refused"),
        (reply(401, "", ""), "unauthorized"),
        (reply(429, "", ""), "unavailable"),
        (reply(503, "", ""), "unavailable"),
        (reply(302, "location: http://127.0.0.1:1/\r\n", ""), "failed"),
        (reply(307, "location: /elsewhere\r\n", ""), "failed"),
        (reply(500, "", r#"{"status_code":500,"errors":{}}"#), "failed by its word"),
        (reply(500, "", "<html>"), "unknown"),
    ] {
        let peer = Peer::start(behaviour.clone()).await;
        let began = Instant::now();
        let submission = submit_to(&peer.base_url, &example().to_string()).await;
        assert_eq!(row(&submission), expected, "{:.80}", format!("{behaviour:?}"));
        assert_eq!(peer.requests().len(), 1, "sent once: {behaviour:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "it ended");
        assert!(!submission.reason.contains("127.0.0.1"), "{}", submission.reason);
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let refused = submit_to("http://127.0.0.1:1", &example().to_string()).await;
    assert_eq!((row(&refused), refused.http_status), ("unavailable", None));
    // A peer that does not speak TLS: no connection could be made either.
    let peer = Peer::start(Behaviour::Says(b"HTTP/1.1 400 X\r\n\r\n".to_vec())).await;
    let no_tls = submit_to(&peer.base_url.replace("http:", "https:"), &example().to_string()).await;
    assert_eq!((row(&no_tls), peer.requests().len()), ("unavailable", 0));
}

#[tokio::test]
async fn tls_is_spoken_with_whom_ssl_cert_file_trusts_and_nobody_else() {
    let (peer, authority) = Peer::start_tls(reply(201, "", CREATED)).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("roots.pem");
    std::fs::write(&file, authority).unwrap();
    let (order, token) = (order(&example().to_string()), Redacted::new("token-1"));
    let submit = async |trusting: Option<&std::path::Path>| {
        let client = Client::new(Tls::new(trusting).unwrap(), Clock::system(), &peer.base_url.parse().unwrap()).unwrap();
        client.submit(&order, "https://api.example.no/callbacks/1/2", &token, Duration::from_secs(5)).await
    };
    assert_eq!(row(&submit(Some(&file)).await), "created");
    assert_eq!(row(&submit(None).await), "unavailable", "not trusted, so no connection, and nothing sent");
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn a_status_is_read() {
    let peer =
        Peer::start(reply(200, "", r#"{"status_code":200,"data":{"uuid":"ODR1","status":"Purring","orderAmount":40}}"#)).await;
    let token = Redacted::new("token-1");
    let status = client(&peer.base_url).status("ODR1", &token, Duration::from_secs(1)).await;
    assert_eq!(status.status.unwrap(), StatusWord::Known(Status::Purring));
    let request = peer.requests().remove(0);
    assert!(request.starts_with("GET /api/v1/connect/orders/status/ODR1 HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("authorization: bearer token-1"));
    for behaviour in [Behaviour::Closes, Behaviour::Hangs, reply(404, "", "{}"), reply(302, "location: /\r\n", "")] {
        let peer = Peer::start(behaviour).await;
        assert!(client(&peer.base_url).status("ODR1", &token, Duration::from_secs(1)).await.status.is_err());
    }
}
