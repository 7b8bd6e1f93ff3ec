//! The last write of an order: what came of it.

use super::{Accepted, Outcome};
use crate::bridge::{Bridge, Deadline, backoff, report_twice, warn_if_not_noted, within};
use crate::front_payment::Answer;
use crate::order::{AttemptResult, Record, Settled, Status, Violation};
use crate::store::{OrderStore, Unavailable, WriteError};

/// Writes the answer down over whatever a callback has made of the order meanwhile.
pub(super) async fn write_down<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    claimed: Record,
    answer: Answer,
    warnings: Vec<Violation>,
    deadline: Deadline,
) -> Outcome {
    let result = match &answer {
        Answer::Created(created) => AttemptResult::Created(created.clone()),
        Answer::Refused(_) => AttemptResult::Rejected,
        Answer::Unauthorized | Answer::Unavailable | Answer::Failed { .. } => AttemptResult::Failed,
        Answer::Unknown => AttemptResult::Unknown,
    };
    let (stored, failure) = store_result(bridge, claimed, &result, deadline).await;
    if let Some(failure) = &failure {
        let (outcome, order_uuid) = match &result {
            AttemptResult::Created(created) => (created.status.name(), Some(created.order_uuid.as_str())),
            AttemptResult::Rejected => (Status::Rejected.name(), None),
            AttemptResult::Failed => (Status::Failed.name(), None),
            AttemptResult::Unknown => (Status::Unknown.name(), None),
        };
        tracing::error!(outcome, orderUuid = order_uuid, error = %failure, "the result cannot be stored");
    }
    if let AttemptResult::Created(created) = &result
        && stored.is_other_order(&created.order_uuid)
    {
        report_twice(&stored, &created.order_uuid);
    }
    // Where a callback has accepted the order, that is what the shop is told.
    match (Accepted::of(&stored), answer) {
        (Some(accepted), _) => Outcome::Accepted { accepted, replayed: false, warnings },
        (None, Answer::Created(created)) => Outcome::Accepted { accepted: created.into(), replayed: false, warnings },
        (None, Answer::Refused(violations)) => Outcome::Refused(violations),
        (None, Answer::Unauthorized) => Outcome::Failed { its_word: false },
        (None, Answer::Failed { its_word }) => Outcome::Failed { its_word },
        (None, Answer::Unavailable) => Outcome::Unavailable,
        (None, Answer::Unknown) => Outcome::Unknown,
    }
}

/// Writes a result down, again and again within the time left. The record as it is last known to stand,
/// and why the result is not in it, if it is not.
async fn store_result<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    claimed: Record,
    result: &AttemptResult,
    deadline: Deadline,
) -> (Record, Option<Unavailable>) {
    let attempt = claimed.attempt;
    let mut current = claimed;
    let mut failure = None;
    for repetition in 0.. {
        let next = match current.settle(attempt, result, bridge.clock.now()) {
            Settled::As(None) | Settled::Twice(None) => return (current, None),
            Settled::As(Some(next)) | Settled::Twice(Some(next)) => next,
            Settled::NotOurs => return (current, Some(Unavailable("the order was settled otherwise meanwhile".to_owned()))),
        };
        let left = bridge.clock.until(deadline.reply_by());
        if left.is_zero() {
            return (current, failure.or_else(|| Some(Unavailable("no time left".to_owned()))));
        }
        match within(left, bridge.store.replace(&current, &next)).await {
            Ok(()) => {
                warn_if_not_noted(&current, &next);
                return (*next, None);
            }
            Err(WriteError::Conflict(Some(stored))) => current = *stored,
            Err(WriteError::Conflict(None)) => return (current, Some(Unavailable("the item is gone".to_owned()))),
            Err(WriteError::Unavailable(error)) => {
                failure = Some(error);
                tokio::time::sleep(backoff(repetition).min(bridge.clock.until(deadline.reply_by()))).await;
            }
        }
    }
    (current, failure)
}
