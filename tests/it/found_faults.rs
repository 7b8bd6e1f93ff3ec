//! Faults that were found and reproduced before, one test each.

use aws_sdk_dynamodb::types::AttributeValue;
use front_payment_bridge::order::{NotificationState, Notifications, Status};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::reconcile::accepted;
use crate::support::documents::{callback_event, example, signed};
use crate::support::log::Log;
use crate::support::scripted::{failed, id_and_token, sent, unknown};
use crate::support::test_bridge::{TestBridge, query};
use crate::support::worker::{SHOP_B, TestWorker};
use crate::support::world::{CALLBACKS, ORDERS, SECRET_KEY, World, body, post, slug};

/// The example order after a change of the cart that keeps the amount.
fn other_order() -> serde_json::Value {
    let mut order = example();
    order["products"][0]["name"] = json!("Cable");
    order
}

// Fault: an order was FAILED after a 500, though it existed. So another body with the same key was sent, and invoiced too.
#[tokio::test]
async fn fault_1_an_order_that_may_exist_is_not_sent_again_under_another_body() {
    let bridge = TestBridge::new().await;
    let (order_id, token) = bridge.place(unknown()).await;
    let other = bridge.post(&other_order(), Some("key-1")).await;
    assert_eq!((other.status, other.slug(), other.order_id()), (409, "outcome-unknown", order_id.clone()));
    assert_eq!(other.body["nextStep"], "look");
    assert_eq!(bridge.callback(&order_id, &token, &query("ODR1", "INVOICED", "40")).await.status, 200);
    let other = bridge.post(&other_order(), Some("key-1")).await;
    assert_eq!((other.status, other.slug(), other.order_id()), (422, "idempotency-key-reused", order_id));
    assert_eq!(bridge.provider().submit_count(), 1, "so it is true that nothing was sent");
}

// Fault: the callback of the first attempt came while the second one was being sent. The shop was told that nothing was
// sent.
#[tokio::test]
async fn fault_1_nothing_was_sent_is_not_said_of_an_order_that_was_sent() {
    for (reply, second) in [(sent("ODR2"), true), (unknown(), false)] {
        let bridge = TestBridge::new().await;
        // Front Payment says that it created nothing, although it did.
        let (order_id, _) = bridge.place(failed()).await;
        let caller = bridge.clone();
        bridge.provider().meanwhile(move |url| async move {
            let (order_id, token) = id_and_token(&url);
            assert_eq!(caller.callback(&order_id, &token, &query("ODR1", "INVOICED", "40")).await.status, 200);
        });
        bridge.provider().will_reply(reply);
        let log = Log::capture();
        let other = bridge.post(&other_order(), Some("key-1")).await;
        assert_eq!((other.status, &other.body["orderUuid"]), (201, &json!("ODR1")), "{}", other.body);
        assert_eq!((other.order_id(), other.body["detail"].as_str()), (order_id.clone(), None));
        let twice: Vec<_> = log.errors().into_iter().map(|line| line["otherOrderUuid"].clone()).collect();
        let shown = bridge.get(&order_id, "key-a").await.body;
        let noted = shown["history"].as_array().unwrap().iter().any(|entry| entry["otherOrderUuid"] == "ODR2");
        assert_eq!((twice.contains(&json!("ODR2")), noted), (second, second), "the second order is found out");
    }
}

// Fault: a sweep read the first 50,000 orders of one common queue. All others waited until these were done. Now what a sweep
// reads does not depend on how many orders wait; the benchmark `backlog` has 100,000.
#[tokio::test]
async fn fault_2_the_orders_of_a_dead_shop_and_overdue_status_reads_starve_no_other_shop() {
    let (few, many) = (reads_of_a_sweep_beside(1_000).await, reads_of_a_sweep_beside(4_000).await);
    assert_eq!(few, many);
}

