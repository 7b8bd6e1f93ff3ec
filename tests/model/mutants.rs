//! Mutants: each removes one defence, and an invariant must notice.
//!
//! The code under test is not changed. Instead, the store compares something else, shows something else after a conflict, or
//! stores the order as code without that defence would have left it.

use front_payment_bridge::order::{AskQueue, EntrySource, HistoryEntry, NotificationState, Status, StatusWord, StoredOrder};
use jiff::SignedDuration;

use crate::invariants::is_called_off;
use crate::store::{RETENTION, is_expired};

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
pub enum Mutant {
    None,
    /// A writer takes every conflict for one with its own write, whose reply was lost.
    EveryConflictIsOwn,
    /// A write succeeds whichever version is stored.
    NoVersionCondition,
    /// Every order's versions begin at 1.
    VersionsFromOne,
    /// After a conflict, a callback is applied to any order that is stored.
    NoGenerationCheck,
    /// A further attempt has a new callback URL, and the URL of the earlier one is invalid.
    NoKeptToken,
    /// The claim is not written before the order is sent.
    NoWriteBeforeSend,
    /// An attempt whose outcome is unknown counts as failed.
    UnknownIsFailed,
    /// The amount of a callback is not checked.
    NoAmountCheck,
    /// After a conflict, the amount of a callback is not checked again.
    NoAmountCheckAfterConflict,
    /// A callback with EXPIRED or CANCELLED gives any order its uuid, like other statuses.
    DeadMakesOrder,
    /// A callback with EXPIRED or CANCELLED never gives an order its uuid, so that the order stays UNKNOWN.
    DeadMakesNone,
    /// An order that becomes EXPIRED or CANCELLED keeps its uuid, although another one was named before.
    NoWayForEarlier,
    /// An order that is EXPIRED or CANCELLED keeps its uuid when another one is named.
    NoWayForLater,
    /// An order keeps its uuid if a status read shows that it is dead.
    NoWayAfterRead,
    /// A dead order keeps its uuid if a 201 names another one.
    NoWayFor201,
    /// An order that its shop has cancelled makes way.
    CalledOffMakesWay,
    /// An order makes way for a uuid that the operator has replaced.
    ReplacedComesBack,
    /// With a new uuid, an order gets the status of this callback alone, or SENT.
    NoFold,
    /// A callback's status replaces the stored one, whatever its rank.
    NoRank,
    /// A callback with an unknown word, or with one of lower rank, is no reason to ask.
    NoReason,
    /// A callback about a refund is no reason to ask.
    NoReasonForRefund,
    /// A cancellation that the shop requests is no reason to ask.
    NoReasonForCancel,
    /// The result of a status read is written over any version.
    NoReadAgain,
    /// A cancellation is not stored before it is sent.
    NoWriteBeforeCancel,
    /// The operator can settle an order as not created at once.
    NoTenMinutes,
    /// The operator can give an order a uuid that Front Payment does not know.
    NoReadBeforeSettle,
    /// A notification attempt is written over any version.
    NoTellClaim,
    /// A running notification attempt does not prevent the next one.
    NoTellLease,
    /// A status counts as told if it was told at any time before.
    NoChangeNumbers,
    /// A new refunded amount is not told.
    NoRefundTold,
    /// A write does not move the order to its new places in the indexes.
    NoDerivation,
    /// A writer does not know the order's places in the indexes. As only differences are written, the order stays in a
    /// queue.
    OnlyDifferences,
    /// A writer knows other places in the indexes than are stored.
    UnderivedInMemory,
    /// An order that is SUBMITTING or UNKNOWN has an end of retention, too.
    OpenExpires,
}

/// The version of an order whose first claim had version 1.
pub fn version_from_one(order: &StoredOrder) -> u64 {
    order.version - u64::try_from(order.created_at.as_millisecond()).unwrap() + 1
}

/// Changes the version that a writer gets to see after a conflict.
pub fn show(mutant: Mutant, stored: &mut StoredOrder, next: &StoredOrder, current: Option<&StoredOrder>) {
    match (mutant, current) {
        (Mutant::EveryConflictIsOwn, _) => stored.clone_from(next),
        (Mutant::NoKeptToken, None) => stored.callback_token.clone_from(&next.callback_token),
        (Mutant::NoGenerationCheck, Some(current)) => stored.callback_token.clone_from(&current.callback_token),
        (Mutant::NoAmountCheckAfterConflict, Some(current)) => stored.grand_total.clone_from(&current.grand_total),
        (Mutant::UnderivedInMemory, _) => stored.ask_queue = None,
        _ => {}
    }
}

/// Changes the version that is written over `stored`.
pub fn alter(mutant: Mutant, written: &mut StoredOrder, stored: &StoredOrder, has_retention: bool, now: i64) {
    match mutant {
        Mutant::None | Mutant::UnderivedInMemory => {}
        Mutant::NoDerivation => {
            (written.tell_queue, written.tell_at) = (stored.tell_queue.clone(), stored.tell_at);
            (written.ask_queue, written.ask_at) = (stored.ask_queue, stored.ask_at);
        }
        Mutant::OnlyDifferences if written.ask_queue.is_none() => {
            (written.ask_queue, written.ask_at) = (stored.ask_queue, stored.ask_at);
        }
        Mutant::OnlyDifferences => {}
        Mutant::OpenExpires if written.ask_queue == Some(AskQueue::Settle) && has_retention => {
            written.expires_at = Some(written.updated_at.as_second() + RETENTION);
        }
        _ => {
            if let Some(entry) = written.history.get(stored.history.len()).cloned() {
                hear_otherwise(mutant, written, stored, entry);
            }
            store_otherwise(mutant, written, stored, now);
            written.derive(has_retention.then(|| SignedDuration::from_secs(RETENTION)));
        }
    }
}

