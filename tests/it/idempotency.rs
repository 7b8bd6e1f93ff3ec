//! The same key again.

use crate::support::scripted::{created, refused};
use crate::support::{NOW, TestBridge, example, id, post_event, signed};
use front_payment_bridge::config::Settings;
use front_payment_bridge::front_payment::SubmitReply;
use front_payment_bridge::store::OrderStore;
use serde_json::json;

#[tokio::test]
async fn the_idempotency_table() {
    // accepted, same order: the 201 again, also in another spelling, and Front Payment is not called
    let bench = TestBridge::new().await;
    let first = bench.post(&example(), Some("key-1")).await;
    assert_eq!(id(&first).as_bytes()[14], b'5', "a UUID v5 with a key");
    let mut respelled = example();
    respelled["products"][0]["rate"] = json!("40.00");
    respelled["extra"] = json!(1);
    let replayed = bench.post(&respelled, Some("key-1")).await;
    assert_eq!((replayed.status, replayed.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!((id(&replayed), &replayed.body["bankIdUrl"]), (id(&first), &first.body["bankIdUrl"]));
    assert_eq!(replayed.body["warnings"][0]["code"], "unknown_field", "the warnings of the body just sent");
    assert_eq!(bench.provider().submitted(), 1);

    // accepted, other order
    let mut other = example();
    other["orderSummary"]["grandTotal"] = json!("40.01");
    let reused = bench.post(&other, Some("key-1")).await;
    assert_eq!((reused.status, reused.slug(), id(&reused)), (422, "idempotency-key-reused", id(&first)));
    assert_eq!(bench.provider().submitted(), 1);

    // another key, or another shop's: another order
    assert_ne!(id(&bench.post(&example(), Some("key-2")).await), id(&first));
    let foreign = bench.orders(post_event(&example().to_string(), "Bearer key-b", Some("key-1"))).await;
    assert_ne!(id(&foreign), id(&first));
    assert_eq!(bench.provider().submitted(), 3);
}

#[tokio::test]
async fn nothing_created_allows_a_fresh_attempt_whatever_the_body() {
    for failure in [refused, || SubmitReply::Failed { unproven: true }, || SubmitReply::Unavailable] {
        let bench = TestBridge::new().await;
        bench.provider().will_answer(failure());
        let first = bench.post(&example(), Some("key-1")).await;
        bench.pass(5);
        let token = bench.stored(&id(&first)).await.callback_token;
        let mut other = example();
        other["orderSummary"]["grandTotal"] = json!("39.50");
        other["referenceNo"] = json!("second");
        let second = bench.post(&other, Some("key-1")).await;
        assert_eq!((second.status, id(&second)), (201, id(&first)));
        assert_eq!(second.header("idempotency-replayed"), None);
        let stored = bench.stored(&id(&first)).await;
        assert_eq!((stored.callback_token, stored.details.grand_total.as_str()), (token, "39.50"));
        assert_eq!((stored.earlier_attempts[0].grand_total.as_str(), stored.history.len()), ("40", 2));
        let seen = bench.get(&id(&first), "key-a").await;
        assert_eq!(seen.body["createdAt"], "2026-06-15T00:00:00Z");
        assert_eq!(seen.body["referenceNo"], "second");
    }
}

#[tokio::test]
async fn an_attempt_on_its_way_is_waited_for_and_then_unknown() {
    let bench = TestBridge::new().await;
    let retried = bench.clone();
    bench.provider().meanwhile(move |_| async move {
        retried.pass(60);
        let read = retried.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, read.slug()), (409, "submission-in-progress"));
        assert!(read.header("retry-after").is_some());
        retried.pass(1);
        let read = retried.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, read.slug()), (409, "outcome-unknown"));
        assert_eq!(retried.status(&id(&read)).await, "UNKNOWN");
    });
    let first = bench.orders_within(post_event(&example().to_string(), "Bearer key-a", Some("key-1")), 100).await;
    assert_eq!(first.status, 201, "a 201 that comes when the order is already UNKNOWN is recorded like any other");
    assert_eq!(bench.status(&id(&first)).await, "SENT");
    assert_eq!(bench.provider().submitted(), 1);
}

#[tokio::test]
async fn an_unknown_outcome_is_never_sent_again() {
    let bench = TestBridge::new().await;
    bench.provider().will_answer(SubmitReply::Unknown);
    let first = bench.post(&example(), Some("key-1")).await;
    assert!(first.body["detail"].as_str().unwrap().contains("portal"));
    for seconds in [0, 10, 100_000] {
        bench.pass(seconds);
        let mut other = example();
        other["referenceNo"] = json!(seconds.to_string());
        for order in [example(), other] {
            let again = bench.post(&order, Some("key-1")).await;
            assert_eq!((again.status, again.slug(), id(&again)), (409, "outcome-unknown", id(&first)));
        }
    }
    assert_eq!(bench.provider().submitted(), 1);
}

