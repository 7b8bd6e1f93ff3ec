//! The functions `orders` and `callbacks`, with a scripted store and a scripted Front Payment.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::config::Settings;
use front_payment_bridge::deadline::Deadline;
use front_payment_bridge::http::callbacks::Callbacks;
use front_payment_bridge::http::orders::Orders;
use front_payment_bridge::http::{ApiRequest, Event, Function, Reply};
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::order::SubmitReply;
use front_payment_bridge::secrets::{SecretCache, SecretFetch, SecretSource};
use front_payment_bridge::store::OrderStore;
use jiff::{SignedDuration, Timestamp};
use local::store::EmbeddedStore;
use serde_json::{Value, json};
use uuid::Uuid;

use super::documents::{callback_event, cancel_event, example, get_event, list_event, post_event, secret, signed};
use super::faulty_store::FaultyStore;
use super::scripted::ScriptedProvider;

/// 2026-06-15T00:00:00Z, the time at which every test begins.
pub const NOW: i64 = 1_781_481_600;
/// The request id that Lambda gives every request.
pub const REQUEST_ID: &str = "c1f4a5d2-0000-4000-8000-000000000001";
/// The shops of the secret, with their API keys.
const SHOPS: [(&str, &str); 2] = [("shop-a", "key-a"), ("shop-b", "key-b")];

/// A secret that a test can change. It counts how often it is fetched.
#[derive(Clone)]
pub struct TestSecret {
    text: Arc<Mutex<String>>,
    fetches: Arc<AtomicUsize>,
}

impl TestSecret {
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl SecretSource for TestSecret {
    fn fetch(&self) -> SecretFetch<'_> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let text = self.text.lock().unwrap().clone();
        Box::pin(async move { Ok(text) })
    }
}

/// The functions `orders` and `callbacks` over one store. All clones share their state.
#[derive(Clone)]
pub struct TestBridge {
    bridge: Arc<Bridge<FaultyStore, ScriptedProvider>>,
    orders: Arc<Orders<FaultyStore, ScriptedProvider>>,
    callbacks: Arc<Callbacks<FaultyStore, ScriptedProvider>>,
    pub secret: TestSecret,
    millis: Arc<AtomicI64>,
}

#[derive(Debug)]
pub struct TestReply {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl TestReply {
    /// The slug of a problem document; `none` for any other reply.
    pub fn slug(&self) -> &str {
        self.body["type"].as_str().and_then(|urn| urn.strip_prefix("urn:front-payment-bridge:")).unwrap_or("none")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn order_id(&self) -> String {
        self.body["orderId"].as_str().unwrap().to_owned()
    }

    pub fn is_replay(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// Pointer and code of every error.
    pub fn errors(&self) -> Vec<(String, String)> {
        self.violations("errors")
    }

    /// Pointer and code of every warning.
    pub fn warnings(&self) -> Vec<(String, String)> {
        self.violations("warnings")
    }

    fn violations(&self, member: &str) -> Vec<(String, String)> {
        let text = |violation: &Value, name: &str| violation[name].as_str().unwrap().to_owned();
        let violations = self.body[member].as_array().cloned().unwrap_or_default();
        violations.iter().map(|violation| (text(violation, "pointer"), text(violation, "code"))).collect()
    }
}

impl TestBridge {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::build(settings, &test_secret("token-1", &json!("test-secret")), None).await
    }

    /// A bridge that fetches this text as its secret during init.
    pub async fn with_secret(text: &str) -> Self {
        Self::build(Settings::default(), text, None).await
    }

    /// A bridge with a retention period of so many seconds.
    pub async fn keeping_orders_for(seconds: i64) -> Self {
        let retention = SignedDuration::from_secs(seconds);
        Self::build(Settings::default(), &test_secret("token-1", &json!("test-secret")), Some(retention)).await
    }

    async fn build(settings: Settings, secret: &str, retention: Option<SignedDuration>) -> Self {
        let millis = Arc::new(AtomicI64::new(NOW * 1_000));
        let time = millis.clone();
        let clock = Clock::new(move || Timestamp::from_millisecond(time.load(Ordering::SeqCst)).unwrap());
        let secret = TestSecret { text: Arc::new(Mutex::new(secret.to_owned())), fetches: Arc::default() };
        let secrets = SecretCache::new(secret.clone(), clock.clone());
        secrets.prefetch().await;
        let store = FaultyStore::new(EmbeddedStore::in_memory().unwrap());
        let bridge = Arc::new(Bridge::new(store, ScriptedProvider::default(), secrets, clock).keeping_orders_for(retention));
        let (orders, callbacks) = (Orders::new(bridge.clone(), settings), Callbacks::new(bridge.clone()));
        Self { bridge, orders: Arc::new(orders), callbacks: Arc::new(callbacks), secret, millis }
    }

    pub fn provider(&self) -> &ScriptedProvider {
        &self.bridge.front_payment
    }

    pub fn store(&self) -> &FaultyStore {
        &self.bridge.store
    }

    pub fn now(&self) -> Timestamp {
        self.bridge.clock.now()
    }

    /// Moves the clock on.
    pub fn pass(&self, seconds: i64) {
        self.pass_millis(seconds * 1_000);
    }

    pub fn pass_millis(&self, millis: i64) {
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Moves the clock on by one second every 20 ms, until the task is aborted.
    pub fn run_time(&self) -> tokio::task::JoinHandle<()> {
        let bridge = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                bridge.pass(1);
            }
        })
    }

