//! The operator, who resolves UNKNOWN orders with the commands of the runbook.

use front_payment_bridge::order::{Status, StoredOrder};
use jiff::Timestamp;

use crate::explore::LEASE;
use crate::provider::{ProviderOrder, reference_no, uuid_of};
use crate::world::Shared;

/// What the operator found in Front Payment's portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Order(usize),
    Nothing,
}

/// What the operator may find. Nothing if the order is not one to resolve.
pub fn findings(shared: &Shared) -> Vec<Found> {
    let Some(stored) = shared.store.item.as_ref().filter(|stored| is_unresolved(stored, shared.now())) else {
        return Vec::new();
    };
    let is_there = |order: &ProviderOrder| order.exists && shared.is_current(order);
    let has_reference = |order: &ProviderOrder| stored.details.reference_no.as_deref() == Some(reference_no(order.body));
    let indexes = |wanted: &dyn Fn(&ProviderOrder) -> bool| -> Vec<Found> {
        let found = shared.orders.iter().enumerate().filter(|(_, order)| is_there(order) && wanted(order));
        found.map(|(index, _)| Found::Order(index)).collect()
    };
    let living = indexes(&|order| has_reference(order) && !order.is_dead());
    let dead = indexes(&|order| has_reference(order) && order.is_dead());
    let others = indexes(&|order| !has_reference(order) && !order.is_dead());
    if !living.is_empty() {
        living
    } else if !dead.is_empty() {
        dead
    } else if !others.is_empty() {
        Vec::new() // an order of an earlier attempt: it is cancelled first, or its callback comes
    } else {
        vec![Found::Nothing]
    }
}

/// Stores what was found: the uuid as SENT, or FAILED.
pub fn resolve(shared: &mut Shared, found: Found) {
    let Some(unresolved) = shared.store.item.clone() else { return };
    let updated_at = Timestamp::from_second(shared.now()).unwrap();
    let mut next = StoredOrder { version: unresolved.version + 1, updated_at, ..unresolved.clone() };
    match found {
        Found::Order(index) => {
            next.status = Status::Sent;
            next.order_uuid = Some(uuid_of(index));
            shared.resolved = Some((uuid_of(index), next.history.len()));
        }
        Found::Nothing => {
            next.status = Status::Failed;
            let generation = shared.store.generation;
            shared.orders.iter_mut().filter(|order| order.generation == generation).for_each(|order| order.is_ruled_out = true);
        }
    }
    shared.write(&next, Some(&unresolved)).unwrap();
}

fn is_unresolved(stored: &StoredOrder, now: i64) -> bool {
    stored.order_uuid.is_none()
        && match stored.status {
            Status::Unknown => true,
            Status::Submitting => now - stored.attempted_at.as_second() >= LEASE,
            _ => false,
        }
}
