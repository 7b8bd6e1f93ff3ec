//! `GET /callbacks/{orderId}/{token}`.

use front_payment_bridge::front_payment::{StatusError, SubmitReply};
use serde_json::json;

use crate::support::faulty_store::Fault;
use crate::support::scripted::created;
use crate::support::{TestBridge, example, secret, signed};

/// An order, SENT, as ODR1 of 40 kroner: its id and its token.
async fn sent(bench: &TestBridge) -> (String, String) {
    placed(bench, created("ODR1", Some("https://bankid.example/login"))).await
}

async fn placed(bench: &TestBridge, answer: SubmitReply) -> (String, String) {
    bench.provider().will_answer(answer);
    let order_id = bench.post(&example(), Some("key-1")).await.body["orderId"].as_str().unwrap().to_owned();
    let token = bench.stored(&order_id).await.callback_token;
    (order_id, token)
}

fn good(status: &str) -> String {
    signed("ODR1", status, "40", "test-secret")
}

#[tokio::test]
async fn a_believed_callback_is_applied_with_one_read_and_one_write() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    bench.store().operations();
    bench.pass(7);
    let read = bench.callback(&order_id, &token, &good("INVOICED")).await;
    assert_eq!((read.status, read.body), (200, json!("OK")));
    assert_eq!(bench.store().operations(), ["load", "replace"]);
    let seen = bench.get(&order_id, "key-a").await.body;
    assert_eq!(
        (&seen["status"], &seen["updatedAt"], seen.get("bankIdUrl")),
        (&json!("INVOICED"), &json!("2026-06-15T00:00:07Z"), None)
    );
    assert_eq!(seen["history"][1], json!({"status": "INVOICED", "at": "2026-06-15T00:00:07Z", "source": "callback"}));
    assert_eq!(bench.stored(&order_id).await.bank_id_url, None, "the link is deleted from the item");
    assert_eq!(bench.provider().asked_for_status(), 0);
}

#[tokio::test]
async fn duplicates_and_late_ones_change_nothing() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    for (status, now, entries) in [
        ("INVOICED", "INVOICED", 2),
        ("INVOICED", "INVOICED", 2),
        ("RESEVRED", "INVOICED", 3),
        ("PARTIAL REFUNDED", "PARTIAL_REFUNDED", 4),
        ("refund pending", "PARTIAL_REFUNDED", 5),
        ("RESEVRED", "PARTIAL_REFUNDED", 5),
    ] {
        assert_eq!(bench.callback(&order_id, &token, &good(status)).await.status, 200);
        let stored = bench.stored(&order_id).await;
        assert_eq!((stored.status.name(), stored.history.len()), (now, entries), "after {status}");
    }
}

#[tokio::test]
async fn an_unknown_order_and_a_wrong_token_are_one_404() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    let wrong = bench.callback(&order_id, &format!("{token}x"), &good("PAID")).await;
    assert_eq!((wrong.status, wrong.slug()), (404, "not-found"));
    for (order_id, token) in [
        ("0198c2f0-7e4a-7000-8000-000000000001", token.as_str()),
        (&order_id, ""),
        (&order_id, "%00"),
        ("x", &token),
        ("", ""),
        (&order_id.to_uppercase(), &token),
        (&order_id, &token[1..]),
    ] {
        let read = bench.callback(order_id, token, &good("PAID")).await;
        assert_eq!((read.status, &read.body), (404, &wrong.body), "{order_id} {token}");
    }
    assert_eq!(bench.status(&order_id).await, "SENT");
    assert_eq!(bench.secret.asked.load(std::sync::atomic::Ordering::SeqCst), 1, "nobody can make us ask for the secret");
}

