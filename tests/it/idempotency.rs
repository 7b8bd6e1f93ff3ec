//! A second request with the same Idempotency-Key.

use front_payment_bridge::config::Settings;
use serde_json::json;

use crate::support::documents::{example, example_of, post_event};
use crate::support::scripted::{failed, rejected, sent, unavailable, unknown};
use crate::support::test_bridge::TestBridge;

#[tokio::test]
async fn an_accepted_order_is_replayed() {
    let bridge = TestBridge::new().await;
    let first = bridge.post(&example(), Some("key-1")).await;
    assert_eq!(first.order_id().as_bytes()[14], b'5', "a UUID v5 with a key");
    // The same order, written differently.
    let mut respelled = example();
    respelled["products"][0]["rate"] = json!("40.00");
    respelled["orderDate"] = json!("4070995200");
    respelled["callback"]["callbackUrl"] = json!("https://shop.example/status?x=2");
    respelled["callback"]["success"] = json!("https://shop.example/thanks?attempt=2");
    respelled["callback"]["failure"] = json!("https://shop.example/sorry?attempt=2");
    respelled["extra"] = json!(1);
    respelled["customerDetails"]["personalNumber"] = json!("30108299939");
    let replayed = bridge.post(&respelled, Some("key-1")).await;
    assert_eq!((replayed.status, replayed.is_replay(), replayed.order_id()), (201, true, first.order_id()));
    assert_eq!(replayed.body["bankIdUrl"], first.body["bankIdUrl"]);
    assert_eq!(replayed.warnings(), [("/extra".to_owned(), "unknown_field".to_owned())], "of the body just sent");
    assert_eq!(bridge.provider().submit_count(), 1);
}

#[tokio::test]
async fn another_order_under_the_key_of_an_accepted_one_is_refused() {
    let bridge = TestBridge::new().await;
    let first = bridge.post(&example(), Some("key-1")).await;
    let reused = bridge.post(&example_of("40.01"), Some("key-1")).await;
    assert_eq!((reused.status, reused.slug(), reused.order_id()), (422, "idempotency-key-reused", first.order_id()));
    assert_eq!(bridge.provider().submit_count(), 1);
    let detail = reused.body["detail"].as_str().unwrap();
    let place = |text: &str| detail.find(text).unwrap_or_else(|| panic!("{text} is not in {detail}"));
    assert!(place("GET /orders/{orderId}") < place("second invoice"), "{detail}");
    assert!(place("second invoice") < place("cancel that order first"), "{detail}");
    assert!(place("cancel that order first") < place("Use a new key only"), "{detail}");

    // With another key, or from another shop, it is another order.
    assert_ne!(bridge.post(&example(), Some("key-2")).await.order_id(), first.order_id());
    let other_shop = bridge.orders(post_event(&example().to_string(), "Bearer key-b", Some("key-1"))).await;
    assert_ne!(other_shop.order_id(), first.order_id());
    assert_eq!(bridge.provider().submit_count(), 3);
}

#[tokio::test]
async fn a_fresh_attempt_follows_where_nothing_was_created() {
    for reply in [rejected, failed, unavailable] {
        let bridge = TestBridge::new().await;
        let (order_id, token) = bridge.place(reply()).await;
        bridge.pass(5);
        let mut other = example_of("39.50");
        other["referenceNo"] = json!("second");
        let second = bridge.post(&other, Some("key-1")).await;
        assert_eq!((second.status, second.order_id(), second.is_replay()), (201, order_id.clone(), false));
        let stored = bridge.stored(&order_id).await;
        assert_eq!((stored.callback_token, stored.grand_total.as_str()), (token, "39.50"));
        assert_eq!(stored.history.len(), 2);
        let shown = bridge.get(&order_id, "key-a").await.body;
        assert_eq!(
            (&shown["createdAt"], &shown["updatedAt"], &shown["referenceNo"]),
            (&json!("2026-06-15T00:00:00.000Z"), &json!("2026-06-15T00:00:05.000Z"), &json!("second"))
        );
    }
}

#[tokio::test]
async fn an_attempt_under_way_is_in_progress_for_60_seconds_and_then_unknown() {
    let bridge = TestBridge::new().await;
    let other = bridge.clone();
    bridge.provider().meanwhile(move |_| async move {
        other.pass(60);
        let reply = other.post(&example(), Some("key-1")).await;
        assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (409, "submission-in-progress", Some("2")));
        assert_eq!(other.status(&reply.order_id()).await, "SUBMITTING");
        other.pass_millis(1);
        assert_eq!(other.status(&reply.order_id()).await, "UNKNOWN", "shown, and not yet stored");
        let reply = other.post(&example(), Some("key-1")).await;
        assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (409, "outcome-unknown", None));
        assert_eq!(other.stored(&reply.order_id()).await.status.name(), "UNKNOWN");
    });
    let event = post_event(&example().to_string(), "Bearer key-a", Some("key-1"));
    let first = bridge.orders_within(event, 100).await;
    assert_eq!(first.status, 201, "a 201 for an order that is UNKNOWN by then is stored like any other");
    assert_eq!((bridge.status(&first.order_id()).await.as_str(), bridge.provider().submit_count()), ("SENT", 1));
}

