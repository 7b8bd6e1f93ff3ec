//! What Front Payment says about an order: verified callbacks, and status reads.

use jiff::{SignedDuration, Timestamp};

use super::{EntrySource, HistoryEntry, StoredOrder};
use crate::order::{Decimal, Status, StatusWord};

/// A verified callback.
#[derive(Debug, Clone)]
pub struct StatusCallback {
    pub order_uuid: String,
    pub word: StatusWord,
    /// The amount, which must be the order's grandTotal.
    pub amount: Decimal,
    pub payment_method: String,
    /// A digest of all values, so that a repetition has the same id.
    pub id: String,
}

/// The answer to a status read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRead {
    pub word: StatusWord,
    /// Older replies have neither of these amounts.
    pub order_amount: Option<Decimal>,
    pub refunded_amount: Option<Decimal>,
}

impl StoredOrder {
    /// Applies a verified callback; `None` if the history has it already.
    ///
    /// Adds an entry. A callback about the stored uuid raises the status. An order without a uuid takes this one, if
    /// `identity.rs` allows it. A callback about another uuid changes nothing else, unless the order is EXPIRED or
    /// CANCELLED. If the callback is a reason to ask, a status read becomes due.
    #[must_use]
    pub fn apply_callback(&self, callback: &StatusCallback, now: Timestamp) -> Option<Box<Self>> {
        let is_known = |entry: &HistoryEntry| entry.source == EntrySource::Callback && entry.id.as_deref() == Some(&callback.id);
        if self.history.iter().any(is_known) {
            return None;
        }
        let StatusCallback { order_uuid, word, payment_method, id, .. } = callback;
        self.next_version(now, |next| {
            next.add_entry(HistoryEntry {
                status: word.name().to_owned(),
                at: now,
                source: EntrySource::Callback,
                id: Some(id.clone()),
                order_uuid: Some(order_uuid.clone()),
            });
            if next.order_uuid.is_none() && next.can_become(word.known()) {
                next.take_uuid(order_uuid);
            }
            if next.is_order(order_uuid) {
                // Also if the history is full, so that there is no entry about it.
                next.set_status(next.status.max(word.known().unwrap_or(Status::Sent)));
                next.not_found = None;
            }
            next.make_way();
            if next.is_order(order_uuid) {
                next.payment_method = Some(payment_method.clone()).filter(|method| !method.is_empty());
            }
            if next.is_asked_because_of(callback) {
                next.reason_since = Some(now);
            }
        })
    }

    /// Whether a callback about the stored uuid is a reason to ask Front Payment: its word is unknown, or ranks below the
    /// stored status (a refund that failed, an order revived), or is about a refund, whose amount only a status read tells.
    #[must_use]
    pub fn is_asked_because_of(&self, callback: &StatusCallback) -> bool {
        let is_reason = |word: Status| word < self.status || word.is_about_refund();
        self.is_order(&callback.order_uuid) && callback.word.known().is_none_or(is_reason)
    }

    /// Stores the result of a status read: the status, whether its rank is higher or lower, and the refunded amount. An
    /// unknown word goes into the history, unless the last status read told the same.
    #[must_use]
    pub fn apply_status_read(&self, read: &StatusRead, now: Timestamp) -> Box<Self> {
        let mut next = self.answered_by(read, now);
        if !self.is_news(read) {
            next.checked_at = Some(now);
        }
        next
    }

    /// Like [`Self::apply_status_read`], for reconciliation. `None` if there is no news, and no reason to ask.
    #[must_use]
    pub fn apply_reconciliation(&self, read: &StatusRead, now: Timestamp) -> Option<Box<Self>> {
        let is_awaited = self.reason_since.is_some() || self.not_found.is_some();
        (is_awaited || self.is_news(read)).then(|| self.answered_by(read, now))
    }

    /// Whether a status read tells something that is not stored yet.
    #[must_use]
    pub fn is_news(&self, read: &StatusRead) -> bool {
        self.is_new_word(&read.word) || self.refunded_amount != self.refunded_after(read)
    }

    fn answered_by(&self, read: &StatusRead, now: Timestamp) -> Box<Self> {
        let mut next = self.next_quiet_version(|next| {
            next.reason_since = None;
            next.not_found = None;
        });
        if !self.is_news(read) {
            return next;
        }
        next.add_entry(HistoryEntry {
            status: read.word.name().to_owned(),
            at: now,
            source: EntrySource::Provider,
            id: None,
            order_uuid: self.order_uuid.clone(),
        });
        next.checked_at = Some(now);
        next.refunded_amount = self.refunded_after(read);
        if let Some(status) = read.word.known() {
            next.set_status(status);
            next.make_way();
        }
        if read.word.known().is_some() || next.refunded_amount != self.refunded_amount {
            next.updated_at = now;
        }
        next.note_change_since(self, now);
        next
    }

    /// Notes the status of another of Front Payment's uuids under this key.
    #[must_use]
    pub fn note_other_status(&self, order_uuid: &str, word: &StatusWord, now: Timestamp) -> Option<Box<Self>> {
        let is_about =
            |entry: &&HistoryEntry| entry.source == EntrySource::Provider && entry.order_uuid.as_deref() == Some(order_uuid);
        if self.history.iter().rfind(is_about).is_some_and(|latest| latest.status == word.name()) {
            return None;
        }
        self.next_version(now, |next| {
            let (status, order_uuid) = (word.name().to_owned(), Some(order_uuid.to_owned()));
            next.add_entry(HistoryEntry { status, at: now, source: EntrySource::Provider, id: None, order_uuid });
            next.make_way();
        })
    }

    fn is_new_word(&self, word: &StatusWord) -> bool {
        let latest = self.history.iter().rev().find(|entry| entry.source == EntrySource::Provider);
        match word {
            StatusWord::Known(status) => *status != self.status,
            StatusWord::Unknown(word) => latest.is_none_or(|latest| latest.status != *word),
        }
    }

    /// The stored `refunded_amount` after a status read. Its digits change only if its value does.
    pub(super) fn refunded_after(&self, read: &StatusRead) -> Option<String> {
        let stored = self.refunded_amount.as_deref();
        let is_same = |told: &Decimal| match stored.map(Decimal::parse) {
            Some(stored) => stored.as_ref() == Ok(told),
            None => !told.is_positive(),
        };
        let told = read.refunded_amount.as_ref().filter(|told| !told.is_negative() && !is_same(told));
        told.map(|told| if told.is_positive() { told.text() } else { "0" }).or(stored).map(str::to_owned)
    }

    /// How long after the order's 201 its only callback came. `None` if there is no callback, if there are several, or if it
    /// came before the 201.
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
