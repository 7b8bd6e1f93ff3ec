//! `GET /callbacks/{orderId}/{token}`.

use front_payment_bridge::front_payment::StatusError;
use serde_json::json;

use crate::support::documents::{example, example_of, signed, signed_at};
use crate::support::faulty_store::Fault;
use crate::support::log::Log;
use crate::support::scripted::{failed, rejected, sent, unavailable, unknown};
use crate::support::test_bridge::{NOW, TestBridge, query, test_secret};

/// A verified callback of the order, whose uuid is ODR1 and whose total is 40 kroner.
fn verified(status: &str) -> String {
    query("ODR1", status, "40")
}

/// A SENT order, with its id and its callback token.
async fn sent_order() -> (TestBridge, String, String) {
    let bridge = TestBridge::new().await;
    let (order_id, token) = bridge.place(sent("ODR1")).await;
    (bridge, order_id, token)
}

#[tokio::test]
async fn a_verified_callback_takes_one_read_and_one_write() {
    let (bridge, order_id, token) = sent_order().await;
    bridge.store().operations();
    bridge.pass(7);
    let reply = bridge.callback(&order_id, &token, &verified("INVOICED")).await;
    assert_eq!((reply.status, reply.body), (200, json!("OK")));
    assert_eq!(bridge.store().operations(), ["load", "replace"]);
    let shown = bridge.get(&order_id, "key-a").await.body;
    assert_eq!(
        (&shown["status"], &shown["updatedAt"], shown.get("bankIdUrl")),
        (&json!("INVOICED"), &json!("2026-06-15T00:00:07.000Z"), None)
    );
    assert_eq!(shown["history"][1], json!({"status": "INVOICED", "at": "2026-06-15T00:00:07.000Z", "source": "callback"}));
    assert_eq!(bridge.stored(&order_id).await.bank_id_url, None, "the link is deleted from the item");
    assert_eq!(bridge.provider().status_call_count(), 0);
}

#[tokio::test]
async fn callbacks_only_raise_the_rank() {
    let (bridge, order_id, token) = sent_order().await;
    for (status, stored_status, entries) in [
        ("INVOICED", "INVOICED", 2),
        ("INVOICED", "INVOICED", 2),
        ("RESEVRED", "INVOICED", 3),
        ("PARTIAL REFUNDED", "PARTIAL_REFUNDED", 4),
        ("refund pending", "PARTIAL_REFUNDED", 5),
        ("RESEVRED", "PARTIAL_REFUNDED", 5),
    ] {
        assert_eq!(bridge.callback(&order_id, &token, &verified(status)).await.status, 200);
        let stored = bridge.stored(&order_id).await;
        assert_eq!((stored.status.name(), stored.history.len()), (stored_status, entries), "after {status}");
    }
}

#[tokio::test]
async fn an_unknown_order_and_a_wrong_token_get_the_same_404() {
    let (bridge, order_id, token) = sent_order().await;
    let wrong_token = bridge.callback(&order_id, &format!("{token}x"), &verified("PAID")).await;
    assert_eq!((wrong_token.status, wrong_token.slug()), (404, "not-found"));
    for (order_id, token) in [
        ("0198c2f0-7e4a-7000-8000-000000000001", token.as_str()),
        (&order_id, ""),
        (&order_id, "%00"),
        ("x", &token),
        ("", ""),
        (&order_id, &token.to_uppercase()),
        (&order_id, &token[1..]),
    ] {
        let reply = bridge.callback(order_id, token, &verified("PAID")).await;
        assert_eq!((reply.status, &reply.body), (404, &wrong_token.body), "{order_id} {token}");
    }
    assert_eq!(bridge.status(&order_id).await, "SENT");
    assert_eq!(bridge.secret.fetches(), 1, "none of these fetches the secret");
}

#[tokio::test]
async fn an_order_id_in_capitals_is_the_same_one() {
    let (bridge, order_id, token) = sent_order().await;
    assert_eq!(bridge.callback(&order_id.to_uppercase(), &token, &verified("PAID")).await.status, 200);
    assert_eq!(bridge.status(&order_id).await, "PAID");
}

/// Callbacks that are unverified for an order of 40 kroner, each with the reason.
fn unverified() -> Vec<(&'static str, String)> {
    let (head, checksum) = verified("PAID").rsplit_once('=').map(|(head, hex)| (head.to_owned(), hex.to_uppercase())).unwrap();
    vec![
        ("no query", String::new()),
        ("another secretKey", signed("ODR1", "PAID", "40", "other-secret")),
        ("another amount", query("ODR1", "PAID", "400")),
        (
            "a digit moved from one value to the next",
            verified("PAID").replace("amount=40&createdAt=1755764131", "amount=401&createdAt=755764131"),
        ),
        ("an extra parameter", format!("{}&x=", verified("PAID"))),
        ("a parameter twice", format!("{}&status=PAID", verified("PAID"))),
        ("upper-case hex", format!("{head}={checksum}")),
        ("special characters", "orderUuid=<b>&status= &\u{1}=\u{e6}%ZZ%00".to_owned()),
        ("only separators", "&&&===&".to_owned()),
    ]
}

