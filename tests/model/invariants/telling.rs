//! What the worker promises: whatever is to be done is due, one attempt at a time, and the shop hears what happened in its
//! order.

use front_payment_bridge::order::{EntrySource, HistoryEntry, NotificationState, Queue, Status, StoredOrder};

use crate::decisions::Op;
use crate::worker::Heard;
use crate::world::{Shared, World};

/// The longest wait after an attempt in vain, a day, with its 20 %; in seconds.
pub const LONGEST_WAIT: i64 = 104_000;

pub fn broken(world: &World<'_>, shared: &Shared, stored: &StoredOrder) -> Option<String> {
    not_due(stored).or_else(|| two_at_once(world, shared)).or_else(|| heard_wrongly(world, shared))
}

/// Undelivered ⇒ due; open ⇒ due; SUBMITTING and UNKNOWN ⇒ settle. No status in the model is so old that Front Payment is
/// not asked any more.
fn not_due(stored: &StoredOrder) -> Option<String> {
    let expected = match (&stored.order_uuid, stored.status) {
        (Some(_), _) => Some(Queue::Due),
        (None, Status::Submitting | Status::Unknown) => Some(Queue::Settle),
        (None, _) => None,
    };
    if stored.queue != expected || stored.due_at.is_some() != expected.is_some() {
        return Some(format!("the order is {:?}, and in the queue {:?} at {:?}", stored.status, stored.queue, stored.due_at));
    }
    let notifications = stored.notifications.as_ref().filter(|_| expected == Some(Queue::Due))?;
    if notifications.state() != NotificationState::Pending {
        return None;
    }
    // A change that nobody has tried to tell is due at once, or when the attempt that is under way is over for sure.
    let latest = match (&notifications.running, notifications.attempts) {
        (Some(running), 0) => running.since.as_second() + 60,
        (None, 0) => notifications.pending_since.as_second(),
        (_, attempts) => return (attempts > 12).then(|| format!("{attempts} attempts")),
    };
    (stored.due_at? > latest.max(notifications.pending_since.as_second()))
        .then(|| format!("an undelivered change is due at {:?}, and not by {latest}", stored.due_at))
}

fn two_at_once(world: &World<'_>, shared: &Shared) -> Option<String> {
    let calling = world.running().into_iter().filter(|&task| shared.gates[task].waits == Some(Op::Tell)).count();
    (calling > 1).then(|| "two workers tell the shop of one order at once".to_owned())
}

/// What a shop hears are statuses that the order had, in their order, unless a worker was killed.
fn heard_wrongly(world: &World<'_>, shared: &Shared) -> Option<String> {
    let was_killed = world.tasks.iter().any(|task| task.is_worker() && task.is_killed());
    let mut latest = 0;
    for Heard { order_uuid, status, changes, .. } in &shared.heard {
        let had = changes.checked_sub(1).and_then(|index| shared.store.changes.get(index));
        if had.is_none_or(|(uuid, had)| uuid != order_uuid || had.name() != status) {
            return Some(format!("the shop heard {status} of {order_uuid}, when it was {had:?}"));
        }
        if *changes < latest && !was_killed {
            return Some(format!("the shop heard {status} after a newer status"));
        }
        latest = *changes;
    }
    None
}

/// Whether the shop knows the last change, or has said that it does not want to.
pub fn is_last_change_told(shared: &Shared, stored: &StoredOrder) -> bool {
    let is_own = |entry: &&HistoryEntry| entry.order_uuid == stored.order_uuid;
    let maker = stored.history.iter().find(is_own);
    // The 201 that made the order told its SENT.
    let is_told_by_201 = shared.store.changes.len() == 1
        && stored.status == Status::Sent
        && maker.is_some_and(|entry| entry.source == EntrySource::Submit);
    let is_heard = |heard: &Heard| heard.is_final && heard.changes == shared.store.changes.len();
    is_told_by_201 || shared.heard.iter().any(is_heard)
}
