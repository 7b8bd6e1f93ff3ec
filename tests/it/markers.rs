//! Orders whose personal values are recognisable markers, with every outcome: no marker may be in the log or in an item.

use std::collections::BTreeSet;
use std::sync::Mutex;

use front_payment_bridge::order::{Status, StoredOrder};
use front_payment_bridge::store::OrderStore;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::join;
use uuid::Uuid;

use crate::support::documents::{callback_event, example, post_event, signed};
use crate::support::lambda::Lambda;
use crate::support::peer::{Behaviour, NOBODY, Peer, reply, status_reply};
use crate::support::proxy::Trouble;
use crate::support::world::{self, API_KEY, CALLBACKS, ORDERS, SECRET_KEY, World, body, get, slug};

/// Values that only Front Payment and the shop may see. The two numbers are synthetic.
const PERSONAL: [&str; 12] = [
    "MARKNAME",
    "markmail",
    "47114711",
    "MARKSTREET",
    "MARKZIP",
    "MARKCITY",
    "30108299939",
    "925710482",
    "MARKPRODUCT",
    "MARKID",
    "MARKUNKNOWN",
    "markurl",
];
/// Values that must not be in the log either.
const SECRET: [&str; 8] = [
    "demo-shop-key",
    "MARKAPIKEY",
    "MARKKEY",
    "sandbox-token",
    "sandbox-secret-key",
    "MARKBANKID",
    "markcallback",
    "api.example.no",
];
/// A reply text in which Front Payment quotes every personal value.
const QUOTED: &str = "MARKNAME markmail@mark.example 47114711 MARKSTREET MARKZIP MARKCITY 30108299939 MARKPRODUCT MARKBANKID";

const OUTCOMES: [&str; 23] = [
    "accepted",
    "applied",
    "callback-not-verified",
    "front-payment-failed",
    "front-payment-unavailable",
    "idempotency-key-reused",
    "internal",
    "known",
    "malformed-json",
    "not-found",
    "noted",
    "outcome-unknown",
    "payload-too-large",
    "read",
    "read-back",
    "rejected-by-front-payment",
    "replayed",
    "secret-unavailable",
    "storage-unavailable",
    "submission-in-progress",
    "twice",
    "unauthorized",
    "validation-failed",
];
/// Outcomes of requests that may have no order id.
const NOT_ABOUT_AN_ORDER: [&str; 7] =
    ["internal", "malformed-json", "not-found", "payload-too-large", "secret-unavailable", "unauthorized", "validation-failed"];

fn order() -> Value {
    let mut order = example();
    let product = &mut order["products"][0];
    (product["name"], product["productId"]) = (json!("MARKPRODUCT"), json!("MARKID"));
    let customer = &mut order["customerDetails"];
    for (member, value) in [
        ("name", "MARKNAME"),
        ("email", "markmail@mark.example"),
        ("msisdn", "47114711"),
        ("personalNumber", "30108299939"),
        ("organizationId", "925710482"),
        ("MARKUNKNOWN", "MARKUNKNOWN"),
    ] {
        customer[member] = json!(value);
    }
    customer["address"] = json!({"street": "MARKSTREET", "zip": "MARKZIP", "city": "MARKCITY", "country": "NO"});
    order["callback"] = json!({"callbackUrl": "https://markcallback.example/", "success": "https://markurl.example/",
        "failure": "https://markurl.example/"});
    order
}

/// An order with a marker in every place where it is not valid.
fn invalid() -> Value {
    let mut order = order();
    for field in ["name", "msisdn", "email", "personalNumber", "organizationId", "countryCode", "preferredLanguage", "type"] {
        order["customerDetails"][field] = json!({"MARKNAME": QUOTED});
    }
    for field in ["street", "zip", "city", "country"] {
        order["customerDetails"]["address"][field] = json!([QUOTED]);
    }
    order["products"][0]["quantity"] = json!(QUOTED);
    order["callback"]["success"] = json!("markurl MARKSTREET");
    order[QUOTED] = json!(QUOTED);
    order
}

fn post(order: &Value, key: &str) -> Value {
    world::post(order, Some(&format!("MARKKEY-{key}")))
}

/// The id of the order with a key.
fn id_of(key: &str) -> Uuid {
    Uuid::new_v5(&Uuid::from_u128(0x5f0c_31f4_7b0e_4d3f_9a66_0d1c_8f2b_7e55), format!("demo-shop\0MARKKEY-{key}").as_bytes())
}

/// The functions, and what they logged.
struct Watched {
    world: World,
    log: Mutex<String>,
}

