//! When the bridge makes a status read, and what it does with the result.

use front_payment_bridge::front_payment::StatusError;
use jiff::Timestamp;
use serde_json::json;

use crate::support::documents::{get_event, signed, signed_at};
use crate::support::log::Log;
use crate::support::scripted::{invoiced, sent, unknown};
use crate::support::test_bridge::{TestBridge, TestReply, query};

/// An INVOICED order with the uuid ODR1 and 40 kroner; its id and its callback token.
async fn invoiced_order() -> (TestBridge, String, String) {
    let bridge = TestBridge::new().await;
    let (order_id, token) = bridge.place(invoiced("ODR1")).await;
    (bridge, order_id, token)
}

fn verified(status: &str) -> String {
    query("ODR1", status, "40")
}

/// The words in the history that the shop sees.
fn words(shown: &TestReply) -> Vec<&str> {
    shown.body["history"].as_array().unwrap().iter().map(|entry| entry["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_status_that_was_read_may_be_lower() {
    let (bridge, order_id, token) = invoiced_order().await;
    bridge.callback(&order_id, &token, &verified("PAID")).await;
    bridge.provider().will_tell(Ok("INVOICED"));
    assert_eq!(bridge.callback(&order_id, &token, "").await.status, 200);
    assert_eq!(bridge.status(&order_id).await, "INVOICED");
    assert_eq!(bridge.callback(&order_id, &token, &verified("PAID")).await.status, 200);
    assert_eq!(bridge.status(&order_id).await, "INVOICED", "a repeated callback changes nothing");
}

#[tokio::test]
async fn a_status_is_stored_only_over_the_version_that_it_was_read_for() {
    let (bridge, order_id, token) = invoiced_order().await;
    let (caller, id, its_token) = (bridge.clone(), order_id.clone(), token.clone());
    bridge.provider().meanwhile(move |_| async move {
        assert_eq!(caller.callback(&id, &its_token, &verified("PAID")).await.status, 200);
    });
    bridge.provider().will_tell(Ok("CHARGED"));
    bridge.provider().will_tell(Ok("PAID"));
    assert_eq!(bridge.callback(&order_id, &token, "").await.status, 200);
    assert_eq!((bridge.status(&order_id).await.as_str(), bridge.provider().status_call_count()), ("PAID", 2));
}

#[tokio::test]
async fn an_unknown_word_is_kept_and_has_the_status_read() {
    let (bridge, order_id, token) = invoiced_order().await;
    bridge.provider().will_tell(Ok("CHARGED"));
    assert_eq!(bridge.callback(&order_id, &token, &verified("success")).await.status, 200);
    let shown = bridge.get(&order_id, "key-a").await;
    assert_eq!((&shown.body["status"], words(&shown)), (&json!("CHARGED"), vec!["INVOICED", "SUCCESS", "CHARGED"]));
    assert_eq!(bridge.stored(&order_id).await.reason_since, None);
}

#[tokio::test]
async fn an_unknown_word_whose_status_cannot_be_read_is_noted_and_the_order_is_due_to_be_read() {
    let (bridge, order_id, token) = invoiced_order().await;
    bridge.pass(7);
    let log = Log::capture();
    assert_eq!(bridge.callback(&order_id, &token, &verified("success")).await.status, 200);
    assert_eq!(bridge.provider().status_call_count(), 1);
    assert_eq!((&log.summary()["outcome"], log.errors().len()), (&json!("applied"), 0));
    let shown = bridge.get(&order_id, "key-a").await;
    assert_eq!((&shown.body["status"], words(&shown)), (&json!("INVOICED"), vec!["INVOICED", "SUCCESS"]));
    let due: Timestamp = "2026-06-15T00:00:07Z".parse().unwrap();
    assert_eq!(bridge.stored(&order_id).await.reason_since, Some(due));

    // A later status read ends the reason to ask.
    bridge.provider().will_tell(Ok("INVOICED"));
    assert_eq!(bridge.callback(&order_id, &token, "").await.status, 200);
    assert_eq!(bridge.stored(&order_id).await.reason_since, None);
}

#[tokio::test]
async fn the_order_is_due_to_be_read_from_the_write_of_the_callback_on() {
    let (bridge, order_id, token) = invoiced_order().await;
    let (reader, id) = (bridge.clone(), order_id.clone());
    bridge.provider().meanwhile(move |_| async move {
        // This is what a process that is killed here leaves behind.
        let stored = reader.stored(&id).await;
        assert_eq!((stored.reason_since, stored.history.len()), (Some(reader.now()), 2));
    });
    bridge.provider().will_tell(Ok("INVOICED"));
    assert_eq!(bridge.callback(&order_id, &token, &verified("success")).await.status, 200);
    assert_eq!(bridge.provider().status_call_count(), 1);
}

#[tokio::test]
async fn a_word_below_the_stored_status_has_the_status_read() {
    for (stored, word, told, expected) in [
        ("CANCELLED", "INVOICED", "INVOICED", "INVOICED"),
        ("REFUND PENDING", "PAID", "PAID", "PAID"),
        // Front Payment says that the callback is outdated.
        ("CANCELLED", "INVOICED", "CANCELLED", "CANCELLED"),
        ("REFUNDED", "PAID", "PARTIAL REFUNDED", "PARTIAL_REFUNDED"),
    ] {
        let (bridge, order_id, token) = invoiced_order().await;
        let call_back = async |word: &str| {
            let query = signed_at("1755764200", "ODR1", word, "40", "test-secret");
            assert_eq!(bridge.callback(&order_id, &token, &query).await.status, 200, "{stored}, {word}");
        };
        if stored.starts_with("REFUND") {
            bridge.provider().will_tell(Ok(stored)); // how much was refunded
        }
        call_back(stored).await;
        let before = bridge.provider().status_call_count();
        bridge.provider().will_tell(Ok(told));
        call_back(word).await;
        let read = bridge.provider().status_call_count() - before;
        assert_eq!((bridge.status(&order_id).await.as_str(), read), (expected, 1), "{stored}, {word}");
        assert_eq!(bridge.stored(&order_id).await.reason_since, None);
    }
}

#[tokio::test]
async fn a_known_callback_has_no_status_read() {
    let (bridge, order_id, token) = invoiced_order().await;
    for word in ["CANCELLED", "INVOICED", "success"] {
        assert_eq!(bridge.callback(&order_id, &token, &verified(word)).await.status, 200);
    }
    assert_eq!(bridge.provider().status_call_count(), 2, "the lower and the unknown word");
    let log = Log::capture();
    for word in ["CANCELLED", "INVOICED", "success"] {
        assert_eq!(bridge.callback(&order_id, &token, &verified(word)).await.status, 200);
        assert_eq!(log.summary()["outcome"], "known");
    }
    assert_eq!(bridge.provider().status_call_count(), 2);
}

#[tokio::test]
async fn the_log_says_why_a_callback_is_not_verified() {
    let (bridge, order_id, token) = invoiced_order().await;
    for (query, why) in [
        (String::new(), "none"),
        ("status=PAID".to_owned(), "shape"),
        (format!("{}&status=PAID", verified("PAID")), "shape"),
        (signed("ODR1", "PAID", "40", "other-secret"), "checksum"),
        (query("ODR1", "PAID", "41"), "amount"),
    ] {
        let log = Log::capture();
        bridge.provider().will_tell(Ok("INVOICED"));
        assert_eq!(bridge.callback(&order_id, &token, &query).await.status, 200, "{query}");
        let line = log.summary();
        assert_eq!((&line["outcome"], &line["unverified"]), (&json!("read-back"), &json!(why)), "{query}");
    }
    let log = Log::capture();
    bridge.callback(&order_id, &token, &verified("PAID")).await;
    let line = log.summary();
    assert_eq!((&line["outcome"], &line["unverified"]), (&json!("applied"), &json!(null)));
}

#[tokio::test]
async fn checked_at_is_when_front_payment_told_the_status_because_it_was_asked() {
    let (bridge, order_id, token) = invoiced_order().await;
    bridge.pass_millis(7_070);
    bridge.callback(&order_id, &token, &verified("CHARGED")).await;
    assert_eq!(bridge.get(&order_id, "key-a").await.body.get("checkedAt"), None, "a callback does not count");
    bridge.pass(10);
    bridge.provider().will_tell(Ok("CHARGED"));
    bridge.callback(&order_id, &token, "").await;
    let shown = bridge.get(&order_id, "key-a").await.body;
    assert_eq!(
        (&shown["checkedAt"], &shown["updatedAt"]),
        (&json!("2026-06-15T00:00:17.070Z"), &json!("2026-06-15T00:00:07.070Z")),
        "the read changed nothing"
    );
    // A failed status read does not move `checkedAt` either.
    bridge.pass(10);
    assert_eq!(bridge.callback(&order_id, &token, "").await.status, 503);
    assert_eq!(bridge.get(&order_id, "key-a").await.body["checkedAt"], "2026-06-15T00:00:17.070Z");
}

#[tokio::test]
async fn a_refresh_reads_the_status_unless_it_is_younger_than_ten_seconds() {
    let (bridge, order_id, _) = invoiced_order().await;
    bridge.provider().will_tell(Ok("CHARGED"));
    let shown = bridge.refresh(&order_id).await;
    assert_eq!((shown.status, &shown.body["status"]), (200, &json!("CHARGED")));
    assert_eq!(shown.body["checkedAt"], "2026-06-15T00:00:00.000Z");
    assert_eq!(shown.body["history"][1], json!({"status": "CHARGED", "at": "2026-06-15T00:00:00.000Z", "source": "provider"}));
    bridge.provider().will_tell(Ok("PAID"));
    bridge.pass_millis(9_999);
    let shown = bridge.refresh(&order_id).await.body;
    assert_eq!((&shown["status"], &shown["checkedAt"]), (&json!("CHARGED"), &json!("2026-06-15T00:00:00.000Z")));
    assert_eq!(bridge.provider().status_call_count(), 1);
    bridge.pass_millis(1);
    let shown = bridge.refresh(&order_id).await.body;
    assert_eq!((&shown["status"], &shown["checkedAt"]), (&json!("PAID"), &json!("2026-06-15T00:00:10.000Z")));
    assert_eq!(bridge.provider().status_call_count(), 2);
}

#[tokio::test]
async fn a_refresh_gives_the_stored_order_where_front_payment_does_not_tell() {
    let (bridge, order_id, _) = invoiced_order().await;
    bridge.provider().will_tell(Ok("CHARGED"));
    bridge.refresh(&order_id).await;
    bridge.pass(60);
    let log = Log::capture();
    for error in [StatusError::Unauthorized, StatusError::Other("answered 503".to_owned())] {
        bridge.provider().will_tell(Err(error));
        let shown = bridge.refresh(&order_id).await;
        assert_eq!(
            (shown.status, &shown.body["status"], &shown.body["checkedAt"]),
            (200, &json!("CHARGED"), &json!("2026-06-15T00:00:00.000Z"))
        );
    }
    assert_eq!((bridge.provider().status_call_count(), log.errors().len()), (3, 0));
}

#[tokio::test]
async fn a_process_reads_at_most_ten_statuses_a_minute_for_shops() {
    let (bridge, order_id, token) = invoiced_order().await;
    let refresh = async |count: usize| {
        bridge.provider().will_tell(Ok("INVOICED"));
        bridge.change_stored(&order_id, |stored| stored.checked_at = None).await;
        assert_eq!(bridge.refresh(&order_id).await.status, 200);
        assert_eq!(bridge.provider().status_call_count(), count);
    };
    for count in 1..=10 {
        refresh(count).await;
    }
    refresh(10).await;
    assert_eq!(bridge.refresh(&order_id).await.body.get("checkedAt"), None, "the stored order");
    assert_eq!(bridge.callback(&order_id, &token, "").await.status, 200, "callbacks have a limit of their own");
    bridge.pass(60);
    refresh(12).await;
}

#[tokio::test]
async fn a_refresh_asks_nothing_about_another_shops_order_or_one_without_a_uuid() {
    let (bridge, order_id, _) = invoiced_order().await;
    let not_found = bridge.get("0198c2f0-7e4a-7000-8000-000000000001", "key-b").await;
    let reply = bridge.orders(get_event(&order_id, "Bearer key-b", "refresh=true")).await;
    assert_eq!((reply.status, &reply.body), (404, &not_found.body));
    assert_eq!(bridge.orders(get_event(&order_id, "Bearer unknown", "refresh=true")).await.status, 401);
    for query in ["", "refresh", "refresh=", "refresh=false", "refresh=1", "x=refresh%3Dtrue"] {
        assert_eq!(bridge.orders(get_event(&order_id, "Bearer key-a", query)).await.status, 200, "{query}");
    }
    let bridge_of_unknown = TestBridge::new().await;
    let (order_id, _) = bridge_of_unknown.place(unknown()).await;
    assert_eq!(bridge_of_unknown.refresh(&order_id).await.body["status"], "UNKNOWN");
    assert_eq!((bridge.provider().status_call_count(), bridge_of_unknown.provider().status_call_count()), (0, 0));
}

#[tokio::test]
async fn a_read_that_leaves_sent_deletes_the_link() {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    bridge.provider().will_tell(Ok("RESERVED"));
    let shown = bridge.refresh(&order_id).await.body;
    assert_eq!((&shown["status"], shown.get("bankIdUrl")), (&json!("RESERVED"), None));
    assert_eq!(bridge.stored(&order_id).await.bank_id_url, None);
}
