//! An embedded store whose next operations fail as they are told.

use std::collections::VecDeque;
use std::sync::Mutex;

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::store::{EmbeddedStore, OrderStore, StoreError, WriteError};
use uuid::Uuid;

/// What becomes of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing goes wrong.
    None,
    /// It is not done.
    Down,
    /// It is done, and its reply is lost.
    ReplyLost,
    /// Its reply is lost, and it is done only when the test says so.
    Late,
    /// Another writer was faster.
    Overtaken,
}

pub struct FaultyStore {
    inner: EmbeddedStore,
    faults: Mutex<VecDeque<Fault>>,
    /// Writes under way: what they replace, and with what.
    late: Mutex<Vec<(Option<StoredOrder>, StoredOrder)>>,
    /// Every operation, in order.
    pub operations: Mutex<Vec<&'static str>>,
}

impl FaultyStore {
    pub fn new(inner: EmbeddedStore) -> Self {
        Self { inner, faults: Mutex::default(), late: Mutex::default(), operations: Mutex::default() }
    }

    /// The next operations fare so, one after the other; those behind them work.
    pub fn will(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.faults.lock().unwrap() = faults.into_iter().collect();
    }

    pub fn operations(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.operations.lock().unwrap())
    }

    /// The late writes reach the database, whatever becomes of them there.
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
}

fn failed() -> StoreError {
    StoreError::DynamoDb("told to fail".to_owned())
}

impl OrderStore for FaultyStore {
    async fn create(&self, record: &StoredOrder) -> Result<(), WriteError> {
        match self.begin("create") {
            Fault::None => self.inner.create(record).await,
            Fault::Down => Err(failed().into()),
            Fault::ReplyLost => self.inner.create(record).await.and(Err(failed().into())),
            Fault::Late => {
                self.late.lock().unwrap().push((None, record.clone()));
                Err(failed().into())
            }
            Fault::Overtaken => Err(WriteError::Conflict(self.inner.load(record.order_id).await?.map(Box::new))),
        }
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        match self.begin("load") {
            Fault::None => self.inner.load(order_id).await,
            _ => Err(failed()),
        }
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        match self.begin("replace") {
            Fault::None => self.inner.replace(current, next).await,
            Fault::Down => Err(failed().into()),
            Fault::ReplyLost => self.inner.replace(current, next).await.and(Err(failed().into())),
            Fault::Late => {
                self.late.lock().unwrap().push((Some(current.clone()), next.clone()));
                Err(failed().into())
            }
            Fault::Overtaken => Err(WriteError::Conflict(self.inner.load(next.order_id).await?.map(Box::new))),
        }
    }
}
