//! The commands and options of `local`, and the lines that they print.

use std::net::TcpListener;
use std::process::Command;

use local::{API_KEY, example_order};
use serde_json::json;

use super::{LOCAL, Running, answer, run};

#[test]
fn the_demo_ends_invoiced() {
    let output = run(&["demo"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("\"status\": \"INVOICED\"") && shown.contains("The order is INVOICED"), "{shown}");
    assert!(shown.contains("4. The shop is told: INVOICED, verified."), "{shown}");
}

#[test]
fn bad_options_and_a_port_in_use_are_clear_errors() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (arguments, expected) in [
        (vec!["--in-memory", "--port", &port], "--port"),
        (vec!["--port", "70000"], "--port"),
        (vec!["--no-such-option"], "--no-such-option"),
        (vec!["no-such-command"], "no-such-command"),
        (vec!["--in-memory", "--data-dir", "x"], "--data-dir"),
        (vec!["--port", "0", "--data-dir", file], "--data-dir"),
        (vec!["--rate-limit", "many"], "--rate-limit"),
        (vec!["smoke", "--key", "k"], "--url"),
        (vec!["smoke", "--key", "k", "--url", "http://shop.example"], "--url"),
    ] {
        let output = run(&arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("error") && said.contains(expected), "{arguments:?}: {said}");
    }
    let help = run(&["--help"]);
    let said = String::from_utf8(help.stdout).unwrap();
    for option in ["--port", "--data-dir", "--in-memory", "--rate-limit", "demo", "sandbox", "smoke"] {
        assert!(help.status.success() && said.contains(option), "{said}");
    }
}

#[tokio::test]
async fn the_sandbox_runs_alone() {
    let sandbox = Running::start(&["sandbox", "--in-memory", "--rate-limit", "1"]);
    let base = sandbox.welcome.split_once("FRONT_PAYMENT_BASE_URL=").unwrap().1.lines().next().unwrap().to_owned();
    assert_eq!(base, format!("{}/front-payment/api/v1", sandbox.base));
    assert!(sandbox.welcome.contains("sandbox-token") && sandbox.welcome.contains("sandbox-secret-key"), "{}", sandbox.welcome);
    let submit = || {
        let order = example_order("https://shop.example", "alone").to_string();
        answer(sandbox.client.post(format!("{base}/connect/orders/invoice/submit")).bearer_auth("sandbox-token").body(order))
    };
    let (status, created) = submit().await;
    assert_eq!((status, &created["message"]), (201, &json!("orderCreatedSuccessfully")), "{created}");
    assert_eq!(submit().await.0, 429, "the rate limit is an option");
    let reply = sandbox.client.post(format!("{}/orders", sandbox.base)).send().await.unwrap();
    assert_eq!(reply.status(), 404, "there is no bridge beside it");
}

#[tokio::test]
async fn the_smoke_test_tells_a_stack_that_works_from_one_that_does_not() {
    let smoke_with = async |options: &[&str], url: &str, key: &str| {
        let mut program = Command::new(LOCAL);
        program.args(["smoke", "--url", url]).args(options).env("SMOKE_KEY", key);
        let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let smoke = async |url: &str, key: &str| smoke_with(&[], url, key).await;
    let checks = |said: &str| said.lines().filter(|line| line.starts_with("ok ")).count();
    let works = Running::start(&["--in-memory"]);
    let (code, said) = smoke(&format!("{}/", works.base), API_KEY).await;
    assert_eq!((code, checks(&said)), (Some(0), 3), "{said}");
    assert!(said.contains("Nothing was sent to Front Payment"), "{said}");
    assert!(works.page("/front-payment/portal").await.contains("There are no orders yet"));
    let (code, said) = smoke_with(&["--order"], &works.base, API_KEY).await;
    assert_eq!((code, checks(&said)), (Some(0), 6), "{said}");
    assert!(said.contains("The stack takes orders."), "{said}");

    let (code, said) = smoke(&works.base, "another-key").await;
    assert!(code == Some(1) && said.contains("the smoke test failed: the bridge answered 401 instead of 404"), "{said}");
    assert!(!said.contains("another-key"), "{said}");
    let (code, said) = smoke(&format!("{}/elsewhere", works.base), API_KEY).await;
    assert!(code == Some(1) && said.contains("404 instead of 401"), "{said}");
    let no_bridge = Running::start(&["sandbox", "--in-memory"]);
    let (code, said) = smoke(&format!("{}/front-payment/shop", no_bridge.base), API_KEY).await;
    assert!(code == Some(1) && said.contains("the smoke test failed"), "{said}");
    let fails = Running::start(&["--in-memory", "--rate-limit", "0"]);
    let (code, said) = smoke_with(&["--order"], &fails.base, API_KEY).await;
    assert!(code == Some(1) && said.contains("front-payment-unavailable"), "{said}");
    let (code, said) = smoke("http://127.0.0.1:1", API_KEY).await;
    assert!(code == Some(1) && said.contains("Connection refused"), "{said}");
}
