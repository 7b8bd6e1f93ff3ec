//! The claim: the first write of a submission attempt, before the order is sent.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::SubmitOutcome;
use crate::bridge::Bridge;
use crate::deadline::{Deadline, backoff};
use crate::order::{KeyConflict, StoredOrder, SubmitReply, Violation};
use crate::store::{OrderStore, WriteError};
use crate::telemetry::error_chain;

/// How long one store operation may take, its retries included.
const MAX_OPERATION: SignedDuration = SignedDuration::from_secs(5);
/// With less time left than this, no claim begins: there would be no time to release it if its write got no reply.
const MIN_LEFT: Duration = Duration::from_secs(1);
/// How long the bridge tries to release a claim whose write got no reply.
const MAX_RELEASE: SignedDuration = SignedDuration::from_secs(10);
/// The most conflicts with other writers in one request.
const MAX_CONFLICTS: usize = 10;

/// Writes the claim, or says what to answer the shop instead.
///
/// `fresh_only` forbids a fresh submission attempt. An order that is already accepted still gets its reply again.
pub(super) async fn write<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    first: StoredOrder,
    warnings: &[Violation],
    fresh_only: Vec<Violation>,
    deadline: Deadline,
) -> Result<StoredOrder, SubmitOutcome> {
    if bridge.clock.until(deadline.reply_by()) < MIN_LEFT {
        tracing::warn!("too little time left; nothing is stored or sent");
        return Err(SubmitOutcome::NotAccepted(SubmitReply::Unavailable));
    }
    let is_sendable = fresh_only.is_empty();
    // The first write also reads, because its conflict returns what is stored. An order that may not be sent is only looked
    // up.
    let mut stored = if is_sendable {
        None
    } else if first.fingerprint.is_none() {
        return Err(SubmitOutcome::NotSendable(fresh_only)); // without a key there is nothing to look up
    } else {
        let found = bridge.load(first.order_id, operation_end(bridge, deadline)).await;
        found.map(|found| found.map(Box::new)).map_err(|error| {
            tracing::error!(error = error_chain(&error), "the order cannot be read");
            SubmitOutcome::StoreUnavailable
        })?
    };
    for _ in 0..=MAX_CONFLICTS {
        let by = operation_end(bridge, deadline);
        let claim = match &stored {
            None => first.clone(),
            Some(found) => match found.conflict_with(&first) {
                KeyConflict::Retryable => first.clone().as_retry_of(found),
                KeyConflict::OutcomeUnknown => match mark_unknown(bridge, found, by).await {
                    Ok(()) => return Err(SubmitOutcome::UnknownBefore),
                    Err(conflict) => {
                        stored = conflict;
                        continue;
                    }
                },
                conflict => return Err(reply_to(conflict, found, warnings)),
            },
        };
        if !is_sendable {
            return Err(SubmitOutcome::NotSendable(fresh_only));
        }
        let written = match &stored {
            None => bridge.create(claim, by).await,
            Some(found) => bridge.replace(found, Box::new(claim), by).await,
        };
        match written {
            Ok(claimed) => return Ok(claimed),
            Err(WriteError::Conflict(conflict)) => stored = conflict,
            Err(WriteError::Store(error)) => {
                tracing::error!(error = error_chain(&error), "the order cannot be stored; nothing is sent");
                release(bridge, &first, deadline).await;
                return Err(SubmitOutcome::StoreUnavailable);
            }
        }
    }
    Err(SubmitOutcome::InProgress)
}

fn operation_end<S, F>(bridge: &Bridge<S, F>, deadline: Deadline) -> Timestamp {
    let now = bridge.clock.now();
    now.saturating_add(MAX_OPERATION).unwrap_or(now).min(deadline.reply_by())
}

/// Stores UNKNOWN for a submission attempt that has outlived its lease.
///
/// # Errors
/// What is stored instead, if another writer was faster.
async fn mark_unknown<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    stored: &StoredOrder,
    by: Timestamp,
) -> Result<(), Option<Box<StoredOrder>>> {
    let Some(ended) = stored.end_stale_attempt(bridge.clock.now()) else { return Ok(()) };
    match bridge.replace(stored, ended, by).await {
        Ok(_) => Ok(()),
        Err(WriteError::Conflict(conflict)) => Err(conflict),
        Err(WriteError::Store(error)) => {
            tracing::warn!(error = error_chain(&error), "a stale attempt cannot be marked UNKNOWN");
            Ok(())
        }
    }
}

/// What to answer the shop if its submission attempt may not begin.
fn reply_to(conflict: KeyConflict, stored: &StoredOrder, warnings: &[Violation]) -> SubmitOutcome {
    match conflict {
        KeyConflict::SameOrder => {
            SubmitOutcome::Accepted { order: Box::new(stored.clone()), is_replay: true, warnings: warnings.to_vec() }
        }
        KeyConflict::OtherOrder => SubmitOutcome::KeyReused,
        KeyConflict::InProgress => SubmitOutcome::InProgress,
        KeyConflict::OutcomeUnknown => SubmitOutcome::UnknownBefore,
        KeyConflict::OtherShop | KeyConflict::Retryable => {
            tracing::error!("the item under this order's id belongs to another shop");
            SubmitOutcome::Internal
        }
    }
}

/// Marks a claim FAILED whose write got no reply, and which was not sent. Writes even if the claim is not found: the lost
/// write may still arrive, and must then fail because its version is taken.
async fn release<S: OrderStore, F>(bridge: &Bridge<S, F>, claim: &StoredOrder, deadline: Deadline) {
    let now = bridge.clock.now();
    let by = now.saturating_add(MAX_RELEASE).unwrap_or(now).min(deadline.reply_by());
    for retry in 0.. {
        if bridge.clock.until(by).is_zero() || mark_failed(bridge, claim, by).await.is_ok() {
            return;
        }
        tokio::time::sleep(backoff(retry).min(bridge.clock.until(by))).await;
    }
}

async fn mark_failed<S: OrderStore, F>(bridge: &Bridge<S, F>, claim: &StoredOrder, by: Timestamp) -> Result<(), WriteError> {
    let now = bridge.clock.now();
    let Some(stored) = bridge.load(claim.order_id, by).await? else {
        return bridge.create(claim.clone().abandoned(now), by).await.map(drop);
    };
    let failed = if stored.attempt == claim.attempt {
        stored.record_result(claim.attempt, &SubmitReply::Unavailable, now)
    } else if stored.conflict_with(claim) == KeyConflict::Retryable {
        Some(Box::new(claim.clone().as_retry_of(&stored).abandoned(now)))
    } else {
        None
    };
    match failed {
        Some(failed) => bridge.replace(&stored, failed, by).await.map(drop),
        None => Ok(()),
    }
}
