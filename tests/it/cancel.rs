//! A shop cancels an order: what is stored, sent and read.

use std::future::pending;
use std::sync::Arc;

use front_payment_bridge::front_payment::CancelReply;
use front_payment_bridge::order::{AskQueue, Status};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::documents::cancel_event;
use crate::support::log::Log;
use crate::support::scripted::sent;
use crate::support::test_bridge::{NOW, TestBridge, TestReply, query, test_secret};
use crate::support::worker::{SHOP_A, TestWorker};

/// Status and body of a reply.
fn told(reply: &TestReply) -> (u16, &Value) {
    (reply.status, &reply.body)
}

#[tokio::test]
async fn a_cancellation_is_written_down_then_sent_and_then_read() {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    bridge.pass(5);
    let (other, id) = (bridge.clone(), order_id.clone());
    bridge.provider().meanwhile(move |order_uuid| async move {
        assert_eq!(order_uuid, "ODR1");
        let shown = other.get(&id, "key-a").await.body;
        assert_eq!(shown["cancelRequestedAt"], "2026-06-15T00:00:05.000Z", "a process that dies here is found out");
        let entry = json!({"status": "CANCEL_REQUESTED", "at": "2026-06-15T00:00:05.000Z", "source": "shop"});
        assert_eq!((&shown["status"], &shown["history"][1]), (&json!("SENT"), &entry));
        let stored = other.stored(&id).await;
        assert_eq!((stored.ask_queue, stored.ask_at), (Some(AskQueue::Ask), Some(NOW + 5)), "due to be asked about at once");
        assert_eq!(other.provider().status_call_count(), 0);
        other.pass(1);
    });
    bridge.provider().will_tell(Ok("CANCELLED"));
    let reply = bridge.cancel(&order_id, "").await;
    assert_eq!(told(&reply), (202, &json!({"orderId": order_id, "orderUuid": "ODR1", "status": "CANCELLED"})));
    let call = ["ODR1", "Cancelled by the shop", "token-1"].map(str::to_owned);
    assert_eq!(bridge.provider().cancel_calls(), [call.into()]);
    let shown = bridge.get(&order_id, "key-a").await.body;
    assert_eq!((&shown["status"], shown.get("bankIdUrl")), (&json!("CANCELLED"), None));
    assert_eq!(shown["cancelRequestedAt"], "2026-06-15T00:00:05.000Z");
    assert_eq!(shown["notified"]["state"], "pending", "the shop is told");
    assert_eq!(
        shown["history"],
        json!([
            {"status": "SENT", "at": "2026-06-15T00:00:00.000Z", "source": "submit"},
            {"status": "CANCEL_REQUESTED", "at": "2026-06-15T00:00:05.000Z", "source": "shop"},
            {"status": "CANCELLED", "at": "2026-06-15T00:00:06.000Z", "source": "provider"},
        ])
    );
}

#[tokio::test]
async fn the_note_goes_to_front_payment_and_nowhere_else() {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    let log = Log::capture();
    let note = format!("{}ø", "Kari ".repeat(39) + "Nord");
    assert_eq!(bridge.cancel(&order_id, &json!({"note": note, "orderUuid": null, "other": 5}).to_string()).await.status, 202);
    assert_eq!(bridge.provider().cancel_calls()[0].1, note);
    let summary = log.summary();
    assert_eq!(
        [&summary["route"], &summary["outcome"], &summary["shopId"], &summary["orderId"], &summary["orderUuid"]],
        [&json!("POST /orders/{orderId}/cancel"), &json!("cancel-requested"), &json!("shop-a"), &json!(order_id), &json!("ODR1")]
    );
    let stored = serde_json::to_string(&bridge.stored(&order_id).await).unwrap();
    let logged = Value::from(log.lines()).to_string();
    for personal in ["Kari", "Nord", "kari@example.com", "46567468", "30908299902", "Klosterenget"] {
        assert!(!stored.contains(personal) && !logged.contains(personal), "{personal} in {stored} or {logged}");
    }
}

