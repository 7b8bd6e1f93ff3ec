//! `GET /health`: anybody may ask whether the bridge can do its work.

use serde_json::{Value, json};

use crate::support::documents::health_event;
use crate::support::faulty_store::Fault;
use crate::support::log::Log;
use crate::support::test_bridge::{REQUEST_ID, TestBridge, test_secret};

#[tokio::test]
async fn a_bridge_with_a_secret_and_a_table_is_healthy() {
    let bridge = TestBridge::new().await;
    let log = Log::capture();
    let reply = bridge.orders(health_event()).await;
    assert_eq!((reply.status, &reply.body), (200, &json!({"status": "ok"})), "without authorization");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let summary = log.summary();
    assert_eq!((&summary["route"], &summary["outcome"]), (&json!("GET /health"), &json!("healthy")));
    assert!(log.errors().is_empty());
}

#[tokio::test]
async fn each_failing_part_makes_it_unhealthy_without_being_named() {
    let no_secret = TestBridge::with_secret("{}").await;
    let no_table = TestBridge::new().await;
    no_table.store().will([Fault::Down]);
    let neither = TestBridge::with_secret(r#"{"token": "tok tok"}"#).await;
    neither.store().will([Fault::Down]);
    for (bridge, failing) in [(no_secret, ["secret"].as_slice()), (no_table, &["table"]), (neither, &["secret", "table"])] {
        let log = Log::capture();
        let reply = bridge.orders(health_event()).await;
        assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (503, "unhealthy", Some("10")));
        let expected = json!({
            "type": "urn:front-payment-bridge:unhealthy", "title": "The bridge is not healthy", "status": 503,
            "detail": "The bridge cannot do its work at the moment. Its operator finds the reason in the log.",
            "instance": format!("urn:uuid:{REQUEST_ID}"), "nextStep": "retry",
        });
        assert_eq!(reply.body, expected, "the same for whatever fails");
        let lines = log.lines();
        let named: Vec<_> = lines.iter().filter_map(|line| line.get("what")).collect();
        assert_eq!(named, failing);
        let logged = Value::from(lines).to_string();
        for hidden in ["tok tok", "key-a", "token-1", "test-secret"] {
            assert!(!logged.contains(hidden), "{hidden} in {logged}");
        }
    }
}

#[tokio::test]
async fn a_process_looks_at_most_once_in_ten_seconds() {
    let bridge = TestBridge::new().await;
    bridge.store().operations();
    bridge.store().will([Fault::Down]);
    assert_eq!(bridge.orders(health_event()).await.status, 503);
    for _ in 0..5 {
        bridge.pass_millis(1_999);
        assert_eq!(bridge.orders(health_event()).await.status, 503, "it has not looked again");
    }
    assert_eq!(bridge.store().operations(), ["load"]);
    bridge.pass_millis(5);
    assert_eq!(bridge.orders(health_event()).await.status, 200);
    bridge.store().will([Fault::Down]);
    bridge.pass_millis(9_999);
    assert_eq!(bridge.orders(health_event()).await.status, 200);
    bridge.pass_millis(1);
    assert_eq!(bridge.orders(health_event()).await.status, 503);
    assert_eq!(bridge.store().operations(), ["load", "load"]);
}

#[tokio::test]
async fn it_becomes_healthy_when_the_secret_is_set_and_stays_so_while_a_newer_one_is_unusable() {
    let bridge = TestBridge::with_secret("{}").await;
    assert_eq!(bridge.orders(health_event()).await.status, 503);
    bridge.set_secret(test_secret("token-1", &json!("test-secret")));
    bridge.pass(10);
    assert_eq!(bridge.orders(health_event()).await.status, 200);
    bridge.set_secret("{}".to_owned());
    bridge.pass(301);
    assert_eq!(bridge.orders(health_event()).await.status, 200, "a good one stays in use");
}