/// Each of these is signed as Front Payment signs, and still not believed.
fn unbelieved() -> Vec<(&'static str, String)> {
    vec![
        ("no query", String::new()),
        ("another key", signed("ODR1", "PAID", "40", "other-secret")),
        ("another amount", signed("ODR1", "PAID", "400", "test-secret")),
        (
            "digits shifted from one value to the next",
            good("PAID").replace("amount=40&createdAt=1755764131", "amount=401&createdAt=755764131"),
        ),
        ("an extra parameter", format!("{}&x=", good("PAID"))),
        ("a parameter twice", format!("{}&status=PAID", good("PAID"))),
        ("upper-case hex", upper(&good("PAID"))),
        ("odd characters", "orderUuid=<b>&status= &\u{1}=\u{e6}%ZZ%00".to_owned()),
        ("nothing but separators", "&&&===&".to_owned()),
    ]
}

fn upper(query: &str) -> String {
    let (head, checksum) = query.rsplit_once('=').unwrap();
    format!("{head}={}", checksum.to_uppercase())
}

#[tokio::test]
async fn what_is_not_believed_is_a_reason_to_ask() {
    for (why, query) in unbelieved() {
        let bench = TestBridge::new().await;
        let (order_id, token) = sent(&bench).await;
        bench.provider().will_tell(Ok("RESERVED"));
        assert_eq!(bench.callback(&order_id, &token, &query).await.status, 200, "{why}");
        let stored = bench.stored(&order_id).await;
        assert_eq!((stored.status.name(), stored.history.len()), ("RESERVED", 2), "{why}");
        assert_eq!(bench.provider().status_requests.lock().unwrap()[0].0, "ODR1");

        let read = bench.callback(&order_id, &token, &query).await;
        assert_eq!((read.status, read.slug()), (503, "front-payment-unavailable"), "{why}, and Front Payment is down");
        bench.provider().will_tell(Ok("unheard of"));
        assert_eq!(bench.callback(&order_id, &token, &query).await.status, 200, "{why}, and the status stays");
        assert_eq!(bench.status(&order_id).await, "RESERVED");
        bench.provider().will_tell(Ok("RESERVED"));
        assert_eq!(bench.callback(&order_id, &token, &query).await.status, 200);
        assert_eq!(bench.stored(&order_id).await.history.len(), 2, "a read that changes nothing adds no entry");
    }
}

#[tokio::test]
async fn a_flood_of_forged_callbacks_does_not_eat_the_rate_limit() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    for _ in 0..60 {
        bench.provider().will_tell(Ok("SENT"));
        assert_eq!(bench.callback(&order_id, &token, "forged").await.status, 200);
    }
    let read = bench.callback(&order_id, &token, "forged").await;
    assert_eq!((read.status, read.header("retry-after").is_some(), bench.provider().asked_for_status()), (503, true, 60));
    assert_eq!(bench.callback(&order_id, &token, &good("INVOICED")).await.status, 200, "a good one needs no reading");
    bench.pass(60);
    bench.provider().will_tell(Ok("PAID"));
    assert_eq!(bench.callback(&order_id, &token, "forged").await.status, 200);
    assert_eq!(bench.status(&order_id).await, "PAID", "and nothing was lost");
}

#[tokio::test]
async fn what_is_not_believed_of_an_order_without_a_uuid_is_refused() {
    for (why, query) in unbelieved() {
        let bench = TestBridge::new().await;
        let (order_id, token) = placed(&bench, SubmitReply::Unknown).await;
        let read = bench.callback(&order_id, &token, &query).await;
        assert_eq!((read.status, bench.status(&order_id).await.as_str()), (403, "UNKNOWN"), "{why}");
        assert_eq!(bench.provider().asked_for_status(), 0);
    }
}

#[tokio::test]
async fn a_status_that_was_read_may_be_lower() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    bench.callback(&order_id, &token, &good("PAID")).await;
    bench.provider().will_tell(Ok("INVOICED"));
    assert_eq!(bench.callback(&order_id, &token, "").await.status, 200);
    assert_eq!(bench.status(&order_id).await, "INVOICED");
    bench.callback(&order_id, &token, &good("PAID")).await;
    assert_eq!(bench.status(&order_id).await, "INVOICED", "a replay is the same callback again");
}

