//! What Front Payment says about an order: verified callbacks, and statuses that were read.

use jiff::{SignedDuration, Timestamp};

use super::{EntrySource, HistoryEntry, StoredOrder};
use crate::order::{Decimal, Status, StatusWord};

/// The longest history. Later statuses are applied without an entry.
pub const MAX_HISTORY: usize = 1_000;

/// A verified callback.
#[derive(Debug, Clone)]
pub struct StatusCallback {
    pub order_uuid: String,
    pub word: StatusWord,
    /// The order's grandTotal.
    pub amount: Decimal,
    /// A digest of all its values: equal for a repetition.
    pub id: String,
}

impl StoredOrder {
    /// Whether this order, or an earlier attempt of it, has this grandTotal.
    #[must_use]
    pub fn has_attempt_of(&self, amount: &Decimal) -> bool {
        self.earlier_attempts.iter().chain([&self.details]).any(|attempt| attempt.has_total(amount))
    }

    /// Whether this uuid is another order of Front Payment's than the stored one.
    #[must_use]
    pub fn is_other_order(&self, order_uuid: &str) -> bool {
        self.order_uuid.as_deref().is_some_and(|stored| stored != order_uuid)
    }

    /// Applies a verified callback: raises the status, and adds an entry once. An order without a uuid is accepted by it.
    /// A callback with another uuid than the stored one adds an entry and changes nothing else.
    #[must_use]
    pub fn apply_callback(&self, callback: &StatusCallback, now: Timestamp) -> Option<Box<Self>> {
        let is_known = |entry: &HistoryEntry| entry.source == EntrySource::Callback && entry.id.as_deref() == Some(&callback.id);
        if self.history.iter().any(is_known) {
            return None;
        }
        let StatusCallback { order_uuid, word, id, .. } = callback;
        if self.is_other_order(order_uuid) {
            return self.note_other_order(EntrySource::Callback, word.name(), id.clone(), order_uuid, now);
        }
        self.next_version(now, |next| {
            if next.order_uuid.replace(order_uuid.clone()).is_none() {
                next.adopt_details(&callback.amount);
            }
            next.raise_status(match word {
                StatusWord::Known(status) => *status,
                StatusWord::Unknown(_) => Status::Sent,
            });
            next.add_entry(EntrySource::Callback, word.name(), Some(id.clone()), None, now);
        })
        .map(Box::new)
    }

    /// How long after the order's 201 its only callback came. `None` where there is no callback, where there are several,
    /// or where it came before the 201.
    #[must_use]
    pub fn first_callback_after(&self) -> Option<SignedDuration> {
        let is_own = |entry: &&HistoryEntry| entry.other_order_uuid.is_none();
        let mut callbacks = self.history.iter().filter(|entry| entry.source == EntrySource::Callback).filter(is_own);
        let (first, None) = (callbacks.next()?, callbacks.next()) else { return None };
        let is_created =
            |entry: &&HistoryEntry| [Status::Sent, Status::Invoiced].iter().any(|status| status.name() == entry.status);
        let created = self.history.iter().filter(|entry| entry.source == EntrySource::Submit).filter(is_own).find(is_created)?;
        Some(first.at.duration_since(created.at)).filter(|after| !after.is_negative())
    }

    /// Stores a status that was read from Front Payment as it is, higher or lower.
    #[must_use]
    pub fn overwrite_status(&self, status: Status, now: Timestamp) -> Option<Box<Self>> {
        if self.status == status {
            return None;
        }
        self.next_version(now, |next| {
            next.set_status(status);
            next.add_entry(EntrySource::Provider, status.name(), None, None, now);
        })
        .map(Box::new)
    }

    #[must_use]
    pub fn is_history_full(&self) -> bool {
        self.history.len() >= MAX_HISTORY
    }

    pub(super) fn note_other_order(
        &self,
        source: EntrySource,
        word: &str,
        id: String,
        other_uuid: &str,
        now: Timestamp,
    ) -> Option<Box<Self>> {
        self.next_version(now, |next| next.add_entry(source, word, Some(id), Some(other_uuid.to_owned()), now)).map(Box::new)
    }

    pub(super) fn raise_status(&mut self, status: Status) {
        self.set_status(self.status.max(status));
    }

    fn set_status(&mut self, status: Status) {
        self.status = status;
        if status != Status::Sent {
            self.bank_id_url = None;
        }
    }

    /// Where the amount shows that an earlier attempt exists and not the latest one, the order becomes that attempt's.
    fn adopt_details(&mut self, amount: &Decimal) {
        if !self.details.has_total(amount)
            && let Some(existing) = self.earlier_attempts.iter_mut().rev().find(|earlier| earlier.has_total(amount))
        {
            std::mem::swap(existing, &mut self.details);
        }
    }

    pub(super) fn add_entry(
        &mut self,
        source: EntrySource,
        status: &str,
        id: Option<String>,
        other_order_uuid: Option<String>,
        at: Timestamp,
    ) {
        let is_same = |entry: &HistoryEntry| id.is_some() && entry.source == source && entry.id == id && entry.status == status;
        if !self.is_history_full() && !self.history.iter().any(is_same) {
            self.history.push(HistoryEntry { status: status.to_owned(), at, source, id, other_order_uuid });
        }
    }
}
