//! The binaries with neighbours that throttle, stall, lose their replies, or are not there.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::join;

use crate::lambda::{CALLBACKS, ORDERS, World, body, callback, secret};
use crate::support::lambda::Lambda;
use crate::support::peer::{Behaviour, Peer, reply};
use crate::support::proxy::{Proxy, Trouble};
use crate::support::{example, post_event, signed};

const CREATED: &str = r#"{"status_code":201,"data":{"orderUuid":"ODR1","bankIdUrl":"https://bankid.example/login"}}"#;
const FOR_EVER: usize = usize::MAX;

/// A function whose DynamoDB, and whose Front Payment, are what a test makes of them.
struct Case<'w> {
    world: &'w World,
    dynamodb: Proxy,
    front_payment: Peer,
    orders: Lambda,
    key: &'static str,
}

impl<'w> Case<'w> {
    async fn new(world: &'w World, key: &'static str, front_payment: Behaviour) -> Self {
        let (dynamodb, front_payment) = (world.proxy().await, Peer::start(front_payment).await);
        let variables =
            [("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.endpoint.as_str()), ("FRONT_PAYMENT_BASE_URL", &front_payment.base_url)];
        let orders = world.start(ORDERS, &variables).await;
        Self { world, dynamodb, front_payment, orders, key }
    }

    async fn created(world: &'w World, key: &'static str) -> Self {
        Self::new(world, key, reply(201, "", CREATED)).await
    }

    /// Submits an order so many seconds before Lambda ends; API Gateway gives up at 30, so 27 are a limit, too.
    async fn submit(&self, seconds: i64) -> (Value, Value) {
        let event = post_event(&example().to_string(), "Bearer demo-shop-key", Some(self.key)).to_string();
        let reply = self.orders.invoke_within(seconds, event).await;
        self.orders.reply_was_due(seconds).await;
        let body = body(&reply);
        (reply, body)
    }

    fn sent(&self) -> usize {
        self.front_payment.requests().len()
    }

    async fn stored(&self, body: &Value) -> (String, usize) {
        let stored = self.world.stored(body["orderId"].as_str().unwrap()).await;
        (stored.status.name().to_owned(), stored.history.len())
    }

    /// It is created, sent once, and stored with one entry.
    async fn ends_well(&self) {
        let (reply, body) = self.submit(29).await;
        assert_eq!((&reply["statusCode"], &body["orderUuid"]), (&json!(201), &json!("ODR1")), "{}: {reply}", self.key);
        assert_eq!((self.sent(), self.stored(&body).await), (1, ("SENT".to_owned(), 1)), "{}", self.key);
    }
}

fn slug(body: &Value) -> &str {
    body["type"].as_str().unwrap().rsplit(':').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dynamodb_that_is_in_trouble_for_a_moment_is_asked_again() {
    let world = &World::new().await;
    let troubled = async |key, troubles: &[(&'static str, usize, Trouble)]| {
        let case = Case::created(world, key).await;
        for &(operation, times, trouble) in troubles {
            case.dynamodb.will(operation, times, trouble);
        }
        case.ends_well().await;
    };
    join!(
        troubled("throttled", &[("PutItem", 2, Trouble::Throttled), ("UpdateItem", 2, Trouble::Throttled)]),
        troubled("failing", &[("PutItem", 2, Trouble::Fails), ("UpdateItem", 5, Trouble::Fails)]),
        troubled("slow", &[("PutItem", 1, Trouble::Slow), ("UpdateItem", 1, Trouble::Slow)]),
        troubled("stalled", &[("PutItem", 1, Trouble::Hangs), ("UpdateItem", 3, Trouble::Hangs)]),
        troubled("claim-lost", &[("PutItem", 1, Trouble::ReplyLost)]),
        troubled("result-lost", &[("UpdateItem", 1, Trouble::ReplyLost)]),
        async {
            // Front Payment has left little time, and the store stalls: the result of a 201 is still written.
            let created = format!("HTTP/1.1 201 X\r\ncontent-length: {}\r\n\r\n{CREATED}", CREATED.len());
            let late = Behaviour::SaysAfter(Duration::from_secs(18), created.into_bytes());
            let case = Case::new(world, "late", late).await;
            case.dynamodb.will("UpdateItem", 2, Trouble::Hangs);
            case.ends_well().await;
        },
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_neighbours_that_stay_in_trouble_there_is_an_answer_in_time() {
    let world = &World::new().await;
    let nothing_is_sent = async |key, trouble| {
        let case = Case::created(world, key).await;
        case.dynamodb.will("Item", FOR_EVER, trouble);
        let (reply, body) = case.submit(29).await;
        assert_eq!((&reply["statusCode"], slug(&body), case.sent()), (&json!(503), "storage-unavailable", 0), "{key}");
        assert!(reply["headers"]["retry-after"].is_string());
    };
    join!(
        nothing_is_sent("throttled-for-good", Trouble::Throttled),
        nothing_is_sent("stalled-for-good", Trouble::Hangs),
        async {
            // The store is back before the claim is given up: it says so.
            let case = Case::created(world, "back").await;
            case.dynamodb.will("PutItem", 3, Trouble::Hangs);
            let (_, body) = case.submit(29).await;
            assert_eq!((slug(&body), case.stored(&body).await.0), ("storage-unavailable", "FAILED".to_owned()));
            assert_eq!((case.submit(29).await.0["statusCode"].clone(), case.sent()), (json!(201), 1));
        },
        async {
            // What was created is told, also if it can be stored nowhere; its callback completes the order.
            let case = Case::created(world, "unwritten").await;
            case.dynamodb.will("UpdateItem", FOR_EVER, Trouble::Fails);
            let (reply, body) = case.submit(12).await;
            assert_eq!((&reply["statusCode"], &body["orderUuid"]), (&json!(201), &json!("ODR1")));
            let log = case.orders.log();
            let line: Value = log.lines().map(|line| serde_json::from_str(line).unwrap()).find(is_error).expect("no error");
            assert_eq!(
                (&line["orderId"], &line["outcome"], &line["orderUuid"]),
                (&body["orderId"], &json!("SENT"), &json!("ODR1"))
            );
            let callbacks = world.start(CALLBACKS, &[]).await;
            let order_id = body["orderId"].as_str().unwrap();
            let token = world.stored(order_id).await.callback_token;
            let query = signed("ODR1", "INVOICED", "40", "sandbox-secret-key");
            assert_eq!(callbacks.invoke(&callback(order_id, &token, &query)).await["statusCode"], 200);
            assert_eq!(case.stored(&body).await.0, "INVOICED");
        },
        async {
            for (key, seconds) in [("hanging", 29), ("hanging-with-little-time", 12)] {
                let case = Case::new(world, key, Behaviour::Hangs).await;
                case.dynamodb.will("UpdateItem", 1, Trouble::Hangs);
                let (reply, body) = case.submit(seconds).await;
                assert_eq!((&reply["statusCode"], slug(&body), case.sent()), (&json!(504), "outcome-unknown", 1), "{key}");
                assert_eq!(case.stored(&body).await.0, "UNKNOWN");
            }
        },
    );
}

fn is_error(line: &Value) -> bool {
    line["level"] == "ERROR"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_answered_in_time_and_a_repetition_loses_nothing() {
    let world = &World::new().await;
    let orders = world.start(ORDERS, &[]).await;
    let created = body(&orders.invoke(&post_event(&example().to_string(), "Bearer demo-shop-key", None)).await);
    let order_id = created["orderId"].as_str().unwrap();
    let token = &world.stored(order_id).await.callback_token;
    let order_uuid = created["orderUuid"].as_str().unwrap();
    let (dynamodb, front_payment) = (world.proxy().await, Peer::start(Behaviour::Hangs).await);
    let variables =
        [("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.endpoint.as_str()), ("FRONT_PAYMENT_BASE_URL", &front_payment.base_url)];
    let callbacks = world.start(CALLBACKS, &variables).await;
    let call = async |query: &str| {
        let reply = callbacks.invoke_within(12, callback(order_id, token, query).to_string()).await;
        callbacks.reply_was_due(12).await;
        dynamodb.clear();
        reply["statusCode"].clone()
    };
    let reserved = signed(order_uuid, "RESERVED", "40", "sandbox-secret-key");
    for (operation, trouble) in [
        ("GetItem", Trouble::Hangs),
        ("GetItem", Trouble::Throttled),
        ("UpdateItem", Trouble::Hangs),
        ("UpdateItem", Trouble::Fails),
    ] {
        dynamodb.will(operation, FOR_EVER, trouble);
        assert_eq!(call(&reserved).await, 503, "{operation} {trouble:?}");
        assert_eq!(world.stored(order_id).await.status.name(), "SENT");
    }
    dynamodb.will("UpdateItem", 1, Trouble::ReplyLost);
    assert_eq!(call(&reserved).await, 200, "what was done already is found");
    assert_eq!(call(&reserved).await, 200);
    assert_eq!(call("forged").await, 503, "Front Payment does not tell the status");
    let stored = world.stored(order_id).await;
    assert_eq!((stored.status.name(), stored.history.len()), ("RESERVED", 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_comes_late_is_mended_and_is_rotated_without_a_deployment() {
    let world = World::new().await;
    let proxy = world.proxy().await;
    proxy.will("GetSecretValue", FOR_EVER, Trouble::Fails);
    let order = post_event(&example().to_string(), "Bearer demo-shop-key", None);
    let orders = world.start(ORDERS, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &proxy.endpoint)]).await;
    let put = async |text: &str| {
        world.secrets.put_secret_value().secret_id("front-payment").secret_string(text).send().await.unwrap();
    };
    // Down at init, and still down.
    let reply = orders.invoke(&order).await;
    assert_eq!((&reply["statusCode"], slug(&body(&reply))), (&json!(503), "secret-unavailable"));
    assert_eq!(reply["headers"]["retry-after"], "5");
    // There, but of no use.
    put("not JSON: sandbox-token").await;
    proxy.clear();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(orders.invoke(&order).await["statusCode"], 503);
    orders.reply_was_due(29).await;
    let log = orders.log();
    assert!(log.contains("JSON") && !log.contains("sandbox-token"), "{log}");
    // Mended; asked for again at most once in five seconds.
    put(&secret(&json!("sandbox-secret-key")).to_string()).await;
    let asked = proxy.count("GetSecretValue");
    while orders.invoke(&order).await["statusCode"] != 201 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(proxy.count("GetSecretValue") - asked < 3, "{}", orders.log());
    }
    assert_eq!(proxy.count("GetSecretValue") - asked, 1);
    // The secretKey is being rotated: callbacks with either are believed.
    let callbacks = world.start(CALLBACKS, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &proxy.endpoint)]).await;
    assert_eq!(callbacks.invoke(&callback("x", "x", "")).await["statusCode"], 404, "its init is over");
    put(&secret(&json!(["new-secret-key", "sandbox-secret-key"])).to_string()).await;
    let asked = proxy.count("GetSecretValue");
    let created = body(&orders.invoke(&order).await);
    let (order_id, order_uuid) = (created["orderId"].as_str().unwrap(), created["orderUuid"].as_str().unwrap());
    let token = world.stored(order_id).await.callback_token;
    for (key, word) in [("new-secret-key", "RESERVED"), ("sandbox-secret-key", "INVOICED")] {
        let query = signed(order_uuid, word, "40", key);
        assert_eq!(callbacks.invoke(&callback(order_id, &token, &query)).await["statusCode"], 200);
        assert_eq!(world.stored(order_id).await.status.name(), word);
    }
    assert_eq!(proxy.count("GetSecretValue") - asked, 1, "a checksum that did not match was a reason to look");
    // What has no use does not take the place of a good one.
    put("{").await;
    let unknown = post_event(&example().to_string(), "Bearer a key that nobody knows", None);
    let asked = proxy.count("GetSecretValue");
    while proxy.count("GetSecretValue") == asked {
        assert_eq!(orders.invoke(&unknown).await["statusCode"], 401);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(orders.invoke(&order).await["statusCode"], 201);
}
