//! Several submission attempts under one Idempotency-Key, and which of Front Payment's uuids the stored order has.

use front_payment_bridge::order::SubmitReply;
use serde_json::{Value, json};

use crate::support::documents::{example, example_of};
use crate::support::log::Log;
use crate::support::scripted::{failed, id_and_token, invoiced, rejected, sent, unavailable, unknown};
use crate::support::test_bridge::{TestBridge, TestReply, query};

/// One key, and the requests under it.
struct Key {
    bridge: TestBridge,
    order_id: String,
    token: String,
    log: Log,
}

impl Key {
    /// Sends the first submission attempt.
    async fn new(order: &Value, reply: SubmitReply) -> Self {
        let log = Log::capture();
        let bridge = TestBridge::new().await;
        bridge.provider().will_reply(reply);
        let order_id = bridge.post(order, Some("key-1")).await.order_id();
        let token = bridge.stored(&order_id).await.callback_token;
        Self { bridge, order_id, token, log }
    }

    /// Sends a further submission attempt, and checks that it reaches Front Payment.
    async fn send(&self, order: &Value, reply: SubmitReply) -> TestReply {
        let before = self.bridge.provider().submit_count();
        self.bridge.provider().will_reply(reply);
        let reply = self.bridge.post(order, Some("key-1")).await;
        assert_eq!(self.bridge.provider().submit_count(), before + 1, "it is sent");
        assert_eq!((reply.order_id(), reply.is_replay()), (self.order_id.clone(), false));
        reply
    }

    /// Sends the same order again, and checks that Front Payment already has it.
    async fn is_replayed(&self, order: &Value, order_uuid: &str, status: &str) {
        let before = self.bridge.provider().submit_count();
        let reply = self.bridge.post(order, Some("key-1")).await;
        assert_eq!((reply.status, reply.is_replay()), (201, true), "{}", reply.body);
        assert_eq!((&reply.body["orderUuid"], &reply.body["status"]), (&json!(order_uuid), &json!(status)));
        assert_eq!(self.bridge.provider().submit_count(), before, "nothing is sent");
    }

    /// Sends another order, and checks that it is refused because Front Payment has one under this key.
    async fn is_refused(&self, order: &Value) {
        let before = self.bridge.provider().submit_count();
        let reply = self.bridge.post(order, Some("key-1")).await;
        assert_eq!((reply.status, reply.slug(), reply.order_id()), (422, "idempotency-key-reused", self.order_id.clone()));
        assert_eq!(self.bridge.provider().submit_count(), before, "nothing is sent");
    }

