//! Defences that are taken out, one at a time, to see that an invariant notices.
//!
//! The code under test stays as it is. What differs is what the store compares, what it shows after a conflict, or what it
//! stores: the order as the code without that defence would have left it.

use front_payment_bridge::order::{EntrySource, HistoryEntry, Status, StatusWord, StoredOrder};

use crate::store::is_expired;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    None,
    /// Every attempt takes the stored one for its own.
    NoAttemptId,
    /// A write succeeds whatever version is stored.
    NoVersionCondition,
    /// Every order's versions begin at 1.
    VersionsFromOne,
    /// After a conflict, a callback is applied to whatever order is stored.
    NoGenerationCheck,
    /// A further attempt has a callback URL of its own, and the earlier one's leads nowhere.
    NoKeptToken,
    /// The claim is not written before the order is sent.
    NoWriteBeforeSend,
    /// A further attempt forgets the bodies of the earlier ones.
    NoEarlierAttempts,
    /// An attempt that was refused counts as one that may exist.
    RefusedMayExist,
    /// An order always has the body of its latest attempt.
    LatestBody,
    /// A 201 does not say which body its uuid has.
    No201Body,
    /// EXPIRED and CANCELLED make an order like any other status.
    DeadMakesOrder,
    /// They make an order of an attempt whose outcome is open, although another attempt can be meant.
    DeadOfSeveral,
    /// They never make an order, so that it stays UNKNOWN.
    DeadMakesNone,
    /// An order that becomes EXPIRED or CANCELLED stays the order, although another one was heard of.
    NoWayForEarlier,
    /// An order that is EXPIRED or CANCELLED stays the order when another one is heard of.
    NoWayForLater,
    /// The same, where a status that was read shows that the order is dead.
    NoWayAfterRead,
    /// The same, where the other one is that of a 201.
    NoWayFor201,
    /// With a uuid, an order takes the status of this callback alone, or SENT.
    NoFold,
    /// A callback's status replaces the stored one, whatever its rank.
    NoRank,
    /// A callback that raises a doubt does not make the status due to be read.
    NoDoubt,
    /// An attempt to tell the shop is written over whatever is stored.
    NoTellClaim,
    /// An attempt that is under way keeps nobody from the next one.
    NoTellLease,
    /// A status counts as told if it was told before.
    NoChangeNumbers,
    /// A write leaves the order where it was in the index.
    NoDerivation,
}

/// The version of an order whose first claim had version 1.
pub fn version_from_one(order: &StoredOrder) -> u64 {
    order.version - u64::try_from(order.created_at.as_millisecond()).unwrap() + 1
}

/// Changes what a writer is shown after a conflict.
pub fn show(mutant: Mutant, stored: &mut StoredOrder, next: &StoredOrder, current: Option<&StoredOrder>) {
    match (mutant, current) {
        (Mutant::NoAttemptId, _) => stored.attempt = next.attempt,
        (Mutant::NoKeptToken, None) => stored.callback_token.clone_from(&next.callback_token),
        (Mutant::NoGenerationCheck, Some(current)) => stored.callback_token.clone_from(&current.callback_token),
        _ => {}
    }
}

/// Changes what is stored over `stored`.
pub fn alter(mutant: Mutant, written: &mut StoredOrder, stored: &StoredOrder, now: i64) {
    let news = written.history.get(stored.history.len()).cloned();
    let is_same_uuid = written.order_uuid == stored.order_uuid;
    match (mutant, news) {
        // The writer was shown another order's token.
        (Mutant::NoGenerationCheck, _) if !is_expired(stored, now) => {
            written.callback_token.clone_from(&stored.callback_token);
        }
        (Mutant::NoEarlierAttempts, _) if written.attempt != stored.attempt => written.earlier_attempts.clear(),
        (Mutant::RefusedMayExist, _) => written.may_exist = true,
        (Mutant::LatestBody, _) if written.order_uuid.is_some() => {
            if let Some(latest) = written.earlier_attempts.iter().position(|attempt| attempt.attempt == Some(written.attempt)) {
                written.details = written.earlier_attempts.remove(latest).details;
            }
        }
        (Mutant::No201Body, _) if is_same_uuid && stored.order_uuid.is_some() => {
            written.details = stored.details.clone();
            written.earlier_attempts.clone_from(&stored.earlier_attempts);
        }
        (Mutant::DeadMakesOrder | Mutant::DeadOfSeveral, Some(entry))
            if written.order_uuid.is_none()
                && entry.source == EntrySource::Callback
                && (mutant == Mutant::DeadMakesOrder || matches!(stored.status, Status::Submitting | Status::Unknown)) =>
        {
            written.status = known_status(&entry);
            written.order_uuid = entry.order_uuid;
        }
        (_, Some(entry)) if stored.order_uuid.is_some() && !is_same_uuid && makes_no_way(mutant, &entry, stored) => {
            let is_own = entry.order_uuid == stored.order_uuid;
            written.status = if is_own { known_status(&entry) } else { stored.status };
            written.order_uuid.clone_from(&stored.order_uuid);
            written.customer_uuid.clone_from(&stored.customer_uuid);
            written.bank_id_url = None;
            written.details = stored.details.clone();
            written.earlier_attempts.clone_from(&stored.earlier_attempts);
        }
        (Mutant::DeadMakesNone, Some(entry))
            if stored.order_uuid.is_none() && matches!(known_status(&entry), Status::Expired | Status::Cancelled) =>
        {
            written.order_uuid = None;
            written.status = stored.status;
        }
        (Mutant::NoFold, Some(entry)) if !is_same_uuid => {
            let is_own = entry.order_uuid == written.order_uuid;
            written.status = if is_own { known_status(&entry) } else { Status::Sent };
        }
        (Mutant::NoRank, Some(entry)) if entry.source == EntrySource::Callback && entry.order_uuid == stored.order_uuid => {
            written.status = known_status(&entry);
        }
        (Mutant::NoDoubt, _) => written.doubted_at = stored.doubted_at,
        (Mutant::NoTellLease, _) => {
            if let Some(notifications) = &mut written.notifications {
                notifications.running = None;
            }
        }
        (Mutant::NoChangeNumbers, _) => {
            if let Some(notifications) = &mut written.notifications
                && notifications.told_status == Some(written.status)
            {
                notifications.told_change = notifications.change;
            }
        }
        _ => {}
    }
}

/// Changes where the order is in the index.
pub fn misplace(mutant: Mutant, written: &mut StoredOrder, stored: Option<&StoredOrder>) {
    if mutant == Mutant::NoDerivation
        && let Some(stored) = stored
    {
        (written.queue, written.due_at) = (stored.queue, stored.due_at);
    }
}

/// Whether a write is the claim of an attempt to tell the shop.
pub fn is_tell_claim(next: &StoredOrder, current: Option<&StoredOrder>) -> bool {
    let running =
        |order: &StoredOrder| order.notifications.as_ref().and_then(|all| all.running.as_ref().map(|running| running.id));
    running(next).is_some() && current.is_some_and(|current| running(current) != running(next))
}

/// Whether the order stays the one that it is, although this was heard.
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
