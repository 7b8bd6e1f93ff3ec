//! Which order of Front Payment's a stored order is after a verified callback, by the contract.

use front_payment_bridge::order::{EntrySource, HistoryEntry, OrderDetails, StoredOrder};

use crate::callback::Said;
use crate::{RANKED, by_value, rank};

const MAX_HISTORY: usize = 1_000;
/// A longer amount is not noted.
const MAX_AMOUNT: usize = 40;

/// One thing heard: about which uuid, the word, and whether Front Payment was asked.
type Heard<'o> = (Option<&'o str>, &'o str, EntrySource);

/// What an order is after a callback.
pub struct Outcome<'o> {
    pub order_uuid: Option<&'o str>,
    /// As [`rank`] has it.
    pub rank: usize,
    pub body: Body<'o>,
}

/// Whose references and fingerprint an order has.
pub enum Body<'o> {
    AsBefore,
    Of(&'o OrderDetails),
    /// These references, and nobody's fingerprint.
    Unsure(&'o OrderDetails),
    /// This reading does not decide.
    Open,
}

struct Attempt<'o> {
    may_exist: u32,
    is_latest: bool,
    id: Option<String>,
    details: &'o OrderDetails,
}

fn attempts(order: &StoredOrder) -> Vec<Attempt<'_>> {
    let latest = order.attempt.to_string();
    let mut attempts = Vec::new();
    for earlier in &order.earlier_attempts {
        let id = earlier.attempt.map(|id| id.to_string());
        let is_latest = id.as_ref() == Some(&latest);
        attempts.push(Attempt { may_exist: earlier.may_exist, is_latest, id, details: &earlier.details });
    }
    if attempts.iter().all(|attempt| !attempt.is_latest) {
        let may_exist = u32::from(order.may_exist && order.status.name() != "REJECTED");
        attempts.push(Attempt { may_exist, is_latest: true, id: Some(latest), details: &order.details });
    }
    attempts
}

/// Whether the order has an attempt of this amount.
pub fn has_amount(order: &StoredOrder, amount: &str) -> bool {
    attempts(order).iter().any(|attempt| by_value(&attempt.details.grand_total) == by_value(amount))
}

fn candidates<'o>(order: &'o StoredOrder, amount: &str) -> Vec<Attempt<'o>> {
    let mut candidates = attempts(order);
    candidates.retain(|attempt| by_value(&attempt.details.grand_total) == by_value(amount));
    if candidates.iter().any(|attempt| attempt.may_exist > 0) {
        candidates.retain(|attempt| attempt.may_exist > 0);
    }
    candidates
}

fn body_of<'o>(order: &'o StoredOrder, uuid: &str, amount: Option<&str>) -> Body<'o> {
    let created = |entry: &&HistoryEntry| entry.source == EntrySource::Submit && entry.order_uuid.as_deref() == Some(uuid);
    if let Some(id) = order.history.iter().find(created).and_then(|entry| entry.id.as_ref()) {
        let creator = attempts(order).into_iter().find(|attempt| attempt.id.as_ref() == Some(id));
        return creator.map_or(Body::Open, |creator| Body::Of(creator.details));
    }
    let Some(candidates) = amount.map(|amount| candidates(order, amount)) else { return Body::Open };
    match &candidates[..] {
        [] => Body::Open,
        [.., last] if candidates.iter().all(|one| one.details.fingerprint == last.details.fingerprint) => Body::Of(last.details),
        [.., last] => Body::Unsure(last.details),
    }
}

/// What everything heard of a uuid comes to.
fn comes_to(heard: &[Heard<'_>], uuid: &str) -> Option<usize> {
    let of_it = heard.iter().filter(|(of, ..)| *of == Some(uuid));
    of_it.fold(None, |status, (_, word, source)| match (rank(word), source) {
        (0, EntrySource::Provider) => status,
        (rank, EntrySource::Provider) => Some(rank),
        (rank, _) => status.max(Some(rank.max(1))),
    })
}

fn is_dead(rank: usize) -> bool {
    rank > 0 && ["EXPIRED", "CANCELLED"].contains(&RANKED[rank - 1])
}

/// What a callback that was not heard before makes of an order.
pub fn after<'o>(order: &'o StoredOrder, said: &'o Said) -> Outcome<'o> {
    let mut heard: Vec<Heard<'_>> =
        order.history.iter().map(|entry| (entry.order_uuid.as_deref(), entry.status.as_str(), entry.source)).collect();
    if heard.len() < MAX_HISTORY {
        heard.push((Some(&said.order_uuid), &said.word, EntrySource::Callback));
    }
    let word = rank(&said.word);
    let mut outcome = Outcome { order_uuid: order.order_uuid.as_deref(), rank: rank(order.status.name()), body: Body::AsBefore };
    match outcome.order_uuid {
        None if !is_dead(word) || is_only_open_attempt(order, &said.amount) => {
            let all = comes_to(&heard, &said.order_uuid).unwrap_or_default();
            let body = body_of(order, &said.order_uuid, Some(&said.amount));
            outcome = Outcome { order_uuid: Some(&said.order_uuid), rank: all.max(word).max(1), body };
        }
        Some(own) if own == said.order_uuid => outcome.rank = outcome.rank.max(word),
        _ => {}
    }
    let Some(own) = outcome.order_uuid.filter(|_| is_dead(outcome.rank)) else { return outcome };
    for (uuid, ..) in heard.iter().rev() {
        let other = uuid.filter(|uuid| *uuid != own);
        let living = other.and_then(|uuid| Some((uuid, comes_to(&heard, uuid)?))).filter(|(_, rank)| !is_dead(*rank));
        if let Some((uuid, rank)) = living {
            let is_its = |entry: &&HistoryEntry| entry.order_uuid.as_deref() == Some(uuid);
            let noted = order.history.iter().rev().filter(is_its).find_map(|entry| entry.amount.as_deref());
            let amount = if uuid == said.order_uuid { Some(said.amount.as_str()) } else { noted };
            let amount = amount.filter(|amount| amount.len() <= MAX_AMOUNT);
            return Outcome { order_uuid: Some(uuid), rank, body: body_of(order, uuid, amount) };
        }
    }
    outcome
}

/// EXPIRED and CANCELLED make an order only of the one attempt that can be meant, while its outcome is open.
fn is_only_open_attempt(order: &StoredOrder, amount: &str) -> bool {
    let candidates = candidates(order, amount);
    let is_open = ["SUBMITTING", "UNKNOWN"].contains(&order.status.name());
    is_open && candidates.iter().map(|one| one.may_exist).sum::<u32>() == 1 && candidates.iter().any(|one| one.is_latest)
}
