//! The status that follows from the history of a uuid, computed a second time.

use front_payment_bridge::order::{EntrySource, HistoryEntry, StoredOrder};

/// Lowest rank first.
const RANKS: [&str; 6] = ["SENT", "RESERVED", "EXPIRED", "PAID", "CANCELLED", "PARTIAL_REFUNDED"];

pub fn rank_of(word: &str) -> Option<usize> {
    RANKS.iter().position(|known| *known == word)
}

/// The status that follows from the entries about a uuid. Callbacks and results raise it; a status read and the operator
/// replace it.
pub fn status_heard(stored: &StoredOrder, uuid: &str) -> Option<&'static str> {
    let mut rank: Option<usize> = None;
    for entry in stored.history.iter().filter(|entry| entry.order_uuid.as_deref() == Some(uuid)) {
        rank = match (rank_of(&entry.status), entry.source) {
            (_, EntrySource::Shop) | (None, EntrySource::Provider) => rank,
            (Some(word), EntrySource::Provider | EntrySource::Operator) => Some(word),
            (word, EntrySource::Callback | EntrySource::Submit | EntrySource::Operator) => {
                Some(rank.unwrap_or(0).max(word.unwrap_or(0)))
            }
        };
    }
    rank.map(|rank| RANKS[rank])
}

/// Whether an entry is a reason to ask: its word is unknown, ranks below the stored status, or is about a refund; or the
/// shop has asked to cancel the order.
pub fn is_reason(entry: &HistoryEntry, stored: &StoredOrder) -> bool {
    if entry.order_uuid.is_none() || entry.order_uuid != stored.order_uuid {
        return false;
    }
    match entry.source {
        EntrySource::Callback => match rank_of(&entry.status) {
            None => true,
            Some(rank) => entry.status == "PARTIAL_REFUNDED" || Some(rank) < rank_of(stored.status.name()),
        },
        EntrySource::Shop => true,
        EntrySource::Submit | EntrySource::Provider | EntrySource::Operator => false,
    }
}

/// Whether the shop has asked to cancel the order, and Front Payment has not refused.
pub fn is_called_off(stored: &StoredOrder) -> bool {
    let is_about = |entry: &&HistoryEntry| entry.order_uuid == stored.order_uuid && entry.status.starts_with("CANCEL_");
    stored.history.iter().rfind(is_about).is_some_and(|entry| entry.status == "CANCEL_REQUESTED")
}
