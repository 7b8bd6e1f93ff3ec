//! The last write of an attempt: its result.

use super::{AcceptedOrder, SubmitOutcome};
use crate::bridge::{Bridge, OnOutage, Updated};
use crate::deadline::Deadline;
use crate::front_payment::SubmitReply;
use crate::order::{AttemptResult, ResultEffect, Status, StoredOrder, Violation};
use crate::status::log_duplicate_order;
use crate::store::OrderStore;
use crate::telemetry::error_chain;

/// Stores the result over whatever a callback has made of the order meanwhile, and says what the shop is answered.
pub(super) async fn store<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    claimed: StoredOrder,
    reply: SubmitReply,
    warnings: Vec<Violation>,
    deadline: Deadline,
) -> SubmitOutcome {
    let result = match &reply {
        SubmitReply::Created(created) => AttemptResult::Created(created.clone()),
        SubmitReply::Rejected(_) => AttemptResult::Rejected,
        SubmitReply::Unauthorized => AttemptResult::Failed { may_exist: false },
        SubmitReply::Unavailable { may_exist } | SubmitReply::Failed { may_exist, .. } => {
            AttemptResult::Failed { may_exist: *may_exist }
        }
        SubmitReply::Unknown => AttemptResult::Unknown,
    };
    let (claim, attempt) = (claimed.clone(), claimed.attempt);
    let change = |order: &StoredOrder, now| match order.record_result(attempt, &result, now) {
        ResultEffect::Write(next) => next,
        ResultEffect::Superseded => None,
    };
    let stored = match bridge.update(claimed, deadline.reply_by(), OnOutage::Retry, change).await {
        Ok(Updated { order: stored, .. }) => {
            if matches!(stored.record_result(attempt, &result, bridge.clock.now()), ResultEffect::Superseded) {
                log_not_stored(&result, "the order belongs to another attempt by now");
            }
            stored
        }
        Err(failure) => {
            log_not_stored(&result, &error_chain(&failure.error));
            failure.order
        }
    };
    if let AttemptResult::Created(created) = &result
        && stored.is_other_order(&created.order_uuid)
    {
        log_duplicate_order(&stored, &created.order_uuid);
    }
    // Where a callback has accepted the order, the shop is told of that order, if it is the body's.
    match (AcceptedOrder::from_stored(&stored), reply) {
        (Some(_), _) if !stored.has_body_of(&claim) => SubmitOutcome::KeyReused,
        (Some(order), _) => SubmitOutcome::Accepted { order, is_replay: false, warnings },
        (None, SubmitReply::Created(created)) => SubmitOutcome::Accepted { order: created.into(), is_replay: false, warnings },
        (None, SubmitReply::Rejected(violations)) => SubmitOutcome::Rejected(violations),
        (None, SubmitReply::Unauthorized) => SubmitOutcome::Failed { unproven: false },
        (None, SubmitReply::Failed { unproven, .. }) => SubmitOutcome::Failed { unproven },
        (None, SubmitReply::Unavailable { .. }) => SubmitOutcome::ProviderUnavailable,
        (None, SubmitReply::Unknown) => SubmitOutcome::Unknown,
    }
}

/// The only trace of a result that is not stored: an operator, or a callback, completes the order.
fn log_not_stored(result: &AttemptResult, error: &str) {
    let (outcome, order_uuid) = match result {
        AttemptResult::Created(created) => (created.status, Some(created.order_uuid.as_str())),
        AttemptResult::Rejected => (Status::Rejected, None),
        AttemptResult::Failed { .. } => (Status::Failed, None),
        AttemptResult::Unknown => (Status::Unknown, None),
    };
    tracing::error!(outcome = outcome.name(), orderUuid = order_uuid, error, "the result is not stored");
}
