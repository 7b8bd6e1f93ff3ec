//! The operator settles an order whose outcome is unknown.

use front_payment_bridge::front_payment::StatusError;
use serde_json::{Value, json};

use crate::support::documents::{example, example_of, post_event};
use crate::support::log::Log;
use crate::support::scripted::{failed, rejected, sent, unknown};
use crate::support::worker::{NOTIFY_KEY, SHOP_A, TestWorker, secret_with};

/// An order of the shop `shop-a` that is UNKNOWN.
async fn place_unknown(worker: &TestWorker) -> String {
    worker.post(SHOP_A, SHOP_A.callback_url, unknown()).await.order_id()
}

fn settle_event(order_id: &str, order_uuid: &str, reference_no: &str) -> Value {
    json!({"settle": {"orderId": order_id, "orderUuid": order_uuid, "referenceNo": reference_no}, "by": "op-7", "reason": "portal"})
}

fn not_created(order_id: &str) -> Value {
    json!({"settle": {"orderId": order_id, "created": false}, "by": "op-7"})
}

/// Checks that the event is refused with this text, and that nothing is changed.
async fn assert_refused(worker: &TestWorker, order_id: &str, event: Value, words: &str) {
    let before = worker.stored(order_id).await.version;
    let answer = worker.invoke(event).await;
    let error = answer["error"].as_str().unwrap_or_else(|| panic!("not refused: {answer}"));
    assert!(error.contains(words) && error.ends_with("Nothing was changed."), "{error}");
    assert_eq!((answer.as_object().unwrap().len(), worker.stored(order_id).await.version), (1, before));
}

#[tokio::test]
async fn an_unknown_order_takes_the_uuid_and_the_status_that_front_payment_tells() {
    let worker = TestWorker::new().await;
    let order_id = place_unknown(&worker).await;
    worker.pass_to(100);
    worker.provider().will_tell_amounts("INVOICED", "40.00", "0");
    let log = Log::capture();
    let settled = json!({"orderId": order_id, "status": "INVOICED", "orderUuid": "ODR7"});
    assert_eq!(worker.invoke(settle_event(&order_id, "ODR7", "Dhaka")).await, settled);
    let lines: Vec<_> = log.lines().into_iter().filter(|line| line["route"] == "operator").collect();
    let [line] = lines.as_slice() else { panic!("not one line: {lines:?}") };
    let said = ["event", "by", "reason", "orderId", "orderUuid", "status", "outcome"].map(|name| line[name].as_str().unwrap());
    assert_eq!(said, ["settle", "op-7", "portal", &order_id, "ODR7", "INVOICED", "done"]);

    let shown = worker.get(&order_id, SHOP_A).await;
    assert_eq!(
        shown["history"],
        json!([
            {"status": "UNKNOWN", "at": "2026-06-15T00:00:00.000Z", "source": "submit"},
            {"status": "INVOICED", "at": "2026-06-15T00:01:40.000Z", "source": "operator"},
        ])
    );
    assert_eq!((&shown["status"], &shown["checkedAt"]), (&json!("INVOICED"), &json!("2026-06-15T00:01:40.000Z")));
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.statuses(), ["INVOICED"], "the shop is notified");

    // A repetition gets the same answer. It reads and writes nothing.
    let version = worker.stored(&order_id).await.version;
    assert_eq!(worker.invoke(settle_event(&order_id, "ODR7", "Dhaka")).await, settled);
    assert_eq!((worker.stored(&order_id).await.version, worker.provider().status_call_count()), (version, 1));
}

#[tokio::test]
async fn an_unknown_word_makes_it_sent_and_is_kept() {
    let worker = TestWorker::new().await;
    let order_id = place_unknown(&worker).await;
    worker.provider().will_tell(Ok("success"));
    let answer = worker.invoke(settle_event(&order_id, "ODR7", "Dhaka")).await;
    assert_eq!(answer, json!({"orderId": order_id, "status": "SENT", "orderUuid": "ODR7"}));
    let entry = worker.get(&order_id, SHOP_A).await["history"][1].clone();
    assert_eq!((&entry["status"], &entry["source"]), (&json!("SUCCESS"), &json!("operator")));
}

