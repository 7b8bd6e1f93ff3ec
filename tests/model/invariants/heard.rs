//! What everything that was heard of a uuid comes to, written a second time.

use front_payment_bridge::order::{EntrySource, StoredOrder};
use jiff::Timestamp;

/// Lowest rank first.
const RANKS: [&str; 5] = ["SENT", "RESERVED", "EXPIRED", "PAID", "CANCELLED"];

/// The status that a uuid has come to. Callbacks and results raise it, a status that was read replaces it, and so does the
/// operator, who stored this uuid as SENT when the history had `resolved` entries.
pub fn status_heard(stored: &StoredOrder, uuid: &str, resolved: Option<usize>) -> Option<&'static str> {
    let mut rank: Option<usize> = None;
    for (place, entry) in stored.history.iter().enumerate() {
        if resolved == Some(place) {
            rank = Some(0);
        }
        if entry.order_uuid.as_deref() != Some(uuid) {
            continue;
        }
        let heard = RANKS.iter().position(|word| *word == entry.status);
        rank = match (heard, entry.source) {
            (Some(word), EntrySource::Provider) => Some(word),
            (None, EntrySource::Provider) => rank,
            (word, EntrySource::Callback | EntrySource::Submit) => Some(rank.unwrap_or(0).max(word.unwrap_or(0))),
        };
    }
    if resolved == Some(stored.history.len()) {
        rank = Some(0);
    }
    rank.map(|rank| RANKS[rank])
}

/// When the latest callback came that raised a doubt about the status.
pub fn doubted_at(stored: &StoredOrder, uuid: &str) -> Option<Timestamp> {
    let rank_of = |word: &str| RANKS.iter().position(|known| *known == word);
    let mut doubted_at = None;
    for (place, entry) in stored.history.iter().enumerate().filter(|(_, entry)| entry.source == EntrySource::Callback) {
        let before = StoredOrder { history: stored.history[..place].to_vec(), ..stored.clone() };
        let before = status_heard(&before, uuid, None).and_then(rank_of);
        let is_doubt = match (rank_of(&entry.status), before) {
            (None, _) => true,
            (Some(heard), Some(before)) => heard < before,
            (Some(_), None) => false,
        };
        if is_doubt {
            doubted_at = Some(entry.at);
        }
    }
    doubted_at
}