#[tokio::test]
async fn a_repetition_reads_first_and_sends_only_where_the_order_is_not_cancelled() {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    // The cancellation is accepted, but the status read fails. That stays a reason to ask until a status is read.
    let reply = bridge.cancel(&order_id, "{}").await;
    assert_eq!(told(&reply), (202, &json!({"orderId": order_id, "orderUuid": "ODR1", "status": "SENT"})));
    let stored = bridge.stored(&order_id).await;
    assert_eq!((stored.ask_queue, stored.reason_since.is_some()), (Some(AskQueue::Ask), true));
    // The status read fails again, so the cancellation is sent again. It is also sent again if the status is still SENT.
    assert_eq!(bridge.cancel(&order_id, "").await.status, 202);
    assert_eq!((bridge.provider().cancel_calls().len(), bridge.provider().status_call_count()), (2, 3));
    bridge.provider().will_tell(Ok("SENT"));
    assert_eq!(bridge.cancel(&order_id, "").await.status, 202);
    assert_eq!(bridge.provider().cancel_calls().len(), 3);
    assert!(bridge.stored(&order_id).await.reason_since.is_some(), "it was sent again, and what came of it is not told");
    for word in ["CANCELLED", "EXPIRED"] {
        bridge.change_stored(&order_id, |stored| stored.status = Status::Sent).await;
        bridge.provider().will_tell(Ok(word));
        let reply = bridge.cancel(&order_id, "").await;
        assert_eq!(told(&reply), (200, &json!({"orderId": order_id, "orderUuid": "ODR1", "status": word})));
        assert_eq!(bridge.provider().cancel_calls().len(), 3, "{word}: nothing is sent");
    }
    let shown = bridge.get(&order_id, "key-a").await.body;
    let requested = shown["history"].as_array().unwrap().iter().filter(|entry| entry["status"] == "CANCEL_REQUESTED").count();
    assert_eq!((requested, &shown["cancelRequestedAt"]), (1, &json!("2026-06-15T00:00:00.000Z")), "noted once");
}

#[tokio::test]
async fn an_order_that_is_cancelled_or_expired_is_not_sent_again() {
    for word in ["CANCELLED", "EXPIRED"] {
        let bridge = TestBridge::new().await;
        let (order_id, token) = bridge.place(sent("ODR1")).await;
        bridge.callback(&order_id, &token, &query("ODR1", word, "40")).await;
        let reply = bridge.cancel(&order_id, "").await;
        assert_eq!(told(&reply), (200, &json!({"orderId": order_id, "orderUuid": "ODR1", "status": word})));
        // The same if the order becomes CANCELLED or EXPIRED while the cancellation is stored.
        let bridge = TestBridge::new().await;
        let (order_id, token) = bridge.place(sent("ODR1")).await;
        let (other, id) = (bridge.clone(), order_id.clone());
        bridge.store().before_replace(move || async move {
            other.callback(&id, &token, &query("ODR1", word, "40")).await;
        });
        assert_eq!(bridge.cancel(&order_id, "").await.status, 200);
        assert_eq!((bridge.provider().cancel_calls(), bridge.provider().status_call_count()), (vec![], 0));
        assert_eq!(bridge.stored(&order_id).await.cancel_requested_at, None);
    }
}

