//! What all replies have in common: headers, and members of problem documents.

use serde_json::{Value, json};

use crate::support::documents::{callback_event, example, example_of, get_event, post_event};
use crate::support::faulty_store::Fault;
use crate::support::scripted::{failed, rejected, unavailable, unknown};
use crate::support::test_bridge::{REQUEST_ID, TestBridge, TestReply, query};

/// One reply of every kind, with its name.
pub async fn replies() -> Vec<(&'static str, TestReply)> {
    let bridge = TestBridge::new().await;
    let post = async |key| bridge.post(&example(), Some(key)).await;
    let mut replies = vec![("accepted", post("key-1").await), ("replayed", post("key-1").await)];
    let order_id = replies[0].1.order_id();
    let token = bridge.stored(&order_id).await.callback_token;
    replies.push(("read", bridge.get(&order_id, "key-a").await));
    replies.push(("idempotency-key-reused", bridge.post(&example_of("41"), Some("key-1")).await));
    replies.push(("unauthorized", bridge.get(&order_id, "unknown").await));
    replies.push(("not-found", bridge.get("x", "key-a").await));
    replies.push(("malformed-json", bridge.orders(post_event("{", "Bearer key-a", None)).await));
    replies.push(("validation-failed", bridge.post(&json!({}), None).await));
    replies.push(("payload-too-large", bridge.orders(post_event(&" ".repeat(300_000), "Bearer key-a", None)).await));
    for (key, name, reply) in [
        ("rejected", "rejected-by-front-payment", rejected()),
        ("failed", "front-payment-failed", failed()),
        ("unavailable", "front-payment-unavailable", unavailable()),
        ("unknown", "outcome-unknown", unknown()),
    ] {
        bridge.provider().will_reply(reply);
        replies.push((name, post(key).await));
    }
    replies.push(("outcome-unknown", post("unknown").await));
    bridge.store().will([Fault::Down]);
    replies.push(("storage-unavailable", bridge.get(&order_id, "key-a").await));
    let mut nowhere = post_event(&example().to_string(), "Bearer key-a", None);
    nowhere["requestContext"] = Value::Null;
    replies.push(("internal", bridge.orders(nowhere).await));
    let verified = query("ODR1", "PAID", "40");
    for name in ["applied", "known"] {
        replies.push((name, bridge.callback(&order_id, &token, &verified).await));
    }
    replies.push(("twice", bridge.callback(&order_id, &token, &query("ODR2", "PAID", "40")).await));
    replies.push(("front-payment-unavailable", bridge.callback(&order_id, &token, "").await));
    bridge.provider().will_tell(Ok("PAID"));
    replies.push(("read-back", bridge.callback(&order_id, &token, "").await));
    replies.push(("not-found", bridge.callback(&order_id, "x", "").await));
    replies.push(("not-found", bridge.callbacks(json!({})).await));
    let order_id = post("unknown").await.order_id();
    let token = bridge.stored(&order_id).await.callback_token;
    replies.push(("callback-not-verified", bridge.callback(&order_id, &token, "").await));
    let not_set_up = TestBridge::with_secret("{}").await;
    replies.push(("secret-unavailable", not_set_up.orders(get_event("x", "Bearer key-a", "")).await));
    replies.push(("secret-unavailable", not_set_up.callbacks(callback_event(&order_id, &token, "")).await));
    let other = bridge.clone();
    let (send, receive) = tokio::sync::oneshot::channel();
    bridge.provider().meanwhile(move |_| async move {
        send.send(other.post(&example(), Some("under-way")).await).unwrap();
    });
    post("under-way").await;
    replies.push(("submission-in-progress", receive.await.unwrap()));
    replies
}

#[tokio::test]
async fn no_reply_may_be_cached() {
    for (name, reply) in replies().await {
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{name}");
        assert_eq!(reply.headers.get_all("cache-control").iter().count(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_problem_names_its_request() {
    for (name, reply) in replies().await.into_iter().filter(|(_, reply)| reply.status >= 400) {
        assert_eq!(reply.slug(), name);
        assert_eq!(reply.body["instance"], format!("urn:uuid:{REQUEST_ID}"), "{name}");
        assert_eq!(reply.body["status"], reply.status, "{name}");
        for member in ["title", "detail"] {
            assert!(reply.body[member].as_str().is_some_and(|text| text.len() > 5), "{name}: {}", reply.body);
        }
    }
}

#[tokio::test]
async fn front_payments_retry_after_is_passed_on_up_to_an_hour() {
    for (asked, given) in [(0, "0"), (7, "7"), (120, "120"), (3_600, "3600"), (3_601, "3600"), (u64::MAX, "3600")] {
        for reply in [unavailable] {
            let bridge = TestBridge::new().await;
            bridge.provider().will_ask_to_wait(asked);
            bridge.provider().will_reply(reply());
            let reply = bridge.post(&example(), Some("key-1")).await;
            assert_eq!((reply.status, reply.header("retry-after")), (503, Some(given)));
        }
        // Also if the status is read for a callback.
        let bridge = TestBridge::new().await;
        let order_id = bridge.post(&example(), Some("key-1")).await.order_id();
        let token = bridge.stored(&order_id).await.callback_token;
        bridge.provider().will_ask_to_wait(asked);
        let reply = bridge.callback(&order_id, &token, "").await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some(given)));
    }
    // No other reply has it.
    let bridge = TestBridge::new().await;
    bridge.provider().will_ask_to_wait(120);
    for (reply, status) in [(failed(), 502), (unknown(), 504), (rejected(), 422)] {
        bridge.provider().will_reply(reply);
        let reply = bridge.post(&example(), None).await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, None));
    }
}
