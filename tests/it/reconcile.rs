//! Reconciliation: status reads of orders of which Front Payment says nothing.

use front_payment_bridge::front_payment::StatusError;
use front_payment_bridge::order::{AskQueue, StoredOrder};
use front_payment_bridge::store::{IndexQuery, OrderIndex, Partition};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::markers::assert_alarms_count_real_lines;
use crate::support::log::Log;
use crate::support::scripted::{failed, unknown};
use crate::support::test_bridge::NOW;
use crate::support::worker::{SHOP_A, SHOP_B, SHOP_C, TestWorker};

/// An accepted order of `shop-a` that has had this status for so many seconds.
pub fn accepted(number: usize, status: &str, seconds_ago: i64) -> StoredOrder {
    let at = jiff::Timestamp::from_second(NOW - seconds_ago).unwrap();
    serde_json::from_value(json!({
        "orderId": Uuid::now_v7(), "version": 1, "status": status, "attempt": Uuid::new_v4(), "attemptedAt": at,
        "shopId": "shop-a", "callbackToken": "token", "orderUuid": format!("ODR{number}"), "grandTotal": "40",
        "shopCallbackUrl": "https://shop.example/", "customerType": "private", "preferredLanguage": "no", "country": "NO",
        "createdAt": at, "updatedAt": at,
        "history": [{"status": "SENT", "at": at, "source": "submit", "id": "a", "orderUuid": format!("ODR{number}")}],
    }))
    .unwrap()
}

/// The uuids whose status was read.
pub fn asked(worker: &TestWorker) -> Vec<String> {
    worker.provider().status_calls().into_iter().map(|(order_uuid, _)| order_uuid).collect()
}

#[tokio::test]
async fn a_silent_order_is_asked_for_at_its_times() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    for (count, second) in (0..).zip([120, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800]) {
        worker.pass_to(second - 1);
        worker.sweep().await;
        assert_eq!(asked(&worker).len(), count, "not before second {second}");
        worker.pass_to(second);
        worker.provider().will_tell(Ok("SENT"));
        worker.sweep().await;
        worker.sweep().await;
        assert_eq!(asked(&worker).len(), count + 1, "at second {second}");
    }
    let shown = worker.get(&order_id, SHOP_A).await;
    assert_eq!(
        (&shown["updatedAt"], &shown["checkedAt"]),
        (&json!("2026-06-15T00:00:00.000Z"), &Value::Null),
        "a status read without news writes nothing more"
    );
    assert_eq!((shown["history"].as_array().unwrap().len(), worker.shops.count()), (1, 0), "nothing new, nothing to tell");
    assert_eq!(worker.provider().status_calls()[0], ("ODR1".to_owned(), "token-1".to_owned()));
}

#[tokio::test]
async fn a_callback_begins_the_times_anew() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.pass_to(100);
    worker.call_back(&order_id, "SENT").await;
    worker.pass_to(219);
    worker.sweep().await;
    assert_eq!(asked(&worker).len(), 0);
    worker.pass_to(220);
    worker.sweep().await;
    assert_eq!(asked(&worker).len(), 1);
}

#[tokio::test]
async fn news_is_stored_and_told_in_the_same_sweep() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.pass_to(120);
    worker.provider().will_tell(Ok("INVOICED"));
    let log = Log::capture();
    worker.sweep().await;
    let shown = worker.get(&order_id, SHOP_A).await;
    assert_eq!((&shown["status"], shown.get("bankIdUrl")), (&json!("INVOICED"), None));
    assert_eq!(shown["history"][1], json!({"status": "INVOICED", "at": "2026-06-15T00:02:00.000Z", "source": "provider"}));
    assert_eq!((worker.shops.statuses(), &shown["notified"]["state"]), (vec!["INVOICED".to_owned()], &json!("delivered")));
    let lines = log.lines();
    let line = lines.iter().find(|line| line["route"] == "reading").expect("no line about the status read");
    assert_eq!((&line["outcome"], &line["shopId"], &line["orderId"]), (&json!("news"), &json!("shop-a"), &json!(order_id)));
    assert!(line["totalMs"].is_u64() && line["providerMs"].is_u64() && line["orderUuid"] == "ODR1", "{line}");

    // A status read may lower the rank, unlike a callback.
    worker.call_back(&order_id, "PAID").await;
    worker.wake(&[&order_id]).await;
    worker.pass(7 * 86_400);
    worker.provider().will_tell(Ok("INVOICED"));
    worker.sweep().await;
    assert_eq!(worker.get(&order_id, SHOP_A).await["status"], "INVOICED");
    assert_eq!(worker.shops.statuses(), ["INVOICED", "PAID", "INVOICED"]);
}

