//! Stores, secrets and replies that fail, and callbacks that come during a submit.

use front_payment_bridge::order::SubmitReply;
use serde_json::json;

use crate::support::documents::{example, example_of, post_event};
use crate::support::faulty_store::Fault;
use crate::support::log::Log;
use crate::support::scripted::{failed, id_and_token, rejected, sent, unavailable, unknown};
use crate::support::test_bridge::{TestBridge, query, test_secret};

#[tokio::test]
async fn a_callback_may_come_before_the_reply() {
    for reply in [|| sent("ODR1"), unknown, failed, rejected] {
        let bridge = TestBridge::new().await;
        let caller = bridge.clone();
        bridge.provider().meanwhile(move |url| async move {
            let (order_id, token) = id_and_token(&url);
            assert_eq!(caller.callback(&order_id, &token, &query("ODR1", "INVOICED", "40")).await.status, 200);
        });
        bridge.provider().will_reply(reply());
        let reply = bridge.post(&example(), Some("key-1")).await;
        assert_eq!((reply.status, &reply.body["status"], &reply.body["orderUuid"]), (201, &json!("INVOICED"), &json!("ODR1")));
        assert_eq!((reply.body.get("bankIdUrl"), reply.is_replay()), (None, false));
        assert!(bridge.post(&example(), Some("key-1")).await.is_replay());
    }
}

#[tokio::test]
async fn an_order_that_front_payment_has_twice_stays_the_stored_one() {
    let bridge = TestBridge::new().await;
    let caller = bridge.clone();
    bridge.provider().meanwhile(move |url| async move {
        let (order_id, token) = id_and_token(&url);
        caller.callback(&order_id, &token, &query("ODR0", "SENT", "40")).await;
    });
    let log = Log::capture();
    let reply = bridge.post(&example(), None).await;
    assert_eq!((reply.status, &reply.body["orderUuid"]), (201, &json!("ODR0")));
    let errors = log.errors();
    assert_eq!((&errors[0]["orderUuid"], &errors[0]["otherOrderUuid"], errors.len()), (&json!("ODR0"), &json!("ODR1"), 1));
    let shown = bridge.get(&reply.order_id(), "key-a").await.body;
    assert_eq!(
        shown["history"],
        json!([
            {"status": "SENT", "at": "2026-06-15T00:00:00.000Z", "source": "callback"},
            {"status": "SENT", "at": "2026-06-15T00:00:00.000Z", "source": "submit", "otherOrderUuid": "ODR1"}
        ])
    );
}

#[tokio::test]
async fn a_401_has_the_secret_fetched_and_the_order_sent_once_more() {
    let bridge = TestBridge::new().await;
    bridge.set_secret(test_secret("token-2", &json!("test-secret")));
    bridge.provider().will_reply(SubmitReply::Unauthorized);
    assert_eq!(bridge.post(&example(), None).await.status, 201);
    let tokens: Vec<_> = bridge.provider().submits().into_iter().map(|submit| submit.token).collect();
    assert_eq!(tokens, ["token-1", "token-2"]);

    // If there is no newer token, the order is not sent again.
    bridge.provider().will_reply(SubmitReply::Unauthorized);
    let reply = bridge.post(&example(), None).await;
    assert_eq!((reply.status, reply.slug(), bridge.provider().submit_count()), (502, "front-payment-failed", 3));
}

#[tokio::test]
async fn an_order_that_cannot_be_stored_is_not_sent() {
    for faults in [
        vec![Fault::Down],
        vec![Fault::Down, Fault::Down],
        vec![Fault::Down, Fault::None, Fault::Down],
        vec![Fault::ReplyLost],
        vec![Fault::ReplyLost, Fault::Down],
        vec![Fault::ReplyLost, Fault::None, Fault::Down],
        vec![Fault::ReplyLost, Fault::None, Fault::ReplyLost],
    ] {
        let bridge = TestBridge::new().await;
        bridge.store().will(faults.clone());
        let reply = bridge.post(&example(), Some("key-1")).await;
        assert_eq!((reply.status, reply.slug(), bridge.provider().submit_count()), (503, "storage-unavailable", 0), "{faults:?}");
        assert_eq!(bridge.status(&reply.order_id()).await, "FAILED", "{faults:?}");
        assert_eq!(bridge.post(&example(), Some("key-1")).await.status, 201, "it may be tried again");
    }
}

#[tokio::test]
async fn a_claim_that_was_given_up_cannot_be_written_later() {
    // The late write is the claim of the first attempt, or that of the second.
    for earlier_attempts in [0, 1] {
        let bridge = TestBridge::new().await;
        if earlier_attempts == 1 {
            bridge.provider().will_reply(unavailable());
            bridge.post(&example(), Some("key-1")).await;
        }
        bridge.store().will(if earlier_attempts == 1 { vec![Fault::None, Fault::Late] } else { vec![Fault::Late] });
        let reply = bridge.post(&example(), Some("key-1")).await;
        assert_eq!((reply.status, bridge.status(&reply.order_id()).await.as_str()), (503, "FAILED"));
        bridge.store().late_writes_arrive().await;
        assert_eq!(bridge.status(&reply.order_id()).await, "FAILED");
        assert_eq!(bridge.post(&example(), Some("key-1")).await.status, 201);
    }
}