#[tokio::test]
async fn a_status_is_taken_for_the_version_it_was_read_for() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    let (caller, id, secret_token) = (bench.clone(), order_id.clone(), token.clone());
    bench.provider().meanwhile(move |_| async move {
        assert_eq!(caller.callback(&id, &secret_token, &good("PAID")).await.status, 200);
    });
    bench.provider().will_tell(Ok("RESERVED"));
    bench.provider().will_tell(Ok("PAID"));
    assert_eq!(bench.callback(&order_id, &token, "").await.status, 200);
    assert_eq!((bench.status(&order_id).await.as_str(), bench.provider().asked_for_status()), ("PAID", 2));
}

#[tokio::test]
async fn an_unknown_word_is_kept_and_asked_about() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    assert_eq!(bench.callback(&order_id, &token, &good("success")).await.status, 200, "Front Payment is down: 200 all the same");
    assert_eq!(bench.status(&order_id).await, "SENT");
    bench.provider().will_tell(Ok("INVOICED"));
    assert_eq!(bench.callback(&order_id, &token, &good("success")).await.status, 200);
    let stored = bench.stored(&order_id).await;
    let words: Vec<_> = stored.history.iter().map(|entry| entry.status.as_str()).collect();
    assert_eq!((stored.status.name(), words), ("INVOICED", vec!["SENT", "SUCCESS", "INVOICED"]));
}

#[tokio::test]
async fn a_callback_settles_an_order_that_nobody_knew_of() {
    for answer in [|| SubmitReply::Unknown, || SubmitReply::Failed { unproven: true }, crate::support::scripted::refused] {
        for (word, status) in [("INVOICED", "INVOICED"), ("SENT", "SENT"), ("unheard of", "SENT")] {
            let bench = TestBridge::new().await;
            let (order_id, token) = placed(&bench, answer()).await;
            assert_eq!(bench.callback(&order_id, &token, &good(word)).await.status, 200);
            let replayed = bench.post(&example(), Some("key-1")).await;
            assert_eq!(
                (replayed.status, &replayed.body["status"], &replayed.body["orderUuid"]),
                (201, &json!(status), &json!("ODR1"))
            );
            assert_eq!((replayed.header("idempotency-replayed"), bench.provider().submitted()), (Some("true"), 1));
        }
    }
}

#[tokio::test]
async fn an_earlier_attempts_amount_is_believed() {
    let bench = TestBridge::new().await;
    bench.provider().will_answer(SubmitReply::Failed { unproven: true });
    let mut first = example();
    first["orderSummary"]["grandTotal"] = json!("99.90");
    bench.post(&first, Some("key-1")).await;
    let (order_id, token) = sent(&bench).await;
    // The failed attempt exists after all: Front Payment has the order twice.
    assert_eq!(bench.callback(&order_id, &token, &signed("ODR0", "INVOICED", "99.9", "test-secret")).await.status, 200);
    let stored = bench.stored(&order_id).await;
    assert_eq!((stored.status.name(), stored.order_uuid.as_deref()), ("SENT", Some("ODR1")));
    assert_eq!(stored.history.last().unwrap().other_order_uuid.as_deref(), Some("ODR0"));
    bench.callback(&order_id, &token, &signed("ODR0", "INVOICED", "99.9", "test-secret")).await;
    assert_eq!(bench.stored(&order_id).await.history.len(), stored.history.len());
    assert_eq!(bench.provider().asked_for_status(), 0);
}

#[tokio::test]
async fn the_totals_of_many_earlier_attempts_are_kept() {
    let bench = TestBridge::new().await;
    let mut order = example();
    for total in 100..200 {
        order["orderSummary"]["grandTotal"] = json!(total.to_string());
        bench.provider().will_answer(SubmitReply::Failed { unproven: true });
        assert_eq!(bench.post(&order, Some("key-1")).await.status, 502);
    }
    let (order_id, token) = placed(&bench, SubmitReply::Unknown).await;
    assert_eq!(bench.callback(&order_id, &token, &signed("ODR0", "INVOICED", "100", "test-secret")).await.status, 200);
    assert_eq!(bench.get(&order_id, "key-a").await.body["grandTotal"], "100", "the order is the one that exists");
}