#[tokio::test]
async fn a_status_read_without_news_is_one_line_in_the_log() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.pass_to(120);
    worker.provider().will_tell(Ok("SENT"));
    worker.limited().will_leave([200]);
    let log = Log::capture();
    worker.sweep().await;
    let lines = log.lines();
    let reads: Vec<_> = lines.iter().filter(|line| line["route"] == "reading").collect();
    assert_eq!(reads.len(), 1, "{lines:?}");
    assert_eq!(
        (&reads[0]["outcome"], &reads[0]["orderId"], &reads[0]["providerRateLimitRemaining"]),
        (&json!("unchanged"), &json!(order_id), &json!(200))
    );
    assert_alarms_count_real_lines("WorkerLogs", &lines, &["unchanged"]);
    let text = json!(lines).to_string();
    for secret in ["shop.example", "token-1", &worker.stored(&order_id).await.callback_token, "bankid"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn when_to_ask_again_is_written_down_before_it_is_asked() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.pass_to(120);
    let (reader, id) = (worker.clone(), order_id.clone());
    worker.provider().meanwhile(move |_| async move {
        let stored = reader.stored(&id).await;
        assert_eq!((stored.asked_at, stored.ask_at), (Some(reader.now()), Some(NOW + 300)));
        reader.invoke_other(json!({})).await;
    });
    worker.provider().will_tell(Ok("SENT"));
    worker.sweep().await;
    assert_eq!(asked(&worker).len(), 1, "the other worker did not ask");

    // The worker is killed while it waits for the status.
    worker.pass_to(300);
    worker.kill_in_status_read(json!({})).await;
    worker.sweep().await;
    worker.pass_to(899);
    worker.sweep().await;
    assert_eq!(asked(&worker).len(), 2, "it is not asked for again before its next time");
    worker.pass_to(900);
    worker.provider().will_tell(Ok("RESERVED"));
    worker.sweep().await;
    assert_eq!((asked(&worker).len(), &worker.get(&order_id, SHOP_A).await["status"]), (3, &json!("RESERVED")));
}

#[tokio::test]
async fn a_status_read_whose_first_write_lost_its_reply_goes_on() {
    let worker = TestWorker::new().await;
    worker.put(&accepted(0, "SENT", 1_000)).await;
    worker.provider().will_tell(Ok("SENT"));
    worker.store().conflict_with_itself(1);
    worker.sweep().await;
    assert_eq!(asked(&worker), ["ODR0"]);
}

#[tokio::test]
async fn a_sweep_ends_its_status_reads_where_less_than_half_the_rate_limit_is_left() {
    let worker = TestWorker::new().await;
    for number in 0..10 {
        worker.put(&accepted(number, "SENT", 1_000)).await;
        worker.provider().will_tell(Ok("SENT"));
    }
    worker.limited().will_leave([122, 121, 120, 119, 118]);
    worker.sweep().await;
    assert_eq!(asked(&worker).len(), 4, "at a reply below 120");
    worker.limited().will_leave([0]);
    worker.sweep().await;
    assert_eq!(asked(&worker).len(), 4 + 1);
}

#[tokio::test]
async fn notifications_go_on_where_no_status_read_may() {
    let worker = TestWorker::new().await;
    worker.put(&accepted(50, "SENT", 1_000)).await;
    worker.put(&accepted(51, "SENT", 900)).await;
    for _ in 0..3 {
        worker.place_invoiced(SHOP_A).await;
    }
    worker.provider().will_tell(Ok("SENT"));
    worker.limited().will_leave([10]);
    worker.sweep().await;
    assert_eq!((asked(&worker).len(), worker.shops.count()), (1, 3));
}