#[tokio::test]
async fn an_unverified_callback_has_the_status_read() {
    for (why, query) in unverified() {
        let (bridge, order_id, token) = sent_order().await;
        let entries = async || bridge.stored(&order_id).await.history.len();
        bridge.provider().will_tell(Ok("RESERVED"));
        assert_eq!(bridge.callback(&order_id, &token, &query).await.status, 200, "{why}");
        assert_eq!((bridge.status(&order_id).await.as_str(), entries().await), ("RESERVED", 2), "{why}");
        assert_eq!(bridge.provider().status_calls()[0].0, "ODR1");

        let reply = bridge.callback(&order_id, &token, &query).await;
        assert_eq!((reply.status, reply.slug()), (503, "front-payment-unavailable"), "{why}, and Front Payment is down");
        assert_eq!(reply.header("retry-after"), Some("30"));
        bridge.provider().will_tell(Ok("unheard of"));
        assert_eq!(bridge.callback(&order_id, &token, &query).await.status, 200, "{why}, and Front Payment says an unknown word");
        assert_eq!((bridge.status(&order_id).await.as_str(), entries().await), ("RESERVED", 3), "{why}");
        bridge.provider().will_tell(Ok("RESERVED"));
        assert_eq!(bridge.callback(&order_id, &token, &query).await.status, 200);
        assert_eq!(entries().await, 3, "a read that changes nothing adds no entry");
    }
}

#[tokio::test]
async fn an_unverified_callback_for_an_order_without_a_uuid_gets_403() {
    for (why, query) in unverified() {
        let bridge = TestBridge::new().await;
        let (order_id, token) = bridge.place(unknown()).await;
        let log = Log::capture();
        let reply = bridge.callback(&order_id, &token, &query).await;
        assert_eq!((reply.status, reply.slug()), (403, "callback-not-verified"), "{why}");
        assert_eq!((bridge.status(&order_id).await.as_str(), bridge.provider().status_call_count()), ("UNKNOWN", 0), "{why}");
        let claimed = query.contains("orderUuid=ODR1").then_some("ODR1");
        let errors = log.errors();
        assert_eq!((errors.len(), &errors[0]["orderId"], errors[0]["claimedOrderUuid"].as_str()), (1, &json!(order_id), claimed));
    }
}

#[tokio::test]
async fn a_process_reads_at_most_60_statuses_a_minute_for_callbacks() {
    let (bridge, order_id, token) = sent_order().await;
    for _ in 0..60 {
        bridge.provider().will_tell(Ok("SENT"));
        assert_eq!(bridge.callback(&order_id, &token, "unverified").await.status, 200);
    }
    let reply = bridge.callback(&order_id, &token, "unverified").await;
    assert_eq!((reply.status, reply.header("retry-after"), bridge.provider().status_call_count()), (503, Some("30"), 60));
    assert_eq!(bridge.callback(&order_id, &token, &verified("INVOICED")).await.status, 200, "a verified one needs no read");
    bridge.pass(60);
    bridge.provider().will_tell(Ok("PAID"));
    assert_eq!(bridge.callback(&order_id, &token, "unverified").await.status, 200);
    assert_eq!(bridge.status(&order_id).await, "PAID");
}

#[tokio::test]
async fn a_callback_accepts_an_order_without_a_uuid() {
    for reply in [unknown, failed, rejected, unavailable] {
        for (word, status) in [("INVOICED", "INVOICED"), ("SENT", "SENT"), ("unheard of", "SENT")] {
            let bridge = TestBridge::new().await;
            let (order_id, token) = bridge.place(reply()).await;
            assert_eq!(bridge.callback(&order_id, &token, &verified(word)).await.status, 200);
            let replayed = bridge.post(&example(), Some("key-1")).await;
            assert_eq!(
                (replayed.status, &replayed.body["status"], &replayed.body["orderUuid"]),
                (201, &json!(status), &json!("ODR1"))
            );
            assert_eq!((replayed.is_replay(), bridge.provider().submit_count()), (true, 1));
        }
    }
}

#[tokio::test]
async fn the_total_of_an_earlier_attempt_is_not_verified() {
    let bridge = TestBridge::new().await;
    bridge.provider().will_reply(failed());
    bridge.post(&example_of("99.90"), Some("key-1")).await;
    let (order_id, token) = bridge.place(sent("ODR1")).await;
    bridge.provider().will_tell(Ok("SENT"));
    assert_eq!(bridge.callback(&order_id, &token, &query("ODR0", "INVOICED", "99.9")).await.status, 200);
    let shown = bridge.get(&order_id, "key-a").await.body;
    assert_eq!(
        (&shown["status"], &shown["orderUuid"], shown["history"].as_array().unwrap().len()),
        (&json!("SENT"), &json!("ODR1"), 2)
    );
    assert_eq!(bridge.provider().status_call_count(), 1, "the order's own status was read instead");
}

