//! What holds whatever happens.
//!
//! Expectations come from what Front Payment and the shops saw, and from the stored history. None comes from the code under
//! test.

mod heard;
mod identity;
mod telling;
mod way_out;

pub use way_out::no_way_out;

use front_payment_bridge::order::{EntrySource, Status, StoredOrder};

use crate::decisions::{ProviderReply, Word};
use crate::provider::{ProviderOrder, index_of, uuid_of};
use crate::tasks::{Ended, Kind, TAKEN, Task};
use crate::world::{Shared, World, lock};
use heard::status_heard;

/// What an order is that does not live.
const DEAD: [&str; 2] = ["EXPIRED", "CANCELLED"];

/// The first invariant that fails in a state, if one does.
pub fn broken(world: &World<'_>) -> Option<String> {
    let shared = &*lock(&world.shared);
    let in_store = || match &shared.store.item {
        Some(stored) => generations_mixed(shared, stored)
            .or_else(|| lost_or_doubled(shared, stored))
            .or_else(|| not_accepted(world, shared, stored))
            .or_else(|| created_and_forgotten(&world.tasks, shared, stored))
            .or_else(|| identity::broken(world, shared, stored))
            .or_else(|| telling::broken(world, shared, stored)),
        None => {
            let is_sent = shared.orders.iter().any(|order| shared.is_current(order));
            is_sent.then(|| "an order was sent, and the store does not have it".to_owned())
        }
    };
    let told = || world.tasks.iter().enumerate().find_map(|(index, task)| told_wrongly(shared, index, task));
    sent_too_often(shared).or_else(in_store).or_else(told)
}

/// An attempt is sent once. A further one is sent only if each earlier one is known to have created nothing: Front Payment
/// said so, or the operator.
fn sent_too_often(shared: &Shared) -> Option<String> {
    let current: Vec<_> = shared.orders.iter().filter(|order| shared.is_current(order)).collect();
    current.iter().enumerate().find_map(|(index, later)| {
        current[..index].iter().find_map(|earlier| {
            if earlier.task == later.task {
                return Some("one request was sent twice".to_owned());
            }
            let is_nothing = earlier.reply.is_some_and(ProviderReply::is_nothing) || earlier.is_ruled_out;
            (!is_nothing).then(|| format!("sent again although an earlier attempt ended with {:?}", earlier.reply))
        })
    })
}

/// Whether somebody was told what is not so.
fn told_wrongly(shared: &Shared, index: usize, task: &Task) -> Option<String> {
    match (&task.kind, task.ended.as_ref()?) {
        // A shop is told that nothing was created only if nothing was, or if Front Payment said so.
        (Kind::Submit(_), Ended::NothingCreated) => {
            let own = shared.orders.iter().find(|order| order.task == index)?;
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
            if matches!(task.ended, Some(Ended::AcceptedLate(_))) || !shared.is_current(order) {
                return None;
            }
            // What a shop was told stays so, unless a callback said that it is dead. Late means that there was no time to
            // store it.
            let Some(stored) = &shared.store.item else { return None };
            let is_dead = status_heard(stored, uuid, None).is_some_and(|heard| DEAD.contains(&heard));
            let stored_uuid = &stored.order_uuid;
            (stored_uuid.as_ref() != Some(uuid) && !is_dead)
                .then(|| format!("a shop was told of {uuid}, and the store has {stored_uuid:?}"))
        }
        (Kind::Submit(_), Ended::Other(problem @ ("internal" | "mixed up"))) => Some(format!("a shop's reply is {problem}")),
        // A callback for the stored order is taken, or comes again.
        (&Kind::Callback(index, _), Ended::Callback(reply)) => {
            let is_good = [TAKEN, Ended::Callback("to be repeated")].contains(&Ended::Callback(reply));
            let is_current = shared.is_current(&shared.orders[index]);
            (is_current && !is_good).then(|| format!("a good callback was answered: {reply}"))
        }
        _ => None,
    }
}

/// No generation of an order has anything of another one.
fn generations_mixed(shared: &Shared, stored: &StoredOrder) -> Option<String> {
    for order in &shared.orders {
        let has_token = order.callback_url.ends_with(&stored.callback_token);
        if has_token != shared.is_current(order) {
            return Some("the callback URL of one generation leads to another one".to_owned());
        }
    }
    let uuids = stored.history.iter().filter_map(|entry| entry.order_uuid.as_ref()).chain(&stored.order_uuid);
    uuids.into_iter().find_map(|uuid| match order_of(shared, uuid) {
        Some(order) if shared.is_current(order) => None,
        Some(_) => Some(format!("{uuid} is of an earlier generation")),
        None => Some(format!("{uuid} was never sent")),
    })
}

/// A callback that was taken is in the history once. A status that was read is one that the order had.
fn lost_or_doubled(shared: &Shared, stored: &StoredOrder) -> Option<String> {
    let entries = |source, index, word: &str| {
        let uuid = Some(uuid_of(index));
        stored.history.iter().filter(|entry| entry.source == source && entry.order_uuid == uuid && entry.status == word).count()
    };
    for (index, order) in shared.orders.iter().enumerate().filter(|(_, order)| shared.is_current(order)) {
        for word in Word::ALL {
            let count = entries(EntrySource::Callback, index, word.text());
            if count > 1 || (order.taken[word as usize] > 0 && count == 0) {
                return Some(format!("{count} entries of one callback"));
            }
            let is_read = entries(EntrySource::Provider, index, word.text()) > 0;
            if is_read && word != Word::Unknown && order.sent[word as usize] == 0 {
                return Some(format!("{} was read of {}, which never had it", word.text(), uuid_of(index)));
            }
        }
    }
    None
}

/// An order of which a callback came that says that it lives is accepted, and so is one that is dead, if it is of the only
/// request and its outcome is open. One that is REJECTED was refused.
fn not_accepted(world: &World<'_>, shared: &Shared, stored: &StoredOrder) -> Option<String> {
    if stored.order_uuid.is_some() {
        return None;
    }
    let mut current = shared.orders.iter().filter(|order| shared.is_current(order));
    let is_refused = current.clone().next_back().is_some_and(|latest| latest.reply == Some(ProviderReply::Rejected417));
    if stored.status == Status::Rejected && !is_refused {
        return Some("the order is REJECTED, and was not refused".to_owned());
    }
    let is_only = world.submits() == 1;
    let is_open = |order: &ProviderOrder| is_only && !order.reply.is_some_and(ProviderReply::is_nothing);
    let is_taken = |order: &ProviderOrder| order.has_shown_life() || is_open(order) && order.taken.iter().any(|taken| *taken > 0);
    current.any(is_taken).then(|| format!("a callback was taken, and the order is {:?}", stored.status))
}

/// An order with a 201 of which its shop was told is the stored order, or is noted.
fn created_and_forgotten(tasks: &[Task], shared: &Shared, stored: &StoredOrder) -> Option<String> {
    shared.orders.iter().enumerate().filter(|(_, order)| shared.is_current(order)).find_map(|(index, order)| {
        let uuid = Some(uuid_of(index));
        let is_told = matches!(tasks[order.task].ended, Some(Ended::Accepted(_)));
        let is_known = stored.order_uuid == uuid || stored.history.iter().any(|entry| entry.order_uuid == uuid);
        let is_forgotten = order.reply == Some(ProviderReply::Created201) && is_told && !is_known;
        is_forgotten.then(|| format!("{} was created, and is forgotten", uuid_of(index)))
    })
}

fn order_of<'s>(shared: &'s Shared, uuid: &str) -> Option<&'s ProviderOrder> {
    shared.orders.get(index_of(uuid)?)
}