#[tokio::test]
async fn a_uuid_that_front_payment_does_not_know_is_an_error_and_asked_about_after_a_day() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.pass_to(120);
    worker.provider().will_tell(Err(StatusError::NotFound));
    let log = Log::capture();
    worker.sweep().await;
    let errors = log.errors();
    assert_eq!((errors.len(), &errors[0]["orderId"], &errors[0]["orderUuid"]), (1, &json!(order_id), &json!("ODR1")));
    let lines = log.lines();
    assert!(lines.iter().any(|line| line["route"] == "reading" && line["outcome"] == "not-found"), "{lines:?}");
    let shown = worker.get(&order_id, SHOP_A).await;
    assert_eq!((&shown["status"], shown.get("checkedAt")), (&json!("SENT"), None), "it is no status");
    worker.pass_to(86_519);
    worker.sweep().await;
    assert_eq!(asked(&worker).len(), 1);
    worker.pass_to(86_520);
    worker.provider().will_tell(Ok("PAID"));
    worker.sweep().await;
    assert_eq!((asked(&worker).len(), worker.shops.statuses()), (2, vec!["PAID".to_owned()]));
}

#[tokio::test]
async fn a_status_read_that_fails_is_made_again_at_its_next_time() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.pass_to(120);
    let log = Log::capture();
    worker.sweep().await;
    let lines = log.lines();
    assert!(lines.iter().any(|line| line["route"] == "reading" && line["outcome"] == "failed"), "{lines:?}");
    assert_alarms_count_real_lines("WorkerLogs", &lines, &["reading failed"]);
    assert!(log.errors().is_empty(), "{lines:?}");
    assert_eq!(worker.get(&order_id, SHOP_A).await.get("checkedAt"), None);
    worker.pass_to(299);
    worker.sweep().await;
    assert_eq!(asked(&worker).len(), 1);
    worker.pass_to(300);
    worker.provider().will_tell(Ok("SENT"));
    worker.sweep().await;
    assert_eq!(asked(&worker).len(), 2);
}

#[tokio::test]
async fn an_unknown_word_that_is_read_is_kept_and_tells_nothing() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.pass_to(120);
    worker.provider().will_tell(Ok("on hold"));
    worker.sweep().await;
    let shown = worker.get(&order_id, SHOP_A).await;
    assert_eq!(
        (&shown["status"], &shown["checkedAt"]),
        (&json!("SENT"), &json!("2026-06-15T00:02:00.000Z")),
        "a new word is news"
    );
    assert_eq!(shown["history"][1], json!({"status": "ON_HOLD", "at": "2026-06-15T00:02:00.000Z", "source": "provider"}));
    worker.pass(7_200);
    worker.provider().will_tell(Ok("on hold"));
    worker.sweep().await;
    assert_eq!(worker.get(&order_id, SHOP_A).await["history"].as_array().unwrap().len(), 2, "kept once");
    assert_eq!((asked(&worker).len(), worker.shops.count()), (2, 0));
}

#[tokio::test]
async fn a_reason_that_could_not_be_asked_about_is_asked_about_by_the_next_sweep() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    worker.wake(&[&order_id]).await;
    worker.pass_to(30);
    worker.call_back(&order_id, "success").await;
    assert_eq!((asked(&worker).len(), worker.stored(&order_id).await.ask_at), (1, Some(NOW + 30)));
    worker.pass_to(40);
    worker.sweep().await;
    assert_eq!(asked(&worker).len(), 2, "Front Payment is still down");
    worker.pass_to(100);
    worker.provider().will_tell(Ok("PAID"));
    worker.sweep().await;
    assert_eq!((asked(&worker).len(), worker.stored(&order_id).await.reason_since), (3, None));
    assert_eq!(worker.shops.statuses(), ["INVOICED", "PAID"]);
}

#[tokio::test]
async fn a_status_that_changed_while_it_was_read_is_read_anew() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.pass_to(120);
    let (caller, id) = (worker.clone(), order_id.clone());
    worker.provider().meanwhile(move |_| async move { caller.call_back(&id, "PAID").await });
    worker.provider().will_tell(Ok("RESERVED"));
    worker.provider().will_tell(Ok("PAID"));
    worker.sweep().await;
    assert_eq!((asked(&worker).len(), &worker.get(&order_id, SHOP_A).await["status"]), (2, &json!("PAID")));
    assert_eq!(worker.shops.statuses(), ["PAID"]);
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_not() {
    let worker = TestWorker::new().await;
    for reply in [unknown(), failed()] {
        worker.post(SHOP_A, SHOP_A.callback_url, reply).await;
    }
    worker.put(&StoredOrder { refunded_amount: Some("40.00".to_owned()), ..accepted(1, "REFUNDED", 100_000_000) }).await;
    worker.put(&accepted(2, "CANCELLED", 31 * 86_400)).await;
    worker.put(&accepted(3, "PAID", 91 * 86_400)).await;
    // ODR2 and ODR3 have been due since day 28 and day 56. The last status read stays due, however late it is.
    worker.pass(200 * 86_400);
    worker.sweep().await;
    let mut asked = asked(&worker);
    asked.sort_unstable();
    assert_eq!(asked, ["ODR2", "ODR3"]);
    worker.pass(200 * 86_400);
    worker.sweep().await;
    assert_eq!(worker.provider().status_call_count(), 2, "never again");
}

