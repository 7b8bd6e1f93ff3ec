//! No order is stuck: from every state in which no task runs, the next callback, the operator or the shop can go on.

use super::{DEAD, has_stored_total, is_called_off, is_read, order_of, telling};
use crate::bounds::Bounds;
use crate::decisions::{Body, Decision, ProviderReply, Word};
use crate::provider::{ProviderOrder, reference_no, uuid_of};
use crate::tasks::{Ended, KEY_REUSED, TAKEN};
use crate::worker::{Event, TEN_MINUTES};
use crate::world::{Setting, Snapshot, lock};

/// One sweep may read a status, and only the next one tells the shop of it.
const MAX_SWEEPS: usize = 3;

const CREATED: Decision = Decision::Answers(ProviderReply::Created201, true);

/// What cannot go on as promised.
pub async fn no_way_out(setting: &Setting, snapshot: &Snapshot, bounds: &Bounds) -> Option<String> {
    let (stored, orders) = {
        let world = setting.world(snapshot);
        let truth = &lock(&world.shared).truth;
        let current = |index: &usize| truth.is_current(&truth.orders[*index]);
        let orders: Vec<usize> = (0..truth.orders.len()).filter(current).collect();
        (truth.store.item.clone()?, orders)
    };
    if bounds.workers > 0
        && let Some(untold) = untold(setting, snapshot).await
    {
        return Some(untold);
    }
    let may_become_another = stored.order_uuid.is_none() || DEAD.contains(&stored.status.name()) && !is_called_off(&stored);
    if may_become_another {
        for index in orders {
            if let Some(stuck) = callback_is_ignored(setting, snapshot, index).await {
                return Some(stuck);
            }
        }
    }
    match &stored.order_uuid {
        Some(uuid) => {
            if bounds.reads > 0
                && let Some(wrong) = wrong_read(setting, snapshot, uuid).await
            {
                return Some(wrong);
            }
            for &body in bounds.bodies {
                if let Some(wrong) = wrong_reply(setting, snapshot, body).await {
                    return Some(wrong);
                }
            }
            None
        }
        None => key_is_stuck(setting, snapshot, bounds).await,
    }
}

/// The shop hears the last change of an accepted order, as soon as it answers again.
async fn untold(setting: &Setting, snapshot: &Snapshot) -> Option<String> {
    let mut world = setting.world(snapshot);
    for _ in 0..MAX_SWEEPS {
        world.pass(telling::LONGEST_WAIT);
        world.wake(Event::Sweep).await;
        world.finish(CREATED).await;
    }
    let shared = lock(&world.shared);
    let stored = shared.truth.store.item.as_ref().filter(|stored| stored.order_uuid.is_some())?;
    if shared.truth.is_status_wanted {
        return Some(format!("the order is {:?}, and nobody asks what it is", stored.status));
    }
    (!telling::is_last_change_told(&shared, stored))
        .then(|| format!("the shop never hears that the order is {:?}", stored.status))
}

/// An order without a uuid, or with a dead one, takes the uuid of a callback that says that it is alive.
async fn callback_is_ignored(setting: &Setting, snapshot: &Snapshot, index: usize) -> Option<String> {
    let mut world = setting.world(snapshot);
    let is_to_be_taken = {
        let truth = &lock(&world.shared).truth;
        let order = &truth.orders[index];
        let is_verified = has_stored_total(truth.store.item.as_ref()?, order);
        order.exists && !order.has_died() && order.refunds == 0 && is_verified && !truth.replaced.contains(&uuid_of(index))
    };
    if !is_to_be_taken {
        return None;
    }
    world.callback(index, Word::Paid).await;
    let ended = world.finish(CREATED).await;
    let stored_uuid = lock(&world.shared).truth.store.item.as_ref()?.order_uuid.clone();
    (ended != TAKEN || stored_uuid != Some(uuid_of(index)))
        .then(|| format!("{} calls back with PAID, and the order is {stored_uuid:?}: {ended:?}", uuid_of(index)))
}

/// A repetition gets the order's reply again if it has the order's body. Otherwise it is told that the key is used.
async fn wrong_reply(setting: &Setting, snapshot: &Snapshot, body: Body) -> Option<String> {
    let mut world = setting.world(snapshot);
    let expected = {
        let shared = lock(&world.shared);
        let uuid = shared.truth.store.item.as_ref()?.order_uuid.clone()?;
        match order_of(&shared, &uuid)?.body == body {
            _ if shared.truth.is_expired() => Ended::Accepted(uuid_of(shared.truth.orders.len())),
            true => Ended::Accepted(uuid),
            false => KEY_REUSED,
        }
    };
    world.submit(body).await;
    let ended = world.finish(CREATED).await;
    (ended != expected).then(|| format!("body {body} again gets {ended:?} in place of {expected:?}"))
}

/// A status read stores the status that Front Payment has. If that is dead, the order may take another uuid.
async fn wrong_read(setting: &Setting, snapshot: &Snapshot, uuid: &str) -> Option<String> {
    let mut world = setting.world(snapshot);
    world.read().await;
    let ended = world.finish(CREATED).await;
    let shared = lock(&world.shared);
    let (stored, own) = (shared.truth.store.item.as_ref()?, order_of(&shared, uuid)?);
    if !own.exists {
        return None;
    }
    let is_right = match stored.order_uuid.as_deref() == Some(uuid) {
        true => stored.status == own.status() && stored.refunded_amount == own.refunded() && !shared.truth.is_status_wanted,
        false => own.is_dead(),
    };
    (!is_read(&ended) || !is_right)
        .then(|| format!("{uuid} is {:?}, and was read as {:?}: {ended:?}", own.status(), stored.status))
}

/// After ten minutes and a look into Front Payment's portal, the operator can settle every open order.
async fn key_is_stuck(setting: &Setting, snapshot: &Snapshot, bounds: &Bounds) -> Option<String> {
    let mut world = setting.world(snapshot);
    world.pass(TEN_MINUTES);
    let found = {
        let truth = &lock(&world.shared).truth;
        let stored = truth.store.item.as_ref()?;
        let is_open = ["UNKNOWN", "SUBMITTING"].contains(&stored.status.name());
        let is_there = |order: &ProviderOrder| {
            order.exists && truth.is_current(order) && stored.reference_no.as_deref() == Some(reference_no(order.body))
        };
        is_open.then(|| truth.orders.iter().rposition(is_there))
    };
    if let Some(found) = found {
        world.wake(found.map_or(Event::NotCreated, Event::Settle)).await;
        let ended = world.finish(CREATED).await;
        let truth = &lock(&world.shared).truth;
        let stored = truth.store.item.as_ref()?;
        let is_right = match found {
            Some(index) => stored.order_uuid == Some(uuid_of(index)) && stored.status == truth.orders[index].status(),
            None => stored.status.name() == "FAILED",
        };
        if ended != Ended::Worked || !is_right {
            return Some(format!("the operator finds {found:?}, and the order is {:?}: {ended:?}", stored.status));
        }
        if found.is_some() {
            return None;
        }
    }
    world.submit(bounds.bodies[0]).await;
    let ended = world.finish(CREATED).await;
    let status = lock(&world.shared).truth.store.item.as_ref()?.status;
    (!matches!(ended, Ended::Accepted(_))).then(|| format!("the order is {status:?}, and stuck: {ended:?}"))
}
