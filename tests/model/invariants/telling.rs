//! The worker's promises: what is to be told is in its shop's queue, attempts do not overlap, and the shop hears the changes
//! in their sequence.

use front_payment_bridge::order::{EntrySource, HistoryEntry, NotificationState, Status, StoredOrder};

use crate::decisions::Op;
use crate::state::was_worker_killed;
use crate::worker::Heard;
use crate::world::{Shared, World};

/// The longest wait after a failed attempt, in seconds: a day and 20 %.
pub const LONGEST_WAIT: i64 = 104_000;

pub fn broken(world: &World<'_>, shared: &Shared, stored: &StoredOrder) -> Option<String> {
    not_in_queue(shared, stored).or_else(|| two_at_once(shared)).or_else(|| heard_wrongly(world, shared))
}

/// A change that is not told is in its shop's queue, at the latest for the end of the running attempt's lease.
fn not_in_queue(shared: &Shared, stored: &StoredOrder) -> Option<String> {
    if !shared.truth.has_workers || stored.order_uuid.is_none() || is_last_change_told(shared, stored) {
        return None;
    }
    let Some(notifications) = &stored.notifications else {
        return Some(format!("nobody tells the shop that the order is {:?}", stored.status));
    };
    let latest = match (&notifications.running, notifications.attempts) {
        (Some(running), 0) => shared.truth.now().max(running.since.as_second() + 60),
        (None, 0) => shared.truth.now(),
        _ => i64::MAX,
    };
    let is_due = stored.tell_queue.as_deref() == Some("shop") && stored.tell_at.is_some_and(|at| at <= latest);
    (!is_due).then(|| format!("the shop was not told that the order is {:?}, and that is not due", stored.status))
}

fn two_at_once(shared: &Shared) -> Option<String> {
    let calling = shared.gates.iter().flat_map(|gate| gate.waits()).filter(|(_, op)| *op == Op::Tell).count();
    (calling > 1).then(|| "two workers tell the shop of one order at once".to_owned())
}

/// A shop hears statuses that the order had, in their sequence, unless a worker was killed.
fn heard_wrongly(world: &World<'_>, shared: &Shared) -> Option<String> {
    let mut latest = 0;
    for Heard { order_uuid, status, changes, .. } in &shared.truth.heard {
        let had = changes.checked_sub(1).and_then(|index| shared.truth.store.changes.get(index));
        if had.is_none_or(|(uuid, had, _)| uuid != order_uuid || had.name() != status) {
            return Some(format!("the shop heard {status} of {order_uuid}, when it was {had:?}"));
        }
        if *changes < latest && !was_worker_killed(world) {
            return Some(format!("the shop heard {status} after a newer status"));
        }
        latest = *changes;
    }
    None
}

/// Whether the shop knows the last change, or answered 410.
pub fn is_last_change_told(shared: &Shared, stored: &StoredOrder) -> bool {
    let changes = &shared.truth.store.changes;
    let maker = stored.history.iter().find(|entry: &&HistoryEntry| entry.order_uuid == stored.order_uuid);
    // The 201 that created the order told the shop its SENT.
    let is_told_by_201 =
        changes.len() == 1 && stored.status == Status::Sent && maker.is_some_and(|entry| entry.source == EntrySource::Submit);
    let is_heard = |heard: &Heard| heard.is_final && heard.changes == changes.len();
    is_told_by_201 || shared.truth.heard.iter().any(is_heard)
}

/// Whether a change was given up, which must not be so after the operator's `tell`.
pub fn is_given_up(stored: &StoredOrder) -> bool {
    stored.notifications.as_ref().is_some_and(|all| all.state == NotificationState::Failed)
}