impl Watched {
    async fn start(&self, binary: &str, more: &[(&str, &str)]) -> Lambda {
        let variables = [more, &[("RUST_LOG", "trace"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE"), ("RUST_BACKTRACE", "full")]].concat();
        self.world.start(binary, &variables).await
    }

    /// Invokes a function that is started for this one event.
    async fn one(&self, binary: &str, more: &[(&str, &str)], event: &Value) -> Value {
        let function = self.start(binary, more).await;
        let reply = function.invoke(event).await;
        self.keep(&function).await;
        reply
    }

    /// Keeps what a function logged, after checking that its last reply came in time.
    async fn keep(&self, function: &Lambda) {
        function.replied_in_time(29);
        let log = function.log();
        let mut is_init = true;
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
            is_init &= line["message"].as_str().unwrap().contains("the secret");
            assert!(is_init || line["requestId"].as_str().is_some_and(|id| id.len() == 36), "{line}");
        }
        self.log.lock().unwrap().push_str(&log);
    }

    /// Submits an order and gives it this reply of Front Payment. Returns the slug.
    async fn submitted(&self, key: &str, behaviour: Behaviour) -> String {
        let peer = Peer::start(behaviour).await;
        let reply = self.one(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &peer.base_url)], &post(&order(), key)).await;
        let sent = peer.requests().concat();
        assert!(PERSONAL[..10].iter().all(|marker| sent.contains(marker)), "Front Payment gets them: {sent}");
        slug(&reply)
    }

    /// Requests that are refused before Front Payment is called.
    async fn refused(&self) {
        let orders = self.start(ORDERS, &[]).await;
        for (event, expected) in [
            (post(&invalid(), "a b"), "validation-failed"),
            (post_event(&invalid().to_string()[1..], &format!("Bearer {API_KEY}"), None), "malformed-json"),
            (post_event(&order().to_string(), "Bearer MARKAPIKEY", None), "unauthorized"),
            (post_event(&format!("{}{}", " ".repeat(300_000), order()), &format!("Bearer {API_KEY}"), None), "payload-too-large"),
            (json!({"routeKey": "MARKNAME", "body": QUOTED, "headers": {"authorization": "Bearer MARKAPIKEY"}}), "not-found"),
        ] {
            assert_eq!(slug(&orders.invoke(&event).await), expected);
        }
        let mut nowhere = post(&order(), "nowhere");
        nowhere["requestContext"]["domainName"] = json!("MARKNAME @ MARKCITY");
        assert_eq!(slug(&orders.invoke(&nowhere).await), "internal");
        let event = format!("\"{QUOTED}\"");
        assert_eq!(slug(&orders.invoke_text(event).await), "malformed-json");
        self.keep(&orders).await;

        let unusable_secret = json!({"token": "sandbox-token MARKAPIKEY", "shops": {"MARKNAME": "MARKAPIKEY"}}).to_string();
        let secrets = &self.world.secrets;
        secrets.create_secret().name("unusable").secret_string(unusable_secret).send().await.unwrap();
        let reply = self.one(ORDERS, &[("SECRET_ID", "unusable")], &post(&order(), "x")).await;
        assert_eq!(slug(&reply), "secret-unavailable");

        let store = self.world.proxy().await;
        store.will("PutItem", usize::MAX, Trouble::Fails);
        let unstored = async |key, endpoint: &str| {
            let reply = self.one(ORDERS, &[("AWS_ENDPOINT_URL_DYNAMODB", endpoint)], &post(&order(), key)).await;
            assert_eq!(slug(&reply), "storage-unavailable");
        };
        join!(unstored("unstored", &store.endpoint), unstored("down", NOBODY));
    }

    async fn submitted_and_called_back(&self) {
        self.submitted_with_every_reply().await;
        self.accepted_and_called_back().await;
    }