    pub fn set_secret(&self, text: String) {
        *self.secret.text.lock().unwrap() = text;
    }

    /// A request to the function `orders`, 29 seconds before Lambda ends it.
    pub async fn orders(&self, event: Value) -> TestReply {
        self.orders_within(event, 29).await
    }

    pub async fn orders_within(&self, event: Value, seconds: i64) -> TestReply {
        self.handle(&*self.orders, event, seconds).await
    }

    /// A request to the function `callbacks`.
    pub async fn callbacks(&self, event: Value) -> TestReply {
        self.handle(&*self.callbacks, event, 29).await
    }

    async fn handle(&self, function: &impl Function, event: Value, seconds: i64) -> TestReply {
        let event: Event = serde_json::from_value(event).unwrap();
        let deadline = Deadline(self.now() + SignedDuration::from_secs(seconds));
        read(function.handle(ApiRequest { event: &event, deadline, request_id: REQUEST_ID }).await)
    }

    /// Sends an order as the shop `shop-a`.
    pub async fn post(&self, order: &Value, key: Option<&str>) -> TestReply {
        self.orders(post_event(&order.to_string(), "Bearer key-a", key)).await
    }

    pub async fn get(&self, order_id: &str, api_key: &str) -> TestReply {
        self.orders(get_event(order_id, &format!("Bearer {api_key}"), "")).await
    }

    /// `GET /orders/{orderId}?refresh=true` as the shop `shop-a`.
    pub async fn refresh(&self, order_id: &str) -> TestReply {
        self.orders(get_event(order_id, "Bearer key-a", "refresh=true")).await
    }

    /// `POST /orders/{orderId}/cancel` as the shop `shop-a`.
    pub async fn cancel(&self, order_id: &str, body: &str) -> TestReply {
        self.orders(cancel_event(order_id, "Bearer key-a", body)).await
    }

    /// `GET /orders` as the shop `shop-a`.
    pub async fn list(&self, raw_query: &str) -> TestReply {
        self.orders(list_event("Bearer key-a", raw_query, None)).await
    }

    /// Finds the order of a key as the shop `shop-a`.
    pub async fn find(&self, key: &str) -> TestReply {
        self.orders(list_event("Bearer key-a", "", Some(key))).await
    }

    pub async fn callback(&self, order_id: &str, token: &str, raw_query: &str) -> TestReply {
        self.callbacks(callback_event(order_id, token, raw_query)).await
    }

    pub async fn stored(&self, order_id: &str) -> StoredOrder {
        self.store().load(Uuid::parse_str(order_id).unwrap()).await.unwrap().expect("nothing is stored")
    }

    /// The status that the shop `shop-a` sees.
    pub async fn status(&self, order_id: &str) -> String {
        self.get(order_id, "key-a").await.body["status"].as_str().unwrap().to_owned()
    }

    /// Sends the example order, of 40 kroner, with the key `key-1`. Returns its id and its callback token.
    pub async fn place(&self, reply: SubmitReply) -> (String, String) {
        self.provider().will_reply(reply);
        let order_id = self.post(&example(), Some("key-1")).await.order_id();
        let token = self.stored(&order_id).await.callback_token;
        (order_id, token)
    }

    /// Overwrites the stored order, as an operator, or a late write, could.
    pub async fn change_stored(&self, order_id: &str, change: impl FnOnce(&mut StoredOrder)) {
        let stored = self.stored(order_id).await;
        let mut changed = stored.clone();
        changed.version += 1;
        change(&mut changed);
        changed.derive(self.bridge.retention);
        self.store().replace(&stored, &changed).await.unwrap();
    }
}

/// The query of a callback that is signed with the secretKey of [`TestBridge`].
pub fn query(order_uuid: &str, status: &str, amount: &str) -> String {
    signed(order_uuid, status, amount, "test-secret")
}

/// The secret of [`TestBridge`], with both shops.
pub fn test_secret(token: &str, callback_secret: &Value) -> String {
    secret(token, callback_secret, &SHOPS)
}

fn read(reply: Reply) -> TestReply {
    let (parts, body) = reply.into_parts();
    assert_eq!(parts.headers["cache-control"], "no-store", "of every reply");
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    TestReply { status: parts.status.as_u16(), headers: parts.headers, body }
}
