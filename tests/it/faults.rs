//! Orders whose neighbours fail, and callbacks that come in between.

use crate::support::faulty_store::Fault;
use crate::support::scripted::{ScriptedProvider, created, refused};
use crate::support::{TestBridge, example, id, post_event, secret, signed};
use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::config::Settings;
use front_payment_bridge::front_payment::SubmitReply;
use serde_json::json;

#[tokio::test]
async fn a_callback_may_be_faster_than_the_reply() {
    for answer in [
        || created("ODR1", Some("https://b.example/")),
        || SubmitReply::Unknown,
        || SubmitReply::Failed { unproven: true },
        refused,
    ] {
        let bench = TestBridge::new().await;
        let caller = bench.clone();
        bench.provider().meanwhile(move |url| async move {
            let (order_id, token) = parts(&url);
            let read = caller.callback(&order_id, &token, &signed("ODR1", "INVOICED", "40", "test-secret")).await;
            assert_eq!(read.status, 200);
        });
        bench.provider().will_answer(answer());
        let read = bench.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, &read.body["status"], &read.body["orderUuid"]), (201, &json!("INVOICED"), &json!("ODR1")));
        assert_eq!(read.body.get("bankIdUrl"), None);
        assert_eq!(bench.post(&example(), Some("key-1")).await.header("idempotency-replayed"), Some("true"));
    }
}

#[tokio::test]
async fn an_order_that_front_payment_has_twice_stays_what_it_was() {
    let bench = TestBridge::new().await;
    let caller = bench.clone();
    bench.provider().meanwhile(move |url| async move {
        let (order_id, token) = parts(&url);
        caller.callback(&order_id, &token, &signed("ODR-OTHER", "SENT", "40", "test-secret")).await;
    });
    let read = bench.post(&example(), None).await;
    assert_eq!((read.status, &read.body["orderUuid"]), (201, &json!("ODR-OTHER")), "the stored one is what the shop gets");
    let history = bench.stored(&id(&read)).await.history;
    assert_eq!(history.last().unwrap().other_order_uuid.as_deref(), Some("ODR1"));
}

fn parts(callback_url: &str) -> (String, String) {
    let mut segments = callback_url.rsplit('/');
    let token = segments.next().unwrap().to_owned();
    (segments.next().unwrap().to_owned(), token)
}

#[tokio::test]
async fn a_401_refreshes_the_token_and_sends_once_more() {
    let bench = TestBridge::new().await;
    bench.set_secret(secret("token-2", json!("test-secret")));
    bench.provider().will_answer(SubmitReply::Unauthorized);
    assert_eq!(bench.post(&example(), None).await.status, 201);
    let tokens: Vec<_> = bench.provider().submits.lock().unwrap().iter().map(|asked| asked.token.clone()).collect();
    assert_eq!(tokens, ["token-1", "token-2"]);

    // The same token again: it is not sent again, nor is the secret asked for at every request.
    bench.provider().will_answer(SubmitReply::Unauthorized);
    let read = bench.post(&example(), None).await;
    assert_eq!((read.status, read.slug(), bench.provider().submitted()), (502, "front-payment-failed", 3));
}

#[tokio::test]
async fn where_the_order_cannot_be_written_first_nothing_is_sent() {
    for (faults, stored) in [
        (vec![Fault::Down], Some("FAILED")),
        (vec![Fault::Down, Fault::Down], Some("FAILED")),
        (vec![Fault::Down, Fault::None, Fault::Down], Some("FAILED")),
        (vec![Fault::ReplyLost], Some("FAILED")),
        (vec![Fault::ReplyLost, Fault::Down], Some("FAILED")),
        (vec![Fault::ReplyLost, Fault::None, Fault::Down], Some("FAILED")),
        (vec![Fault::ReplyLost, Fault::None, Fault::ReplyLost], Some("FAILED")),
    ] {
        let bench = TestBridge::new().await;
        bench.store().will(faults.clone());
        let read = bench.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, read.slug(), bench.provider().submitted()), (503, "storage-unavailable", 0), "{faults:?}");
        let seen = bench.get(&id(&read), "key-a").await;
        assert_eq!(seen.body["status"].as_str(), stored, "{faults:?}");
        assert_eq!(bench.post(&example(), Some("key-1")).await.status, 201, "and it may be tried again");
    }
}

#[tokio::test]
async fn a_claim_that_is_given_up_cannot_come_to_stand_later() {
    // The first write of a first attempt, and that of a second one, are still on their way when they are given up.
    for attempts_before in [0, 1] {
        let bench = TestBridge::new().await;
        if attempts_before == 1 {
            bench.provider().will_answer(SubmitReply::Unavailable);
            bench.post(&example(), Some("key-1")).await;
        }
        let faults = if attempts_before == 1 { vec![Fault::None, Fault::Late] } else { vec![Fault::Late] };
        bench.store().will(faults);
        let read = bench.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, bench.status(&id(&read)).await.as_str()), (503, "FAILED"));
        bench.store().late_writes_arrive().await;
        assert_eq!(bench.status(&id(&read)).await, "FAILED");
        assert_eq!(bench.post(&example(), Some("key-1")).await.status, 201);
    }
}

