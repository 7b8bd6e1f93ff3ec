//! What Front Payment says about an order: verified callbacks, and statuses that were read.

use jiff::{SignedDuration, Timestamp};

use super::history::MAX_AMOUNT;
use super::{EntrySource, HistoryEntry, StoredOrder};
use crate::order::{Decimal, Status, StatusWord};

/// A verified callback.
#[derive(Debug, Clone)]
pub struct StatusCallback {
    pub order_uuid: String,
    pub word: StatusWord,
    /// The order's grandTotal.
    pub amount: Decimal,
    pub payment_method: String,
    /// A digest of all its values: equal for a repetition.
    pub id: String,
}

impl StoredOrder {
    /// Applies a verified callback; `None` if it is known already.
    ///
    /// It adds an entry. If it is about the stored uuid, it raises the status. An order without a uuid takes this one, as
    /// far as `identity.rs` allows. A callback about another uuid changes nothing else, unless the order is
    /// dead. Where it raises a doubt, the status becomes due to be read.
    #[must_use]
    pub fn apply_callback(&self, callback: &StatusCallback, now: Timestamp) -> Option<Box<Self>> {
        let is_known = |entry: &HistoryEntry| entry.source == EntrySource::Callback && entry.id.as_deref() == Some(&callback.id);
        if self.history.iter().any(is_known) {
            return None;
        }
        let StatusCallback { order_uuid, word, amount, payment_method, id } = callback;
        self.next_version(now, |next| {
            let is_other = next.order_uuid.as_deref() != Some(order_uuid);
            next.add_entry(HistoryEntry {
                status: word.name().to_owned(),
                at: now,
                source: EntrySource::Callback,
                id: Some(id.clone()),
                order_uuid: Some(order_uuid.clone()),
                amount: is_other.then(|| amount.text().to_owned()).filter(|text| text.len() <= MAX_AMOUNT),
            });
            if next.order_uuid.is_none() && next.can_become(word.known(), amount) {
                next.take_uuid(order_uuid, next.body_of(order_uuid, Some(amount)));
            }
            if next.order_uuid.as_deref() == Some(order_uuid) {
                // Also where the history is full and has no entry of it.
                next.set_status(next.status.max(word.known().unwrap_or(Status::Sent)));
                next.not_found_at = None;
            }
            next.make_way();
            if next.order_uuid.as_deref() == Some(order_uuid) {
                next.payment_method = Some(payment_method.clone()).filter(|method| !method.is_empty());
            }
            if next.is_doubted_by(callback) {
                next.doubted_at = Some(now);
            }
        })
    }

    /// Whether a callback about the stored uuid is a reason to ask Front Payment: its word is unknown, or ranks below the
    /// stored status (a refund that failed, an order revived).
    #[must_use]
    pub fn is_doubted_by(&self, callback: &StatusCallback) -> bool {
        let is_own = self.order_uuid.as_deref() == Some(&callback.order_uuid);
        is_own && callback.word.known().is_none_or(|status| status < self.status)
    }

    /// Stores the status that Front Payment told because it was asked: as it is, higher or lower.
    ///
    /// An unknown word is kept in the history, unless it is what was read last.
    #[must_use]
    pub fn apply_reading(&self, word: &StatusWord, now: Timestamp) -> Box<Self> {
        let latest = self.history.iter().rev().find(|entry| entry.source == EntrySource::Provider);
        let is_news = match word {
            StatusWord::Known(status) => *status != self.status,
            StatusWord::Unknown(word) => latest.is_none_or(|latest| latest.status != *word),
        };
        let mut next = Box::new(self.clone());
        next.version += 1;
        next.checked_at = Some(now);
        next.doubted_at = None;
        next.not_found_at = None;
        if is_news {
            next.add_entry(HistoryEntry {
                status: word.name().to_owned(),
                at: now,
                source: EntrySource::Provider,
                id: None,
                order_uuid: self.order_uuid.clone(),
                amount: None,
            });
            if let Some(status) = word.known() {
                next.updated_at = now;
                next.expires_at = None;
                next.set_status(status);
                next.make_way();
            }
            next.note_change_since(self, now);
        }
        next
    }

    /// How long after the order's 201 its only callback came. `None` where there is no callback, where there are several,
    /// or where it came before the 201.
    #[must_use]
    pub fn first_callback_after(&self) -> Option<SignedDuration> {
        let is_own = |entry: &&HistoryEntry| !entry.is_about_other_order(self);
        let mut callbacks = self.history.iter().filter(|entry| entry.source == EntrySource::Callback).filter(is_own);
        let (first, None) = (callbacks.next()?, callbacks.next()) else { return None };
        let is_created = |entry: &&HistoryEntry| entry.source == EntrySource::Submit && entry.order_uuid.is_some();
        let created = self.history.iter().filter(is_own).find(is_created)?;
        Some(first.at.duration_since(created.at)).filter(|after| !after.is_negative())
    }

    pub(super) fn set_status(&mut self, status: Status) {
        self.status = status;
        if status != Status::Sent {
            self.bank_id_url = None;
        }
    }
}
