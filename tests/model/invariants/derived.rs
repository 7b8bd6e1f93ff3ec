//! The derived attributes of an order, computed a second time: its places in the indexes, and the end of retention.

use front_payment_bridge::order::{AskQueue, EntrySource, HistoryEntry, NotificationState, Status, StoredOrder};
use jiff::Timestamp;

use super::heard::rank_of;
use crate::store::RETENTION;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

pub fn broken(stored: &StoredOrder, has_retention: bool) -> Option<String> {
    let tell = tell(stored).unzip();
    let is = (stored.tell_queue.clone(), stored.tell_at);
    if is != tell {
        return Some(format!("the order is {:?} and to be told at {is:?} in place of {tell:?}", stored.status));
    }
    let ask = ask(stored).unzip();
    let is = (stored.ask_queue, stored.ask_at);
    if is != ask {
        return Some(format!("the order is {:?} and to be asked about at {is:?} in place of {ask:?}", stored.status));
    }
    if stored.changed_at != stored.updated_at.as_second() * 1_000 {
        return Some("the time of the last change is another one in the index".to_owned());
    }
    let is_kept = !has_retention || is_open(stored);
    let expires_at = (!is_kept).then(|| stored.updated_at.as_second() + RETENTION);
    (stored.expires_at != expires_at)
        .then(|| format!("the order is {:?} and kept until {:?} in place of {expires_at:?}", stored.status, stored.expires_at))
}

fn is_open(stored: &StoredOrder) -> bool {
    matches!(stored.status, Status::Submitting | Status::Unknown)
}

/// When the shop is to be told: at the next attempt or, while an attempt runs, at the end of its lease.
fn tell(stored: &StoredOrder) -> Option<(String, i64)> {
    let notifications = stored.notifications.as_ref().filter(|all| all.state == NotificationState::Pending)?;
    let running_until = notifications.running.as_ref().map_or(0, |running| running.since.as_second() + MINUTE);
    Some(("shop".to_owned(), notifications.next_at.as_second().max(running_until)))
}

fn ask(stored: &StoredOrder) -> Option<(AskQueue, i64)> {
    if stored.order_uuid.is_none() {
        return is_open(stored).then(|| (AskQueue::Settle, stored.attempted_at.as_second() + MINUTE));
    }
    let asked_at = stored.asked_at.map(Timestamp::as_second);
    if let Some(since) = stored.reason_since.map(Timestamp::as_second) {
        let at = match asked_at.filter(|asked_at| *asked_at >= since) {
            Some(asked_at) => asked_at + (asked_at - since).clamp(MINUTE, DAY),
            None => since,
        };
        return Some((AskQueue::Ask, at));
    }
    let queue = if stored.status == Status::Sent { AskQueue::Ask } else { AskQueue::Check };
    if let Some(not_found) = &stored.not_found {
        let wait = *[DAY, 2 * DAY, 4 * DAY, 8 * DAY, 16 * DAY].get(usize::try_from(not_found.times).unwrap() - 1)?;
        return Some((queue, asked_at.unwrap_or(0).max(not_found.at.as_second()) + wait));
    }
    let times: &[i64] = match stored.status.name() {
        "SENT" => &[2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY],
        "RESERVED" => &[DAY, 2 * DAY, 4 * DAY, 8 * DAY],
        "EXPIRED" | "PAID" | "PARTIAL_REFUNDED" => &[7 * DAY, 14 * DAY, 28 * DAY],
        "CANCELLED" => &[7 * DAY, 28 * DAY],
        other => panic!("{other} with a uuid"),
    };
    let heard_at = heard_at(stored);
    let next = times.iter().map(|time| heard_at + time).find(|at| asked_at.is_none_or(|asked_at| *at > asked_at));
    Some((queue, next.expect("a longer schedule than the model's")))
}

/// When Front Payment last said something. A status read with an unknown word does not count.
fn heard_at(stored: &StoredOrder) -> i64 {
    let says_nothing = |entry: &HistoryEntry| {
        let is_unknown = entry.source == EntrySource::Provider && rank_of(&entry.status).is_none();
        entry.source == EntrySource::Shop || is_unknown && entry.status != "CANCEL_REFUSED"
    };
    stored.history.iter().rfind(|entry| !says_nothing(entry)).map_or(stored.created_at, |entry| entry.at).as_second()
}