#[tokio::test]
async fn a_second_order_of_the_key_can_be_called_off() {
    let bridge = TestBridge::new().await;
    let (order_id, token) = bridge.place(sent("ODR1")).await;
    bridge.callback(&order_id, &token, &query("ODR2", "SENT", "40")).await;
    let body = json!({"orderUuid": "ODR2", "note": "twice"}).to_string();
    let reply = bridge.cancel(&order_id, &body).await;
    assert_eq!(told(&reply), (202, &json!({"orderId": order_id, "orderUuid": "ODR2"})), "no status is told");
    bridge.provider().will_tell(Ok("CANCELLED"));
    let reply = bridge.cancel(&order_id, &body).await;
    assert_eq!(told(&reply), (202, &json!({"orderId": order_id, "orderUuid": "ODR2", "status": "CANCELLED"})));
    let shown = bridge.get(&order_id, "key-a").await.body;
    assert_eq!((&shown["status"], &shown["orderUuid"], shown.get("cancelRequestedAt")), (&json!("SENT"), &json!("ODR1"), None));
    assert_eq!(
        shown["history"][2],
        json!({"status": "CANCELLED", "at": "2026-06-15T00:00:00.000Z", "source": "provider", "otherOrderUuid": "ODR2"})
    );
    let uuids: Vec<_> = bridge.provider().cancel_calls().into_iter().map(|(order_uuid, ..)| order_uuid).collect();
    assert_eq!(uuids, ["ODR2", "ODR2"]);
    bridge.provider().will_answer_cancel(CancelReply::Refused(Vec::new()));
    bridge.provider().will_tell(Ok("PAID"));
    assert_eq!(bridge.cancel(&order_id, &body).await.slug(), "cannot-be-cancelled");
    assert_eq!(bridge.stored(&order_id).await.cancel_requested_at, None);

    let reply = bridge.cancel(&order_id, r#"{"orderUuid":"ODR3"}"#).await;
    assert_eq!((reply.status, reply.errors()), (422, vec![("/orderUuid".to_owned(), "not_allowed".to_owned())]));
    assert_eq!(bridge.provider().cancel_calls().len(), 3);
}

#[tokio::test]
async fn an_order_whose_cancellation_was_asked_for_makes_way_for_no_other() {
    let bridge = TestBridge::new().await;
    let (order_id, token) = bridge.place(sent("ODR1")).await;
    bridge.callback(&order_id, &token, &query("ODR2", "SENT", "40")).await;
    bridge.provider().will_tell(Ok("CANCELLED"));
    let reply = bridge.cancel(&order_id, "").await;
    assert_eq!(told(&reply), (202, &json!({"orderId": order_id, "orderUuid": "ODR1", "status": "CANCELLED"})));
    let stored = bridge.stored(&order_id).await;
    assert_eq!((stored.order_uuid.as_deref(), stored.status.name()), (Some("ODR1"), "CANCELLED"));
}

#[tokio::test]
async fn a_rotated_token_is_fetched_and_used_for_the_status_read_too() {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    bridge.set_secret(test_secret("token-2", &json!("test-secret")));
    bridge.provider().will_answer_cancel(CancelReply::Unauthorized);
    bridge.provider().will_tell(Ok("CANCELLED"));
    assert_eq!(bridge.cancel(&order_id, "").await.status, 202);
    let tokens: Vec<_> = bridge.provider().cancel_calls().into_iter().map(|(.., token)| token).collect();
    assert_eq!(tokens, ["token-1", "token-2"]);
    assert_eq!(bridge.provider().status_calls(), [("ODR1".to_owned(), "token-2".to_owned())]);
}

#[tokio::test]
async fn a_process_that_dies_in_between_leaves_the_question_to_the_worker() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.pass_to(5);
    let reached = Arc::new(Notify::new());
    let here = reached.clone();
    worker.provider().meanwhile(move |_| async move {
        here.notify_one();
        pending().await
    });
    let (dying, event) = (worker.clone(), cancel_event(&order_id, "Bearer key-a", ""));
    let running = tokio::spawn(async move { dying.api(event).await });
    reached.notified().await;
    running.abort();
    assert!(running.await.is_err());

    worker.pass_to(6);
    worker.provider().will_tell(Ok("CANCELLED"));
    worker.sweep().await;
    let shown = worker.get(&order_id, SHOP_A).await;
    assert_eq!((&shown["status"], &shown["notified"]["state"]), (&json!("CANCELLED"), &json!("delivered")));
    assert_eq!((worker.shops.statuses(), worker.provider().cancel_calls().len()), (vec!["CANCELLED".to_owned()], 1));
    assert_eq!(worker.api(cancel_event(&order_id, "Bearer key-a", "")).await.status, 200, "the shop repeats it");
    assert_eq!(worker.provider().cancel_calls().len(), 1);
}
