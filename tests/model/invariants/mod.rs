//! The invariants: what holds in every state.
//!
//! The expectations come from what Front Payment and the shops saw, and from the stored history. None is computed by the
//! code under test.

mod derived;
mod heard;
mod identity;
mod telling;
mod way_out;
mod writes;

pub use heard::is_called_off;
pub use way_out::no_way_out;
pub use writes::broken_by_write;

use front_payment_bridge::order::{EntrySource, Status, StoredOrder};

use crate::decisions::{CancelAnswer, Decision, ProviderReply, Word};
use crate::provider::{ProviderOrder, index_of, total, uuid_of};
use crate::tasks::{Ended, Kind, READ, TAKEN, TO_BE_REPEATED, Task};
use crate::worker::Event;
use crate::world::{Shared, World, lock};
use heard::status_heard;

/// The statuses of a dead order.
const DEAD: [&str; 2] = ["EXPIRED", "CANCELLED"];

/// The first invariant that is broken in a state, if any.
pub fn broken(world: &World<'_>) -> Option<String> {
    let shared = &*lock(&world.shared);
    let in_store = || match &shared.truth.store.item {
        Some(stored) => derived::broken(stored, shared.truth.store.has_retention)
            .or_else(|| generations_mixed(shared, stored))
            .or_else(|| lost_or_doubled(shared, stored))
            .or_else(|| not_accepted(world, shared, stored))
            .or_else(|| failed_though_it_may_exist(shared, stored))
            .or_else(|| created_and_forgotten(&world.tasks, shared, stored))
            .or_else(|| identity::broken(world, shared, stored))
            .or_else(|| telling::broken(world, shared, stored)),
        None => {
            let is_sent = shared.truth.orders.iter().any(|order| shared.truth.is_current(order));
            is_sent.then(|| "an order was sent, and the store does not have it".to_owned())
        }
    };
    let told = || world.tasks.iter().enumerate().find_map(|(index, task)| told_wrongly(world, shared, index, task));
    let just_told = || told_just_now(shared, &world.tasks[world.just_ended?]);
    sent_too_often(shared).or_else(|| shared.truth.broken.clone()).or_else(in_store).or_else(told).or_else(just_told)
}

/// An attempt is sent once. A further one is sent only if, for each earlier one, Front Payment or the operator has said that
/// nothing was created.
fn sent_too_often(shared: &Shared) -> Option<String> {
    let current: Vec<_> = shared.truth.orders.iter().filter(|order| shared.truth.is_current(order)).collect();
    current.iter().enumerate().find_map(|(index, later)| {
        current[..index].iter().find_map(|earlier| {
            if earlier.task == later.task {
                return Some("one request was sent twice".to_owned());
            }
            (!is_said_to_be_nothing(earlier))
                .then(|| format!("sent again although an earlier attempt ended with {:?}", earlier.reply))
        })
    })
}

fn is_said_to_be_nothing(order: &ProviderOrder) -> bool {
    order.reply.is_some_and(ProviderReply::is_nothing) || order.is_ruled_out
}

/// FAILED and REJECTED mean that nothing exists, according to Front Payment or the operator.
fn failed_though_it_may_exist(shared: &Shared, stored: &StoredOrder) -> Option<String> {
    let sent = || shared.truth.orders.iter().filter(|order| shared.truth.is_current(order));
    let latest = sent().find(|order| order.attempt == Some(stored.attempt));
    match stored.status {
        Status::Rejected => {
            let is_refused = latest.is_some_and(|latest| latest.reply == Some(ProviderReply::Rejected417));
            (!is_refused).then(|| "the order is REJECTED, and was not refused".to_owned())
        }
        Status::Failed => {
            let may_exist = sent().find(|order| !is_said_to_be_nothing(order))?;
            Some(format!("the order is FAILED, and an attempt ended with {:?}", may_exist.reply))
        }
        _ => None,
    }
}

