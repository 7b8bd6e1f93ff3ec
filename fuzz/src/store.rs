//! A store in memory whose operations fail on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::store::{
    Cursor, IndexEntry, IndexQuery, OrderIndex, OrderStore, Page, Partition, StoreError, WriteError,
};
use uuid::Uuid;

use crate::provider::locked;

/// Small, so that a list has several pages.
const PAGE: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    /// The operation is done, but its answer is lost.
    Done,
    NotDone,
}

#[derive(Default)]
pub struct Store {
    orders: Mutex<BTreeMap<Uuid, StoredOrder>>,
    /// How the next operations end.
    ahead: Mutex<VecDeque<Fate>>,
}

impl Store {
    /// Sets how the next operations end, one character each: `+` is done without an answer, `-` is not done, any other
    /// succeeds.
    pub fn will_fail(&self, operations: &str) {
        let fate = |byte| match byte {
            b'+' => Fate::Done,
            b'-' => Fate::NotDone,
            _ => Fate::Answered,
        };
        *locked(&self.ahead) = operations.bytes().take(8).map(fate).collect();
    }

    /// Whether a later operation is still to fail.
    pub fn is_failing(&self) -> bool {
        locked(&self.ahead).iter().any(|fate| *fate != Fate::Answered)
    }

    /// Whether the next operation succeeds.
    pub fn will_answer(&self) -> bool {
        locked(&self.ahead).front().is_none_or(|fate| *fate == Fate::Answered)
    }

    fn next(&self) -> Fate {
        locked(&self.ahead).pop_front().unwrap_or(Fate::Answered)
    }

    fn answer<T>(&self, answer: impl FnOnce() -> T) -> Result<T, StoreError> {
        match self.next() {
            Fate::Answered => Ok(answer()),
            Fate::Done | Fate::NotDone => Err(no_answer()),
        }
    }

    pub fn stored(&self, order_id: Uuid) -> Option<StoredOrder> {
        locked(&self.orders).get(&order_id).cloned()
    }

    pub fn all(&self) -> Vec<StoredOrder> {
        locked(&self.orders).values().cloned().collect()
    }

    fn write(&self, order: &StoredOrder, expected: Option<&StoredOrder>) -> Result<(), WriteError> {
        let mut orders = locked(&self.orders);
        let fate = self.next();
        if fate == Fate::NotDone {
            return Err(no_answer().into());
        }
        let stored = orders.get(&order.order_id).cloned();
        let is_expected = stored.as_ref().map(|stored| stored.version) == expected.map(|expected| expected.version);
        if is_expected {
            // Stricter than DynamoDB, which checks the version alone: an update writes only what differs, so `expected` must
            // be right.
            assert!(stored.as_ref() == expected, "what is replaced is not what is stored");
            assert!(expected.is_none_or(|expected| expected.version < order.version), "a version that does not rise");
            orders.insert(order.order_id, order.clone());
        }
        match fate {
            Fate::Answered if is_expected => Ok(()),
            Fate::Answered => Err(WriteError::Conflict(stored.map(Box::new))),
            Fate::Done | Fate::NotDone => Err(no_answer().into()),
        }
    }
}

fn no_answer() -> StoreError {
    StoreError::Timeout(Duration::from_secs(1))
}

impl OrderStore for Store {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        self.write(order, None)
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        self.answer(|| self.stored(order_id))
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        assert_eq!(current.order_id, next.order_id);
        self.write(next, Some(current))
    }
}

impl OrderIndex for Store {
    async fn list(&self, query: &IndexQuery<'_>) -> Result<Page<IndexEntry>, StoreError> {
        let Partition::Shop { shop_id } = query.partition else { panic!("what only the worker reads") };
        assert!(!query.is_descending);
        self.answer(|| {
            let place = |order: &StoredOrder| (order.changed_at, order.order_id);
            let mut found: Vec<_> = self.all().iter().filter(|order| order.shop_id == shop_id).map(place).collect();
            found.sort_unstable();
            found.retain(|(at, _)| *at <= query.until && query.later_than.is_none_or(|later_than| *at > later_than));
            found.retain(|place| query.after.is_none_or(|after| *place > (after.at, after.order_id)));
            found.truncate(PAGE.min(query.limit.into()));
            let next = found.last().map(|(at, order_id)| Cursor { order_id: *order_id, at: *at });
            let items = found.into_iter().map(|(at, order_id)| IndexEntry { order_id, at, status: None }).collect();
            Page { items, next }
        })
    }

    async fn all_ids(&self, _: Option<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        panic!("what only the worker reads")
    }
}
