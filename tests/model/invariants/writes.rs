//! What holds from one stored version to the next.

use front_payment_bridge::order::{EntrySource, HistoryEntry, StoredOrder};

use super::heard::{is_called_off, is_reason, rank_of};
use crate::mutants::Mutant;
use crate::world::Shared;

/// `before` is the version that is replaced, and `current` is what the writer takes for it.
pub fn broken_by_write(
    shared: &mut Shared,
    task: usize,
    before: Option<&StoredOrder>,
    current: Option<&StoredOrder>,
) -> Option<String> {
    let stored = shared.truth.store.item.clone()?;
    let Some(before) = before else {
        shared.truth.is_status_wanted = false;
        shared.truth.replaced.clear();
        return None;
    };
    let broken = other_than_read(shared.truth.store.mutant, before, current)
        .or_else(|| (!stored.history.starts_with(&before.history)).then(|| "an entry of the history is lost".to_owned()));
    let news = stored.history.get(before.history.len()..).unwrap_or_default().to_vec();
    broken
        .or_else(|| wrong_uuid(&mut shared.truth.replaced, before, &stored, &news))
        .or_else(|| older_than_a_callback(shared.gates[task].entries_when_told, before, &news))
        .or_else(|| status_is_not_wanted_any_more(shared, task, before, &stored, &news))
}

/// A store may write only what differs. So the writer must know the replaced version exactly as it is stored.
fn other_than_read(mutant: Mutant, before: &StoredOrder, current: Option<&StoredOrder>) -> Option<String> {
    let is_honest = matches!(mutant, Mutant::None | Mutant::UnderivedInMemory);
    (is_honest && current != Some(before)).then(|| "a writer knows another version than is stored".to_owned())
}

fn wrong_uuid(replaced: &mut Vec<String>, before: &StoredOrder, stored: &StoredOrder, news: &[HistoryEntry]) -> Option<String> {
    let uuid = before.order_uuid.as_ref()?;
    let Some(next) = &stored.order_uuid else { return Some(format!("the order was {uuid}, and is none any more")) };
    if next == uuid {
        return None;
    }
    if news.iter().any(|entry| entry.source == EntrySource::Operator) {
        replaced.push(uuid.clone());
        replaced.retain(|replaced| replaced != next);
        return None;
    }
    if replaced.contains(next) {
        return Some(format!("the operator has replaced {next}, and the order takes it by itself"));
    }
    is_called_off(before).then(|| format!("its shop has called off {uuid}, and it makes way"))
}

/// A status read replaces earlier entries, but not those that came after Front Payment told the status.
fn older_than_a_callback(entries_when_told: usize, before: &StoredOrder, news: &[HistoryEntry]) -> Option<String> {
    let since = before.history.get(entries_when_told..).unwrap_or_default();
    let is_read = |entry: &&HistoryEntry| {
        matches!(entry.source, EntrySource::Provider | EntrySource::Operator) && rank_of(&entry.status).is_some()
    };
    let read = news.iter().find(is_read)?;
    let is_newer = |entry: &&HistoryEntry| {
        let is_about = entry.source == EntrySource::Callback && entry.order_uuid == read.order_uuid;
        is_about && rank_of(&entry.status) > rank_of(&read.status)
    };
    let newer = since.iter().find(is_newer)?;
    Some(format!("{} was read before the callback {}, and replaces it", read.status, newer.status))
}

/// After a reason to ask, a status read stays due until a task that was told the status has written.
fn status_is_not_wanted_any_more(
    shared: &mut Shared,
    task: usize,
    before: &StoredOrder,
    stored: &StoredOrder,
    news: &[HistoryEntry],
) -> Option<String> {
    if stored.order_uuid != before.order_uuid {
        shared.truth.is_status_wanted = false;
    }
    if news.iter().any(|entry| is_reason(entry, stored)) {
        shared.truth.is_status_wanted = true;
        shared.gates.iter_mut().for_each(|gate| gate.knows_status = false);
    }
    if !shared.truth.is_status_wanted || stored.reason_since.is_some() {
        return None;
    }
    shared.truth.is_status_wanted = false;
    let last = news.last().map_or("a write", |entry| entry.status.as_str());
    (!shared.gates[task].knows_status).then(|| format!("after {last}, the status is to be read, and is not due"))
}
