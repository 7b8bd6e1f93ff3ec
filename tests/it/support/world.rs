//! The built binaries with a DynamoDB, a Secrets Manager and a sandbox of Front Payment on this machine.

use std::sync::Arc;

use axum::Router;
use front_payment_bridge::http_client;
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::store::{DynamoDbStore, OrderStore};
use local::sandbox::{self, Sandbox};
use local::store::EmbeddedStore;
use local::{Frame, MovableClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::documents::{get_event, post_event, secret};
use super::lambda::Lambda;
use super::moto::Moto;
use super::proxy::Proxy;

pub const ORDERS: &str = env!("CARGO_BIN_EXE_orders");
pub const CALLBACKS: &str = env!("CARGO_BIN_EXE_callbacks");

pub const API_KEY: &str = "demo-shop-key";
/// `callbackSecret` in the secret of [`World`].
pub const SECRET_KEY: &str = "sandbox-secret-key";

pub struct World {
    pub moto: Moto,
    pub secrets: aws_sdk_secretsmanager::Client,
    front_payment: String,
    pub sandbox: Arc<Sandbox>,
    pub store: DynamoDbStore,
}

impl World {
    pub async fn new() -> Self {
        let moto = Moto::start();
        let store = moto.store("orders").await;
        let secrets = moto.secrets_manager();
        secrets.create_secret().name("front-payment").secret_string(world_secret(&json!(SECRET_KEY))).send().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let http = http_client::build(None).unwrap();
        let database = EmbeddedStore::in_memory().unwrap().database();
        let frame = Frame::new(base.clone(), false, MovableClock::open(database.clone()).unwrap());
        let sandbox = Arc::new(Sandbox::open(database, frame.into(), http).unwrap());
        let routes = Router::new().nest("/front-payment", sandbox::routes(sandbox.clone()));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { moto, secrets, front_payment: format!("{base}/front-payment/api/v1"), sandbox, store }
    }

    /// Starts a proxy before AWS, for one test.
    pub async fn proxy(&self) -> Proxy {
        Proxy::start(&self.moto.endpoint).await
    }

    pub async fn stored(&self, order_id: &str) -> StoredOrder {
        self.store.load(Uuid::parse_str(order_id).unwrap()).await.unwrap().expect("nothing is stored")
    }

    /// Overwrites the stored order, as an operator does.
    pub async fn change_stored(&self, order_id: &str, change: impl FnOnce(&mut StoredOrder)) {
        let stored = self.stored(order_id).await;
        let mut changed = stored.clone();
        changed.version += 1;
        change(&mut changed);
        changed.derive(None);
        self.store.replace(&stored, &changed).await.unwrap();
    }

    /// Starts a binary. Variables in `more` replace the usual ones.
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

/// The secret of [`World`], with the demo shop.
pub fn world_secret(callback_secret: &Value) -> String {
    secret("sandbox-token", callback_secret, &[("demo-shop", API_KEY)])
}

/// `POST /orders` of the demo shop.
pub fn post(order: &Value, key: Option<&str>) -> Value {
    post_event(&order.to_string(), &format!("Bearer {API_KEY}"), key)
}

/// `GET /orders/{orderId}` of the demo shop.
pub fn get(order_id: &str) -> Value {
    get_event(order_id, &format!("Bearer {API_KEY}"), "")
}

/// The body of a function's reply.
pub fn body(reply: &Value) -> Value {
    serde_json::from_str(reply["body"].as_str().unwrap()).unwrap()
}

/// The slug of a problem document; `none` for any other reply.
pub fn slug(reply: &Value) -> String {
    body(reply)["type"].as_str().and_then(|urn| urn.rsplit(':').next()).unwrap_or("none").to_owned()
}

/// Waits until the condition holds, at most ten seconds.
pub async fn eventually(holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it did not happen within ten seconds");
}