#[tokio::test]
async fn an_unknown_outcome_is_never_sent_again() {
    let bridge = TestBridge::new().await;
    bridge.provider().will_reply(unknown());
    let first = bridge.post(&example(), Some("key-1")).await;
    assert_eq!((first.status, first.slug()), (504, "outcome-unknown"));
    let detail = first.body["detail"].as_str().unwrap();
    assert!(detail.contains("referenceNo") && detail.contains("portal"), "{detail}");
    for seconds in [0, 10, 100_000] {
        bridge.pass(seconds);
        for order in [example(), example_of(&format!("41.{seconds}"))] {
            let again = bridge.post(&order, Some("key-1")).await;
            assert_eq!((again.status, again.slug(), again.order_id()), (409, "outcome-unknown", first.order_id()));
        }
    }
    assert_eq!(bridge.provider().submit_count(), 1);
}

#[tokio::test]
async fn rules_that_depend_on_the_day_hold_for_fresh_attempts_only() {
    let mut today = example();
    today["orderDate"] = json!("1781481600");
    let bridge = TestBridge::with(Settings { enforce_advisories: true, ..Settings::default() }).await;
    for (key, reply) in [("key-1", sent("ODR1")), ("key-2", unknown()), ("key-3", unavailable())] {
        bridge.provider().will_reply(reply);
        bridge.post(&today, Some(key)).await;
    }
    bridge.pass(86_400);
    let replayed = bridge.post(&today, Some("key-1")).await;
    assert_eq!((replayed.status, replayed.is_replay()), (201, true));
    assert_eq!(bridge.post(&today, Some("key-2")).await.slug(), "outcome-unknown");
    for key in [Some("key-3"), Some("key-4"), None] {
        let fresh = bridge.post(&today, key).await;
        let past = ("/orderDate".to_owned(), "out_of_range".to_owned());
        let no_key = key.is_none().then(|| (String::new(), "recommended".to_owned()));
        let expected: Vec<_> = [past].into_iter().chain(no_key).collect();
        assert_eq!((fresh.status, fresh.errors()), (422, expected), "{key:?}");
    }
    assert_eq!(bridge.provider().submit_count(), 3);
}

#[tokio::test]
async fn a_retry_may_have_another_date_and_other_urls() {
    let bridge = TestBridge::new().await;
    let first = bridge.post(&example(), Some("key-1")).await;
    let mut again = example();
    again["orderDate"] = json!("4070995200");
    for member in ["callbackUrl", "success", "failure"] {
        again["callback"][member] = json!("https://shop.example/other");
    }
    let replayed = bridge.post(&again, Some("key-1")).await;
    assert_eq!((replayed.status, replayed.is_replay(), replayed.order_id()), (201, true, first.order_id()));
    assert_eq!(bridge.stored(&first.order_id()).await.shop_callback_url, "https://shop.example/status?x=1");
    assert_eq!(bridge.provider().submit_count(), 1);
}

#[tokio::test]
async fn an_idempotency_key_is_1_to_255_visible_ascii_characters() {
    let bridge = TestBridge::new().await;
    for key in ["", "two words", "æ", "tab\t", &"x".repeat(256)] {
        let reply = bridge.post(&example(), Some(key)).await;
        assert_eq!(
            (reply.status, reply.slug(), reply.errors()),
            (422, "validation-failed", vec![(String::new(), "invalid_format".to_owned())])
        );
    }
    let reply = bridge.post(&json!({}), Some("")).await;
    assert!(reply.errors().len() > 20, "with the errors of the body");
    assert_eq!(bridge.provider().submit_count(), 0);
    assert_eq!(bridge.post(&example(), Some(&"~".repeat(255))).await.status, 201);
}

#[tokio::test]
async fn an_item_of_another_shop_under_the_orders_id_is_an_internal_error() {
    let bridge = TestBridge::new().await;
    let order_id = bridge.post(&example(), Some("key-1")).await.order_id();
    bridge.change_stored(&order_id, |stored| "shop-b".clone_into(&mut stored.shop_id)).await;
    let reply = bridge.post(&example(), Some("key-1")).await;
    assert_eq!((reply.status, reply.slug(), bridge.provider().submit_count()), (500, "internal", 1));
}

#[tokio::test]
async fn fifty_requests_at_once_with_one_key_send_one_order() {
    let bridge = TestBridge::new().await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let bridge = bridge.clone();
        requests.spawn(async move { bridge.post(&example(), Some("key-1")).await.status });
    }
    let statuses = requests.join_all().await;
    assert!(statuses.iter().all(|status| [201, 409].contains(status)) && statuses.contains(&201), "{statuses:?}");
    assert_eq!(bridge.provider().submit_count(), 1);
}
