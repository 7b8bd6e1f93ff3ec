//! The operator's events `waiting` and `tell`, and events that are refused.

use serde_json::{Value, json};

use crate::reconcile::accepted;
use crate::support::log::Log;
use crate::support::scripted::unknown;
use crate::support::shops::answered;
use crate::support::test_bridge::NOW;
use crate::support::worker::{NOTIFY_KEY, SHOP_A, SHOP_B, SHOP_C, TestWorker, secret_with};

const HOST_A: &str = "shop.example";

fn error(answer: &Value) -> &str {
    let error = answer["error"].as_str().unwrap_or_else(|| panic!("no error: {answer}"));
    assert!(error.ends_with("Nothing was changed."), "{error}");
    error
}

#[tokio::test]
async fn the_orders_that_wait_are_listed_the_oldest_first() {
    let worker = TestWorker::new().await;
    assert_eq!(worker.invoke(json!({"waiting": {}})).await, json!({"waiting": []}));
    let first = worker.post(SHOP_A, SHOP_A.callback_url, unknown()).await.order_id();
    worker.place(SHOP_A).await;
    worker.pass_to(30);
    // An order whose process was killed.
    let mut submitting = accepted(1, "SUBMITTING", -30);
    (submitting.order_uuid, submitting.history) = (None, Vec::new());
    worker.put(&submitting).await;
    worker.pass_to(90);
    let of_first = json!({
        "orderId": first, "shopId": "shop-a", "referenceNo": "Dhaka", "grandTotal": "40", "attemptedAt": "2026-06-15T00:00:00.000Z",
    });
    assert_eq!(worker.invoke(json!({"waiting": {}})).await, json!({"waiting": [of_first]}), "the other may still be running");
    worker.pass_to(91);
    let log = Log::capture();
    let of_second = json!({
        "orderId": submitting.order_id, "shopId": "shop-a", "grandTotal": "40", "attemptedAt": "2026-06-15T00:00:30.000Z",
    });
    let asked = json!({"waiting": {}, "by": "op-7", "reason": "evening"});
    assert_eq!(worker.invoke(asked).await, json!({"waiting": [of_first, of_second]}));
    let lines: Vec<_> = log.lines().into_iter().filter(|line| line["route"] == "operator").collect();
    assert_eq!(
        (lines.len(), &lines[0]["event"], &lines[0]["by"], &lines[0]["reason"]),
        (1, &json!("waiting"), &json!("op-7"), &json!("evening"))
    );
    for member in ["Kari", "kari@example.com", "46567468"] {
        assert!(!Value::from(log.lines()).to_string().contains(member));
    }
}

#[tokio::test]
async fn orders_of_one_second_are_listed_the_oldest_first_too() {
    let worker = TestWorker::new().await;
    let at = |millis: i64| jiff::Timestamp::from_millisecond((NOW - 100) * 1_000 - millis).unwrap();
    for number in 0..20 {
        let mut order = accepted(number, "UNKNOWN", 100);
        (order.order_uuid, order.attempted_at) = (None, at(i64::try_from(number).unwrap()));
        worker.put(&order).await;
    }
    let answer = worker.invoke(json!({"waiting": {}})).await;
    let times: Vec<_> =
        answer["waiting"].as_array().unwrap().iter().map(|order| order["attemptedAt"].as_str().unwrap()).collect();
    assert!(times.len() == 20 && times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn what_waits_comes_in_pages_of_a_hundred() {
    let worker = TestWorker::new().await;
    let mut expected = Vec::new();
    for number in 0..101 {
        let mut order = accepted(number, "UNKNOWN", 5_000 - i64::try_from(number).unwrap());
        order.order_uuid = None;
        worker.put(&order).await;
        expected.push(json!(order.order_id));
    }
    let ids = |answer: &Value| -> Vec<Value> {
        answer["waiting"].as_array().unwrap().iter().map(|order| order["orderId"].clone()).collect()
    };
    let first = worker.invoke(json!({"waiting": {}})).await;
    assert_eq!(ids(&first), expected[..100]);
    let second = worker.invoke(json!({"waiting": {"after": first["next"]}})).await;
    assert_eq!((ids(&second), second.get("next")), (expected[100..].to_vec(), None));
    for after in ["", "x", "5", "5_x", "5_0198C2F0-7E4A-7000-8000-000000000001"] {
        error(&worker.invoke(json!({"waiting": {"after": after}})).await);
    }
}

#[tokio::test]
async fn a_shop_is_told_again_what_it_was_not_told() {
    let worker = TestWorker::new().await;
    // Four changes: before `since`, failed, delivered, pending.
    worker.shops.always_answers(HOST_A, answered(410));
    let before = worker.place_invoiced(SHOP_A).await;
    worker.wake(&[&before]).await;
    worker.pass_to(100);
    let gone = worker.place_invoiced(SHOP_A).await;
    worker.wake(&[&gone]).await;
    worker.shops.always_answers(HOST_A, answered(200));
    let delivered = worker.place_invoiced(SHOP_A).await;
    worker.wake(&[&delivered]).await;
    let pending = worker.place_invoiced(SHOP_A).await;
    let other = worker.place_invoiced(SHOP_B).await;
    worker.pass_to(200);
    let history = worker.get(&gone, SHOP_A).await["history"].clone();

    let log = Log::capture();
    let event = json!({"tell": {"shopId": "shop-a", "since": "2026-06-15T02:01:39+02:00"}, "by": "op-7", "reason": "its outage"});
    assert_eq!(worker.invoke(event.clone()).await, json!({"told": 1}));
    let line = log.lines().into_iter().find(|line| line["route"] == "operator").unwrap();
    assert_eq!((&line["by"], &line["reason"], &line["told"]), (&json!("op-7"), &json!("its outage"), &json!(1)));
    drop(log);
    let shown = worker.get(&gone, SHOP_A).await;
    assert_eq!((&shown["notified"]["state"], &shown["notified"]["attempts"]), (&json!("pending"), &json!(0)));
    assert_eq!(
        (&shown["updatedAt"], &shown["history"]),
        (&json!("2026-06-15T00:01:40.000Z"), &history),
        "nothing has happened to the order"
    );
    worker.sweep().await;
    for (order_id, shop, state) in [
        (&before, SHOP_A, "failed"),
        (&gone, SHOP_A, "delivered"),
        (&delivered, SHOP_A, "delivered"),
        (&pending, SHOP_A, "delivered"),
        (&other, SHOP_B, "delivered"),
    ] {
        assert_eq!(worker.notified(order_id, shop).await["state"], state, "{order_id}");
    }
    assert_eq!(worker.shops.count(), 6, "2 x 410, delivered, and then gone, pending and the other shop's");
    assert_eq!(worker.invoke(event).await, json!({"told": 0}), "again: there is nothing more");
}

#[tokio::test]
async fn a_shop_that_was_off_hears_of_everything_since() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_C).await;
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.notified(&order_id, SHOP_C).await["state"], "off");
    let event = json!({"tell": {"shopId": "shop-c", "since": "2026-06-14T00:00:00Z"}});
    assert!(error(&worker.invoke(event.clone()).await).contains("notify"));
    let with_notify = json!({"keys": [NOTIFY_KEY]});
    worker.set_secret(secret_with([
        ("shop-a", "key-a", Value::Null),
        ("shop-b", "key-b", Value::Null),
        ("shop-c", "key-c", with_notify),
    ]));
    worker.pass(301);
    assert_eq!(worker.invoke(event).await, json!({"told": 1}));
    worker.wake(&[&order_id]).await;
    assert_eq!((worker.shops.statuses(), worker.shops.count()), (vec!["INVOICED".to_owned()], 1));
}