    async fn submitted_with_every_reply(&self) {
        let own =
            |code: u16| json!({"status_code": code, "status_message": QUOTED, "message": QUOTED, "errors": [QUOTED]}).to_string();
        let location = "location: https://markurl.example/MARKNAME\r\nx-mark: MARKNAME\r\n";
        let no_uuid =
            json!({"status_code": 201, "data": {"orderUuid": QUOTED, "bankIdUrl": "https://MARKBANKID.example"}}).to_string();
        for (key, behaviour, expected) in [
            ("refused", reply(417, "", &own(417)), "rejected-by-front-payment"),
            ("own-400", reply(400, "", &own(400)), "rejected-by-front-payment"),
            ("denied", reply(401, "", &own(401)), "front-payment-failed"),
            ("limited", reply(429, "", QUOTED), "front-payment-unavailable"),
            ("own-500", reply(500, "", &own(500)), "outcome-unknown"),
            ("page-502", reply(502, "", QUOTED), "outcome-unknown"),
            ("page-503", reply(503, "", QUOTED), "front-payment-unavailable"),
            ("redirect", reply(302, location, QUOTED), "front-payment-failed"),
            ("no-uuid", reply(201, location, &no_uuid), "outcome-unknown"),
            ("too-long", reply(201, "", &QUOTED.repeat(20_000)), "outcome-unknown"),
            ("no-http", Behaviour::Writes(QUOTED.into()), "outcome-unknown"),
            (
                "breaks-off",
                Behaviour::Writes(format!("HTTP/1.1 201 X\r\ncontent-length: 999\r\n\r\n{QUOTED}").into()),
                "outcome-unknown",
            ),
            ("closes", Behaviour::Closes, "outcome-unknown"),
            ("resets", Behaviour::Resets, "outcome-unknown"),
        ] {
            assert_eq!(self.submitted(key, behaviour).await, expected, "{key}");
        }
        assert_eq!(slug(&self.one(ORDERS, &[], &post(&order(), "closes")).await), "outcome-unknown");
        let reply = self.one(ORDERS, &[("FRONT_PAYMENT_BASE_URL", NOBODY)], &post(&order(), "unreached")).await;
        assert_eq!(slug(&reply), "front-payment-unavailable");
    }

