//! The binaries while other services throttle, hang, lose their replies or are down.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::join;

use crate::support::documents::{callback_event, example, post_event, signed};
use crate::support::lambda::Lambda;
use crate::support::peer::{Behaviour, CREATED, Peer, reply, reply_bytes};
use crate::support::proxy::{Proxy, Trouble};
use crate::support::world::{CALLBACKS, ORDERS, SECRET_KEY, World, body, post, slug, world_secret};

const ALWAYS: usize = usize::MAX;

/// The function `orders` with its own DynamoDB and Front Payment.
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

    /// Submits an order a number of seconds before Lambda ends the function. Checks that the reply comes in time.
    async fn submit(&self, seconds: i64) -> (Value, Value) {
        let reply = self.orders.invoke_within(seconds, post(&example(), Some(self.key)).to_string()).await;
        self.orders.replied_in_time(seconds);
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

    /// Checks that the order is sent once, created, and stored with one entry in its history.
    async fn is_created(&self) {
        let (reply, body) = self.submit(29).await;
        assert_eq!((&reply["statusCode"], &body["orderUuid"]), (&json!(201), &json!("ODR1")), "{}: {reply}", self.key);
        assert_eq!((self.sent(), self.stored(&body).await), (1, ("SENT".to_owned(), 1)), "{}", self.key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dynamodb_with_a_short_trouble_is_asked_again() {
    let world = &World::new().await;
    let troubled = async |key, troubles: &[(&'static str, usize, Trouble)]| {
        let case = Case::created(world, key).await;
        for &(operation, times, trouble) in troubles {
            case.dynamodb.will(operation, times, trouble);
        }
        case.is_created().await;
    };
    join!(
        troubled("throttled", &[("PutItem", 2, Trouble::Throttled), ("UpdateItem", 2, Trouble::Throttled)]),
        troubled("failing", &[("PutItem", 2, Trouble::Fails), ("UpdateItem", 5, Trouble::Fails)]),
        troubled("slow", &[("PutItem", 1, Trouble::Slow), ("UpdateItem", 1, Trouble::Slow)]),
        troubled("stalled", &[("PutItem", 1, Trouble::Hangs), ("UpdateItem", 3, Trouble::Hangs)]),
        troubled("claim-lost", &[("PutItem", 1, Trouble::ReplyLost)]),
        troubled("result-lost", &[("UpdateItem", 1, Trouble::ReplyLost)]),
        async {
            // Front Payment's reply comes late, and then DynamoDB hangs. The result is still written in time.
            let late = Behaviour::WritesAfter(Duration::from_secs(18), reply_bytes(201, "", CREATED));
            let case = Case::new(world, "late", late).await;
            case.dynamodb.will("UpdateItem", 2, Trouble::Hangs);
            case.is_created().await;
        },
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_service_stays_in_trouble_the_reply_still_comes_in_time() {
    let world = &World::new().await;
    let nothing_is_sent = async |key, trouble| {
        let case = Case::created(world, key).await;
        case.dynamodb.will("Item", ALWAYS, trouble);
        let (reply, _) = case.submit(29).await;
        assert_eq!((&reply["statusCode"], slug(&reply).as_str(), case.sent()), (&json!(503), "storage-unavailable", 0), "{key}");
        assert_eq!(reply["headers"]["retry-after"], "5");
    };
    let is_unknown = async |key, seconds| {
        let case = Case::new(world, key, Behaviour::Hangs).await;
        case.dynamodb.will("UpdateItem", 1, Trouble::Hangs);
        let (reply, body) = case.submit(seconds).await;
        assert_eq!((&reply["statusCode"], slug(&reply).as_str(), case.sent()), (&json!(504), "outcome-unknown", 1), "{key}");
        assert_eq!(case.stored(&body).await.0, "UNKNOWN", "{key}");
    };
    join!(
        nothing_is_sent("always-throttled", Trouble::Throttled),
        nothing_is_sent("always-hanging", Trouble::Hangs),
        async {
            // DynamoDB works again before the claim is given up, so the order is marked FAILED.
            let case = Case::created(world, "back").await;
            case.dynamodb.will("PutItem", 3, Trouble::Hangs);
            let (reply, body) = case.submit(29).await;
            assert_eq!((slug(&reply).as_str(), case.stored(&body).await.0.as_str()), ("storage-unavailable", "FAILED"));
            assert_eq!((case.submit(29).await.0["statusCode"].clone(), case.sent()), (json!(201), 1));
        },
        async {
            // The shop gets its created order even if the result cannot be stored. The callback completes the stored order.
            let case = Case::created(world, "unwritten").await;
            case.dynamodb.will("UpdateItem", ALWAYS, Trouble::Fails);
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
            let query = signed("ODR1", "INVOICED", "40", SECRET_KEY);
            assert_eq!(callbacks.invoke(&callback_event(order_id, &token, &query)).await["statusCode"], 200);
            assert_eq!(case.stored(&body).await.0, "INVOICED");
        },
        is_unknown("hanging", 29),
        is_unknown("hanging-with-little-time", 12),
    );
}

fn is_error(line: &Value) -> bool {
    line["level"] == "ERROR"
}

/// The function `callbacks` with its own DynamoDB, an order, and a Front Payment that never replies.
struct CallbackCase<'w> {
    world: &'w World,
    dynamodb: Proxy,
    callbacks: Lambda,
    order_id: String,
    token: String,
    reserved: String,
}

impl<'w> CallbackCase<'w> {
    async fn new(world: &'w World, orders: &Lambda, front_payment: &Peer) -> Self {
        let created = body(&orders.invoke(&post(&example(), None)).await);
        let order_id = created["orderId"].as_str().unwrap().to_owned();
        let token = world.stored(&order_id).await.callback_token;
        let reserved = signed(created["orderUuid"].as_str().unwrap(), "RESERVED", "40", SECRET_KEY);
        let dynamodb = world.proxy().await;
        let variables =
            [("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.endpoint.as_str()), ("FRONT_PAYMENT_BASE_URL", &front_payment.base_url)];
        let callbacks = world.start(CALLBACKS, &variables).await;
        Self { world, dynamodb, callbacks, order_id, token, reserved }
    }

    /// Calls back 12 seconds before Lambda ends the function. Checks that the reply comes in time.
    async fn call(&self, query: &str) -> Value {
        let reply = self.callbacks.invoke_within(12, callback_event(&self.order_id, &self.token, query).to_string()).await;
        self.callbacks.replied_in_time(12);
        reply["statusCode"].clone()
    }

    async fn stored(&self) -> (&'static str, usize) {
        let stored = self.world.stored(&self.order_id).await;
        (stored.status.name(), stored.history.len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_gets_its_reply_in_time_and_may_be_repeated() {
    let world = &World::new().await;
    let (orders, front_payment) = (&world.start(ORDERS, &[]).await, &Peer::start(Behaviour::Hangs).await);
    let is_repeated = async |operation, trouble| {
        let case = CallbackCase::new(world, orders, front_payment).await;
        case.dynamodb.will(operation, ALWAYS, trouble);
        assert_eq!(case.call(&case.reserved).await, 503, "{operation} {trouble:?}");
        assert_eq!(case.stored().await, ("SENT", 1));
        case.dynamodb.clear();
        assert_eq!(case.call(&case.reserved).await, 200, "{operation} {trouble:?}");
        assert_eq!(case.stored().await, ("RESERVED", 2));
    };
    join!(
        is_repeated("GetItem", Trouble::Hangs),
        is_repeated("GetItem", Trouble::Throttled),
        is_repeated("UpdateItem", Trouble::Hangs),
        is_repeated("UpdateItem", Trouble::Fails),
        async {
            let case = CallbackCase::new(world, orders, front_payment).await;
            case.dynamodb.will("UpdateItem", 1, Trouble::ReplyLost);
            assert_eq!(case.call(&case.reserved).await, 200, "the write whose reply was lost is found");
            assert_eq!(case.call(&case.reserved).await, 200);
            assert_eq!(case.call("unverified").await, 503, "the status cannot be read");
            assert_eq!(case.stored().await, ("RESERVED", 2));
        },
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_may_come_late_be_corrected_and_be_rotated_without_a_deployment() {
    let world = World::new().await;
    let proxy = world.proxy().await;
    proxy.will("GetSecretValue", ALWAYS, Trouble::Fails);
    let order = post(&example(), None);
    let orders = world.start(ORDERS, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &proxy.endpoint)]).await;
    let put = async |text: &str| {
        world.secrets.put_secret_value().secret_id("front-payment").secret_string(text).send().await.unwrap();
    };
    // Secrets Manager is down.
    let reply = orders.invoke(&order).await;
    assert_eq!((&reply["statusCode"], slug(&reply).as_str()), (&json!(503), "secret-unavailable"));
    assert_eq!(reply["headers"]["retry-after"], "5");
    // The secret is unusable.
    put("not JSON: sandbox-token").await;
    proxy.clear();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(orders.invoke(&order).await["statusCode"], 503);
    orders.replied_in_time(29);
    let log = orders.log();
    assert!(log.contains("JSON") && !log.contains("sandbox-token"), "{log}");
    // It is corrected. The function fetches it at most once in five seconds.
    put(&world_secret(&json!(SECRET_KEY))).await;
    let asked = proxy.count("GetSecretValue");
    while orders.invoke(&order).await["statusCode"] != 201 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(proxy.count("GetSecretValue") - asked < 3, "{}", orders.log());
    }
    assert_eq!(proxy.count("GetSecretValue") - asked, 1);
    // The secretKey is rotated: callbacks with either key are verified.
    let callbacks = world.start(CALLBACKS, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &proxy.endpoint)]).await;
    assert_eq!(callbacks.invoke(&callback_event("x", "x", "")).await["statusCode"], 404, "its init is over");
    put(&world_secret(&json!(["new-secret-key", SECRET_KEY]))).await;
    let asked = proxy.count("GetSecretValue");
    let created = body(&orders.invoke(&order).await);
    let (order_id, order_uuid) = (created["orderId"].as_str().unwrap(), created["orderUuid"].as_str().unwrap());
    let token = world.stored(order_id).await.callback_token;
    for (key, word) in [("new-secret-key", "RESERVED"), (SECRET_KEY, "INVOICED")] {
        let query = signed(order_uuid, word, "40", key);
        assert_eq!(callbacks.invoke(&callback_event(order_id, &token, &query)).await["statusCode"], 200);
        assert_eq!(world.stored(order_id).await.status.name(), word);
    }
    assert_eq!(proxy.count("GetSecretValue") - asked, 1, "the checksum that did not match has it fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_secret_does_not_replace_a_good_one() {
    let world = World::new().await;
    let proxy = world.proxy().await;
    let orders = world.start(ORDERS, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &proxy.endpoint)]).await;
    let order = post(&example(), None);
    assert_eq!(orders.invoke(&order).await["statusCode"], 201);
    world.secrets.put_secret_value().secret_id("front-payment").secret_string("{").send().await.unwrap();
    let unknown = post_event(&example().to_string(), "Bearer unknown", None);
    let asked = proxy.count("GetSecretValue");
    while proxy.count("GetSecretValue") == asked {
        assert_eq!(orders.invoke(&unknown).await["statusCode"], 401);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(orders.invoke(&order).await["statusCode"], 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn front_payments_retry_after_reaches_the_shop() {
    let world = &World::new().await;
    let date =
        |seconds: i64| (Timestamp::now() + SignedDuration::from_secs(seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let given = async |key, status, header: &str| {
        let header = if header.is_empty() { String::new() } else { format!("retry-after: {header}\r\n") };
        let case = Case::new(world, key, reply(status, &header, "{}")).await;
        let (reply, _) = case.submit(29).await;
        assert_eq!((&reply["statusCode"], slug(&reply).as_str()), (&json!(503), "front-payment-unavailable"), "{key}");
        reply["headers"]["retry-after"].as_str().unwrap().parse::<u64>().unwrap()
    };
    join!(
        async { assert_eq!(given("429-seconds", 429, "120").await, 120) },
        async { assert_eq!(given("503-seconds", 503, "7").await, 7) },
        async { assert_eq!(given("503-too-long", 503, "86400").await, 3_600) },
        async { assert!((60..=90).contains(&given("429-date", 429, &date(90)).await)) },
        async { assert_eq!(given("503-distant-date", 503, &date(86_400)).await, 3_600) },
        async { assert_eq!(given("429-past-date", 429, &date(-90)).await, 30) },
        async { assert_eq!(given("503-unreadable", 503, "soon").await, 30) },
        async { assert_eq!(given("429-without", 429, "").await, 30) },
    );
}