    /// Sends a verified callback. Returns the outcome in the log.
    async fn call_back(&self, order_uuid: &str, status: &str, amount: &str) -> String {
        let reply = self.bridge.callback(&self.order_id, &self.token, &query(order_uuid, status, amount)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        self.log.summary()["outcome"].as_str().unwrap().to_owned()
    }

    async fn shown(&self) -> Value {
        self.bridge.get(&self.order_id, "key-a").await.body
    }

    /// The status, the uuid and the grandTotal that the shop sees.
    async fn order(&self) -> (String, Option<String>, String) {
        let shown = self.shown().await;
        let text = |name: &str| shown[name].as_str().map(str::to_owned);
        (text("status").unwrap(), text("orderUuid"), text("grandTotal").unwrap())
    }
}

fn order(status: &str, order_uuid: Option<&str>, total: &str) -> (String, Option<String>, String) {
    (status.to_owned(), order_uuid.map(str::to_owned), total.to_owned())
}

/// Status, source and `otherOrderUuid` of each entry.
fn entries(shown: &Value) -> Vec<(&str, &str, Option<&str>)> {
    let history = shown["history"].as_array().unwrap().iter();
    history
        .map(|entry| (entry["status"].as_str().unwrap(), entry["source"].as_str().unwrap(), entry["otherOrderUuid"].as_str()))
        .collect()
}

#[tokio::test]
async fn a_failure_that_proves_nothing_is_never_sent_again() {
    // Order B under the key of order A. A may exist, so B is not sent, whether A's callback comes before or after.
    let (a, b) = (example_of("40"), example_of("50"));
    let key = Key::new(&a, unknown()).await;
    let before = key.bridge.provider().submit_count();
    for order in [&a, &b] {
        let reply = key.bridge.post(order, Some("key-1")).await;
        assert_eq!((reply.status, reply.slug(), &reply.body["nextStep"]), (409, "outcome-unknown", &json!("look")));
    }
    assert_eq!(key.call_back("ODR-A", "INVOICED", "40").await, "applied");
    key.is_replayed(&a, "ODR-A", "INVOICED").await;
    key.is_refused(&b).await;
    assert_eq!(key.bridge.provider().submit_count(), before, "one invoice");
}

#[tokio::test]
async fn a_failed_order_that_was_cancelled_in_the_portal_is_sent_again() {
    for reply in [failed, unavailable] {
        for status in ["CANCELLED", "EXPIRED"] {
            let key = Key::new(&example(), reply()).await;
            assert_eq!(key.call_back("ODR1", status, "40").await, "noted");
            assert_eq!(key.order().await, order("FAILED", None, "40"));
            let again = key.send(&example(), sent("ODR2")).await;
            assert_eq!((again.status, &again.body["orderUuid"], &again.body["status"]), (201, &json!("ODR2"), &json!("SENT")));
            assert_eq!(key.order().await, order("SENT", Some("ODR2"), "40"));
            assert_eq!(entries(&key.shown().await)[1], (status, "callback", Some("ODR1")));
            assert_eq!(key.log.errors(), Vec::<Value>::new());
        }
    }
}

#[tokio::test]
async fn a_cancelled_order_with_an_open_outcome_is_accepted() {
    let key = Key::new(&example(), unknown()).await;
    assert_eq!(key.call_back("ODR1", "CANCELLED", "40").await, "applied");
    assert_eq!(key.order().await, order("CANCELLED", Some("ODR1"), "40"));
    key.is_replayed(&example(), "ODR1", "CANCELLED").await;
}

#[tokio::test]
async fn a_callback_with_the_total_of_an_earlier_body_is_not_verified() {
    let key = Key::new(&example_of("40"), failed()).await;
    key.send(&example_of("50"), unknown()).await;
    let reply = key.bridge.callback(&key.order_id, &key.token, &query("ODR-A", "INVOICED", "40")).await;
    assert_eq!((reply.status, reply.slug(), reply.body.get("nextStep")), (403, "callback-not-verified", None));
    assert_eq!((&key.log.errors()[1]["claimedOrderUuid"], &key.log.summary()["unverified"]), (&json!("ODR-A"), &json!("amount")));
    assert_eq!(key.order().await, order("UNKNOWN", None, "50"));
}

#[tokio::test]
async fn where_a_callback_accepts_the_order_during_its_submit_the_shop_gets_that_order() {
    for reply in [unknown, failed, rejected, unavailable] {
        let bridge = TestBridge::new().await;
        let caller = bridge.clone();
        bridge.provider().meanwhile(move |url| async move {
            let (order_id, token) = id_and_token(&url);
            assert_eq!(caller.callback(&order_id, &token, &query("ODR1", "INVOICED", "40")).await.status, 200);
        });
        bridge.provider().will_reply(reply());
        let reply = bridge.post(&example(), Some("key-1")).await;
        assert_eq!((reply.status, &reply.body["orderUuid"], &reply.body["status"]), (201, &json!("ODR1"), &json!("INVOICED")));
    }
}

#[tokio::test]
async fn a_201_with_another_uuid_than_the_accepted_order_is_noted() {
    let log = Log::capture();
    let bridge = TestBridge::new().await;
    let caller = bridge.clone();
    bridge.provider().meanwhile(move |url| async move {
        let (order_id, token) = id_and_token(&url);
        assert_eq!(caller.callback(&order_id, &token, &query("ODR-A", "INVOICED", "40")).await.status, 200);
    });
    bridge.provider().will_reply(sent("ODR-B"));
    let reply = bridge.post(&example(), Some("key-1")).await;
    assert_eq!((reply.status, &reply.body["orderUuid"], &reply.body["status"]), (201, &json!("ODR-A"), &json!("INVOICED")));
    assert_eq!(reply.body.get("bankIdUrl"), None, "the link is of the other order");
    let errors = log.errors();
    assert_eq!((&errors[0]["orderUuid"], &errors[0]["otherOrderUuid"], errors.len()), (&json!("ODR-A"), &json!("ODR-B"), 1));
    let shown = bridge.get(&reply.order_id(), "key-a").await.body;
    assert_eq!(entries(&shown), [("INVOICED", "callback", None), ("SENT", "submit", Some("ODR-B"))]);
}

#[tokio::test]
async fn a_201_with_another_uuid_becomes_the_order_where_the_stored_one_is_cancelled() {
    for status in ["CANCELLED", "EXPIRED"] {
        let bridge = TestBridge::new().await;
        let caller = bridge.clone();
        bridge.provider().meanwhile(move |url| async move {
            let (order_id, token) = id_and_token(&url);
            assert_eq!(caller.callback(&order_id, &token, &query("ODR1", status, "40")).await.status, 200);
            assert_eq!(caller.status(&order_id).await, status);
        });
        bridge.provider().will_reply(sent("ODR2"));
        let log = Log::capture();
        let reply = bridge.post(&example(), Some("key-1")).await;
        assert_eq!((reply.status, reply.is_replay()), (201, false));
        assert_eq!(
            (&reply.body["orderUuid"], &reply.body["status"], &reply.body["bankIdUrl"]),
            (&json!("ODR2"), &json!("SENT"), &json!("https://bankid.example/login"))
        );
        let errors = log.errors();
        assert_eq!((&errors[0]["orderUuid"], &errors[0]["otherOrderUuid"]), (&json!("ODR2"), &json!("ODR1")), "{errors:?}");
        let shown = bridge.get(&reply.order_id(), "key-a").await.body;
        assert_eq!(entries(&shown), [(status, "callback", Some("ODR1")), ("SENT", "submit", None)]);
        assert_eq!((&shown["orderUuid"], &shown["bankIdUrl"]), (&json!("ODR2"), &json!("https://bankid.example/login")));
    }
}

#[tokio::test]
async fn an_order_that_is_cancelled_makes_way_for_a_living_one() {
    // The callback about the other uuid comes before the cancellation, or after it.
    for is_before in [true, false] {
        let key = Key::new(&example(), invoiced("ODR-B")).await;
        if is_before {
            assert_eq!(key.call_back("ODR-A", "CHARGED", "40").await, "twice");
            key.call_back("ODR-B", "CANCELLED", "40").await;
        } else {
            assert_eq!(key.call_back("ODR-B", "CANCELLED", "40").await, "applied");
            assert_eq!(key.order().await, order("CANCELLED", Some("ODR-B"), "40"));
            assert_eq!(key.call_back("ODR-A", "CHARGED", "40").await, "applied");
        }
        assert_eq!(key.order().await, order("CHARGED", Some("ODR-A"), "40"), "before: {is_before}");
        key.is_replayed(&example(), "ODR-A", "CHARGED").await;
        let names_both = |line: &Value| line["orderUuid"] == "ODR-A" && line["otherOrderUuid"] == "ODR-B";
        assert!(key.log.errors().iter().any(names_both), "{:?}", key.log.errors());
    }
}

#[tokio::test]
async fn an_order_that_a_read_finds_cancelled_makes_way_too() {
    let key = Key::new(&example(), invoiced("ODR-B")).await;
    assert_eq!(key.call_back("ODR-A", "INVOICED", "40").await, "twice");
    key.bridge.provider().will_tell(Ok("CANCELLED"));
    assert_eq!(key.bridge.callback(&key.order_id, &key.token, "").await.status, 200);
    let errors = key.log.errors();
    assert_eq!((&errors[1]["orderUuid"], &errors[1]["otherOrderUuid"], errors.len()), (&json!("ODR-A"), &json!("ODR-B"), 2));
    assert_eq!(key.order().await, order("INVOICED", Some("ODR-A"), "40"));
}

#[tokio::test]
async fn a_link_that_cannot_be_given_out_is_an_error_in_the_log() {
    let bridge = TestBridge::new().await;
    let SubmitReply::Created(mut created) = sent("ODR1") else { panic!("not created") };
    (created.bank_id_url, created.has_unusable_link) = (None, true);
    bridge.provider().will_reply(SubmitReply::Created(created));
    let log = Log::capture();
    let reply = bridge.post(&example(), Some("key-1")).await;
    assert_eq!((reply.status, &reply.body["status"], reply.body.get("bankIdUrl")), (201, &json!("SENT"), None));
    let errors = log.errors();
    assert_eq!((errors.len(), &errors[0]["orderId"], &errors[0]["orderUuid"]), (1, &reply.body["orderId"], &json!("ODR1")));
    assert_eq!(bridge.status(&reply.order_id()).await, "SENT");
}