/// Whether a shop, Front Payment or the operator got a wrong answer.
fn told_wrongly(world: &World<'_>, shared: &Shared, index: usize, task: &Task) -> Option<String> {
    let orders = &shared.truth.orders;
    match (&task.kind, task.ended.as_ref()?) {
        // A shop is told that nothing was created only if nothing was, or if Front Payment said so.
        (Kind::Submit(_), Ended::NothingCreated) => {
            let own = orders.iter().find(|order| order.task == index)?;
            let is_wrong = own.exists && !own.reply.is_some_and(ProviderReply::is_nothing);
            is_wrong.then(|| "a shop was told that nothing was created, and something was".to_owned())
        }
        (Kind::Submit(body), Ended::Accepted(uuid) | Ended::AcceptedLate(uuid)) => {
            let Some(order) = order_of(shared, uuid) else {
                return Some(format!("a shop was told of {uuid}, which nobody sent"));
            };
            if order.body != *body {
                return Some(format!("a shop was told that {uuid} is its body {body}, and it is body {}", order.body));
            }
            if matches!(task.ended, Some(Ended::AcceptedLate(_))) || !shared.truth.is_current(order) {
                return None;
            }
            // An order keeps the uuid that a shop was told, unless Front Payment said that it is dead, or the operator
            // replaced it. After the deadline there was no time to store the uuid.
            let stored = shared.truth.store.item.as_ref().filter(|_| !shared.truth.replaced.contains(uuid))?;
            let is_dead = status_heard(stored, uuid).is_some_and(|heard| DEAD.contains(&heard));
            let stored_uuid = &stored.order_uuid;
            (stored_uuid.as_ref() != Some(uuid) && !is_dead)
                .then(|| format!("a shop was told of {uuid}, and the store has {stored_uuid:?}"))
        }
        (Kind::Submit(_), Ended::Other(problem @ ("internal" | "mixed up"))) => Some(format!("a shop's reply is {problem}")),
        // A callback of the stored order gets a 200, or is asked to come again. It is verified unless Front Payment has
        // another order of this key.
        (&Kind::Callback(index, _), Ended::Callback(reply)) => {
            let is_good = [TAKEN, TO_BE_REPEATED].contains(&Ended::Callback(reply));
            let is_only_body = world.count(|kind| matches!(kind, Kind::Submit(body) if *body != orders[index].body)) == 0;
            let is_verified = shared.truth.is_current(&orders[index]) && is_only_body;
            (is_verified && !is_good).then(|| format!("a good callback was answered: {reply}"))
        }
        _ => None,
    }
}

/// Like [`told_wrongly`], for answers that must be true at this moment.
fn told_just_now(shared: &Shared, task: &Task) -> Option<String> {
    let stored = shared.truth.store.item.as_ref()?;
    let is_own = |index| stored.order_uuid == Some(uuid_of(index));
    match (&task.kind, task.ended.as_ref()?) {
        (&Kind::Worker(Event::Settle(index) | Event::Instead(index)), Ended::Worked) => {
            let is_wrong = !is_own(index) || !shared.truth.orders[index].exists && is_settled(stored, index);
            is_wrong.then(|| format!("the operator has settled {}, and the order is {:?}", uuid_of(index), stored.order_uuid))
        }
        (Kind::Worker(Event::NotCreated), Ended::Worked) => {
            let is_wrong = !matches!(stored.status, Status::Failed | Status::Rejected);
            is_wrong.then(|| format!("the operator has settled the order as not created, and it is {:?}", stored.status))
        }
        (Kind::Worker(Event::Tell), Ended::Worked) if telling::is_given_up(stored) => {
            Some("the operator has the shop told, and that is given up".to_owned())
        }
        (&Kind::Cancel(index), Ended::Cancel(reply)) => {
            let is_sent_as = |wanted: CancelAnswer| {
                task.trace.iter().any(|(.., decision)| matches!(decision, Decision::Cancels(answer, _) if *answer == wanted))
            };
            let is_true = match *reply {
                "cancelled" => shared.truth.orders[index].has_died(),
                "requested" => is_sent_as(CancelAnswer::Accepted),
                "refused" => is_sent_as(CancelAnswer::Refused),
                "unknown" => is_sent_as(CancelAnswer::Hangs),
                _ => true,
            };
            (!is_true).then(|| format!("a shop was told that its cancellation is {reply}"))
        }
        _ => None,
    }
}

