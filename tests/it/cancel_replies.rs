//! A shop cancels an order: what is refused, and what fails.

use front_payment_bridge::front_payment::CancelReply;
use front_payment_bridge::order::{Code, Violation};
use serde_json::json;

use crate::support::documents::{cancel_event, example};
use crate::support::faulty_store::Fault;
use crate::support::scripted::{failed, rejected, sent, unknown};
use crate::support::test_bridge::TestBridge;

fn refused() -> CancelReply {
    CancelReply::Refused(vec![Violation::new("", Code::Provider, "orderStatusAlreadyPaid")])
}

#[tokio::test]
async fn what_front_payment_refuses_is_as_if_it_was_not_asked_for() {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    bridge.provider().will_answer_cancel(refused());
    bridge.provider().will_tell(Ok("PAID"));
    let reply = bridge.cancel(&order_id, "").await;
    assert_eq!((reply.status, reply.slug(), &reply.body["nextStep"]), (409, "cannot-be-cancelled", &json!("read")));
    assert_eq!(reply.order_id(), order_id);
    assert_eq!(reply.body["errors"], json!([{"pointer": "", "code": "provider", "detail": "orderStatusAlreadyPaid"}]));
    let shown = bridge.get(&order_id, "key-a").await.body;
    assert_eq!((&shown["status"], shown.get("cancelRequestedAt")), (&json!("PAID"), None));
    let entries: Vec<_> = shown["history"].as_array().unwrap().iter().map(|entry| (&entry["status"], &entry["source"])).collect();
    let expected = [("SENT", "submit"), ("CANCEL_REQUESTED", "shop"), ("PAID", "provider"), ("CANCEL_REFUSED", "provider")]
        .map(|entry| (json!(entry.0), json!(entry.1)));
    assert_eq!(entries, expected.each_ref().map(|entry| (&entry.0, &entry.1)));

    // Refused even if no status can be read. A further request is noted again.
    bridge.provider().will_answer_cancel(refused());
    assert_eq!(bridge.cancel(&order_id, "").await.slug(), "cannot-be-cancelled");
    assert_eq!(bridge.stored(&order_id).await.history.len(), 6);
}

#[tokio::test]
async fn an_order_that_front_payment_refuses_because_it_is_cancelled_is_cancelled() {
    for word in ["CANCELLED", "EXPIRED"] {
        let bridge = TestBridge::new().await;
        let (order_id, _) = bridge.place(sent("ODR1")).await;
        bridge.provider().will_answer_cancel(refused());
        bridge.provider().will_tell(Ok(word));
        let reply = bridge.cancel(&order_id, "").await;
        assert_eq!((reply.status, &reply.body), (200, &json!({"orderId": order_id, "orderUuid": "ODR1", "status": word})));
        assert!(bridge.stored(&order_id).await.cancel_requested_at.is_some());
    }
}

#[tokio::test]
async fn a_cancellation_that_fails_stands_and_is_repeated() {
    for (call, status, slug, retry_after) in [
        (CancelReply::Unauthorized, 502, "front-payment-failed", None),
        (CancelReply::Unavailable, 503, "front-payment-unavailable", Some("30")),
        (CancelReply::Unknown, 504, "outcome-unknown", None),
    ] {
        let bridge = TestBridge::new().await;
        let (order_id, _) = bridge.place(sent("ODR1")).await;
        bridge.provider().will_answer_cancel(call);
        let reply = bridge.cancel(&order_id, "").await;
        assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (status, slug, retry_after));
        assert_eq!((&reply.body["nextStep"], reply.order_id()), (&json!("retry"), order_id.clone()), "{slug}");
        let shown = bridge.get(&order_id, "key-a").await.body;
        assert_eq!(
            (&shown["status"], &shown["cancelRequestedAt"]),
            (&json!("SENT"), &json!("2026-06-15T00:00:00.000Z")),
            "{slug}"
        );
        assert_eq!((bridge.provider().cancel_calls().len(), bridge.provider().status_call_count()), (1, 0), "{slug}");
        // The shop repeats the request.
        bridge.provider().will_tell(Ok("CANCELLED"));
        assert_eq!(bridge.cancel(&order_id, "").await.status, 200, "{slug}");
        assert_eq!((bridge.provider().cancel_calls().len(), bridge.provider().status_call_count()), (1, 1), "{slug}");
    }
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    bridge.provider().will_ask_to_wait(7);
    bridge.provider().will_answer_cancel(CancelReply::Unavailable);
    assert_eq!(bridge.cancel(&order_id, "").await.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn nothing_is_sent_that_could_not_be_written_down_or_answered() {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    for faults in [vec![Fault::Down], vec![Fault::None, Fault::Down]] {
        bridge.store().will(faults);
        let reply = bridge.cancel(&order_id, "").await;
        assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (503, "storage-unavailable", Some("5")));
        assert_eq!(reply.body["nextStep"], "retry");
    }
    let late = bridge.orders_within(cancel_event(&order_id, "Bearer key-a", ""), 7).await;
    assert_eq!((late.status, late.slug(), late.header("retry-after")), (503, "front-payment-unavailable", Some("30")));
    assert_eq!((bridge.provider().cancel_calls(), bridge.stored(&order_id).await.cancel_requested_at), (vec![], None));
}