#[tokio::test]
async fn telling_a_shop_of_many_orders_goes_on_where_it_ended() {
    let worker = TestWorker::new().await;
    let mut order_ids = Vec::new();
    worker.shops.always_answers(HOST_A, answered(410));
    for _ in 0..3 {
        let order_id = worker.place_invoiced(SHOP_A).await;
        worker.wake(&[&order_id]).await;
        worker.pass(1);
        order_ids.push(order_id);
    }
    // The store fails at the second order. The answer says what was done, and not that nothing was.
    let (other, event) = (worker.clone(), json!({"tell": {"shopId": "shop-a", "since": "2026-06-14T00:00:00Z"}}));
    worker.store().after_writes(1, move || async move { other.store().fail(1) });
    let answer = worker.invoke(event.clone()).await;
    assert_eq!((&answer["told"], answer["next"].is_string(), answer.get("error")), (&json!(1), true, None), "{answer}");
    let mut on = event.clone();
    on["tell"]["after"] = answer["next"].clone();
    assert_eq!(worker.invoke(on).await, json!({"told": 2}));
    // With too little time, nothing is told, and the answer does not look like the end of the list.
    let answer = worker.invoke_within(event.clone(), 6).await;
    assert!(error(&answer).contains("time"), "{answer}");
    for after in ["x", "5_x"] {
        let mut unusable = event.clone();
        unusable["tell"]["after"] = json!(after);
        assert!(error(&worker.invoke(unusable).await).contains("after"));
    }
    let nobody = json!({"tell": {"shopId": "nobody", "since": "2026-06-14T00:00:00Z"}});
    assert!(error(&worker.invoke(nobody).await).contains("secret"));
}

#[tokio::test]
async fn an_event_with_anything_unknown_in_it_changes_nothing() {
    let worker = TestWorker::new().await;
    let order_id = worker.post(SHOP_A, SHOP_A.callback_url, unknown()).await.order_id();
    worker.pass_to(700);
    let (version, long) = (worker.stored(&order_id).await.version, "x".repeat(201));
    for event in [
        json!({"settle": {"orderId": order_id, "created": false}, "reson": "a typo"}),
        json!({"settle": {"orderId": order_id, "created": false, "referenceNo": "Dhaka"}}),
        json!({"settle": {"orderId": order_id, "created": false, "instead": true}}),
        json!({"settle": {"orderId": order_id, "created": true}}),
        json!({"settle": {"orderId": order_id, "created": null}}),
        json!({"settle": {"orderId": order_id}}),
        json!({"settle": {"orderId": order_id, "orderUuid": "ODR7", "referenceno": "Dhaka"}}),
        json!({"settle": {"orderId": order_id, "created": false}, "by": long}),
        json!({"settle": {"orderId": order_id, "created": false}, "reason": long}),
        json!({"settle": {"orderId": order_id, "created": false}, "by": 7}),
        json!({"settle": {"orderId": order_id, "created": false}, "waiting": {}}),
        json!({"settel": {"orderId": order_id, "created": false}}),
        json!({"waiting": {"limit": 5}}),
        json!({"tell": {"shopId": "shop-a", "since": "2026-06-14T00:00:00Z", "until": "2026-06-15T00:00:00Z"}}),
        json!({"backfill": true, "afer": order_id}),
        json!([]),
    ] {
        error(&worker.invoke(event).await);
    }
    assert_eq!((worker.stored(&order_id).await.version, worker.provider().status_call_count()), (version, 0));
    // The longest texts, and the source that a schedule adds.
    let most = json!({"settle": {"orderId": order_id, "created": false}, "by": "ø".repeat(200), "reason": "x".repeat(200), "source": "console"});
    assert_eq!(worker.invoke(most).await["status"], "FAILED");
}
