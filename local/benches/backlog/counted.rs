//! A worker over a store that counts. Each operation of the store is one request to DynamoDB.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::front_payment::{CancelCall, FrontPayment, ReplyHead, StatusCall, SubmitCall};
use front_payment_bridge::notify::{Failure, Message, PrivateHosts, ShopCall, Shops};
use front_payment_bridge::order::{Order, StatusRead, StatusWord, StoredOrder};
use front_payment_bridge::secrets::{Redacted, SecretCache, SecretFetch, SecretSource};
use front_payment_bridge::store::{IndexEntry, IndexQuery, OrderIndex, OrderStore, Page, StoreError, WriteError};
use front_payment_bridge::worker::Worker;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use ::local::store::EmbeddedStore;

/// How long the orders have waited.
const SINCE: SignedDuration = SignedDuration::from_hours(48);
/// Orders that are stored at the same time.
const TOGETHER: usize = 4_000;
const LIMIT: Duration = Duration::from_secs(60);

/// One sweep beside so many orders of a dead shop, each undelivered and overdue to be read.
pub async fn sweep_beside(waiting: usize) -> Vec<String> {
    let bridge = Bridge::new(Counting::new(), Provider::default(), SecretCache::new(Secret, Clock::system()), Clock::system());
    let bridge = Arc::new(bridge);
    let numbers: Vec<usize> = (0..waiting).collect();
    for some in numbers.chunks(TOGETHER) {
        join_all(some.iter().map(|_| bridge.store.put(order("dead", "SENT", "https://dead.example/")))).await;
    }
    bridge.store.put(order("works", "INVOICED", "https://works.example/")).await;
    let told = Told::default();
    let worker = Worker::new(bridge.clone(), Called(told.clone()), PrivateHosts::default());
    let began = Instant::now();
    let mut context = Context::default();
    context.deadline = u64::try_from((Timestamp::now() + LIMIT).as_millisecond()).unwrap();
    worker.invoke(LambdaEvent { payload: RawValue::from_string("{}".to_owned()).unwrap(), context }).await.unwrap();
    let told = told.lock().unwrap().expect("the working shop is not told in the first sweep");
    let Counting { queries, loads, writes, .. } = &bridge.store;
    let [queries, loads, writes] = [queries, loads, writes].map(|count| count.load(Ordering::Relaxed).to_string());
    let reads = bridge.front_payment.0.load(Ordering::Relaxed).to_string();
    let seconds = |duration: Duration| format!("{:.1}", duration.as_secs_f64());
    let after = seconds(told.duration_since(began));
    vec![waiting.to_string(), after, seconds(began.elapsed()), reads, queries, loads, writes]
}

/// An order that its shop is to be told of. If it is SENT, its status is to be read, too.
fn order(shop_id: &str, status: &str, callback_url: &str) -> StoredOrder {
    let (at, order_id) = (Timestamp::now() - SINCE, Uuid::now_v7());
    let order_uuid = format!("ODR{}", order_id.simple());
    serde_json::from_value(json!({
        "orderId": order_id, "version": 1, "status": status, "attempt": Uuid::new_v4(), "attemptedAt": at, "shopId": shop_id,
        "callbackToken": "token", "orderUuid": order_uuid, "grandTotal": "40", "shopCallbackUrl": callback_url,
        "customerType": "private", "preferredLanguage": "no", "country": "NO", "createdAt": at, "updatedAt": at,
        "notifications": {"change": 1, "changedAt": at, "pendingSince": at, "state": "pending", "attempts": 3, "nextAt": at},
        "history": [{"status": status, "at": at, "source": "submit", "id": "a", "orderUuid": order_uuid}],
    }))
    .unwrap()
}

struct Counting {
    inner: EmbeddedStore,
    queries: AtomicUsize,
    loads: AtomicUsize,
    writes: AtomicUsize,
}

impl Counting {
    fn new() -> Self {
        let zero = AtomicUsize::default;
        Self { inner: EmbeddedStore::in_memory().unwrap(), queries: zero(), loads: zero(), writes: zero() }
    }

    /// Is not counted.
    async fn put(&self, mut order: StoredOrder) {
        order.derive(None);
        self.inner.create(&order).await.unwrap();
    }
}

impl OrderStore for Counting {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.inner.create(order).await
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.inner.load(order_id).await
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.inner.replace(current, next).await
    }
}

impl OrderIndex for Counting {
    async fn list(&self, query: &IndexQuery<'_>) -> Result<Page<IndexEntry>, StoreError> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        self.inner.list(query).await
    }

    async fn all_ids(&self, after: Option<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        self.inner.all_ids(after).await
    }
}

struct Secret;

impl SecretSource for Secret {
    fn fetch(&self) -> SecretFetch<'_> {
        let shop =
            |number: u8| json!({"apiKeySha256": [format!("{number:064x}")], "notify": {"keys": ["key-of-24-characters-000"]}});
        let shops = json!({"dead": shop(1), "works": shop(2)});
        let text = json!({"token": "token", "callbackSecret": "secret", "shops": shops}).to_string();
        Box::pin(async { Ok(text) })
    }
}

/// Tells at once that each order is still SENT, and counts.
#[derive(Default)]
struct Provider(AtomicUsize);

impl FrontPayment for Provider {
    async fn submit(&self, _: &Order, _: &str, _: &Redacted, _: Duration) -> SubmitCall {
        unreachable!("nothing is submitted")
    }

    async fn status(&self, _: &str, _: &Redacted, _: Duration) -> StatusCall {
        self.0.fetch_add(1, Ordering::Relaxed);
        let status = Ok(StatusRead { word: StatusWord::read("SENT"), order_amount: None, refunded_amount: None });
        StatusCall { status, head: ReplyHead::default() }
    }

    async fn cancel(&self, _: &str, _: &str, _: &Redacted, _: Duration) -> CancelCall {
        unreachable!("nothing is cancelled")
    }
}

/// When the working shop was told.
type Told = Arc<Mutex<Option<Instant>>>;

struct Called(Told);

impl Shops for Called {
    /// The dead shop takes a connection and never answers.
    async fn call(&self, message: &Message, within: Duration) -> ShopCall {
        if message.target.url().host_str() == Some("works.example") {
            self.0.lock().unwrap().get_or_insert_with(Instant::now);
            return ShopCall::Answered { http_status: 200, retry_after: None };
        }
        tokio::time::sleep(within).await;
        ShopCall::Failed(Failure::Timeout)
    }
}
