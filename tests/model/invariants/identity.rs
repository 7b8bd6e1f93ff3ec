//! Which order of Front Payment's a stored order is, and which body it has.

use front_payment_bridge::order::{EntrySource, HistoryEntry, StoredOrder};

use super::heard::{doubted_at, status_heard};
use super::{DEAD, order_of};
use crate::decisions::{Body, ProviderReply};
use crate::provider::{ProviderOrder, bank_id_url, customer_uuid, index_of, reference_no, total, uuid_of};
use crate::tasks::{KEY_REUSED, Kind};
use crate::world::{Shared, World};

pub fn broken(world: &World<'_>, shared: &Shared, stored: &StoredOrder) -> Option<String> {
    let uuid = stored.order_uuid.as_ref()?;
    let own = order_of(shared, uuid)?;
    wrong_status(shared, stored, uuid)
        .or_else(|| dead_although_one_lives(shared, stored, uuid))
        .or_else(|| dead_made_the_order(shared, stored, uuid))
        .or_else(|| wrong_body(world, shared, stored, own))
        .or_else(|| mixed_up(stored, uuid))
        .or_else(|| doubt_is_forgotten(stored, uuid))
        .or_else(|| own_key_is_reused(world, shared, stored, own))
}

/// The stored status is what the entries of the order's uuid come to.
fn wrong_status(shared: &Shared, stored: &StoredOrder, uuid: &str) -> Option<String> {
    let resolved = shared.resolved.as_ref().filter(|(resolved, _)| resolved == uuid).map(|(_, place)| *place);
    let heard = status_heard(stored, uuid, resolved);
    (heard != Some(stored.status.name()))
        .then(|| format!("the status of {uuid} is {:?}, and its entries come to {heard:?}", stored.status))
}

/// An order that lives, and has called back or has a stored 201, is not shown as dead because another one is. (One that died
/// and was revived may be: its callbacks come to the higher rank.)
fn dead_although_one_lives(shared: &Shared, stored: &StoredOrder, uuid: &str) -> Option<String> {
    let is_dead = DEAD.contains(&stored.status.name());
    let has_201 = |index| {
        let uuid = Some(uuid_of(index));
        stored.history.iter().any(|entry| entry.source == EntrySource::Submit && entry.order_uuid == uuid)
    };
    let mut others = shared.orders.iter().enumerate().filter(|(index, _)| uuid_of(*index) != uuid);
    let living = others
        .find(|(index, order)| shared.is_current(order) && (order.has_shown_life() || has_201(*index)) && !order.has_died());
    let (index, _) = living.filter(|_| is_dead)?;
    Some(format!("the order is {uuid}, which is {:?}, and {} lives", stored.status, uuid_of(index)))
}

/// A callback with EXPIRED or CANCELLED makes no order of an attempt that has failed, nor where another attempt can be meant.
fn dead_made_the_order(shared: &Shared, stored: &StoredOrder, uuid: &str) -> Option<String> {
    let entries = || stored.history.iter().filter(|entry| entry.order_uuid.as_deref() == Some(uuid));
    let is_resolved = shared.resolved.as_ref().is_some_and(|(resolved, _)| resolved == uuid);
    if is_resolved || !entries().all(|entry| entry.source != EntrySource::Submit && DEAD.contains(&entry.status.as_str())) {
        return None;
    }
    let first = first_heard(stored, uuid);
    let attempt = Some(stored.attempt.to_string());
    let is_failure = |entry: &HistoryEntry| entry.id == attempt && ["FAILED", "REJECTED"].contains(&entry.status.as_str());
    let has_failed = stored.history[..first].iter().any(is_failure);
    if has_failed {
        return Some(format!("{uuid} is dead, and has become the order of an attempt that had failed"));
    }
    let own = order_of(shared, uuid)?;
    let same_total = shared.orders.iter().filter(|order| shared.is_current(order) && total(order.body) == total(own.body));
    let may_exist = same_total.filter(|order| order.attempt != own.attempt && !is_known_as_refused(stored, order, first));
    let others = may_exist.count();
    (others > 0).then(|| format!("{uuid} is dead, and has become the order, although it can be of {others} other attempts"))
}