#[tokio::test]
async fn a_store_that_does_not_take_it_is_a_503_and_a_retry_loses_nothing() {
    for faults in [vec![Fault::Down], vec![Fault::None, Fault::Down], vec![Fault::None, Fault::ReplyLost]] {
        let bench = TestBridge::new().await;
        let (order_id, token) = sent(&bench).await;
        bench.store().will(faults.clone());
        let read = bench.callback(&order_id, &token, &good("INVOICED")).await;
        assert_eq!((read.status, read.slug()), (503, "storage-unavailable"), "{faults:?}");
        assert_eq!(bench.callback(&order_id, &token, &good("INVOICED")).await.status, 200);
        let stored = bench.stored(&order_id).await;
        assert_eq!((stored.status.name(), stored.history.len()), ("INVOICED", 2), "{faults:?}");
    }
}

#[tokio::test]
async fn where_other_writers_are_always_faster_it_is_said_and_a_retry_loses_nothing() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    bench.store().will(std::iter::once(Fault::None).chain([Fault::Overtaken; 5_000]));
    let ticking = bench.clone();
    let time = tokio::spawn(async move {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            ticking.pass(1);
        }
    });
    let read = bench.callback(&order_id, &token, &good("INVOICED")).await;
    time.abort();
    assert_eq!((read.status, read.slug(), read.header("retry-after").is_some()), (503, "storage-unavailable", true));
    // A status that was read is asked for anew each time, and not for ever.
    for _ in 0..6 {
        bench.provider().will_tell(Ok("RESERVED"));
    }
    bench.store().will(std::iter::once(Fault::None).chain([Fault::Overtaken; 10]));
    assert_eq!(bench.callback(&order_id, &token, "").await.status, 503);
    assert_eq!(bench.provider().asked_for_status(), 5);
    bench.store().will([]);
    assert_eq!(bench.status(&order_id).await, "SENT");
    assert_eq!(bench.callback(&order_id, &token, &good("INVOICED")).await.status, 200);
    assert_eq!(bench.stored(&order_id).await.history.len(), 2);
}

#[tokio::test]
async fn a_secret_key_may_be_rotated() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    bench.set_secret(secret("token-1", json!(["new-secret", "test-secret"])));
    assert_eq!(bench.callback(&order_id, &token, &signed("ODR1", "INVOICED", "40", "new-secret")).await.status, 200);
    assert_eq!(bench.status(&order_id).await, "INVOICED", "the secret was fetched anew");
    assert_eq!(bench.callback(&order_id, &token, &good("PAID")).await.status, 200);
    assert_eq!((bench.status(&order_id).await.as_str(), bench.provider().asked_for_status()), ("PAID", 0));
}

#[tokio::test]
async fn a_status_request_refreshes_the_token_too() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    bench.set_secret(secret("token-2", json!("test-secret")));
    bench.provider().will_tell(Err(StatusError::Unauthorized));
    bench.provider().will_tell(Ok("CANCELLED"));
    assert_eq!(bench.callback(&order_id, &token, "").await.status, 200);
    assert_eq!(bench.status(&order_id).await, "CANCELLED");
    let tokens: Vec<_> = bench.provider().status_requests.lock().unwrap().iter().map(|(_, token)| token.clone()).collect();
    assert_eq!(tokens, ["token-1", "token-2"]);
}

#[tokio::test]
async fn a_hundred_at_once_are_all_in_the_history() {
    let bench = TestBridge::new().await;
    let (order_id, token) = sent(&bench).await;
    let mut requests = tokio::task::JoinSet::new();
    for index in 0..100 {
        let (bench, order_id, token) = (bench.clone(), order_id.clone(), token.clone());
        let word: String = ["PAID", "RESERVED", "INVOICED", "CAPTURED"][index % 4].to_owned();
        requests.spawn(async move {
            let query = signed(&format!("ODR{}", 1), &word, &format!("40.{}", "0".repeat(1 + index / 4)), "test-secret");
            bench.callback(&order_id, &token, &query).await.status
        });
    }
    assert_eq!(requests.join_all().await, [200; 100]);
    let stored = bench.stored(&order_id).await;
    assert_eq!((stored.status.name(), stored.history.len(), stored.version), ("PAID", 101, 102));
}
