//! The store: one item. Every write is conditional on the version that was read.

use front_payment_bridge::order::StoredOrder;
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
    pub has_retention: bool,
    pub mutant: Mutant,
}

impl Store {
    /// Writes a version over the one that was read, or over nothing.
    pub fn write(&mut self, next: &StoredOrder, current: Option<&StoredOrder>, now: i64) -> Result<(), WriteError> {
        let is_expected = match (&self.item, current) {
            (None, None) => true,
            (Some(stored), Some(current)) => mutants::is_same_version(self.mutant, stored, current),
            _ => false,
        };
        if !is_expected {
            return Err(WriteError::Conflict(self.item.clone().map(Box::new)));
        }
        let mut written: StoredOrder = serde_json::from_str(&serde_json::to_string(next).unwrap()).unwrap();
        let until = next.retained_until(SignedDuration::from_secs(RETENTION));
        written.expires_at = until.filter(|_| self.has_retention).or(written.expires_at);
        if let Some(stored) = &self.item {
            mutants::alter(self.mutant, &mut written, stored, now);
            self.generation += usize::from(is_expired(stored, now) && written.callback_token != stored.callback_token);
        }
        self.item = Some(written);
        Ok(())
    }

    /// Deletes an order whose retention period has ended.
    pub fn delete(&mut self) {
        self.item = None;
        self.generation += 1;
    }
}

pub fn is_expired(stored: &StoredOrder, now: i64) -> bool {
    stored.expires_at.is_some_and(|at| at <= now)
}