/// Changes what a new entry of the history does to the order.
fn hear_otherwise(mutant: Mutant, written: &mut StoredOrder, stored: &StoredOrder, entry: HistoryEntry) {
    let is_same_uuid = written.order_uuid == stored.order_uuid;
    let is_callback = entry.source == EntrySource::Callback;
    let is_refund = entry.status == "PARTIAL_REFUNDED";
    match mutant {
        Mutant::NoAmountCheckAfterConflict if is_callback => written.grand_total.clone_from(&stored.grand_total),
        Mutant::UnknownIsFailed if entry.status == "UNKNOWN" => {
            written.status = Status::Failed;
            "FAILED".clone_into(&mut written.history.last_mut().unwrap().status);
        }
        Mutant::DeadMakesOrder if written.order_uuid.is_none() && is_callback => {
            written.status = known_status(&entry);
            written.order_uuid = entry.order_uuid;
        }
        Mutant::DeadMakesNone if stored.order_uuid.is_none() && is_dead(known_status(&entry)) => {
            written.order_uuid = None;
            written.status = stored.status;
            written.notifications = None;
        }
        _ if stored.order_uuid.is_some() && !is_same_uuid && makes_no_way(mutant, &entry, stored) => {
            let is_own = entry.order_uuid == stored.order_uuid;
            written.status = if is_own { known_status(&entry) } else { stored.status };
            written.order_uuid.clone_from(&stored.order_uuid);
            written.customer_uuid.clone_from(&stored.customer_uuid);
            written.bank_id_url = None;
        }
        Mutant::NoFold if !is_same_uuid => {
            let is_own = entry.order_uuid == written.order_uuid;
            written.status = if is_own { known_status(&entry) } else { Status::Sent };
        }
        Mutant::NoRank if is_callback && entry.order_uuid == stored.order_uuid => written.status = known_status(&entry),
        Mutant::NoReason if is_callback && !is_refund => written.reason_since = stored.reason_since,
        Mutant::NoReasonForRefund if is_callback && is_refund => written.reason_since = stored.reason_since,
        Mutant::NoReasonForCancel if entry.source == EntrySource::Shop => written.reason_since = stored.reason_since,
        _ => {}
    }
}

fn store_otherwise(mutant: Mutant, written: &mut StoredOrder, stored: &StoredOrder, now: i64) {
    let other = |uuid: &Option<String>| uuid.is_some() && *uuid != written.order_uuid;
    match mutant {
        // The writer has seen the token of another order.
        Mutant::NoGenerationCheck if !is_expired(stored, now) => written.callback_token.clone_from(&stored.callback_token),
        Mutant::CalledOffMakesWay if is_called_off(stored) && is_dead(written.status) => {
            let noted = written.history.iter().map(|entry| entry.order_uuid.clone()).find(other);
            written.order_uuid = noted.unwrap_or_else(|| written.order_uuid.clone());
        }
        Mutant::ReplacedComesBack if is_dead(written.status) && written.order_uuid == stored.order_uuid => {
            if let Some(replaced) = written.replaced_uuids.first() {
                written.order_uuid = Some(replaced.clone());
            }
        }
        Mutant::NoTellLease => {
            if let Some(notifications) = &mut written.notifications {
                notifications.running = None;
            }
        }
        Mutant::NoChangeNumbers => {
            if let Some(notifications) = &mut written.notifications
                && notifications.told_status == Some(written.status)
            {
                notifications.state = NotificationState::Delivered;
            }
        }
        Mutant::NoRefundTold if written.status == stored.status && written.refunded_amount != stored.refunded_amount => {
            written.notifications.clone_from(&stored.notifications);
        }
        _ => {}
    }
}

/// Whether a write is the claim of a notification attempt.
pub fn is_tell_claim(next: &StoredOrder, current: Option<&StoredOrder>) -> bool {
    let running =
        |order: &StoredOrder| order.notifications.as_ref().and_then(|all| all.running.as_ref().map(|running| running.id));
    running(next).is_some() && current.is_some_and(|current| running(current) != running(next))
}

/// The result of a status read that is written over another version than it was made for. `None` if the write is no such
/// result.
pub fn overwritten_by_read(next: &StoredOrder, current: Option<&StoredOrder>, stored: &StoredOrder) -> Option<StoredOrder> {
    let read = next.history.last().filter(|entry| entry.source == EntrySource::Provider)?;
    (next.history.len() > current?.history.len()).then(|| {
        let mut history = stored.history.clone();
        history.push(read.clone());
        StoredOrder { version: stored.version + 1, status: next.status, bank_id_url: None, history, ..stored.clone() }
    })
}

/// Whether a write stores that the shop cancels the order.
pub fn is_cancel_request(next: &StoredOrder, current: Option<&StoredOrder>) -> bool {
    next.cancel_requested_at.is_some() && current.is_some_and(|current| current.cancel_requested_at.is_none())
}

/// Whether the mutant keeps the order from making way after this entry.
fn makes_no_way(mutant: Mutant, entry: &HistoryEntry, stored: &StoredOrder) -> bool {
    let is_own = entry.order_uuid == stored.order_uuid;
    match mutant {
        Mutant::NoWayForEarlier => is_own,
        Mutant::NoWayForLater => !is_own,
        Mutant::NoWayAfterRead => entry.source == EntrySource::Provider,
        Mutant::NoWayFor201 => entry.source == EntrySource::Submit,
        _ => false,
    }
}

fn known_status(entry: &HistoryEntry) -> Status {
    StatusWord::read(&entry.status).known().unwrap_or(Status::Sent)
}

fn is_dead(status: Status) -> bool {
    matches!(status, Status::Expired | Status::Cancelled)
}