#[tokio::test]
async fn an_unknown_word_makes_it_sent_whatever_was_heard_of_its_uuid() {
    let worker = TestWorker::new().await;
    let order_id = worker.post(SHOP_A, SHOP_A.callback_url, failed()).await.order_id();
    worker.call_back_about("ODR7", &order_id, "CANCELLED").await;
    assert_eq!(worker.get(&order_id, SHOP_A).await["status"], "FAILED");
    worker.provider().will_tell(Ok("on hold"));
    let answer = worker.invoke(settle_event(&order_id, "ODR7", "Dhaka")).await;
    assert_eq!(answer, json!({"orderId": order_id, "status": "SENT", "orderUuid": "ODR7"}));
}

#[tokio::test]
async fn a_failed_or_rejected_order_can_be_bound_and_one_under_way_cannot() {
    for reply in [failed(), rejected()] {
        let worker = TestWorker::new().await;
        let order_id = worker.post(SHOP_A, SHOP_A.callback_url, reply).await.order_id();
        worker.provider().will_tell(Ok("SENT"));
        let answer = worker.invoke(settle_event(&order_id, "ODR7", "Dhaka")).await;
        assert_eq!((&answer["status"], &answer["orderUuid"]), (&json!("SENT"), &json!("ODR7")));
    }
    let worker = TestWorker::new().await;
    let other = worker.clone();
    worker.provider().meanwhile(move |url| async move {
        let order_id = url.rsplit('/').nth(1).unwrap().to_owned();
        other.pass_to(60);
        assert_refused(&other, &order_id, settle_event(&order_id, "ODR7", "Dhaka"), "being submitted").await;
        other.pass_to(61);
        other.provider().will_tell(Ok("SENT"));
        assert_eq!(other.invoke(settle_event(&order_id, "ODR7", "Dhaka")).await["orderUuid"], "ODR7");
    });
    let reply = worker.post(SHOP_A, SHOP_A.callback_url, sent("ODR7")).await;
    assert_eq!((reply.status, &reply.body["orderUuid"]), (201, &json!("ODR7")));
}

#[tokio::test]
async fn what_front_payment_does_not_confirm_is_not_bound() {
    let worker = TestWorker::new().await;
    let order_id = place_unknown(&worker).await;
    for event in [settle_event(&order_id, "ODR7", "another"), json!({"settle": {"orderId": order_id, "orderUuid": "ODR7"}})] {
        assert_refused(&worker, &order_id, event, "referenceNo").await;
    }
    assert_refused(&worker, &order_id, settle_event(&order_id, "ODR 7", "Dhaka"), "does not know").await;
    assert_eq!(worker.provider().status_call_count(), 0, "nothing is read for these");
    worker.provider().will_tell(Err(StatusError::NotFound));
    assert_refused(&worker, &order_id, settle_event(&order_id, "ODR7", "Dhaka"), "does not know").await;
    worker.provider().will_tell_amounts("SENT", "41", "0");
    assert_refused(&worker, &order_id, settle_event(&order_id, "ODR7", "Dhaka"), "another orderAmount").await;
    assert_refused(&worker, &order_id, settle_event(&order_id, "ODR7", "Dhaka"), "does not tell").await;
    let nobody = "0198c2f0-7e4a-7000-8000-000000000001";
    assert_refused(&worker, &order_id, settle_event(nobody, "ODR7", "Dhaka"), "no order").await;
    assert_eq!(worker.stored(&order_id).await.status.name(), "UNKNOWN");
}

#[tokio::test]
async fn a_rotated_token_is_fetched_for_the_status_read() {
    let worker = TestWorker::new().await;
    let order_id = place_unknown(&worker).await;
    let secret = secret_with([
        ("shop-a", "key-a", json!({"keys": [NOTIFY_KEY]})),
        ("shop-b", "key-b", Value::Null),
        ("shop-c", "key-c", Value::Null),
    ]);
    worker.set_secret(secret.replace("token-1", "token-2"));
    worker.provider().will_tell(Err(StatusError::Unauthorized));
    worker.provider().will_tell(Ok("SENT"));
    assert_eq!(worker.invoke(settle_event(&order_id, "ODR7", "Dhaka")).await["orderUuid"], "ODR7");
    let tokens: Vec<_> = worker.provider().status_calls().into_iter().map(|(_, token)| token).collect();
    assert_eq!(tokens, ["token-1", "token-2"]);
}

