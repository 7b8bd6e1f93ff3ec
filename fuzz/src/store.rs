//! A store in memory that fails when it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::store::{OrderStore, StoreError, WriteError};
use uuid::Uuid;

use crate::provider::locked;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    /// Done, but the answer is lost.
    Done,
    NotDone,
}

#[derive(Default)]
pub struct Store {
    orders: Mutex<BTreeMap<Uuid, StoredOrder>>,
    /// What becomes of the next operations.
    ahead: Mutex<VecDeque<Fate>>,
}

impl Store {
    /// `+` is done without an answer, `-` is not done, and any other is done with an answer.
    pub fn will_fail(&self, operations: &str) {
        let fate = |byte| match byte {
            b'+' => Fate::Done,
            b'-' => Fate::NotDone,
            _ => Fate::Answered,
        };
        *locked(&self.ahead) = operations.bytes().take(8).map(fate).collect();
    }

    /// Whether operations are still to fail.
    pub fn is_failing(&self) -> bool {
        locked(&self.ahead).iter().any(|fate| *fate != Fate::Answered)
    }

    fn next(&self) -> Fate {
        locked(&self.ahead).pop_front().unwrap_or(Fate::Answered)
    }

    pub fn stored(&self, order_id: Uuid) -> Option<StoredOrder> {
        locked(&self.orders).get(&order_id).cloned()
    }

    pub fn all(&self) -> Vec<StoredOrder> {
        locked(&self.orders).values().cloned().collect()
    }

    fn write(&self, order: &StoredOrder, expected_version: Option<u64>) -> Result<(), WriteError> {
        let mut orders = locked(&self.orders);
        let fate = self.next();
        if fate == Fate::NotDone {
            return Err(no_answer().into());
        }
        let stored = orders.get(&order.order_id);
        let is_expected = stored.map(|stored| stored.version) == expected_version;
        let conflict = stored.cloned().map(Box::new);
        if is_expected {
            assert!(expected_version.is_none_or(|version| version < order.version), "a version that does not rise");
            // As the store does: the place in the index is derived at every write.
            orders.insert(order.order_id, order.placed());
        }
        match fate {
            Fate::Answered if is_expected => Ok(()),
            Fate::Answered => Err(WriteError::Conflict(conflict)),
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
        match self.next() {
            Fate::Answered => Ok(self.stored(order_id)),
            Fate::Done | Fate::NotDone => Err(no_answer()),
        }
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        assert_eq!(current.order_id, next.order_id);
        self.write(next, Some(current.version))
    }
}
