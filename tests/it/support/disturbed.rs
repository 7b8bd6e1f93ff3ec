//! A store and a Front Payment in which a test can act between the steps of a worker.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use front_payment_bridge::front_payment::{CancelCall, FrontPayment, StatusCall, SubmitCall};
use front_payment_bridge::order::{Order, StoredOrder};
use front_payment_bridge::secrets::Redacted;
use front_payment_bridge::store::{IndexEntry, IndexQuery, OrderIndex, OrderStore, Page, StoreError, WriteError};
use local::store::EmbeddedStore;
use uuid::Uuid;

use super::scripted::ScriptedProvider;
use super::test_bridge::NOW;

type Hook = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// An embedded store. A test can make its writes fail, and act before or after them.
pub struct HookedStore {
    inner: EmbeddedStore,
    writes: AtomicUsize,
    reads: AtomicUsize,
    /// How many of the next writes fail.
    failing: AtomicUsize,
    /// So many next writes lose their reply, are repeated, and conflict with themselves.
    repeated: AtomicUsize,
    before_write: Mutex<Option<Hook>>,
    after_write: Mutex<Option<(usize, Hook)>>,
    /// Orders past their retention period that are not deleted yet.
    expired: Mutex<HashSet<Uuid>>,
    /// Orders that cannot be loaded.
    unreadable: Mutex<HashSet<Uuid>>,
}

impl HookedStore {
    pub fn new(inner: EmbeddedStore) -> Self {
        Self {
            inner,
            writes: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
            failing: AtomicUsize::new(0),
            repeated: AtomicUsize::new(0),
            before_write: Mutex::default(),
            after_write: Mutex::default(),
            expired: Mutex::default(),
            unreadable: Mutex::default(),
        }
    }

    /// Runs once, after the next order was read and before it is replaced.
    pub fn before_write<F: Future<Output = ()> + Send + 'static>(&self, happens: impl FnOnce() -> F + Send + 'static) {
        *self.before_write.lock().unwrap() = Some(Box::new(move || Box::pin(happens())));
    }

    /// Runs once, after so many orders were replaced, and before the writer gets its answer.
    pub fn after_writes<F: Future<Output = ()> + Send + 'static>(
        &self,
        count: usize,
        happens: impl FnOnce() -> F + Send + 'static,
    ) {
        let last = self.writes.load(Ordering::SeqCst) + count;
        *self.after_write.lock().unwrap() = Some((last, Box::new(move || Box::pin(happens()))));
    }

    /// Makes the next writes fail. They store nothing.
    pub fn fail(&self, writes: usize) {
        self.failing.store(writes, Ordering::SeqCst);
    }

    /// How many orders and pages of an index were read since the last call.
    pub fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::SeqCst)
    }

    /// So many next writes lose their reply. The store's client repeats them, and is told of a conflict.
    pub fn conflict_with_itself(&self, writes: usize) {
        self.repeated.store(writes, Ordering::SeqCst);
    }

    /// From now on the order is past its retention, though it is not deleted yet.
    pub fn expire(&self, order_id: &str) {
        self.expired.lock().unwrap().insert(order_id.parse().unwrap());
    }

    /// From now on the order cannot be loaded.
    pub fn make_unreadable(&self, order_id: Uuid) {
        self.unreadable.lock().unwrap().insert(order_id);
    }
}

impl OrderStore for HookedStore {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        self.inner.create(order).await
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.unreadable.lock().unwrap().contains(&order_id) {
            return Err(StoreError::failed("told to fail"));
        }
        let is_expired = self.expired.lock().unwrap().contains(&order_id);
        let loaded = self.inner.load(order_id).await?;
        Ok(loaded.map(|order| if is_expired { StoredOrder { expires_at: Some(NOW), ..order } } else { order }))
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        let before = self.before_write.lock().unwrap().take();
        if let Some(happens) = before {
            happens().await;
        }
        let is_failing = self.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if is_failing.is_ok() {
            return Err(StoreError::failed("told to fail").into());
        }
        self.inner.replace(current, next).await?;
        let written = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let after = self.after_write.lock().unwrap().take_if(|(last, _)| *last == written);
        if let Some((_, happens)) = after {
            happens().await;
        }
        let is_repeated = self.repeated.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if is_repeated.is_ok() { Err(WriteError::Conflict(Some(Box::new(next.clone())))) } else { Ok(()) }
    }
}

impl OrderIndex for HookedStore {
    async fn list(&self, query: &IndexQuery<'_>) -> Result<Page<IndexEntry>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.list(query).await
    }

    async fn all_ids(&self, after: Option<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        self.inner.all_ids(after).await
    }
}

/// A scripted Front Payment whose replies also tell how much of the rate limit is left.
#[derive(Default)]
pub struct LimitedProvider {
    pub scripted: ScriptedProvider,
    remaining: Mutex<VecDeque<u32>>,
}

impl LimitedProvider {
    /// How much of the rate limit the next status replies tell. Later replies tell nothing.
    pub fn will_leave(&self, remaining: impl IntoIterator<Item = u32>) {
        self.remaining.lock().unwrap().extend(remaining);
    }
}

impl FrontPayment for LimitedProvider {
    async fn submit(&self, order: &Order, callback_url: &str, token: &Redacted, within: Duration) -> SubmitCall {
        self.scripted.submit(order, callback_url, token, within).await
    }

    async fn status(&self, order_uuid: &str, token: &Redacted, within: Duration) -> StatusCall {
        let mut call = self.scripted.status(order_uuid, token, within).await;
        call.head.rate_limit_remaining = self.remaining.lock().unwrap().pop_front();
        call
    }

    async fn cancel(&self, order_uuid: &str, note: &str, token: &Redacted, within: Duration) -> CancelCall {
        self.scripted.cancel(order_uuid, note, token, within).await
    }
}
