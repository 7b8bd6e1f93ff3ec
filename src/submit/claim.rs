//! The first write of an order, before it is sent.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Accepted, Outcome};
use crate::bridge::{Bridge, Deadline, backoff, within};
use crate::order::{AttemptResult, Record, Seen, Settled, Violation};
use crate::store::{OrderStore, WriteError};

/// How long the store may take for a claim, repetitions included.
const MOST_FOR_A_CLAIM: Duration = Duration::from_secs(5);
/// With less than this a claim is not begun: it could come to stand without anybody left to answer for it.
const LEAST_FOR_A_CLAIM: Duration = Duration::from_secs(1);
/// How long a claim whose reply was lost is looked for.
const MOST_FOR_GIVING_UP: SignedDuration = SignedDuration::from_secs(10);
/// How often a claim is made anew because somebody else was faster.
const MOST_TURNS: usize = 10;

/// Claims the order for this attempt, or says why not. An order that may not be sent
/// now still gets the answer of its key, if that was used.
pub(super) async fn make<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    first: Record,
    warnings: &[Violation],
    against_fresh: Vec<Violation>,
    deadline: Deadline,
) -> Result<Record, Outcome> {
    let limit = || MOST_FOR_A_CLAIM.min(bridge.clock.until(deadline.reply_by()));
    if limit() < LEAST_FOR_A_CLAIM {
        tracing::warn!("too little time left; nothing is stored and nothing is sent");
        return Err(Outcome::Unavailable);
    }
    let mut claim = first.clone();
    let mut written = if against_fresh.is_empty() {
        within(limit(), bridge.store.create(&claim)).await
    } else if first.particulars.fingerprint.is_none() {
        return Err(Outcome::NotFresh(against_fresh)); // without a key there is nothing to look up
    } else {
        match within(limit(), bridge.store.load(first.order_id)).await {
            Ok(stored) => Err(WriteError::Conflict(stored.map(Box::new))),
            Err(error) => {
                tracing::error!(error = %error, "the order cannot be looked up");
                return Err(Outcome::Storage);
            }
        }
    };
    for turn in 0.. {
        let stored = match written {
            Ok(()) => return Ok(claim),
            Err(WriteError::Unavailable(error)) => {
                tracing::error!(error = %error, "the order cannot be stored; nothing is sent");
                give_up(bridge, &claim, deadline).await;
                return Err(Outcome::Storage);
            }
            // Each turn, somebody else has moved the order on; nobody can for long.
            Err(WriteError::Conflict(_)) if turn == MOST_TURNS => break,
            Err(WriteError::Conflict(stored)) => stored,
        };
        let seen = stored.as_ref().map_or(Seen::Free, |stored| stored.meets(&first));
        match (seen, stored) {
            (Seen::Own, Some(stored)) => return Ok(*stored),
            (Seen::Free, _) if !against_fresh.is_empty() => return Err(Outcome::NotFresh(against_fresh)),
            (Seen::Free, Some(stored)) => {
                claim = first.clone().as_attempt_of(&stored);
                written = within(limit(), bridge.store.replace(&stored, &claim)).await;
            }
            (Seen::Unknown, Some(stored)) => match stored.expire(bridge.clock.now()) {
                None => return Err(Outcome::EarlierUnknown),
                Some(expired) => {
                    written = within(limit(), bridge.store.replace(&stored, &expired)).await;
                    match &written {
                        Ok(()) => return Err(Outcome::EarlierUnknown),
                        Err(WriteError::Unavailable(error)) => {
                            tracing::warn!(error = %error, "an order that ran out cannot be marked UNKNOWN");
                            return Err(Outcome::EarlierUnknown);
                        }
                        Err(WriteError::Conflict(_)) => {}
                    }
                }
            },
            (seen, Some(stored)) => return Err(answer(seen, &stored, warnings)),
            (_, None) => {
                claim = first.clone();
                written = within(limit(), bridge.store.create(&claim)).await;
            }
        }
    }
    Err(Outcome::InProgress)
}

/// The answer to a claim that may not go on.
fn answer(seen: Seen, stored: &Record, warnings: &[Violation]) -> Outcome {
    match (seen, Accepted::of(stored)) {
        (Seen::Accepted, Some(accepted)) => Outcome::Accepted { accepted, replayed: true, warnings: warnings.to_vec() },
        (Seen::OtherOrder, _) => Outcome::KeyReused,
        (Seen::InProgress, _) => Outcome::InProgress,
        (Seen::Unknown, _) => Outcome::EarlierUnknown,
        (Seen::OtherShop | Seen::Accepted | Seen::Own | Seen::Free, _) => {
            tracing::error!("an item of another shop under this order's id");
            Outcome::Internal
        }
    }
}

/// A claim whose reply was lost, and that was not sent, is marked FAILED if the store answers again.
/// Also where it is not seen there: it may still be on its way, and must not come to stand after all.
async fn give_up<S: OrderStore, F>(bridge: &Bridge<S, F>, claim: &Record, deadline: Deadline) {
    let now = bridge.clock.now();
    let until = now.saturating_add(MOST_FOR_GIVING_UP).unwrap_or(now).min(deadline.reply_by());
    for repetition in 0.. {
        if bridge.clock.until(until).is_zero() {
            return;
        }
        if within(bridge.clock.until(until), mark_failed(bridge, claim)).await.is_ok() {
            return;
        }
        tokio::time::sleep(backoff(repetition).min(bridge.clock.until(until))).await;
    }
}

async fn mark_failed<S: OrderStore, F>(bridge: &Bridge<S, F>, claim: &Record) -> Result<(), WriteError> {
    let now = bridge.clock.now();
    match bridge.store.load(claim.order_id).await? {
        None => bridge.store.create(&claim.clone().given_up(now)).await,
        Some(stored) if stored.attempt == claim.attempt => match stored.settle(claim.attempt, &AttemptResult::Failed, now) {
            Settled::As(Some(failed)) => bridge.store.replace(&stored, &failed).await,
            _ => Ok(()),
        },
        Some(stored) if stored.meets(claim) == Seen::Free => {
            bridge.store.replace(&stored, &claim.clone().as_attempt_of(&stored).given_up(now)).await
        }
        Some(_) => Ok(()),
    }
}