#[tokio::test]
async fn a_retry_after_midnight_still_gets_its_row() {
    let mut today = example();
    today["orderDate"] = json!("1781481600");
    let bench = TestBridge::with(Settings { enforce_advisories: true, ..Settings::default() }).await;
    let first = bench.post(&today, Some("key-1")).await;
    assert_eq!(first.status, 201);
    bench.provider().will_answer(SubmitReply::Unknown);
    bench.post(&today, Some("key-2")).await;
    bench.provider().will_answer(SubmitReply::Unavailable);
    bench.post(&today, Some("key-3")).await;
    bench.pass(86_400);
    let replayed = bench.post(&today, Some("key-1")).await;
    assert_eq!((replayed.status, replayed.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(bench.post(&today, Some("key-2")).await.slug(), "outcome-unknown");
    for key in [Some("key-3"), Some("key-4"), None] {
        let fresh = bench.post(&today, key).await;
        assert_eq!((fresh.status, fresh.errors()), (422, vec![("/orderDate".to_owned(), "out_of_range".to_owned())]), "{key:?}");
    }
    assert_eq!(bench.provider().submitted(), 3);
}

#[tokio::test]
async fn an_idempotency_key_has_a_form() {
    let bench = TestBridge::new().await;
    for key in ["", "two words", "æ", "tab\t", &"x".repeat(256)] {
        let read = bench.post(&example(), Some(key)).await;
        assert_eq!(
            (read.status, read.slug(), read.errors()),
            (422, "validation-failed", vec![(String::new(), "invalid_format".to_owned())])
        );
    }
    let read = bench.post(&json!({}), Some("")).await;
    assert!(read.errors().len() > 20, "with the violations of the body in the same reply");
    assert_eq!(bench.provider().submitted(), 0);
    assert_eq!(bench.post(&example(), Some(&"~".repeat(255))).await.status, 201);
}

#[tokio::test]
async fn an_item_of_another_shop_under_ones_own_id_is_an_internal_error() {
    let bench = TestBridge::new().await;
    let read = bench.post(&example(), Some("key-1")).await;
    let stored = bench.stored(&id(&read)).await;
    let mut foreign = stored.clone();
    foreign.shop_id = "shop-b".to_owned();
    foreign.version += 1;
    OrderStore::replace(bench.store(), &stored, &foreign).await.unwrap();
    let read = bench.post(&example(), Some("key-1")).await;
    assert_eq!((read.status, read.slug()), (500, "internal"));
    assert_eq!(bench.provider().submitted(), 1);
}

#[tokio::test]
async fn fifty_at_once_with_one_key_send_one_order() {
    let bench = TestBridge::new().await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let bench = bench.clone();
        requests.spawn(async move { bench.post(&example(), Some("key-1")).await.status });
    }
    let statuses = requests.join_all().await;
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&201));
    assert_eq!(bench.provider().submitted(), 1);
}

#[tokio::test]
async fn the_key_of_an_order_past_its_retention_is_a_new_key() {
    let bench = TestBridge::new().await;
    let order_id = id(&bench.post(&example(), Some("key-1")).await);
    let stored = bench.stored(&order_id).await;
    let mut kept = stored.clone();
    kept.version += 1;
    kept.expires_at = Some(NOW + 100);
    OrderStore::replace(bench.store(), &stored, &kept).await.unwrap();
    bench.pass(99);
    assert_eq!(bench.post(&example(), Some("key-1")).await.header("idempotency-replayed"), Some("true"));

    // DynamoDB may take days to delete it: whether it has done so makes no difference.
    bench.pass(1);
    bench.provider().will_answer(created("ODR2", None));
    let fresh = bench.post(&example(), Some("key-1")).await;
    assert_eq!((fresh.status, fresh.header("idempotency-replayed"), &fresh.body["orderUuid"]), (201, None, &json!("ODR2")));
    assert_eq!(bench.get(&order_id, "key-a").await.body["history"].as_array().unwrap().len(), 1);
    let late = signed("ODR1", "REFUNDED", "40", "test-secret");
    assert_eq!(bench.callback(&order_id, &stored.callback_token, &late).await.status, 404, "a late callback of the old one");
    assert_eq!(bench.status(&order_id).await, "INVOICED");
}
