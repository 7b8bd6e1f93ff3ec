//! What a program does next, for every problem that a shop can get. And the forms of the Idempotency-Key.

use std::collections::BTreeSet;

use front_payment_bridge::front_payment::CancelReply;
use serde_json::{Value, json};

use crate::replies::replies;
use crate::support::documents::{example, health_event, post_event};
use crate::support::faulty_store::Fault;
use crate::support::scripted::{failed, sent, unknown};
use crate::support::test_bridge::{TestBridge, TestReply};
use crate::support::worker::repeat_event;

/// The problems of those routes that [`replies`] does not call.
async fn more_replies() -> Vec<TestReply> {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    let mut replies = vec![bridge.orders(repeat_event(&order_id, "Bearer key-a")).await, bridge.list("limit=0").await];
    bridge.provider().will_answer_cancel(CancelReply::Refused(Vec::new()));
    replies.push(bridge.cancel(&order_id, "").await);
    bridge.provider().will_answer_cancel(CancelReply::Unauthorized);
    replies.push(bridge.cancel(&order_id, "").await);
    bridge.provider().will_reply(failed());
    let failed = bridge.post(&example(), None).await.order_id();
    replies.push(bridge.cancel(&failed, "").await);
    bridge.store().will([Fault::Down]);
    replies.push(bridge.orders(health_event()).await);
    replies
}

#[tokio::test]
async fn every_problem_says_what_a_program_does_next() {
    let expected = [
        ("malformed-json", 400, "correct"),
        ("unauthorized", 401, "correct"),
        ("not-found", 404, "correct"),
        ("submission-in-progress", 409, "retry"),
        ("outcome-unknown", 409, "look"),
        ("nothing-to-notify", 409, "read"),
        ("not-accepted", 409, "correct"),
        ("cannot-be-cancelled", 409, "read"),
        ("payload-too-large", 413, "correct"),
        ("validation-failed", 422, "correct"),
        ("idempotency-key-reused", 422, "read"),
        ("rejected-by-front-payment", 422, "correct"),
        ("internal", 500, "look"), // the order has no key
        ("front-payment-failed", 502, "retry"),
        ("front-payment-unavailable", 503, "retry"),
        ("storage-unavailable", 503, "retry"),
        ("secret-unavailable", 503, "retry"),
        ("unhealthy", 503, "retry"),
        ("outcome-unknown", 504, "look"),
    ];
    let mut seen = BTreeSet::new();
    let of_shops = replies().await.into_iter().map(|(_, reply)| reply).chain(more_replies().await);
    for reply in of_shops.filter(|reply| reply.status >= 400 && reply.body.get("nextStep").is_some()) {
        let row = (reply.slug(), reply.status, reply.body["nextStep"].as_str().unwrap());
        seen.insert(*expected.iter().find(|expected| **expected == row).unwrap_or_else(|| panic!("{row:?} is in no row")));
    }
    assert_eq!(seen, BTreeSet::from(expected), "every row was seen");
}

#[tokio::test]
async fn a_callback_has_no_next_step() {
    let of_callbacks: Vec<_> = replies()
        .await
        .into_iter()
        .map(|(_, reply)| reply)
        .filter(|reply| reply.status >= 400 && reply.body.get("nextStep").is_none())
        .collect();
    let slugs: BTreeSet<_> = of_callbacks.iter().map(TestReply::slug).collect();
    let expected = ["callback-not-verified", "front-payment-unavailable", "not-found", "secret-unavailable"];
    assert_eq!(slugs, BTreeSet::from(expected), "Front Payment is no shop");
}

fn defect() {
    panic!("a defect")
}

#[tokio::test]
async fn an_internal_error_is_repeated_only_with_a_key() {
    for (key, next_step) in [(None, "look"), (Some("key-1"), "retry")] {
        let bridge = TestBridge::new().await;
        let mut nowhere = post_event(&example().to_string(), "Bearer key-a", key);
        nowhere["requestContext"] = Value::Null;
        let reply = bridge.orders(nowhere).await;
        assert_eq!((reply.slug(), &reply.body["nextStep"]), ("internal", &json!(next_step)));

        // A panic in the middle of a request, after the order was sent.
        bridge.provider().meanwhile(|_| async { defect() });
        let reply = bridge.post(&example(), key).await;
        assert_eq!((reply.status, reply.slug(), &reply.body["nextStep"]), (500, "internal", &json!(next_step)));
    }
}

#[tokio::test]
async fn a_program_comes_back_after_two_seconds_where_its_order_is_under_way() {
    let bridge = TestBridge::new().await;
    let other = bridge.clone();
    bridge.provider().meanwhile(move |_| async move {
        let reply = other.post(&example(), Some("key-1")).await;
        assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (409, "submission-in-progress", Some("2")));
        assert_eq!(reply.body["nextStep"], "retry");
    });
    assert_eq!(bridge.post(&example(), Some("key-1")).await.status, 201);
}

#[tokio::test]
async fn a_key_in_quotation_marks_is_the_key_and_one_sent_twice_is_refused() {
    let bridge = TestBridge::new().await;
    let first = bridge.post(&example(), Some("k")).await;
    let quoted = bridge.post(&example(), Some("\"k\"")).await;
    assert_eq!((quoted.status, quoted.is_replay(), quoted.order_id()), (201, true, first.order_id()));
    // A proxy sends the header twice, and API Gateway joins the two.
    for twice in ["k,k", "k, k", "\"k\",\"k\"", "\"k\", \"k\""] {
        let reply = bridge.post(&example(), Some(twice)).await;
        assert_eq!((reply.status, reply.errors()), (422, vec![(String::new(), "invalid_format".to_owned())]), "{twice}");
        assert_eq!(reply.body["nextStep"], "correct");
    }
    assert_eq!(bridge.provider().submit_count(), 1);
}

#[tokio::test]
async fn an_unknown_order_without_a_key_is_looked_for_too() {
    let bridge = TestBridge::new().await;
    bridge.provider().will_reply(unknown());
    let reply = bridge.post(&example(), None).await;
    assert_eq!((reply.status, &reply.body["nextStep"], reply.header("retry-after")), (504, &json!("look"), None));
}
