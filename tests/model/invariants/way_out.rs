//! No order is stuck: from every state in which no task runs, the next callback, the operator or the shop gets on.

use super::identity::known_body;
use super::{DEAD, order_of, telling};
use crate::bounds::Bounds;
use crate::decisions::{Body, Decision, ProviderReply, Word};
use crate::explore::LEASE;
use crate::operator;
use crate::provider::uuid_of;
use crate::tasks::{Ended, KEY_REUSED, TAKEN};
use crate::worker::Event;
use crate::world::{Setting, Snapshot, lock};

/// A reading may find news, which the next one tells.
const MAX_SWEEPS: usize = 3;

const CREATED: Decision = Decision::Answers(ProviderReply::Created201, true);

/// What does not get on as it must.
pub async fn no_way_out(setting: &Setting, snapshot: &Snapshot, bounds: &Bounds) -> Option<String> {
    let (stored, orders) = {
        let world = setting.world(snapshot);
        let shared = lock(&world.shared);
        let current = |index: &usize| shared.is_current(&shared.orders[*index]);
        let orders: Vec<usize> = (0..shared.orders.len()).filter(current).collect();
        (shared.store.item.clone()?, orders)
    };
    if bounds.workers > 0
        && let Some(untold) = untold(setting, snapshot).await
    {
        return Some(untold);
    }
    let is_dead = DEAD.contains(&stored.status.name());
    if stored.order_uuid.is_none() || is_dead {
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

/// The shop hears the last change of an accepted order, once it answers again.
async fn untold(setting: &Setting, snapshot: &Snapshot) -> Option<String> {
    let mut world = setting.world(snapshot);
    for _ in 0..MAX_SWEEPS {
        world.pass(telling::LONGEST_WAIT);
        world.wake(Event::Sweep).await;
        world.finish(CREATED).await;
    }
    let shared = lock(&world.shared);
    let stored = shared.store.item.as_ref().filter(|stored| stored.order_uuid.is_some())?;
    (!telling::is_last_change_told(&shared, stored))
        .then(|| format!("the shop never hears that the order is {:?}", stored.status))
}

/// An order without a uuid, or with one that is dead, becomes the order that calls back and lives.
async fn callback_is_ignored(setting: &Setting, snapshot: &Snapshot, index: usize) -> Option<String> {
    let mut world = setting.world(snapshot);
    let is_living = {
        let shared = lock(&world.shared);
        shared.orders[index].exists && !shared.orders[index].has_died()
    };
    if !is_living {
        return None;
    }
    world.callback(index, Word::Paid).await;
    let ended = world.finish(CREATED).await;
    let stored_uuid = lock(&world.shared).store.item.as_ref()?.order_uuid.clone();
    (ended != TAKEN || stored_uuid != Some(uuid_of(index)))
        .then(|| format!("{} calls back with PAID, and the order is {stored_uuid:?}: {ended:?}", uuid_of(index)))
}

/// A repetition gets the order's reply again if it has the order's body, and else is told that the key is used.
async fn wrong_reply(setting: &Setting, snapshot: &Snapshot, body: Body) -> Option<String> {
    let mut world = setting.world(snapshot);
    let expected = {
        let shared = lock(&world.shared);
        let stored = shared.store.item.as_ref()?;
        let uuid = stored.order_uuid.clone()?;
        let own = order_of(&shared, &uuid)?;
        let known = known_body(&world, &shared, stored, own);
        match known {
            _ if shared.is_expired() => vec![Ended::Accepted(uuid_of(shared.orders.len()))],
            Some(true) if own.body == body => vec![Ended::Accepted(uuid)],
            None if own.body == body => vec![Ended::Accepted(uuid), KEY_REUSED],
            _ => vec![KEY_REUSED],
        }
    };
    world.submit(body).await;
    let ended = world.finish(CREATED).await;
    (!expected.contains(&ended)).then(|| format!("body {body} again gets {ended:?} in place of {expected:?}"))
}

/// A status read stores the status that the order has at Front Payment. Where that is dead, another order may live.
async fn wrong_read(setting: &Setting, snapshot: &Snapshot, uuid: &str) -> Option<String> {
    let mut world = setting.world(snapshot);
    world.read().await;
    let ended = world.finish(CREATED).await;
    let shared = lock(&world.shared);
    let (stored, own) = (shared.store.item.as_ref()?, order_of(&shared, uuid)?);
    let is_right = match stored.order_uuid.as_deref() == Some(uuid) {
        true => stored.status == own.status() && stored.doubted_at.is_none(),
        false => own.is_dead(),
    };
    let is_read = ended == Ended::Callback("read");
    (!is_read || !is_right).then(|| format!("{uuid} is {:?}, and was read as {:?}: {ended:?}", own.status(), stored.status))
}

/// A key whose order nobody knows is free after its lease and a look into Front Payment's portal, or is that order.
async fn key_is_stuck(setting: &Setting, snapshot: &Snapshot, bounds: &Bounds) -> Option<String> {
    let mut world = setting.world(snapshot);
    world.pass(LEASE);
    {
        let mut shared = lock(&world.shared);
        let unresolved = ["UNKNOWN", "SUBMITTING"].contains(&shared.store.item.as_ref()?.status.name());
        match operator::findings(&shared).first() {
            Some(&found) => operator::resolve(&mut shared, found),
            None if unresolved => return None, // an earlier attempt lives, and will call back
            None => {}
        }
        if shared.store.item.as_ref()?.order_uuid.is_some() {
            return None;
        }
    }
    let body = bounds.bodies[0];
    world.submit(body).await;
    let ended = world.finish(CREATED).await;
    let status = lock(&world.shared).store.item.as_ref()?.status;
    (!matches!(ended, Ended::Accepted(_))).then(|| format!("the order is {status:?}, and stuck: {ended:?}"))
}
