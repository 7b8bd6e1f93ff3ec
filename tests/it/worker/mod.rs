//! The binary `worker` as Lambda runs it.

mod faults;
mod notifications;
mod sweep;

use std::process::Command;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use front_payment_bridge::order::{NotificationState, Status, StoredOrder};
use front_payment_bridge::store::{DynamoDbStore, OrderStore};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::markers::assert_alarms_count_real_lines;
use crate::support::documents::{callback_event, example, hex_sha256, signed};
use crate::support::lambda::Lambda;
use crate::support::peer::{Behaviour, NOBODY, Peer, reply};
use crate::support::worker::{NOTIFY_KEY, WEBHOOK_KEYS, repeat_event, stream_event};
use crate::support::world::{API_KEY, CALLBACKS, ORDERS, SECRET_KEY, World, body, eventually, get, post};

pub const WORKER: &str = env!("CARGO_BIN_EXE_worker");
const TABLE: &str = "orders-of-the-worker";

/// The world with a worker, and the demo shop's server on a socket.
pub struct Scene {
    pub world: World,
    store: DynamoDbStore,
    shop: Peer,
}

impl Scene {
    async fn new(notify: Value, shop: Behaviour) -> Self {
        let world = World::new().await;
        let store = world.moto.store(TABLE).await;
        let secret = json!({
            "token": "sandbox-token", "callbackSecret": SECRET_KEY,
            "shops": {"demo-shop": {"apiKeySha256": [hex_sha256(API_KEY)], "notify": notify}},
        });
        world.secrets.put_secret_value().secret_id("front-payment").secret_string(secret.to_string()).send().await.unwrap();
        Self { world, store, shop: Peer::start(shop).await }
    }

    /// A shop that is notified in Front Payment's own format, and answers 200.
    pub async fn front_payment() -> Self {
        Self::new(json!({"keys": [NOTIFY_KEY], "hosts": ["127.0.0.1"]}), reply(200, "", "OK")).await
    }

    pub async fn start(&self, binary: &str, more: &[(&str, &str)]) -> Lambda {
        let mut variables = vec![("ORDERS_TABLE", TABLE), ("PRIVATE_SHOP_HOSTS", "127.0.0.1")];
        variables.extend(more);
        self.world.start(binary, &variables).await
    }

    /// Places an order of the demo shop that is SENT. Returns its id.
    async fn place(&self, path: &str) -> String {
        let orders = self.start(ORDERS, &[]).await;
        let mut order = example();
        order["callback"]["callbackUrl"] = json!(format!("{}{path}", self.shop.base_url));
        let reply = orders.invoke(&post(&order, None)).await;
        assert_eq!(reply["statusCode"], 201, "{reply}");
        let created = body(&reply);
        let codes: Vec<_> = created["warnings"].as_array().into_iter().flatten().map(|warning| &warning["code"]).collect();
        assert!(!codes.contains(&&json!("not_notifiable")), "{created}");
        created["orderId"].as_str().unwrap().to_owned()
    }

    /// Places an order of the demo shop that is INVOICED, of which its shop was not told yet.
    pub async fn place_invoiced(&self, path: &str) -> StoredOrder {
        let order_id = self.place(path).await;
        let (callbacks, sent) = (self.start(CALLBACKS, &[]).await, self.stored(&order_id).await);
        let query = signed(sent.order_uuid.as_ref().unwrap(), "INVOICED", "40", SECRET_KEY);
        let reply = callbacks.invoke(&callback_event(&order_id, &sent.callback_token, &query)).await;
        assert_eq!(reply["statusCode"], 200);
        self.stored(&order_id).await
    }

    async fn stored(&self, order_id: &str) -> StoredOrder {
        self.store.load(order_id.parse().unwrap()).await.unwrap().expect("nothing is stored")
    }

    /// Overwrites attributes of an item, as an operator's command does.
    async fn command(&self, order_id: &str, update: &str, values: &[(&str, AttributeValue)]) {
        let mut command = self.world.moto.dynamodb().update_item().table_name(TABLE).update_expression(update);
        command = command.key("orderId", AttributeValue::S(order_id.to_owned()));
        if update.contains("#status") {
            command = command.expression_attribute_names("#status", "status");
        }
        for (name, value) in values {
            command = command.expression_attribute_values(*name, value.clone());
        }
        command.send().await.unwrap();
    }
}

/// Wakes the worker by the table's stream.
pub async fn wake(worker: &Lambda, order_ids: &[&str]) {
    assert_eq!(worker.run(29, stream_event(order_ids).to_string()).await, json!({"batchItemFailures": []}));
}

pub async fn sweep(worker: &Lambda) {
    assert_eq!(worker.run(29, "{}".to_owned()).await, json!({}));
}

/// A request's first line, and its headers with names in lower case.
fn head(request: &str) -> (&str, Vec<(String, String)>) {
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let first = lines.next().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    (first, headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect())
}

fn seconds(moment: Timestamp) -> String {
    moment.as_second().to_string()
}

fn logged(worker: &Lambda, route: &str) -> Vec<Value> {
    let lines = worker.log();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("not JSON: {line}")));
    lines.filter(|line| line["route"] == route).collect()
}

fn assert_clean(worker: &Lambda, scene: &Scene, order: &StoredOrder) {
    let log = worker.log();
    let port = scene.shop.base_url.rsplit(':').next().unwrap();
    for secret in [
        "sandbox-token",
        SECRET_KEY,
        NOTIFY_KEY,
        WEBHOOK_KEYS[0],
        API_KEY,
        order.callback_token.as_str(),
        &format!("127.0.0.1:{port}"),
        "/status?",
        "Kari",
        "Nordmann",
        "kari@example.com",
        "46567468",
        "30908299902",
        "Klosterenget",
        "/bankid/",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
