//! The functions `orders`, `callbacks` and `worker`, with a scripted store, Front Payment and shops.

use std::future::pending;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::config::Settings;
use front_payment_bridge::deadline::Deadline;
use front_payment_bridge::http::callbacks::Callbacks;
use front_payment_bridge::http::orders::Orders;
use front_payment_bridge::http::{ApiRequest, Event, Function};
use front_payment_bridge::notify::PrivateHosts;
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::order::SubmitReply;
use front_payment_bridge::secrets::{SecretCache, SecretFetch, SecretSource};
use front_payment_bridge::store::OrderStore;
use front_payment_bridge::worker::Worker;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, LambdaEvent};
use local::store::EmbeddedStore;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::disturbed::{HookedStore, LimitedProvider};
use super::documents::{callback_event, example, get_event, hex_sha256, post_event, signed_at};
use super::scripted::{ScriptedProvider, sent};
use super::shops::ScriptedShops;
use super::test_bridge::{NOW, REQUEST_ID, TestReply};

/// A shop that is notified in Front Payment's own format.
pub const SHOP_A: Shop = Shop { api_key: "key-a", callback_url: "https://shop.example/status?x=1" };
/// A shop that is notified in the format of Standard Webhooks.
pub const SHOP_B: Shop = Shop { api_key: "key-b", callback_url: "https://webhooks.example/hook" };
/// A shop that is not notified.
pub const SHOP_C: Shop = Shop { api_key: "key-c", callback_url: "https://off.example/status" };

/// The key that signs notifications to [`SHOP_A`].
pub const NOTIFY_KEY: &str = "key-of-24-characters-000";
/// The keys that sign notifications to [`SHOP_B`].
pub const WEBHOOK_KEYS: [&str; 2] = ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_/////////////////////////////////w=="];

#[derive(Debug, Clone, Copy)]
pub struct Shop {
    pub api_key: &'static str,
    pub callback_url: &'static str,
}

/// The secret of [`TestWorker`], with `notify` of each shop. A `null` means that the shop has none.
pub fn secret_with(notify: [(&str, &str, Value); 3]) -> String {
    let shops = notify.into_iter().map(|(shop_id, api_key, notify)| {
        let mut shop = json!({"apiKeySha256": [hex_sha256(api_key)]});
        if !notify.is_null() {
            shop["notify"] = notify;
        }
        (shop_id.to_owned(), shop)
    });
    let shops: serde_json::Map<_, _> = shops.collect();
    json!({"token": "token-1", "callbackSecret": "test-secret", "shops": shops}).to_string()
}

fn usual_secret() -> String {
    secret_with([
        ("shop-a", "key-a", json!({"keys": [NOTIFY_KEY]})),
        ("shop-b", "key-b", json!({"format": "standard-webhooks", "keys": WEBHOOK_KEYS})),
        ("shop-c", "key-c", Value::Null),
    ])
}

#[derive(Clone)]
struct Secret(Arc<Mutex<String>>);

impl SecretSource for Secret {
    fn fetch(&self) -> SecretFetch<'_> {
        let text = self.0.lock().unwrap().clone();
        Box::pin(async move { Ok(text) })
    }
}

/// The functions `orders`, `callbacks` and `worker` over one store. All clones share their state.
#[derive(Clone)]
pub struct TestWorker {
    bridge: Arc<Bridge<HookedStore, LimitedProvider>>,
    orders: Arc<Orders<HookedStore, LimitedProvider>>,
    callbacks: Arc<Callbacks<HookedStore, LimitedProvider>>,
    worker: Arc<Worker<HookedStore, LimitedProvider, ScriptedShops>>,
    /// The worker of another process.
    other_worker: Arc<Worker<HookedStore, LimitedProvider, ScriptedShops>>,
    pub shops: ScriptedShops,
    secret: Secret,
    millis: Arc<AtomicI64>,
    placed: Arc<AtomicUsize>,
    called: Arc<AtomicUsize>,
}

impl TestWorker {
    pub async fn new() -> Self {
        let millis = Arc::new(AtomicI64::new(NOW * 1_000));
        let time = millis.clone();
        let clock = Clock::new(move || Timestamp::from_millisecond(time.load(Ordering::SeqCst)).unwrap());
        let secret = Secret(Arc::new(Mutex::new(usual_secret())));
        let secrets = SecretCache::new(secret.clone(), clock.clone());
        secrets.prefetch().await;
        let store = HookedStore::new(EmbeddedStore::in_memory().unwrap());
        let shops = ScriptedShops::new(clock.clone());
        let bridge = Arc::new(Bridge::new(store, LimitedProvider::default(), secrets, clock));
        let worker = || Arc::new(Worker::new(bridge.clone(), shops.clone(), PrivateHosts::default()));
        Self {
            orders: Arc::new(Orders::new(bridge.clone(), Settings::default())),
            callbacks: Arc::new(Callbacks::new(bridge.clone())),
            worker: worker(),
            other_worker: worker(),
            bridge,
            shops,
            secret,
            millis,
            placed: Arc::default(),
            called: Arc::default(),
        }
    }