fn is_settled(stored: &StoredOrder, index: usize) -> bool {
    let uuid = Some(uuid_of(index));
    stored.history.iter().any(|entry| entry.source == EntrySource::Operator && entry.order_uuid == uuid)
}

/// An order has nothing of another generation.
fn generations_mixed(shared: &Shared, stored: &StoredOrder) -> Option<String> {
    for order in &shared.truth.orders {
        let has_token = order.callback_url.ends_with(&stored.callback_token);
        if has_token != shared.truth.is_current(order) {
            return Some("the callback URL of one generation leads to another one".to_owned());
        }
    }
    let uuids = stored.history.iter().filter_map(|entry| entry.order_uuid.as_ref()).chain(&stored.order_uuid);
    uuids.into_iter().find_map(|uuid| match order_of(shared, uuid) {
        Some(order) if shared.truth.is_current(order) => None,
        Some(_) => Some(format!("{uuid} is of an earlier generation")),
        None => Some(format!("{uuid} was never sent")),
    })
}

/// A callback that got a 200 is in the history once. A status from a status read is one that the order had.
fn lost_or_doubled(shared: &Shared, stored: &StoredOrder) -> Option<String> {
    let entries = |source, index, word: &str| {
        let uuid = Some(uuid_of(index));
        stored.history.iter().filter(|entry| entry.source == source && entry.order_uuid == uuid && entry.status == word).count()
    };
    let current = shared.truth.orders.iter().enumerate().filter(|(_, order)| shared.truth.is_current(order));
    for (index, order) in current {
        for word in Word::ALL {
            let (sent, taken) = (order.sent[word as usize], order.taken[word as usize]);
            // Only callbacks of refunds differ from each other.
            let different = |count: u8| usize::from(if word == Word::PartialRefunded { count } else { count.min(1) });
            let count = entries(EntrySource::Callback, index, word.text());
            if count > different(sent) || count < different(taken) {
                return Some(format!("{count} entries of one callback"));
            }
            let is_read = entries(EntrySource::Provider, index, word.text()) > 0;
            if is_read && word != Word::Unknown && !order.had(word) {
                return Some(format!("{} was read of {}, which never had it", word.text(), uuid_of(index)));
            }
        }
    }
    None
}

/// A callback with a living status makes its order accepted. So does one with a dead status, if there was only one request
/// and its outcome is open.
fn not_accepted(world: &World<'_>, shared: &Shared, stored: &StoredOrder) -> Option<String> {
    if stored.order_uuid.is_some() {
        return None;
    }
    let mut current = shared.truth.orders.iter().filter(|order| shared.truth.is_current(order));
    let is_only = world.submits() == 1;
    let is_open = |order: &ProviderOrder| is_only && !is_said_to_be_nothing(order);
    let is_taken = |order: &ProviderOrder| order.has_shown_life() || is_open(order) && order.taken.iter().any(|taken| *taken > 0);
    current.any(is_taken).then(|| format!("a callback was taken, and the order is {:?}", stored.status))
}

/// If a shop was told of a 201, the stored order has its uuid, or the history notes it.
fn created_and_forgotten(tasks: &[Task], shared: &Shared, stored: &StoredOrder) -> Option<String> {
    let mut current = shared.truth.orders.iter().enumerate().filter(|(_, order)| shared.truth.is_current(order));
    current.find_map(|(index, order)| {
        let uuid = Some(uuid_of(index));
        let is_told = matches!(tasks[order.task].ended, Some(Ended::Accepted(_)));
        let is_known = stored.order_uuid == uuid || stored.history.iter().any(|entry| entry.order_uuid == uuid);
        let is_forgotten = order.reply == Some(ProviderReply::Created201) && is_told && !is_known;
        is_forgotten.then(|| format!("{} was created, and is forgotten", uuid_of(index)))
    })
}

fn order_of<'s>(shared: &'s Shared, uuid: &str) -> Option<&'s ProviderOrder> {
    shared.truth.orders.get(index_of(uuid)?)
}

/// Whether the callbacks of this order have the stored amount.
fn has_stored_total(stored: &StoredOrder, order: &ProviderOrder) -> bool {
    stored.grand_total == total(order.body)
}

/// Whether a request to the callback URL has made a status read.
fn is_read(ended: &Ended) -> bool {
    *ended == READ
}