/// How many orders and pages the first sweep reads beside so many undelivered orders of a dead shop.
async fn reads_of_a_sweep_beside(undelivered: usize) -> usize {
    let worker = TestWorker::new().await;
    let since = worker.now() - SignedDuration::from_hours(48);
    let orders: Vec<_> = (0..undelivered)
        .map(|number| {
            // The customer has not signed, and the shop was not told: both a notification and a status read are due.
            let mut order = accepted(number, "SENT", 172_800);
            order.notifications = Some(Notifications {
                change: 1,
                changed_at: since,
                pending_since: since,
                state: NotificationState::Pending,
                told_status: None,
                told_at: None,
                attempts: 3,
                next_at: since,
                due_since: None,
                last_error: None,
                running: None,
            });
            order
        })
        .collect();
    join_all(orders.iter().map(|order| worker.put(order))).await;
    let order_id = worker.place_invoiced(SHOP_B).await;
    worker.shops.always_answers("shop.example", crate::support::shops::answered(500));
    let log = Log::capture();
    worker.store().reads();
    worker.sweep().await;
    let reads = worker.store().reads();
    assert_eq!(worker.notified(&order_id, SHOP_B).await["state"], "delivered", "in the first sweep");
    let lines = log.lines();
    let line = lines.iter().find(|line| line.get("oldestUndeliveredSeconds").is_some()).expect("no line about the sweep");
    assert!(line["oldestUndeliveredSeconds"].as_u64().unwrap() >= 172_800, "an alarm goes off: {line}");
    assert_eq!(worker.provider().status_call_count(), 100, "and Front Payment is asked meanwhile");
    reads
}

/// The order's places in the indexes, as the item in the table has them.
async fn places(world: &World, order_id: &str) -> [Option<String>; 4] {
    let key = AttributeValue::S(order_id.to_owned());
    let found = world.moto.dynamodb().get_item().table_name("orders").key("orderId", key).send().await.unwrap();
    let item = found.item.expect("no item");
    ["askQueue", "askAt", "tellQueue", "tellAt"].map(|name| match item.get(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => Some(text.clone()),
        _ => None,
    })
}

// Fault: the claim in memory lacked the derived attributes, so the write of the result did not remove them from the table.
#[tokio::test(flavor = "multi_thread")]
async fn fault_3_what_is_stored_is_what_was_derived() {
    let world = World::new().await;
    let orders = world.start(ORDERS, &[]).await;
    for (word, expected, status) in [
        ("rejected", "rejected-by-front-payment", Status::Rejected),
        ("unavailable", "front-payment-unavailable", Status::Failed),
    ] {
        let mut order = example();
        order["referenceNo"] = json!(word);
        let reply = orders.invoke(&post(&order, Some(word))).await;
        assert_eq!(slug(&reply), expected, "{reply}");
        let order_id = body(&reply)["orderId"].as_str().unwrap().to_owned();
        assert_eq!(world.stored(&order_id).await.status, status);
        assert_eq!(places(&world, &order_id).await, [None, None, None, None], "{word}: nothing waits");
    }

    // Two writes by one process: a callback with an unknown word makes the order due at once, and the status read makes it
    // due later.
    let created = body(&orders.invoke(&post(&example(), None)).await);
    let (order_id, order_uuid) = (created["orderId"].as_str().unwrap(), created["orderUuid"].as_str().unwrap());
    let callbacks = world.start(CALLBACKS, &[]).await;
    let token = world.stored(order_id).await.callback_token;
    let query = signed(order_uuid, "success", "40", SECRET_KEY);
    assert_eq!(callbacks.invoke(&callback_event(order_id, &token, &query)).await["statusCode"], 200);
    let stored = world.stored(order_id).await;
    assert_eq!((stored.status, stored.history.len(), stored.reason_since), (Status::Sent, 2, None), "the status was read");
    let [queue, at, tell_queue, _] = places(&world, order_id).await;
    assert_eq!((queue.as_deref(), tell_queue), (Some("ask"), None));
    let wait = at.unwrap().parse::<i64>().unwrap() - Timestamp::now().as_second();
    assert!((100..=121).contains(&wait), "in two minutes, not at once: {wait} s");
}