    /// Submits an order that is accepted, and then does everything that can happen to it.
    async fn accepted_and_called_back(&self) {
        let created = json!({"data": {"orderUuid": "ODR1", "bankIdUrl": "https://b.example/MARKBANKID"}}).to_string();
        let peer = Peer::start(reply(201, "x-ratelimit-remaining: 239\r\n", &created)).await;
        let store = self.world.proxy().await;
        let endpoints = [("FRONT_PAYMENT_BASE_URL", peer.base_url.as_str()), ("AWS_ENDPOINT_URL_DYNAMODB", &store.endpoint)];
        let orders = self.start(ORDERS, &endpoints).await;
        let accepted = orders.invoke(&post(&order(), "accepted")).await;
        assert_eq!(accepted["statusCode"], 201);
        assert!(body(&accepted)["bankIdUrl"].as_str().unwrap().contains("MARKBANKID"));
        assert_eq!(orders.invoke(&post(&order(), "accepted")).await["statusCode"], 201);
        let mut other = order();
        other["referenceNo"] = json!("other");
        assert_eq!(slug(&orders.invoke(&post(&other, "accepted")).await), "idempotency-key-reused");
        let order_id = body(&accepted)["orderId"].as_str().unwrap().to_owned();
        assert_eq!(orders.invoke(&get(&order_id)).await["statusCode"], 200);

        // A running submission attempt: the accepted item, put back to the state before its result.
        let stored = self.world.stored(&order_id).await;
        let submitting = StoredOrder {
            order_id: id_of("under-way"),
            status: Status::Submitting,
            attempted_at: Timestamp::now() + SignedDuration::from_secs(20),
            order_uuid: None,
            history: Vec::new(),
            ..stored.clone()
        };
        self.world.store.create(&submitting).await.unwrap();
        assert_eq!(slug(&orders.invoke(&post(&order(), "under-way")).await), "submission-in-progress");
        // If the result cannot be stored, an error in the log has the uuid.
        store.will("UpdateItem", usize::MAX, Trouble::Fails);
        let event = post(&order(), "unwritten").to_string();
        assert_eq!(orders.invoke_within(9, event).await["statusCode"], 201);
        self.keep(&orders).await;

        let callbacks = self.start(CALLBACKS, &[("FRONT_PAYMENT_BASE_URL", peer.base_url.as_str())]).await;
        let token = stored.callback_token.clone();
        let unverified = format!("orderUuid=ODR1&status=MARKNAME&paymentMethod=MARKSTREET&amount=47114711&checksum={token}");
        let signed = |uuid, word| signed(uuid, word, "40", SECRET_KEY);
        for (query, status) in [
            (signed("ODR1", "RESERVED"), 200),
            (signed("ODR1", "RESERVED"), 200),
            (signed("ODR2", "PAID"), 200),
            (signed("ODR1", "success"), 200),
            (unverified.clone(), 503),
        ] {
            assert_eq!(callbacks.invoke(&callback_event(&order_id, &token, &query)).await["statusCode"], status, "{query}");
        }
        assert_eq!(callbacks.invoke(&callback_event(&order_id, "markcallback", &unverified)).await["statusCode"], 404);
        assert_eq!(
            callbacks.invoke(&callback_event(&submitting.order_id.to_string(), &token, &unverified)).await["statusCode"],
            403
        );
        let failed = self.world.stored(&id_of("denied").to_string()).await;
        let cancelled = callback_event(&failed.order_id.to_string(), &failed.callback_token, &signed("ODR3", "CANCELLED"));
        assert_eq!(callbacks.invoke(&cancelled).await["statusCode"], 200);
        self.keep(&callbacks).await;
        let peer = Peer::start(status_reply("ODR1", "INVOICED")).await;
        let endpoint = [("FRONT_PAYMENT_BASE_URL", peer.base_url.as_str())];
        assert_eq!(self.one(CALLBACKS, &endpoint, &callback_event(&order_id, &token, &unverified)).await["statusCode"], 200);
        let down = [("AWS_ENDPOINT_URL_DYNAMODB", NOBODY)];
        assert_eq!(self.one(CALLBACKS, &down, &callback_event(&order_id, &token, &unverified)).await["statusCode"], 503);
        assert!(!self.log.lock().unwrap().contains(&token), "the callback token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_personal_data_and_no_secret_is_written_whatever_happens_to_an_order() {
    let watched = Watched { world: World::new().await, log: Mutex::default() };
    join!(watched.refused(), watched.submitted_and_called_back());
    let Watched { world, log } = watched;
    let log = log.into_inner().unwrap();

    for marker in PERSONAL.iter().chain(&SECRET) {
        let lines: Vec<_> = log.lines().filter(|line| line.to_lowercase().contains(&marker.to_lowercase())).collect();
        assert!(lines.is_empty(), "{marker} in {lines:#?}");
    }
    let table = world.moto.dynamodb().scan().table_name("orders").send().await.unwrap();
    let items = format!("{:?}", table.items());
    assert!(table.count() > 15 && items.contains("markcallback"), "the shop's own callbackUrl is stored: {items}");
    for marker in PERSONAL.iter().chain(&["demo-shop-key", "MARKKEY", "sandbox-"]) {
        assert!(!items.contains(marker), "{marker} in {items}");
    }

    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summaries: Vec<_> = lines.iter().filter(|line| line["message"] == "request").collect();
    let outcomes: BTreeSet<_> = summaries.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, OUTCOMES.into());
    for line in &summaries {
        let has_order = line["orderId"].as_str().is_some_and(|id| id.len() == 36);
        assert!(has_order || NOT_ABOUT_AN_ORDER.contains(&line["outcome"].as_str().unwrap()), "{line}");
    }

    for logs in ["OrdersLogs", "CallbacksLogs"] {
        assert_alarms_count_real_lines(logs, &lines, &[]);
    }

    // The log fields that the metrics are counted from.
    let outcomes_with = |field: &str| {
        let with_it = summaries.iter().filter(|line| !line[field].is_null());
        with_it.map(|line| (line["outcome"].as_str().unwrap(), line[field].clone())).collect::<Vec<_>>()
    };
    let unverified = ["front-payment-unavailable", "callback-not-verified", "read-back"];
    assert_eq!(outcomes_with("unverified"), unverified.map(|outcome| (outcome, json!("shape"))));
    let first = outcomes_with("firstCallbackAfterMs");
    assert!(matches!(&first[..], [("applied", millis)] if millis.is_u64()), "{first:?}");
    assert!(outcomes_with("providerRateLimitRemaining").contains(&("accepted", json!(239))));
    let twice: Vec<_> = lines.iter().filter(|line| !line["otherOrderUuid"].is_null()).collect();
    assert!(matches!(twice[..], [line] if line["level"] == "ERROR" && line["otherOrderUuid"] == "ODR2"), "{twice:?}");
}

/// The log lines that the tests of the alarms use for one function have the form of real ones: the same messages, and no
/// members that real lines lack.
pub fn assert_alarms_count_real_lines(logs: &str, logged: &[Value], only: &[&str]) {
    let known: Value = serde_json::from_str(include_str!("../alarms/lines.json")).unwrap();
    let of_group = known.as_object().unwrap().iter().filter(|(_, line)| line["logs"] == logs);
    for (name, line) in of_group.filter(|(name, _)| only.is_empty() || only.contains(&name.as_str())) {
        let is_like = |real: &&Value| {
            line["line"].as_object().unwrap().iter().all(|(member, value)| match value {
                Value::Number(_) if member != "statusCode" => real[member].is_number(),
                _ if member == "shopId" || member == "otherOrderUuid" => real[member].is_string(),
                value => &real[member] == value,
            })
        };
        assert!(logged.iter().any(|real| is_like(&real)), "no logged line is like {name}: {line}");
    }
}
