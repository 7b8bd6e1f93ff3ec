//! Which of Front Payment's uuids a stored order has.

use front_payment_bridge::order::{EntrySource, HistoryEntry, StoredOrder};

use super::heard::{is_called_off, status_heard};
use super::{DEAD, order_of};
use crate::provider::{ProviderOrder, bank_id_url, customer_uuid, index_of, reference_no, total, uuid_of};
use crate::tasks::{KEY_REUSED, Kind};
use crate::world::{Shared, World};

pub fn broken(world: &World<'_>, shared: &Shared, stored: &StoredOrder) -> Option<String> {
    let uuid = stored.order_uuid.as_ref()?;
    let own = order_of(shared, uuid)?;
    wrong_body(stored, uuid, own)
        .or_else(|| wrong_status(stored, uuid))
        .or_else(|| wrong_refund(stored, uuid, own))
        .or_else(|| dead_although_one_lives(shared, stored, uuid))
        .or_else(|| dead_made_the_order(stored, uuid))
        .or_else(|| mixed_up(stored, uuid))
        .or_else(|| own_key_is_reused(world, own))
}

/// The stored order has the body that was sent for its uuid.
fn wrong_body(stored: &StoredOrder, uuid: &str, own: &ProviderOrder) -> Option<String> {
    let is = (stored.grand_total.as_str(), stored.reference_no.as_deref());
    let should = (total(own.body), Some(reference_no(own.body)));
    (is != should).then(|| format!("{uuid} is of {should:?}, and the store says {is:?}"))
}

/// The stored status follows from the entries about the order's uuid.
fn wrong_status(stored: &StoredOrder, uuid: &str) -> Option<String> {
    let heard = status_heard(stored, uuid);
    (heard != Some(stored.status.name()))
        .then(|| format!("the status of {uuid} is {:?}, and its entries come to {heard:?}", stored.status))
}

/// The refunded amount is one that Front Payment has told of this uuid.
fn wrong_refund(stored: &StoredOrder, uuid: &str, own: &ProviderOrder) -> Option<String> {
    let amount = stored.refunded_amount.as_ref()?;
    let is_right = (1..=own.refunds).any(|refunds| (10 * refunds).to_string() == *amount);
    (!is_right).then(|| format!("{amount} of {uuid} are refunded, says the store, and it was never so"))
}

/// If some uuid is alive and was named by a callback or by the latest attempt's 201, the order does not have a dead uuid
/// instead. Exceptions: its shop has asked to cancel the order, or the operator has replaced the living uuid. (Nor does it
/// hold for a uuid that died and was revived, because its callbacks lead to the higher rank.)
fn dead_although_one_lives(shared: &Shared, stored: &StoredOrder, uuid: &str) -> Option<String> {
    if !DEAD.contains(&stored.status.name()) || is_called_off(stored) {
        return None;
    }
    let attempt = Some(stored.attempt.to_string());
    let has_201 = |index| {
        let uuid = Some(uuid_of(index));
        stored.history.iter().any(|entry| entry.source == EntrySource::Submit && entry.order_uuid == uuid && entry.id == attempt)
    };
    let lives = |index, order: &ProviderOrder| (order.has_shown_life() || has_201(index)) && !order.has_died();
    let may_be = |index| uuid_of(index) != uuid && !shared.truth.replaced.contains(&uuid_of(index));
    let mut others = shared.truth.orders.iter().enumerate().filter(|(index, _)| may_be(*index));
    let (index, _) = others.find(|(index, order)| shared.truth.is_current(order) && lives(*index, order))?;
    Some(format!("the order is {uuid}, which is {:?}, and {} lives", stored.status, uuid_of(index)))
}

/// After a failed attempt, a callback with EXPIRED or CANCELLED gives the order no uuid.
fn dead_made_the_order(stored: &StoredOrder, uuid: &str) -> Option<String> {
    let is_own = |entry: &&HistoryEntry| entry.order_uuid.as_deref() == Some(uuid);
    let is_dead_callback = |entry: &HistoryEntry| entry.source == EntrySource::Callback && DEAD.contains(&entry.status.as_str());
    let is_only_dead =
        stored.history.iter().filter(is_own).all(|entry| is_dead_callback(entry) || entry.source == EntrySource::Shop);
    let first = stored.history.iter().position(|entry| is_own(&entry))?;
    let attempt = Some(stored.attempt.to_string());
    let is_failure = |entry: &HistoryEntry| {
        let is_of_attempt = entry.id == attempt || entry.source == EntrySource::Operator && entry.at > stored.attempted_at;
        is_of_attempt && ["FAILED", "REJECTED"].contains(&entry.status.as_str())
    };
    (is_only_dead && stored.history[..first].iter().any(is_failure))
        .then(|| format!("{uuid} is dead, and has become the order of an attempt that had failed"))
}

/// The customer's uuid and the link belong to the order's uuid.
fn mixed_up(stored: &StoredOrder, uuid: &str) -> Option<String> {
    let index = index_of(uuid)?;
    let is_other_customer = stored.customer_uuid.as_ref().is_some_and(|stored| *stored != customer_uuid(index));
    let is_other_link = stored.bank_id_url.as_ref().is_some_and(|stored| *stored != bank_id_url(index));
    let is_late_link = stored.bank_id_url.is_some() && stored.status.name() != "SENT";
    let wrong = is_other_customer || is_other_link || is_late_link;
    wrong.then(|| format!("{uuid} has the customer or the link of another order, or a link that is over"))
}

/// A shop is not told that its key has another order if the order has its body.
fn own_key_is_reused(world: &World<'_>, own: &ProviderOrder) -> Option<String> {
    let task = &world.tasks[world.just_ended?];
    let is_told = task.ended == Some(KEY_REUSED) && task.kind == Kind::Submit(own.body);
    is_told.then(|| format!("a shop was told that its key is reused, and the order has its body {}", own.body))
}
