//! Which uuid and which rank a stored order has after a verified callback, by docs/api.md.

use front_payment_bridge::order::{EntrySource, HistoryEntry, StoredOrder};

use crate::callback::Said;
use crate::{RANKED, by_value, rank};

const MAX_HISTORY: usize = 1_000;

/// The order after a callback.
pub struct Outcome<'o> {
    pub order_uuid: Option<&'o str>,
    /// The number that [`rank`] gives a status.
    pub rank: usize,
}

/// An entry of the history, or the callback: the uuid that it is about, its status word, and who told it.
type Heard<'o> = (Option<&'o str>, &'o str, EntrySource);

/// Whether an amount is the order's grandTotal.
pub fn has_amount(order: &StoredOrder, amount: &str) -> bool {
    by_value(&order.grand_total) == by_value(amount)
}

pub fn is_dead(rank: usize) -> bool {
    rank > 0 && ["EXPIRED", "CANCELLED"].contains(&RANKED[rank - 1])
}

/// The rank that all entries about a uuid lead to.
fn comes_to(heard: &[Heard<'_>], uuid: &str) -> Option<usize> {
    let of_it = heard.iter().filter(|(of, ..)| *of == Some(uuid));
    of_it.fold(None, |status, (_, word, source)| match (rank(word), source) {
        (_, EntrySource::Shop) | (0, EntrySource::Provider) => status,
        (rank @ 1.., EntrySource::Provider | EntrySource::Operator) => Some(rank),
        (rank, _) => status.max(Some(rank.max(1))),
    })
}

/// The outcome of a callback that is not in the history yet.
pub fn after<'o>(order: &'o StoredOrder, said: &'o Said) -> Outcome<'o> {
    let said_uuid = said.order_uuid.as_str();
    let mut heard: Vec<Heard<'_>> =
        order.history.iter().map(|entry| (entry.order_uuid.as_deref(), entry.status.as_str(), entry.source)).collect();
    let is_noted = heard.len() < MAX_HISTORY;
    if is_noted {
        heard.push((Some(said_uuid), &said.word, EntrySource::Callback));
    }
    let word = rank(&said.word).max(1);
    let is_open = ["SUBMITTING", "UNKNOWN"].contains(&order.status.name());
    let outcome = match order.order_uuid.as_deref() {
        None if is_dead(word) && !is_open => return Outcome { order_uuid: None, rank: 0 },
        None => Outcome { order_uuid: Some(said_uuid), rank: comes_to(&heard, said_uuid).unwrap_or_default().max(word) },
        Some(own) if own == said_uuid => Outcome { order_uuid: Some(own), rank: rank(order.status.name()).max(word) },
        own => Outcome { order_uuid: own, rank: rank(order.status.name()) },
    };
    if !is_dead(outcome.rank) || order.cancel_requested_at.is_some() {
        return outcome;
    }
    // Of several candidates, the order becomes the uuid with the latest entry.
    let latest_attempt = order.attempt.to_string();
    let named = |entry: &&HistoryEntry| match entry.source {
        EntrySource::Callback => true,
        EntrySource::Submit => entry.id.as_ref() == Some(&latest_attempt),
        EntrySource::Provider | EntrySource::Shop | EntrySource::Operator => false,
    };
    let noted = order.history.iter().rev().filter(named).filter_map(|entry| entry.order_uuid.as_deref());
    let others = is_noted.then_some(said_uuid).into_iter().chain(noted);
    let mut others =
        others.filter(|uuid| Some(*uuid) != outcome.order_uuid && !order.replaced_uuids.iter().any(|replaced| replaced == uuid));
    let living = others.find_map(|uuid| Some((uuid, comes_to(&heard, uuid).filter(|rank| !is_dead(*rank))?)));
    living.map_or(outcome, |(uuid, rank)| Outcome { order_uuid: Some(uuid), rank })
}

/// Whether a callback about the order's uuid is a reason to ask, because the status or the refunded amount is not clear from
/// it.
pub fn is_reason_to_ask(said: &Said, outcome: &Outcome<'_>) -> bool {
    let word = rank(&said.word);
    let is_about_refund = ["REFUND_PENDING", "PARTIAL_REFUNDED", "REFUNDED"].contains(&said.word.as_str());
    outcome.order_uuid == Some(&said.order_uuid) && (word == 0 || word < outcome.rank || is_about_refund)
}