#[tokio::test]
async fn a_result_is_written_again_until_it_is_stored() {
    use Fault::{Down, None, ReplyLost};
    for faults in [vec![None, Down], vec![None, Down, Down, Down], vec![None, ReplyLost], vec![None, ReplyLost, Down, None]] {
        let bridge = TestBridge::new().await;
        bridge.store().will(faults.clone());
        let reply = bridge.post(&example(), Option::None).await;
        assert_eq!(reply.status, 201);
        let stored = bridge.stored(&reply.order_id()).await;
        assert_eq!((stored.status.name(), stored.history.len(), stored.version), ("SENT", 1, 1_781_481_600_001), "{faults:?}");
    }
}

#[tokio::test]
async fn a_result_that_cannot_be_stored_is_given_out_and_logged_and_a_callback_completes_the_order() {
    let bridge = TestBridge::new().await;
    bridge.store().will(std::iter::once(Fault::None).chain([Fault::Down; 2_000]));
    let log = Log::capture();
    let time = bridge.run_time();
    let reply = bridge.post(&example(), Some("key-1")).await;
    time.abort();
    assert_eq!((reply.status, &reply.body["orderUuid"], &reply.body["status"]), (201, &json!("ODR1"), &json!("SENT")));
    let errors = log.errors();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (&errors[0]["orderId"], &errors[0]["outcome"], &errors[0]["orderUuid"]),
        (&reply.body["orderId"], &json!("SENT"), &json!("ODR1"))
    );
    bridge.store().will([]);
    let token = bridge.stored(&reply.order_id()).await.callback_token;
    assert_eq!(bridge.callback(&reply.order_id(), &token, &query("ODR1", "INVOICED", "40")).await.status, 200);
    assert_eq!(bridge.post(&example(), Some("key-1")).await.body["status"], "INVOICED");
    assert_eq!(bridge.provider().submit_count(), 1);
}

#[tokio::test]
async fn with_too_little_time_left_nothing_is_sent() {
    let post = async |bridge: &TestBridge, seconds| {
        bridge.orders_within(post_event(&example().to_string(), "Bearer key-a", Some("key-1")), seconds).await
    };
    let bridge = TestBridge::new().await;
    let reply = post(&bridge, 7).await;
    assert_eq!((reply.status, reply.slug(), bridge.provider().submit_count()), (503, "front-payment-unavailable", 0));
    assert_eq!(reply.header("retry-after"), Some("30"));
    assert_eq!(bridge.status(&reply.order_id()).await, "FAILED");
    for seconds in [2, 1, 0, -5] {
        let bridge = TestBridge::new().await;
        let reply = post(&bridge, seconds).await;
        assert_eq!((reply.status, bridge.provider().submit_count()), (503, 0));
        assert_eq!(bridge.store().operations(), [""; 0], "no claim that nobody could end");
    }
    for (seconds, within) in [(8, 3), (20, 15), (29, 20), (300, 20)] {
        let bridge = TestBridge::new().await;
        post(&bridge, seconds).await;
        assert_eq!(bridge.provider().submits()[0].within.as_secs(), within, "{seconds} seconds left");
    }
}

#[tokio::test]
async fn an_api_key_that_was_issued_a_moment_ago_is_found() {
    let bridge = TestBridge::new().await;
    let order = example().to_string();
    assert_eq!(bridge.orders(post_event(&order, "Bearer key", None)).await.status, 401);
    let hash = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"; // printf key | sha256sum
    bridge.set_secret(json!({"token": "t", "callbackSecret": "s", "shops": {"new": {"apiKeySha256": [hash]}}}).to_string());
    bridge.pass(29);
    assert_eq!(bridge.orders(post_event(&order, "Bearer key", None)).await.status, 401);
    bridge.pass(1);
    assert_eq!(bridge.orders(post_event(&order, "Bearer key", None)).await.status, 201);
}

#[tokio::test]
async fn without_a_usable_secret_requests_get_503() {
    let bridge = TestBridge::with_secret("{}").await;
    let reply = bridge.post(&example(), None).await;
    assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (503, "secret-unavailable", Some("5")));
    let reply = bridge.callback("0198c2f0-7e4a-7000-8000-000000000001", "token", "").await;
    assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (503, "secret-unavailable", Some("5")));
    bridge.set_secret(test_secret("token-1", &json!("s")));
    bridge.pass_millis(4_999);
    assert_eq!(bridge.post(&example(), None).await.status, 503, "it is fetched at most once in 5 s");
    bridge.pass_millis(1);
    assert_eq!(bridge.post(&example(), None).await.status, 201);
}

#[tokio::test]
async fn a_read_that_the_store_does_not_answer_gets_503() {
    let bridge = TestBridge::new().await;
    let order_id = bridge.post(&example(), Some("key-1")).await.order_id();
    bridge.store().will([Fault::Down]);
    let reply = bridge.get(&order_id, "key-a").await;
    assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (503, "storage-unavailable", Some("5")));
    // The order date is in the past, so the bridge only looks up the key and sends nothing.
    let mut past = example_of("40");
    past["orderDate"] = json!("0");
    for (key, status) in [("key-1", 200), ("key-2", 404)] {
        bridge.store().will([Fault::Down]);
        let reply = bridge.post(&past, Some(key)).await;
        assert_eq!(reply.slug(), "storage-unavailable");
        assert_eq!(bridge.get(&reply.order_id(), "key-a").await.status, status, "the look-up has written nothing");
    }
}
