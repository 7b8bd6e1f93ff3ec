//! The store: one item. Every write is conditional on the version that was read.

use front_payment_bridge::order::{Status, StoredOrder};
use front_payment_bridge::store::WriteError;
use jiff::SignedDuration;

use crate::mutants::{self, Mutant};

/// How long an order is kept, in seconds. Shorter than a callback may run, because an order can end while one runs.
pub const RETENTION: i64 = 5;

#[derive(Clone)]
pub struct Store {
    pub item: Option<StoredOrder>,
    /// How many orders have ended before under the same key.
    pub generation: usize,
    /// The last one of them was deleted, and not replaced.
    was_deleted: bool,
    has_retention: bool,
    /// Every uuid and status that the stored order had, one after the other.
    pub changes: Vec<(String, Status)>,
    pub mutant: Mutant,
}

impl Store {
    pub fn new(has_retention: bool, mutant: Mutant) -> Self {
        Self { item: None, generation: 0, was_deleted: false, has_retention, changes: Vec::new(), mutant }
    }

    /// Writes a version over the one that was read, or over nothing.
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
        let until = next.retained_until(SignedDuration::from_secs(RETENTION));
        written.expires_at = until.filter(|_| self.has_retention).or(written.expires_at);
        if let Some(stored) = &self.item {
            mutants::alter(self.mutant, &mut written, stored, now);
            if is_expired(stored, now) && written.callback_token != stored.callback_token {
                self.generation += 1;
                self.was_deleted = false;
            }
        }
        let mut written = written.placed();
        mutants::misplace(self.mutant, &mut written, self.item.as_ref());
        if let Some(uuid) = written.order_uuid.clone()
            && self.changes.last() != Some(&(uuid.clone(), written.status))
        {
            self.changes.push((uuid, written.status));
        }
        self.item = Some(written);
        Ok(())
    }

    /// Deletes an order whose retention period has ended.
    pub fn delete(&mut self) {
        self.item = None;
        self.generation += 1;
        self.was_deleted = true;
    }
}

pub fn is_expired(stored: &StoredOrder, now: i64) -> bool {
    stored.expires_at.is_some_and(|at| at <= now)
}