#[tokio::test]
async fn a_shop_without_notify_has_its_orders_asked_for_too() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_C).await;
    worker.pass_to(120);
    worker.provider().will_tell(Ok("PAID"));
    worker.sweep().await;
    let shown = worker.get(&order_id, SHOP_C).await;
    assert_eq!((&shown["status"], &shown["notified"]["state"]), (&json!("PAID"), &json!("off")));
    assert_eq!(worker.shops.count(), 0);
}

#[tokio::test]
async fn an_order_that_is_due_for_both_is_told_and_then_asked_for_in_one_sweep() {
    for (shop, state) in [(SHOP_A, "delivered"), (SHOP_C, "off")] {
        let worker = TestWorker::new().await;
        let order_id = worker.place_invoiced(shop).await;
        worker.pass(86_400);
        worker.provider().will_tell(Ok("INVOICED"));
        worker.sweep().await;
        let shown = worker.get(&order_id, shop).await;
        assert_eq!(shown["notified"]["state"], state);
        assert_eq!(asked(&worker).len(), 1);
    }
}

#[tokio::test]
async fn a_slow_shop_does_not_hold_up_the_status_reads() {
    let worker = TestWorker::new().await;
    for _ in 0..20 {
        worker.place_invoiced(SHOP_A).await;
    }
    worker.shops.hangs("shop.example");
    for _ in 0..5 {
        worker.place(SHOP_B).await;
        worker.provider().will_tell(Ok("SENT"));
    }
    worker.pass_to(120);
    let time = worker.run_time();
    let began = worker.second();
    let (reader, came) = (worker.clone(), std::sync::Arc::new(std::sync::Mutex::new(None)));
    let at = came.clone();
    worker.provider().meanwhile(move |_| async move { *at.lock().unwrap() = Some(reader.second()) });
    worker.sweep().await;
    time.abort();
    assert_eq!(asked(&worker).len(), 5);
    assert!(came.lock().unwrap().unwrap() - began < 5);
}

#[tokio::test]
async fn an_undelivered_order_whose_shop_is_slow_does_not_hold_up_the_reads_after_it() {
    let worker = TestWorker::new().await;
    for number in 0..8 {
        let mut undelivered = accepted(number, "SENT", 1_000);
        undelivered = *undelivered.repeat_notification(worker.now()).unwrap();
        worker.put(&undelivered).await;
        worker.provider().will_tell(Ok("SENT"));
    }
    let last = accepted(8, "SENT", 121);
    worker.put(&last).await;
    worker.provider().will_tell(Ok("INVOICED"));
    worker.shops.hangs("shop.example");
    let (began, slowly) = (worker.second(), worker.clone());
    // A second lasts a tenth, so that a busy machine has time for the reads.
    let time = tokio::spawn(async move {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            slowly.pass(1);
        }
    });
    worker.sweep().await;
    time.abort();
    assert_eq!(asked(&worker).len(), 9);
    let shown = worker.stored(&last.order_id.to_string()).await;
    let after = shown.checked_at.unwrap().as_second() - NOW - began;
    assert!(after < 10, "{after} s later; one call to the shop takes ten");
}

#[tokio::test]
async fn what_is_done_leaves_the_index() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    worker.call_back(&order_id, "REFUNDED").await;
    let due = async |partition| worker.store().list(&IndexQuery::until(partition, i64::MAX, 10)).await.unwrap().items.len();
    let (tell, ask) = (Partition::Tell { shop_id: "shop-a" }, Partition::Ask(AskQueue::Ask));
    assert_eq!((due(tell).await, due(ask).await), (1, 1));
    worker.wake(&[&order_id]).await;
    worker.provider().will_tell_amounts("REFUNDED", "40", "40");
    worker.sweep().await;
    let left = (due(tell).await, due(ask).await, due(Partition::Ask(AskQueue::Check)).await);
    assert_eq!(left, (0, 0, 0), "told, and never to be asked for again");
    assert_eq!(worker.shops.statuses(), ["REFUNDED", "REFUNDED"], "how much was refunded is news");
}