#[tokio::test]
async fn an_order_that_front_payment_does_not_have_cannot_be_cancelled() {
    for (reply, next_step) in [(failed(), "correct"), (rejected(), "correct"), (unknown(), "look")] {
        let bridge = TestBridge::new().await;
        let (order_id, _) = bridge.place(reply).await;
        let reply = bridge.cancel(&order_id, "").await;
        assert_eq!((reply.status, reply.slug(), &reply.body["nextStep"]), (409, "not-accepted", &json!(next_step)));
        assert_eq!((reply.order_id(), bridge.provider().cancel_calls()), (order_id, vec![]));
    }
    // While the order is being submitted, and when that has taken too long.
    let bridge = TestBridge::new().await;
    let other = bridge.clone();
    bridge.provider().meanwhile(move |url| async move {
        let order_id = url.rsplit('/').nth(1).unwrap().to_owned();
        let reply = other.cancel(&order_id, "").await;
        assert_eq!((reply.slug(), &reply.body["nextStep"]), ("not-accepted", &json!("retry")));
        other.pass(61);
        let reply = other.cancel(&order_id, "").await;
        assert_eq!((reply.slug(), &reply.body["nextStep"]), ("not-accepted", &json!("look")));
    });
    bridge.post(&example(), Some("key-1")).await;
    assert_eq!(bridge.provider().cancel_calls(), vec![]);
}

#[tokio::test]
async fn another_shops_order_is_not_found() {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    let others = bridge.orders(cancel_event(&order_id, "Bearer key-b", "")).await;
    let none = bridge.cancel("0198c2f0-7e4a-7000-8000-000000000001", "").await;
    assert_eq!((others.status, others.slug(), &others.body), (404, "not-found", &none.body));
    assert_eq!(bridge.orders(cancel_event(&order_id, "Bearer unknown", "")).await.slug(), "unauthorized");
    assert_eq!((bridge.provider().cancel_calls(), bridge.stored(&order_id).await.history.len()), (vec![], 1));
    assert_eq!(bridge.cancel(&order_id.to_uppercase(), "").await.status, 202);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_cancels_nothing() {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    for (body, status, errors) in [
        ("{", 400, vec![]),
        (r#"{"note":"a","note":"b"}"#, 400, vec![]),
        ("[]", 422, vec![("", "wrong_type")]),
        (r#"{"note":""}"#, 422, vec![("/note", "required")]),
        (json!({"note": "x".repeat(201)}).to_string().as_str(), 422, vec![("/note", "too_long")]),
        (r#"{"note":5,"orderUuid":{}}"#, 422, vec![("/note", "wrong_type"), ("/orderUuid", "wrong_type")]),
    ] {
        let reply = bridge.cancel(&order_id, body).await;
        let errors: Vec<_> = errors.into_iter().map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).collect();
        assert_eq!((reply.status, reply.errors(), &reply.body["nextStep"]), (status, errors, &json!("correct")), "{body}");
        assert_eq!(reply.order_id(), order_id, "{body}");
    }
    assert_eq!((bridge.provider().cancel_calls(), bridge.stored(&order_id).await.cancel_requested_at), (vec![], None));
}
