//! Orders whose outcome is unknown wait for the operator, and are counted.

use front_payment_bridge::order::{AskQueue, StoredOrder};
use front_payment_bridge::store::OrderStore;
use serde_json::{Value, json};

use crate::reconcile::accepted;
use crate::support::log::Log;
use crate::support::scripted::unknown;
use crate::support::test_bridge::NOW;
use crate::support::worker::{SHOP_A, TestWorker};

/// The line about orders that wait for the operator: `waiting` and `oldestSeconds`.
fn waiting(log: &Log) -> (Value, Value) {
    let lines = log.lines();
    let mut lines = lines.iter().filter(|line| line.get("waiting").is_some());
    let line = lines.next().expect("no line says how many wait");
    assert!(lines.next().is_none(), "one line");
    (line["waiting"].clone(), line["oldestSeconds"].clone())
}

#[tokio::test]
async fn an_attempt_that_outlived_its_minute_becomes_unknown_and_waits_for_the_operator() {
    let worker = TestWorker::new().await;
    let log = Log::capture();
    worker.sweep().await;
    assert_eq!(waiting(&log), (json!(0), json!(null)));
    drop(log);

    // One order that is UNKNOWN at once, and one whose process was killed.
    let first = worker.post(SHOP_A, SHOP_A.callback_url, unknown()).await.order_id();
    let log = Log::capture();
    worker.sweep().await;
    assert_eq!(waiting(&log), (json!(1), json!(0)));
    drop(log);
    worker.pass_to(30);
    let mut submitting = accepted(1, "SUBMITTING", -30);
    (submitting.order_uuid, submitting.history) = (None, Vec::new());
    worker.put(&submitting).await;
    let second = submitting.order_id.to_string();
    worker.pass_to(60);
    let log = Log::capture();
    worker.sweep().await;
    assert_eq!(waiting(&log), (json!(1), json!(0)), "the other one may still be running");
    drop(log);
    assert_eq!(worker.stored(&second).await.status.name(), "SUBMITTING");

    worker.pass_to(92);
    let log = Log::capture();
    worker.sweep().await;
    assert_eq!(waiting(&log), (json!(2), json!(32)), "since a minute after the attempt began");
    drop(log);
    let ended = worker.stored(&second).await;
    assert_eq!((ended.status.name(), ended.ask_queue, ended.ask_at), ("UNKNOWN", Some(AskQueue::Settle), Some(NOW + 90)));
    let shown = worker.get(&second, SHOP_A).await;
    assert_eq!(shown["history"], json!([{"status": "UNKNOWN", "at": "2026-06-15T00:01:32.000Z", "source": "submit"}]));
    assert_eq!((worker.provider().status_call_count(), worker.shops.count()), (0, 0), "they cannot be asked for");

    // A callback settles the first one.
    worker.call_back_about("ODR7", &first, "INVOICED").await;
    worker.pass_to(150);
    let log = Log::capture();
    worker.sweep().await;
    assert_eq!(waiting(&log), (json!(1), json!(60)));
    assert_eq!(worker.shops.statuses(), ["INVOICED"]);
}

#[tokio::test]
async fn many_orders_that_wait_are_all_counted() {
    let worker = TestWorker::new().await;
    for number in 0..2_050 {
        let mut order = accepted(number, "UNKNOWN", 1_000);
        order.order_uuid = None;
        worker.put(&order).await;
    }
    let log = Log::capture();
    worker.sweep().await;
    assert_eq!(waiting(&log), (json!(2_050), json!(940)), "over several pages");
}

#[tokio::test]
async fn the_place_of_an_order_that_waits_is_corrected() {
    let worker = TestWorker::new().await;
    let order_id = worker.post(SHOP_A, SHOP_A.callback_url, unknown()).await.order_id();
    let stored = worker.stored(&order_id).await;
    let wrong = StoredOrder { version: stored.version + 1, ask_at: Some(5), ..stored.clone() };
    worker.store().replace(&stored, &wrong).await.unwrap();
    worker.sweep().await;
    assert_eq!(worker.stored(&order_id).await.ask_at, stored.ask_at);
}
