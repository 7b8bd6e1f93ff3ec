//! An embedded store whose next operations fail as a test says.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::store::{IndexEntry, IndexQuery, OrderIndex, OrderStore, Page, StoreError, WriteError};
use local::store::EmbeddedStore;
use uuid::Uuid;

/// How one operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// It is not done.
    Down,
    /// It is done, but its reply is lost.
    ReplyLost,
    /// Its reply is lost, and it is done only when the test calls [`FaultyStore::late_writes_arrive`].
    Late,
    /// Another writer was faster.
    Overtaken,
}

type Hook = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

pub struct FaultyStore {
    inner: EmbeddedStore,
    faults: Mutex<VecDeque<Fault>>,
    before_replace: Mutex<Option<Hook>>,
    /// Orders that DynamoDB's time-to-live has deleted.
    deleted: Mutex<HashSet<Uuid>>,
    /// Writes that are not done yet: the order that each replaces, and the new one.
    late: Mutex<Vec<(Option<StoredOrder>, StoredOrder)>>,
    operations: Mutex<Vec<&'static str>>,
}

impl FaultyStore {
    pub fn new(inner: EmbeddedStore) -> Self {
        Self {
            inner,
            faults: Mutex::default(),
            before_replace: Mutex::default(),
            deleted: Mutex::default(),
            late: Mutex::default(),
            operations: Mutex::default(),
        }
    }

    /// The faults of the next operations, one each. All later operations succeed.
    pub fn will(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.faults.lock().unwrap() = faults.into_iter().collect();
    }

    /// Runs once, after the next order was read and before it is replaced.
    pub fn before_replace<F: Future<Output = ()> + Send + 'static>(&self, happens: impl FnOnce() -> F + Send + 'static) {
        *self.before_replace.lock().unwrap() = Some(Box::new(move || Box::pin(happens())));
    }

    /// Deletes an order, as DynamoDB does some time after its retention period.
    pub fn delete(&self, order_id: Uuid) {
        self.deleted.lock().unwrap().insert(order_id);
    }

    /// The operations since the last call, in sequence.
    pub fn operations(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.operations.lock().unwrap())
    }

    /// Does the late writes now. Some may conflict.
    pub async fn late_writes_arrive(&self) {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        for (current, next) in late {
            let arrived = match current {
                None => self.inner.create(&next).await,
                Some(current) => self.inner.replace(&current, &next).await,
            };
            assert!(matches!(arrived, Ok(()) | Err(WriteError::Conflict(_))));
        }
    }

    fn begin(&self, operation: &'static str) -> Fault {
        self.operations.lock().unwrap().push(operation);
        self.faults.lock().unwrap().pop_front().unwrap_or(Fault::None)
    }

    async fn stored(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        let is_deleted = self.deleted.lock().unwrap().contains(&order_id);
        if is_deleted { Ok(None) } else { self.inner.load(order_id).await }
    }

    async fn do_create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        let was_deleted = self.deleted.lock().unwrap().remove(&order.order_id);
        match self.inner.load(order.order_id).await? {
            Some(deleted) if was_deleted => self.inner.replace(&deleted, order).await,
            _ => self.inner.create(order).await,
        }
    }

    async fn do_replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        match self.stored(next.order_id).await? {
            Some(_) => self.inner.replace(current, next).await,
            None => Err(WriteError::Conflict(None)),
        }
    }
}

fn failed() -> StoreError {
    StoreError::failed("told to fail")
}

impl OrderStore for FaultyStore {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        match self.begin("create") {
            Fault::None => self.do_create(order).await,
            Fault::Down => Err(failed().into()),
            Fault::ReplyLost => self.do_create(order).await.and(Err(failed().into())),
            Fault::Late => {
                self.late.lock().unwrap().push((None, order.clone()));
                Err(failed().into())
            }
            Fault::Overtaken => Err(WriteError::Conflict(self.stored(order.order_id).await?.map(Box::new))),
        }
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        match self.begin("load") {
            Fault::None => self.stored(order_id).await,
            _ => Err(failed()),
        }
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        let hook = self.before_replace.lock().unwrap().take();
        if let Some(happens) = hook {
            happens().await;
        }
        match self.begin("replace") {
            Fault::None => self.do_replace(current, next).await,
            Fault::Down => Err(failed().into()),
            Fault::ReplyLost => self.do_replace(current, next).await.and(Err(failed().into())),
            Fault::Late => {
                self.late.lock().unwrap().push((Some(current.clone()), next.clone()));
                Err(failed().into())
            }
            Fault::Overtaken => Err(WriteError::Conflict(self.stored(next.order_id).await?.map(Box::new))),
        }
    }
}

impl OrderIndex for FaultyStore {
    async fn list(&self, query: &IndexQuery<'_>) -> Result<Page<IndexEntry>, StoreError> {
        match self.begin("list") {
            Fault::None => self.inner.list(query).await,
            _ => Err(failed()),
        }
    }

    async fn all_ids(&self, after: Option<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        self.inner.all_ids(after).await
    }
}