    pub fn provider(&self) -> &ScriptedProvider {
        &self.bridge.front_payment.scripted
    }

    pub fn limited(&self) -> &LimitedProvider {
        &self.bridge.front_payment
    }

    pub fn store(&self) -> &HookedStore {
        &self.bridge.store
    }

    pub fn now(&self) -> Timestamp {
        self.bridge.clock.now()
    }

    /// Seconds since the test began.
    pub fn second(&self) -> i64 {
        self.now().as_second() - NOW
    }

    /// Moves the clock on.
    pub fn pass(&self, seconds: i64) {
        self.millis.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    /// Moves the clock to a second after the beginning of the test.
    pub fn pass_to(&self, second: i64) {
        self.millis.store((NOW + second) * 1_000, Ordering::SeqCst);
    }

    /// Moves the clock on by one second every 20 ms, until the task is aborted.
    pub fn run_time(&self) -> tokio::task::JoinHandle<()> {
        let worker = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                worker.pass(1);
            }
        })
    }

    /// Changes the secret. It is fetched when the cached one is five minutes old.
    pub fn set_secret(&self, text: String) {
        *self.secret.0.lock().unwrap() = text;
    }

    /// A request to the function `orders`.
    pub async fn api(&self, event: Value) -> TestReply {
        self.handle(&*self.orders, event).await
    }

    async fn handle(&self, function: &impl Function, event: Value) -> TestReply {
        let event: Event = serde_json::from_value(event).unwrap();
        let deadline = Deadline(self.now() + SignedDuration::from_secs(29));
        let reply = function.handle(ApiRequest { event: &event, deadline, request_id: REQUEST_ID }).await;
        let (parts, body) = reply.into_parts();
        let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
        TestReply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Sends the example order, of 40 kroner, as this shop.
    pub async fn post(&self, shop: Shop, callback_url: &str, reply: SubmitReply) -> TestReply {
        self.provider().will_reply(reply);
        let mut order = example();
        order["callback"]["callbackUrl"] = json!(callback_url);
        self.api(post_event(&order.to_string(), &format!("Bearer {}", shop.api_key), None)).await
    }

    /// Places an order of this shop that is SENT. The first one gets the uuid `ODR1`, the next one `ODR2`. Returns its id.
    pub async fn place(&self, shop: Shop) -> String {
        self.place_at(shop, shop.callback_url).await
    }

    pub async fn place_at(&self, shop: Shop, callback_url: &str) -> String {
        let number = self.placed.fetch_add(1, Ordering::SeqCst) + 1;
        let reply = self.post(shop, callback_url, sent(&format!("ODR{number}"))).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.order_id()
    }

    /// Places an order that is INVOICED, of which the shop was not told yet.
    pub async fn place_invoiced(&self, shop: Shop) -> String {
        self.place_invoiced_at(shop, shop.callback_url).await
    }

    pub async fn place_invoiced_at(&self, shop: Shop, callback_url: &str) -> String {
        let order_id = self.place_at(shop, callback_url).await;
        self.call_back(&order_id, "INVOICED").await;
        order_id
    }

    /// Sends a verified callback about this order. Each one is different, so none is a repetition.
    pub async fn call_back(&self, order_id: &str, word: &str) {
        let order_uuid = self.stored(order_id).await.order_uuid.unwrap();
        self.call_back_about(&order_uuid, order_id, word).await;
    }

    pub async fn call_back_about(&self, order_uuid: &str, order_id: &str, word: &str) {
        let (token, number) = (self.stored(order_id).await.callback_token, self.called.fetch_add(1, Ordering::SeqCst));
        let query = signed_at(&(1_755_764_131 + number).to_string(), order_uuid, word, "40", "test-secret");
        let reply = self.handle(&*self.callbacks, callback_event(order_id, &token, &query)).await;
        assert_eq!(reply.status, 200, "{word}: {}", reply.body);
    }

    pub async fn stored(&self, order_id: &str) -> StoredOrder {
        self.store().load(order_id.parse().unwrap()).await.unwrap().expect("nothing is stored")
    }

    /// Stores an order that is not stored yet.
    pub async fn put(&self, order: &StoredOrder) {
        let mut order = order.clone();
        order.derive(None);
        self.store().create(&order).await.unwrap();
    }

    /// What this shop sees of an order.
    pub async fn get(&self, order_id: &str, shop: Shop) -> Value {
        let reply = self.api(get_event(order_id, &format!("Bearer {}", shop.api_key), "")).await;
        assert_eq!(reply.status, 200);
        reply.body
    }

    /// `notified` as this shop sees it.
    pub async fn notified(&self, order_id: &str, shop: Shop) -> Value {
        self.get(order_id, shop).await["notified"].clone()
    }

    /// `POST /orders/{orderId}/notifications`
    pub async fn repeat(&self, order_id: &str, api_key: &str) -> TestReply {
        self.api(repeat_event(order_id, &format!("Bearer {api_key}"))).await
    }

    /// The table's stream wakes the worker for these orders.
    pub async fn wake(&self, order_ids: &[&str]) {
        assert_eq!(self.invoke(stream_event(order_ids)).await, json!({"batchItemFailures": []}));
    }

    /// The schedule wakes the worker.
    pub async fn sweep(&self) {
        assert_eq!(self.invoke(json!({})).await, json!({}));
    }

    pub async fn invoke(&self, event: Value) -> Value {
        self.invoke_within(event, 60).await
    }

    /// An invocation that Lambda ends after so many seconds.
    pub async fn invoke_within(&self, event: Value, seconds: i64) -> Value {
        invoke(&self.worker, event, self.now() + SignedDuration::from_secs(seconds)).await
    }

    /// Like [`Self::invoke`], by another process.
    pub async fn invoke_other(&self, event: Value) -> Value {
        invoke(&self.other_worker, event, self.now() + SignedDuration::from_secs(60)).await
    }

    /// Kills the worker right after its next write.
    pub async fn kill_after_write(&self, event: Value) {
        let reached = Arc::new(Notify::new());
        let here = reached.clone();
        self.store().after_writes(1, move || stop(here));
        self.kill_at(event, &reached).await;
    }

    /// Kills the worker after a shop got its request and before it answers.
    pub async fn kill_in_call(&self, event: Value) {
        let reached = Arc::new(Notify::new());
        let here = reached.clone();
        self.shops.meanwhile(move || stop(here));
        self.kill_at(event, &reached).await;
    }

    /// Kills the worker while it waits for the reply to a status read.
    pub async fn kill_in_status_read(&self, event: Value) {
        let reached = Arc::new(Notify::new());
        let here = reached.clone();
        self.provider().meanwhile(move |_| stop(here));
        self.kill_at(event, &reached).await;
    }

    async fn kill_at(&self, event: Value, reached: &Notify) {
        let worker = self.clone();
        let running = tokio::spawn(async move { worker.invoke(event).await });
        let waited = tokio::time::timeout(Duration::from_secs(10), reached.notified()).await;
        assert!(waited.is_ok(), "the worker did not come to where it is killed");
        running.abort();
        assert!(running.await.is_err());
    }
}