/// The stored body is that of the order's uuid. Only where nobody can know it, no body is stored.
fn wrong_body(world: &World<'_>, shared: &Shared, stored: &StoredOrder, own: &ProviderOrder) -> Option<String> {
    let uuid = stored.order_uuid.as_ref()?;
    let (is, should) = (&stored.details.grand_total, total(own.body));
    if is != should {
        return Some(format!("{uuid} is of {should}, and the store says {is}"));
    }
    let is_own = stored.details.reference_no.as_deref() == Some(reference_no(own.body));
    let has_body = stored.details.fingerprint.is_some();
    if has_body && !is_own {
        return Some(format!("{uuid} is body {}, and the store has the details of another one", own.body));
    }
    match known_body(world, shared, stored, own) {
        Some(true) if !has_body => Some(format!("{uuid} can only be body {}, and nobody gets its reply again", own.body)),
        Some(false) if has_body => Some(format!("{uuid} can be of several bodies, and one gets its reply again")),
        _ => None,
    }
}

/// Whether the bridge can know which body the order has. `None` where this model does not tell.
pub fn known_body(world: &World<'_>, shared: &Shared, stored: &StoredOrder, own: &ProviderOrder) -> Option<bool> {
    let uuid = stored.order_uuid.as_deref()?;
    let is_created = |source, word: Option<&String>| source == EntrySource::Submit && word.is_some_and(|word| word == uuid);
    if stored.history.iter().any(|entry| is_created(entry.source, entry.order_uuid.as_ref())) {
        return Some(true);
    }
    let is_resolved = shared.resolved.as_ref().is_some_and(|(resolved, _)| resolved == uuid);
    if is_resolved || world.faults() > 0 {
        return None; // claims that were never sent count as well
    }
    let same_total: Vec<_> =
        shared.orders.iter().filter(|order| shared.is_current(order) && total(order.body) == total(own.body)).collect();
    let candidates = |place: usize| -> Vec<Body> {
        same_total.iter().filter(|order| !is_known_as_refused(stored, order, place)).map(|order| order.body).collect()
    };
    // The uuid was taken at some time since it was first heard of. Meanwhile candidates only became fewer.
    let (most, least) = (candidates(first_heard(stored, uuid)), candidates(stored.history.len()));
    let is_one = |bodies: &[Body]| bodies.iter().all(|body| *body == bodies[0]);
    match (most.is_empty(), least.is_empty()) {
        (false, _) if is_one(&most) => Some(true),
        (_, false) if !is_one(&least) => Some(false),
        _ => None,
    }
}

/// A shop is not told that its key is another order's if the order has its body.
fn own_key_is_reused(world: &World<'_>, shared: &Shared, stored: &StoredOrder, own: &ProviderOrder) -> Option<String> {
    let task = &world.tasks[world.just_ended?];
    let is_told = task.ended == Some(KEY_REUSED) && task.kind == Kind::Submit(own.body);
    (is_told && known_body(world, shared, stored, own) == Some(true))
        .then(|| format!("a shop was told that its key is reused, and the order has its body {}", own.body))
}

/// The customer's uuid and the link are those of the order's uuid.
fn mixed_up(stored: &StoredOrder, uuid: &str) -> Option<String> {
    let index = index_of(uuid)?;
    let is_other_customer = stored.customer_uuid.as_ref().is_some_and(|stored| *stored != customer_uuid(index));
    let is_other_link = stored.bank_id_url.as_ref().is_some_and(|stored| *stored != bank_id_url(index));
    let is_late_link = stored.bank_id_url.is_some() && stored.status.name() != "SENT";
    let wrong = is_other_customer || is_other_link || is_late_link;
    wrong.then(|| format!("{uuid} has the customer or the link of another order, or a link that is over"))
}

/// A callback with an unknown word, or with one below the stored status, makes the status due until it is read.
fn doubt_is_forgotten(stored: &StoredOrder, uuid: &str) -> Option<String> {
    if stored.history.iter().any(|entry| entry.order_uuid.as_ref().is_some_and(|other| other != uuid)) {
        return None; // what is noted of another order raises no doubt
    }
    let is_doubted = doubted_at(stored, uuid).is_some_and(|at| stored.checked_at.is_none_or(|checked| checked < at));
    (is_doubted && stored.doubted_at.is_none()).then(|| format!("the status of {uuid} is in doubt, and is not due to be read"))
}

/// Where in the history a uuid is named first.
fn first_heard(stored: &StoredOrder, uuid: &str) -> usize {
    let place = stored.history.iter().position(|entry| entry.order_uuid.as_deref() == Some(uuid));
    place.unwrap_or(stored.history.len())
}

/// Whether the first `place` entries of the history show that an attempt was refused or not let in.
fn is_known_as_refused(stored: &StoredOrder, order: &ProviderOrder, place: usize) -> bool {
    let attempt = order.attempt.map(|attempt| attempt.to_string());
    order.reply.is_some_and(ProviderReply::is_proof) && stored.history[..place].iter().any(|entry| entry.id == attempt)
}
