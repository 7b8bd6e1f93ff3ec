//! The store: one item. Every write is conditional on the version that was read, and stores exactly what it gets.

use front_payment_bridge::order::{AskQueue, Status, StoredOrder};
use front_payment_bridge::store::{IndexEntry, IndexQuery, Partition, WriteError};

use crate::mutants::{self, Mutant};

/// The retention period, in seconds. Shorter than a callback may run, so that it can end while one runs.
pub const RETENTION: i64 = 5;

/// The uuid, the status and the refunded amount after a change.
pub type Change = (String, Status, Option<String>);

#[derive(Clone)]
pub struct Store {
    pub item: Option<StoredOrder>,
    /// How many earlier orders of this key have ended.
    pub generation: usize,
    /// Whether the last of them was deleted, and no order has followed yet.
    was_deleted: bool,
    pub has_retention: bool,
    /// All changes of the order, in their sequence.
    pub changes: Vec<Change>,
    pub mutant: Mutant,
}

impl Store {
    pub fn new(has_retention: bool, mutant: Mutant) -> Self {
        Self { item: None, generation: 0, was_deleted: false, has_retention, changes: Vec::new(), mutant }
    }

    /// Writes a version over the one that was read, or a first version.
    pub fn write(&mut self, next: &StoredOrder, current: Option<&StoredOrder>, now: i64) -> Result<(), WriteError> {
        let is_expected = match (&self.item, current) {
            (None, None) => true,
            (Some(stored), Some(current)) if self.mutant == Mutant::VersionsFromOne && self.was_deleted => {
                mutants::version_from_one(stored) == mutants::version_from_one(current)
            }
            (Some(stored), Some(current)) => stored.version == current.version,
            _ => false,
        };
        if !is_expected {
            return Err(WriteError::Conflict(self.item.clone().map(Box::new)));
        }
        let mut written = next.clone();
        if let Some(stored) = &self.item {
            mutants::alter(self.mutant, &mut written, stored, self.has_retention, now);
            if is_expired(stored, now) && written.callback_token != stored.callback_token {
                self.generation += 1;
                self.was_deleted = false;
            }
        }
        if let Some(uuid) = written.order_uuid.clone() {
            let change = (uuid, written.status, written.refunded_amount.clone());
            if self.changes.last() != Some(&change) {
                self.changes.push(change);
            }
        }
        self.item = Some(written);
        Ok(())
    }

    /// Deletes the order, whose retention period has ended.
    pub fn delete(&mut self) {
        self.item = None;
        self.generation += 1;
        self.was_deleted = true;
    }

    /// What an index contains of the order.
    pub fn list(&self, query: &IndexQuery<'_>) -> Option<IndexEntry> {
        let order = self.item.as_ref()?;
        let place = match query.partition {
            Partition::Tell { shop_id } if order.tell_queue.as_deref() == Some(shop_id) => order.tell_at,
            Partition::Ask(queue) if order.ask_queue == Some(queue) => order.ask_at,
            Partition::Shop { shop_id } if order.shop_id == shop_id => Some(order.changed_at),
            _ => None,
        };
        let at = place.filter(|at| *at <= query.until && query.later_than.is_none_or(|later_than| *at > later_than))?;
        let status = order.ask_queue.filter(|_| matches!(query.partition, Partition::Ask(_))).map(|_: AskQueue| order.status);
        Some(IndexEntry { order_id: order.order_id, at, status })
    }
}

pub fn is_expired(stored: &StoredOrder, now: i64) -> bool {
    stored.expires_at.is_some_and(|at| at <= now)
}