#[tokio::test]
async fn a_callback_that_cannot_be_stored_gets_503_and_may_be_repeated() {
    for faults in [vec![Fault::Down], vec![Fault::None, Fault::Down], vec![Fault::None, Fault::ReplyLost]] {
        let (bridge, order_id, token) = sent_order().await;
        bridge.store().will(faults.clone());
        let reply = bridge.callback(&order_id, &token, &verified("INVOICED")).await;
        assert_eq!(
            (reply.status, reply.slug(), reply.header("retry-after")),
            (503, "storage-unavailable", Some("5")),
            "{faults:?}"
        );
        assert_eq!(bridge.callback(&order_id, &token, &verified("INVOICED")).await.status, 200);
        let stored = bridge.stored(&order_id).await;
        assert_eq!((stored.status.name(), stored.history.len()), ("INVOICED", 2), "{faults:?}");
    }
}

#[tokio::test]
async fn a_callback_that_other_writers_always_overtake_gets_503_and_may_be_repeated() {
    let (bridge, order_id, token) = sent_order().await;
    bridge.store().will(std::iter::once(Fault::None).chain([Fault::Overtaken; 5_000]));
    let time = bridge.run_time();
    let reply = bridge.callback(&order_id, &token, &verified("INVOICED")).await;
    time.abort();
    assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (503, "storage-unavailable", Some("5")));
    // A status is read again after each conflict, at most five times.
    for _ in 0..6 {
        bridge.provider().will_tell(Ok("RESERVED"));
    }
    bridge.store().will(std::iter::once(Fault::None).chain([Fault::Overtaken; 10]));
    assert_eq!(bridge.callback(&order_id, &token, "").await.status, 503);
    assert_eq!(bridge.provider().status_call_count(), 5);
    bridge.store().will([]);
    assert_eq!(bridge.status(&order_id).await, "SENT");
    assert_eq!(bridge.callback(&order_id, &token, &verified("INVOICED")).await.status, 200);
    assert_eq!(bridge.stored(&order_id).await.history.len(), 2);
}

#[tokio::test]
async fn a_secret_key_may_be_rotated() {
    let (bridge, order_id, token) = sent_order().await;
    bridge.set_secret(test_secret("token-1", &json!(["new-secret", "test-secret"])));
    assert_eq!(bridge.callback(&order_id, &token, &signed("ODR1", "INVOICED", "40", "new-secret")).await.status, 200);
    assert_eq!(bridge.status(&order_id).await, "INVOICED", "the secret was fetched again");
    assert_eq!(bridge.callback(&order_id, &token, &verified("PAID")).await.status, 200);
    assert_eq!((bridge.status(&order_id).await.as_str(), bridge.provider().status_call_count()), ("PAID", 0));
}

#[tokio::test]
async fn a_status_call_that_gets_401_is_repeated_with_a_newer_token() {
    let (bridge, order_id, token) = sent_order().await;
    bridge.set_secret(test_secret("token-2", &json!("test-secret")));
    bridge.provider().will_tell(Err(StatusError::Unauthorized));
    bridge.provider().will_tell(Ok("CANCELLED"));
    assert_eq!(bridge.callback(&order_id, &token, "").await.status, 200);
    assert_eq!(bridge.status(&order_id).await, "CANCELLED");
    let tokens: Vec<_> = bridge.provider().status_calls().into_iter().map(|(_, token)| token).collect();
    assert_eq!(tokens, ["token-1", "token-2"]);
}

#[tokio::test]
async fn a_hundred_callbacks_at_once_are_all_in_the_history() {
    let (bridge, order_id, token) = sent_order().await;
    let mut requests = tokio::task::JoinSet::new();
    for index in 0..100 {
        let (bridge, order_id, token) = (bridge.clone(), order_id.clone(), token.clone());
        let word = ["PAID", "RESERVED", "INVOICED", "CAPTURED"][index % 4];
        requests.spawn(async move {
            let query = signed_at(&index.to_string(), "ODR1", word, "40", "test-secret");
            bridge.callback(&order_id, &token, &query).await.status
        });
    }
    assert_eq!(requests.join_all().await, [200; 100]);
    let stored = bridge.stored(&order_id).await;
    assert_eq!((stored.status.name(), stored.history.len()), ("PAID", 101));
    assert_eq!(stored.version, u64::try_from(NOW).unwrap() * 1_000 + 101, "a write each, from the claim's milliseconds on");
}