#[tokio::test]
async fn a_result_is_written_again_until_it_stands() {
    use Fault::{Down, None as Fine, ReplyLost};
    for faults in [vec![Fine, Down], vec![Fine, Down, Down, Down], vec![Fine, ReplyLost], vec![Fine, ReplyLost, Down, Fine]] {
        let bench = TestBridge::new().await;
        bench.store().will(faults.clone());
        let read = bench.post(&example(), None).await;
        assert_eq!(read.status, 201);
        let stored = bench.stored(&id(&read)).await;
        assert_eq!((stored.status.name(), stored.history.len(), stored.version), ("SENT", 1, 2), "{faults:?}");
    }
}

#[tokio::test]
async fn a_result_that_cannot_be_written_is_still_told_and_a_callback_completes_the_order() {
    let bench = TestBridge::new().await;
    bench.store().will(std::iter::once(Fault::None).chain([Fault::Down; 2_000]));
    let ticking = bench.clone();
    let time = tokio::spawn(async move {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            ticking.pass(1);
        }
    });
    let read = bench.post(&example(), Some("key-1")).await;
    time.abort();
    assert_eq!((read.status, &read.body["orderUuid"], &read.body["status"]), (201, &json!("ODR1"), &json!("SENT")));
    bench.store().will([]);
    let token = bench.stored(&id(&read)).await.callback_token;
    assert_eq!(bench.callback(&id(&read), &token, &signed("ODR1", "INVOICED", "40", "test-secret")).await.status, 200);
    assert_eq!(bench.post(&example(), Some("key-1")).await.body["status"], "INVOICED");
    assert_eq!(bench.provider().submitted(), 1);
}

#[tokio::test]
async fn with_too_little_time_left_nothing_is_sent() {
    let bench = TestBridge::new().await;
    let read = bench.orders_within(post_event(&example().to_string(), "Bearer key-a", Some("key-1")), 7).await;
    assert_eq!((read.status, read.slug(), bench.provider().submitted()), (503, "front-payment-unavailable", 0));
    assert!(read.header("retry-after").is_some());
    assert_eq!(bench.status(&id(&read)).await, "FAILED");
    for left in [2, 1, 0, -5] {
        let bench = TestBridge::new().await;
        let read = bench.orders_within(post_event(&example().to_string(), "Bearer key-a", Some("key-1")), left).await;
        assert_eq!((read.status, bench.provider().submitted()), (503, 0));
        assert_eq!(bench.store().operations(), [""; 0], "a claim that nobody could answer for is not made");
    }
    for (left, within) in [(8, 3), (20, 15), (29, 20), (300, 20)] {
        let bench = TestBridge::new().await;
        bench.orders_within(post_event(&example().to_string(), "Bearer key-a", None), left).await;
        assert_eq!(bench.provider().submits.lock().unwrap()[0].within.as_secs(), within, "{left} seconds left");
    }
}

#[tokio::test]
async fn a_key_that_was_issued_a_moment_ago_is_found() {
    let bench = TestBridge::new().await;
    let order = example().to_string();
    assert_eq!(bench.orders(post_event(&order, "Bearer key", None)).await.status, 401);
    let known = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"; // printf key | sha256sum
    bench.set_secret(json!({"token": "t", "callbackSecret": "s", "shops": {"new": {"apiKeySha256": [known]}}}).to_string());
    bench.pass(29);
    assert_eq!(bench.orders(post_event(&order, "Bearer key", None)).await.status, 401);
    bench.pass(1);
    assert_eq!(bench.orders(post_event(&order, "Bearer key", None)).await.status, 201);
}

#[tokio::test]
async fn without_a_usable_secret_requests_are_put_off() {
    let bench = TestBridge::new().await;
    let fresh = front_payment_bridge::secrets::SecretCache::new(bench.secret.clone(), bench.bridge.clock.clone());
    bench.set_secret("{}".to_owned());
    fresh.prefetch().await;
    let store = crate::support::faulty_store::FaultyStore::new(front_payment_bridge::store::EmbeddedStore::in_memory().unwrap());
    let bridge = Bridge::new(store, ScriptedProvider::default(), fresh, bench.bridge.clock.clone());
    let waiting = TestBridge::over(bridge, Settings::default(), bench.secret.clone(), bench.seconds.clone());
    let read = waiting.post(&example(), None).await;
    assert_eq!((read.status, read.slug(), read.header("retry-after")), (503, "secret-unavailable", Some("5")));
    let read = waiting.callback("0198c2f0-7e4a-7000-8000-000000000001", "token", "").await;
    assert_eq!((read.status, read.slug()), (503, "secret-unavailable"));
    waiting.set_secret(secret("token-1", json!("s")));
    waiting.pass(5);
    assert_eq!(waiting.post(&example(), None).await.status, 201);
}

#[tokio::test]
async fn a_read_that_the_store_does_not_answer_is_put_off() {
    let bench = TestBridge::new().await;
    let order_id = id(&bench.post(&example(), Some("key-1")).await);
    bench.store().will([Fault::Down]);
    assert_eq!(bench.get(&order_id, "key-a").await.slug(), "storage-unavailable");
    let mut past = example();
    past["orderDate"] = json!("0");
    for key in ["key-1", "key-2"] {
        bench.store().will([Fault::Down]);
        let read = bench.post(&past, Some(key)).await;
        assert_eq!(read.slug(), "storage-unavailable");
        let expected = if key == "key-1" { 200 } else { 404 };
        assert_eq!(bench.get(&id(&read), "key-a").await.status, expected, "a failed look-up writes nothing");
    }
}