#[tokio::test]
async fn an_accepted_order_is_another_one_only_with_instead() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    worker.wake(&[&order_id]).await;
    assert_refused(&worker, &order_id, settle_event(&order_id, "ODR9", "Dhaka"), "accepted").await;
    assert_refused(&worker, &order_id, not_created(&order_id), "accepted").await;
    let mut event = settle_event(&order_id, "ODR9", "Dhaka");
    event["settle"]["instead"] = json!(true);
    worker.provider().will_tell_amounts("INVOICED", "39", "0");
    assert_refused(&worker, &order_id, event.clone(), "another orderAmount").await;
    worker.provider().will_tell_amounts("INVOICED", "40", "10");
    let answer = worker.invoke(event.clone()).await;
    assert_eq!(answer, json!({"orderId": order_id, "status": "INVOICED", "orderUuid": "ODR9"}));
    let shown = worker.get(&order_id, SHOP_A).await;
    assert_eq!((&shown["refundedAmount"], shown.get("customerUuid")), (&json!("10"), None), "they go with their uuid");
    worker.wake(&[&order_id]).await;
    let told: Vec<_> = worker.shops.told().iter().map(|told| (told.status(), told.order_uuid())).collect();
    let expected = [("INVOICED", "ODR1"), ("INVOICED", "ODR9")].map(|(status, uuid)| (status.to_owned(), uuid.to_owned()));
    assert_eq!(told, expected, "the shop is notified, though the status is the same");
    assert_eq!(worker.invoke(event).await, answer, "also when repeated");

    // The order never becomes a uuid that the operator has replaced.
    worker.call_back_about("ODR1", &order_id, "PAID").await;
    worker.call_back_about("ODR9", &order_id, "CANCELLED").await;
    assert_eq!(worker.get(&order_id, SHOP_A).await["orderUuid"], "ODR9");
}

#[tokio::test]
async fn an_order_that_was_not_created_is_failed_and_the_same_key_goes_on() {
    let worker = TestWorker::new().await;
    worker.provider().will_reply(unknown());
    let event = |order: &Value| post_event(&order.to_string(), "Bearer key-a", Some("key-1"));
    let order_id = worker.api(event(&example())).await.order_id();
    worker.pass_to(600);
    assert_refused(&worker, &order_id, not_created(&order_id), "ten minutes").await;
    assert_eq!(worker.api(event(&example())).await.slug(), "outcome-unknown");
    worker.pass_to(601);
    let log = Log::capture();
    let settled = json!({"orderId": order_id, "status": "FAILED"});
    assert_eq!(worker.invoke(not_created(&order_id)).await, settled);
    let lines: Vec<_> = log.lines().into_iter().filter(|line| line["route"] == "operator").collect();
    assert_eq!((lines.len(), &lines[0]["by"], &lines[0]["outcome"]), (1, &json!("op-7"), &json!("done")));
    drop(log);
    let shown = worker.get(&order_id, SHOP_A).await;
    let entry = json!({"status": "FAILED", "at": "2026-06-15T00:10:01.000Z", "source": "operator"});
    assert_eq!((&shown["status"], &shown["history"][1]), (&json!("FAILED"), &entry));
    let version = worker.stored(&order_id).await.version;
    assert_eq!(worker.invoke(not_created(&order_id)).await, settled, "also when repeated");
    assert_eq!(worker.stored(&order_id).await.version, version);
    worker.sweep().await;
    assert_eq!((worker.shops.count(), worker.provider().status_call_count()), (0, 0), "there is nothing to tell or to ask");

    // The same key again, with the same body or another one.
    let again = worker.api(event(&example_of("39"))).await;
    assert_eq!((again.status, again.is_replay(), again.order_id()), (201, false, order_id));
    assert_eq!(worker.provider().submit_count(), 2);
}

#[tokio::test]
async fn what_is_settled_while_a_callback_accepts_the_order_is_decided_anew() {
    let worker = TestWorker::new().await;
    let order_id = place_unknown(&worker).await;
    worker.pass_to(700);
    let (other, id) = (worker.clone(), order_id.clone());
    worker.store().before_write(move || async move { other.call_back_about("ODR7", &id, "INVOICED").await });
    let answer = worker.invoke(not_created(&order_id)).await;
    assert!(answer["error"].as_str().is_some_and(|error| error.contains("accepted")), "{answer}");
    let shown = worker.get(&order_id, SHOP_A).await;
    assert_eq!((&shown["status"], &shown["orderUuid"]), (&json!("INVOICED"), &json!("ODR7")));
}
