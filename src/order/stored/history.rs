//! What was heard about an order, and what it comes to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoredOrder;
use crate::order::{Decimal, Status, StatusWord};

/// The longest history. Later statuses are applied without an entry.
pub const MAX_HISTORY: usize = 1_000;
/// A longer amount is not noted: zeros can make it 2,048 characters long, and an item may have 400 KB.
pub(super) const MAX_AMOUNT: usize = 40;

/// One thing that was heard.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The name of a [`Status`], or an unknown word of Front Payment's in capitals and underscores.
    pub status: String,
    pub at: Timestamp,
    pub source: EntrySource,
    /// Recognises a repetition: the attempt's id, or a digest of the callback's values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The order of Front Payment's that this is about, if there was one.
    #[serde(default, alias = "otherOrderUuid", skip_serializing_if = "Option::is_none")]
    pub order_uuid: Option<String>,
    /// Of a callback about another order than the stored one: by it, the attempt is found that the order belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntrySource {
    /// The result of an attempt.
    Submit,
    /// A verified callback.
    Callback,
    /// A status that was read from Front Payment.
    Provider,
}

impl HistoryEntry {
    /// Whether its word is one that only an order at Front Payment can have.
    pub(super) fn is_of_accepted_order(&self) -> bool {
        matches!(StatusWord::read(&self.status), StatusWord::Known(status) if status >= Status::Sent)
    }

    /// Whether it is about another order of Front Payment's than the stored one.
    #[must_use]
    pub fn is_about_other_order(&self, stored: &StoredOrder) -> bool {
        self.order_uuid.is_some() && self.order_uuid != stored.order_uuid
    }
}

impl StoredOrder {
    #[must_use]
    pub fn is_history_full(&self) -> bool {
        self.history.len() >= MAX_HISTORY
    }

    /// Adds an entry, unless it is a repetition or the history is full.
    pub(super) fn add_entry(&mut self, entry: HistoryEntry) {
        let is_same = |known: &HistoryEntry| {
            entry.id.is_some() && known.source == entry.source && known.id == entry.id && known.status == entry.status
        };
        if !self.is_history_full() && !self.history.iter().any(is_same) {
            self.history.push(entry);
        }
    }

    /// The status that everything heard about one uuid comes to: callbacks and results raise it, a status that was read
    /// replaces it. `None` if nothing was heard.
    pub(super) fn status_of(&self, order_uuid: &str) -> Option<Status> {
        let entries = self.history.iter().filter(|entry| entry.order_uuid.as_deref() == Some(order_uuid));
        entries.fold(None, |status, entry| match (StatusWord::read(&entry.status), entry.source) {
            (StatusWord::Known(word), EntrySource::Provider) => Some(word),
            (StatusWord::Known(word), _) => status.max(Some(word)),
            (StatusWord::Unknown(_), EntrySource::Provider) => status,
            (StatusWord::Unknown(_), _) => status.max(Some(Status::Sent)),
        })
    }

    /// The total that the latest callback about a uuid named.
    pub(super) fn amount_of(&self, order_uuid: &str) -> Option<Decimal> {
        let mut entries = self.history.iter().rev().filter(|entry| entry.order_uuid.as_deref() == Some(order_uuid));
        entries.find_map(|entry| Decimal::parse(entry.amount.as_deref()?).ok())
    }
}
