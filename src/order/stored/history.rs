//! What was heard or decided about an order, and which status follows from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoredOrder;
use crate::order::{Status, StatusWord};

/// The most entries of a history. Later statuses are applied without an entry.
pub const MAX_HISTORY: usize = 1_000;

/// One entry: something that was heard or decided.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The name of a [`Status`], an unknown word of Front Payment's in capitals and underscores, or `CANCEL_REQUESTED` or
    /// `CANCEL_REFUSED`.
    pub status: String,
    pub at: Timestamp,
    pub source: EntrySource,
    /// Recognises a repetition: the id of the submission attempt, or a digest of the callback's values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Front Payment's uuid that the entry is about, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_uuid: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntrySource {
    /// The result of a submission attempt.
    Submit,
    /// A verified callback.
    Callback,
    /// A status read, or a refused cancellation.
    Provider,
    /// The shop asked for a cancellation.
    Shop,
    /// The operator settled the order.
    Operator,
}

impl HistoryEntry {
    /// Whether the entry is about another uuid than the stored one.
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

    /// The status that follows from all entries about one uuid. Callbacks and results raise it; a status read and the
    /// operator replace it. `None` without an entry.
    pub(super) fn status_of(&self, order_uuid: &str) -> Option<Status> {
        let entries = self.history.iter().filter(|entry| entry.order_uuid.as_deref() == Some(order_uuid));
        entries.fold(None, |status, entry| match (StatusWord::read(&entry.status), entry.source) {
            (_, EntrySource::Shop) | (StatusWord::Unknown(_), EntrySource::Provider) => status,
            (StatusWord::Known(word), EntrySource::Provider | EntrySource::Operator) => Some(word),
            (StatusWord::Unknown(_), EntrySource::Operator) => Some(Status::Sent),
            (StatusWord::Known(word), EntrySource::Submit | EntrySource::Callback) => status.max(Some(word)),
            (StatusWord::Unknown(_), _) => status.max(Some(Status::Sent)),
        })
    }

    /// When Front Payment last said something. An entry about a shop's request does not count.
    pub(super) fn heard_at(&self) -> Timestamp {
        let latest = self.history.last().filter(|_| !self.is_history_full());
        if latest.is_none_or(|entry| entry.source != EntrySource::Shop) {
            return self.updated_at;
        }
        let heard = self.history.iter().rev().find(|entry| entry.source != EntrySource::Shop);
        heard.map_or(self.created_at, |entry| entry.at)
    }
}