async fn stop(here: Arc<Notify>) {
    here.notify_one();
    pending().await
}

async fn invoke(worker: &Worker<HookedStore, LimitedProvider, ScriptedShops>, event: Value, deadline: Timestamp) -> Value {
    let payload = RawValue::from_string(event.to_string()).unwrap();
    let mut context = Context::default();
    REQUEST_ID.clone_into(&mut context.request_id);
    context.deadline = u64::try_from(deadline.as_millisecond()).unwrap();
    worker.invoke(LambdaEvent { payload, context }).await.unwrap()
}

/// An event of the table's stream. It has only the keys, because the worker reads nothing else.
pub fn stream_event(order_ids: &[&str]) -> Value {
    let record = |order_id: &&str| {
        json!({"eventID": "1", "eventName": "MODIFY", "eventSource": "aws:dynamodb",
            "dynamodb": {"Keys": {"orderId": {"S": order_id}}, "StreamViewType": "KEYS_ONLY"}})
    };
    json!({"Records": order_ids.iter().map(record).collect::<Vec<_>>()})
}

/// `POST /orders/{orderId}/notifications` as API Gateway sends it.
pub fn repeat_event(order_id: &str, authorization: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "POST /orders/{orderId}/notifications",
        "rawPath": format!("/orders/{order_id}/notifications"), "rawQueryString": "",
        "headers": {"authorization": authorization}, "pathParameters": {"orderId": order_id},
    })
}
