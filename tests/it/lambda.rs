//! The binaries `orders` and `callbacks` as Lambda runs them, with the files of events/, against
//! DynamoDB and Secrets Manager over HTTP and the sandbox as Front Payment.

use std::process::Command;
use std::sync::Arc;

use front_payment_bridge::http_client;
use front_payment_bridge::local::sandbox::{self, Sandbox};
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::store::{EmbeddedStore, OrderStore};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::lambda::Lambda;
use crate::support::moto::Moto;
use crate::support::peer::{Behaviour, Peer};
use crate::support::proxy::Proxy;
use crate::support::{example, post_event, signed};

pub const ORDERS: &str = env!("CARGO_BIN_EXE_orders");
pub const CALLBACKS: &str = env!("CARGO_BIN_EXE_callbacks");

fn event(name: &str) -> Value {
    let file = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

pub fn body(reply: &Value) -> Value {
    serde_json::from_str(reply["body"].as_str().unwrap()).unwrap()
}

/// SHA-256 of `demo-shop-key`, by sha256sum.
const KEY_HASH: &str = "f5d072715bf986543308d9f187277c2406847cd7bfd33cbc2264fedc284a9992";

/// The secret's document, with the demo shop.
pub fn secret(callback_secret: &Value) -> Value {
    json!({"token": "sandbox-token", "callbackSecret": callback_secret, "shops": {"demo-shop": {"apiKeySha256": [KEY_HASH]}}})
}

pub struct World {
    pub moto: Moto,
    pub secrets: aws_sdk_secretsmanager::Client,
    front_payment: String,
    pub sandbox: Arc<Sandbox>,
    pub store: front_payment_bridge::store::DynamoDbStore,
}

impl World {
    /// AWS with a table and a secret, and the sandbox.
    pub async fn new() -> Self {
        let moto = Moto::start();
        let store = moto.store("orders").await;
        let secrets = moto.secrets_manager();
        let secret = secret(&json!("sandbox-secret-key")).to_string();
        secrets.create_secret().name("front-payment").secret_string(secret).send().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let http = http_client::build(None).unwrap();
        let sandbox = Arc::new(Sandbox::open(EmbeddedStore::in_memory().unwrap().database(), base.clone(), http).unwrap());
        let routes = sandbox::routes(sandbox.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { moto, secrets, front_payment: format!("{base}/api/v1"), sandbox, store }
    }

    /// Something between the bridge and AWS.
    pub async fn proxy(&self) -> Proxy {
        Proxy::start(&self.moto.endpoint).await
    }

    /// The stored order.
    pub async fn stored(&self, order_id: &str) -> StoredOrder {
        self.store.load(Uuid::parse_str(order_id).unwrap()).await.unwrap().expect("nothing is stored")
    }

    pub async fn start(&self, binary: &str, more: &[(&str, &str)]) -> Lambda {
        let mut variables = vec![
            ("ORDERS_TABLE", "orders"),
            ("SECRET_ID", "front-payment"),
            ("FRONT_PAYMENT_BASE_URL", self.front_payment.as_str()),
            ("AWS_ENDPOINT_URL", self.moto.endpoint.as_str()),
        ];
        variables.extend(more);
        Lambda::start(binary, &variables).await
    }
}

/// A callback event for a stored order, with its token.
pub fn callback(order_id: &str, token: &str, raw_query: &str) -> Value {
    let mut event = event("callback");
    event["pathParameters"] = json!({"orderId": order_id, "token": token});
    event["rawPath"] = json!(format!("/callbacks/{order_id}/{token}"));
    event["rawQueryString"] = json!(raw_query);
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_run_end_to_end() {
    let world = World::new().await;
    let orders = world.start(ORDERS, &[]).await;

    let created = orders.invoke(&event("private-order")).await;
    let order = body(&created);
    assert_eq!((&created["statusCode"], &order["status"]), (&json!(201), &json!("SENT")), "{created}");
    assert_eq!(created["headers"]["content-type"], "application/json");
    assert!(order["bankIdUrl"].as_str().unwrap().contains("/bankid/"));
    let (order_id, order_uuid) = (order["orderId"].as_str().unwrap(), order["orderUuid"].as_str().unwrap());
    assert_eq!(created["headers"]["location"], format!("/orders/{order_id}"));

    let replayed = orders.invoke(&event("private-order")).await;
    assert_eq!((&replayed["headers"]["idempotency-replayed"], body(&replayed)), (&json!("true"), order.clone()));

    let company = orders.invoke(&event("corporate-order")).await;
    assert_eq!((&company["statusCode"], &body(&company)["status"]), (&json!(201), &json!("INVOICED")), "{company}");

    let invalid = orders.invoke(&event("invalid-order")).await;
    assert_eq!(invalid["statusCode"], 422);
    assert_eq!(body(&invalid)["type"], "urn:front-payment-bridge:validation-failed");
    assert!(body(&invalid)["errors"].as_array().unwrap().len() > 1, "{invalid}");

    let read = orders.invoke(&event("read-order")).await;
    assert_eq!(
        (&read["statusCode"], &body(&read)["orderId"]),
        (&json!(200), &json!(order_id)),
        "events/read-order.json reads it"
    );

    let callbacks = world.start(CALLBACKS, &[]).await;
    let stored = world.store.load(Uuid::parse_str(order_id).unwrap()).await.unwrap().unwrap();
    let amount = stored.details.grand_total.clone();
    let forged = callback(order_id, &stored.callback_token, event("forged-callback")["rawQueryString"].as_str().unwrap());
    assert_eq!(callbacks.invoke(&forged).await["statusCode"], 200, "not believed: Front Payment is asked, and says SENT");
    assert_eq!(body(&orders.invoke(&event("read-order")).await)["status"], "SENT");
    let good = callback(order_id, &stored.callback_token, &signed(order_uuid, "INVOICED", &amount, "sandbox-secret-key"));
    let answered = callbacks.invoke(&good).await;
    assert_eq!((&answered["statusCode"], &answered["body"]), (&json!(200), &json!("OK")));
    let read = body(&orders.invoke(&event("read-order")).await);
    assert_eq!((&read["status"], read.get("bankIdUrl")), (&json!("INVOICED"), None));
    assert_eq!(callbacks.invoke(&callback(order_id, "wrong", "")).await["statusCode"], 404);

    for lambda in [&orders, &callbacks] {
        let log = lambda.log();
        assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "JSON lines: {log}");
        for secret in
            ["sandbox-token", "sandbox-secret-key", "demo-shop-key", "/bankid/", &stored.callback_token, "Kari", "Nordmann"]
        {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }
    let log = orders.log();
    let summary: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    for (field, value) in [
        ("route", json!("POST /orders")),
        ("shopId", json!("demo-shop")),
        ("orderId", json!(order_id)),
        ("outcome", json!("accepted")),
        ("statusCode", json!(201)),
        ("providerStatusCode", json!(201)),
        ("level", json!("INFO")),
    ] {
        assert_eq!(summary[field], value, "{summary}");
    }
    assert!(summary["totalMs"].is_u64() && summary["providerMs"].is_u64(), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_events_get_their_reply_and_the_process_lives_on() {
    let world = World::new().await;
    // At their lowest levels, too, the other crates write nothing of a request.
    let orders = world.start(ORDERS, &[("RUST_LOG", "trace"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")]).await;
    let key = "Bearer demo-shop-key";
    let order = example().to_string();
    let base64 = |body: &str| {
        let mut event = post_event(body, key, None);
        event["isBase64Encoded"] = json!(true);
        event
    };
    let with = |name: &str, value: Value| {
        let mut event = post_event(&order, key, None);
        event[name] = value;
        event
    };
    let mut strange_header = post_event(&order, key, None);
    strange_header["headers"]["bad name\u{0}"] = json!("bad\r\nvalue");
    let mut strange_key = post_event(&order, key, None);
    strange_key["headers"]["idempotency-key"] = json!("a\u{0}b");
    let mut strange_host = post_event(&order, key, None);
    strange_host["headers"]["host"] = json!("<not a host>");
    for (event, status, slug) in [
        (post_event("", key, None), 400, "malformed-json"),
        (post_event("{", key, None), 400, "malformed-json"),
        (post_event(&" ".repeat(300 * 1024), key, None), 413, "payload-too-large"),
        (base64("***"), 400, "malformed-json"),
        (base64("/w=="), 400, "malformed-json"),
        (post_event(&order, "Bearer \u{0}\u{7f}<>", None), 401, "unauthorized"),
        (post_event(&order, "", None), 401, "unauthorized"),
        (strange_key, 422, "validation-failed"),
        (with("routeKey", json!("GET /%00")), 404, "not-found"),
        (json!({}), 404, "not-found"),
        (json!("text"), 400, "malformed-json"),
        (json!({"routeKey": 5}), 400, "malformed-json"),
    ] {
        let reply = orders.invoke(&event).await;
        assert_eq!(
            (&reply["statusCode"], &body(&reply)["type"]),
            (&json!(status), &json!(format!("urn:front-payment-bridge:{slug}"))),
            "{reply}"
        );
    }
    for event in [
        strange_header,
        strange_host,
        with("rawQueryString", json!("<raw> & control \u{1}=%ZZ%00&&=")),
        with("cookies", json!(["a=b"])),
    ] {
        assert_eq!(orders.invoke(&event).await["statusCode"], 201);
    }
    let log = orders.log();
    for secret in
        ["sandbox-token", "demo-shop-key", "Kari", "30908299902", "46567468", "kari@example.com", "Klosterenget", "/bankid/"]
    {
        assert!(!log.contains(secret), "{secret} in {log}");
    }

    let callbacks = world.start(CALLBACKS, &[]).await;
    let created = body(&orders.invoke(&post_event(&order, key, Some("odd"))).await);
    let order_id = created["orderId"].as_str().unwrap();
    let token = world.store.load(Uuid::parse_str(order_id).unwrap()).await.unwrap().unwrap().callback_token;
    for query in ["", "<>", "a b", "\u{1}", "%00", "%ZZ", "a=1&a=1", "=&=&", "æ=ø", "orderUuid=%FF"] {
        assert_eq!(callbacks.invoke(&callback(order_id, &token, query)).await["statusCode"], 200, "{query:?}: read back");
        assert_eq!(callbacks.invoke(&callback(order_id, "%00", query)).await["statusCode"], 404, "{query:?}");
        assert_eq!(callbacks.invoke(&callback("%ZZ<>", &token, query)).await["statusCode"], 404, "{query:?}");
    }
    assert_eq!(callbacks.invoke(&json!({"routeKey": null})).await["statusCode"], 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_that_is_down_is_a_503_and_comes_back() {
    let world = World::new().await;
    let nobody = "http://127.0.0.1:1";
    let order = post_event(&example().to_string(), "Bearer demo-shop-key", None);

    let no_secrets = world.start(ORDERS, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", nobody)]).await;
    let reply = no_secrets.invoke(&order).await;
    assert_eq!(
        (&reply["statusCode"], &body(&reply)["type"]),
        (&json!(503), &json!("urn:front-payment-bridge:secret-unavailable"))
    );
    assert_eq!(reply["headers"]["retry-after"], "5");

    let no_store = world.start(ORDERS, &[("AWS_ENDPOINT_URL_DYNAMODB", nobody)]).await;
    let reply = no_store.invoke(&order).await;
    assert_eq!(
        (&reply["statusCode"], &body(&reply)["type"]),
        (&json!(503), &json!("urn:front-payment-bridge:storage-unavailable"))
    );

    let no_provider = world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", nobody)]).await;
    let reply = no_provider.invoke(&order).await;
    assert_eq!(
        (&reply["statusCode"], &body(&reply)["type"]),
        (&json!(503), &json!("urn:front-payment-bridge:front-payment-unavailable"))
    );

    // An empty variable is an absent one, also where the SDK thinks otherwise.
    let with_empty = [("AWS_ENDPOINT_URL_DYNAMODB", ""), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", ""), ("CALLBACK_BASE_URL", "")];
    assert_eq!(world.start(ORDERS, &with_empty).await.invoke(&order).await["statusCode"], 201);

    // What is answered in place of DynamoDB's own JSON, and an endpoint that cannot be used, give nothing away.
    let odd = Peer::start(crate::support::peer::reply(500, "", "<html>")).await;
    for endpoint in [odd.base_url.as_str(), "unix:/nowhere", "http://127.0.0.1:1/ /"] {
        let no_store = world.start(ORDERS, &[("AWS_ENDPOINT_URL_DYNAMODB", endpoint), ("RUST_LOG", "trace")]).await;
        assert_eq!(no_store.invoke(&order).await["statusCode"], 503);
        let log = no_store.log();
        assert!(log.contains("\"level\":\"ERROR\""), "{log}");
        for secret in ["callbackToken", "shop.example", "Dhaka", "demo-shop-key", "sandbox-token"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }

    let hangs = Peer::start(Behaviour::Hangs).await;
    let slow_secrets = world.start(ORDERS, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &hangs.base_url)]).await;
    let began = std::time::Instant::now();
    assert_eq!(slow_secrets.invoke(&order).await["statusCode"], 503);
    assert!(began.elapsed().as_secs() < 20, "init does not wait for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_an_order_that_its_callback_settles() {
    let world = World::new().await;
    let hangs = Peer::start(Behaviour::Hangs).await;
    let orders = Arc::new(world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &hangs.base_url)]).await);
    let submission = post_event(&example().to_string(), "Bearer demo-shop-key", Some("killed"));
    let waiting = tokio::spawn({
        let (orders, submission) = (orders.clone(), submission.clone());
        async move { orders.invoke(&submission).await }
    });
    for _ in 0..1_000 {
        if !hangs.requests().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(hangs.requests().len(), 1, "{}", orders.log());
    orders.kill().await;
    waiting.abort();

    let again = world.start(ORDERS, &[]).await;
    let reply = again.invoke(&submission).await;
    assert_eq!(
        (&reply["statusCode"], &body(&reply)["type"]),
        (&json!(409), &json!("urn:front-payment-bridge:submission-in-progress"))
    );
    let order_id = body(&reply)["orderId"].as_str().unwrap().to_owned();

    // A minute later; all that the new process knows of the old one is the item.
    let claimed = world.stored(&order_id).await;
    let mut aged = claimed.clone();
    aged.version += 1;
    aged.attempted_at -= SignedDuration::from_secs(61);
    world.store.replace(&claimed, &aged).await.unwrap();
    for _ in 0..2 {
        let reply = again.invoke(&submission).await;
        assert_eq!(
            (&reply["statusCode"], &body(&reply)["type"], reply["headers"].get("retry-after")),
            (&json!(409), &json!("urn:front-payment-bridge:outcome-unknown"), None)
        );
        assert_eq!(world.stored(&order_id).await.status.name(), "UNKNOWN");
    }

    let token = claimed.callback_token;
    let callbacks = world.start(CALLBACKS, &[]).await;
    let query = signed("ODR1", "INVOICED", "40", "sandbox-secret-key");
    assert_eq!(callbacks.invoke(&callback(&order_id, &token, &query)).await["statusCode"], 200);
    let reply = again.invoke(&submission).await;
    assert_eq!((&reply["statusCode"], &body(&reply)["status"]), (&json!(201), &json!("INVOICED")));
    assert_eq!(reply["headers"]["idempotency-replayed"], "true");
    assert_eq!((hangs.requests().len(), world.sandbox.orders().unwrap().len()), (1, 0), "sent once");
}

/// What a binary writes on stderr when it is started with a bad variable, and its exit code.
fn refused(binary: &str, variable: &str, value: &str) -> (String, Option<i32>) {
    let good =
        [("ORDERS_TABLE", "orders"), ("SECRET_ID", "s"), ("FRONT_PAYMENT_BASE_URL", "https://demo-api.frontpayment.no/api/v1")];
    let started = Command::new(binary).env_clear().envs(good).env(variable, value).output().unwrap();
    assert!(started.stdout.is_empty());
    (String::from_utf8(started.stderr).unwrap(), started.status.code())
}

#[test]
fn a_bad_configuration_ends_init_with_one_line_that_names_it() {
    for binary in [ORDERS, CALLBACKS] {
        for (variable, value) in [
            ("ORDERS_TABLE", ""),
            ("SECRET_ID", ""),
            ("FRONT_PAYMENT_BASE_URL", ""),
            ("FRONT_PAYMENT_BASE_URL", "http://example.com"),
            ("SSL_CERT_FILE", "/does/not/exist"),
            ("SSL_CERT_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
        ] {
            let (line, code) = refused(binary, variable, value);
            assert!(line.starts_with(&format!("{variable}: ")) && line.ends_with('\n') && line.lines().count() == 1, "{line:?}");
            assert_eq!(code, Some(1));
        }
    }
    for (variable, value) in [("ALLOWED_TAX_RATES", "x"), ("ADVISORY_CHECKS", "maybe"), ("CALLBACK_BASE_URL", "x")] {
        assert!(refused(ORDERS, variable, value).0.starts_with(&format!("{variable}: ")));
    }
}
