//! The last write of a submission attempt: its result.

use super::SubmitOutcome;
use crate::bridge::{Bridge, OnOutage, Updated};
use crate::deadline::Deadline;
use crate::order::{StoredOrder, SubmitReply, Violation};
use crate::status::log_duplicate_order;
use crate::store::OrderStore;
use crate::telemetry::error_chain;

/// Stores the result, whatever a callback has changed meanwhile, and says what to answer the shop.
pub(super) async fn store<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    claimed: StoredOrder,
    reply: SubmitReply,
    warnings: Vec<Violation>,
    deadline: Deadline,
) -> SubmitOutcome {
    let attempt = claimed.attempt;
    let change = |order: &StoredOrder, now| order.record_result(attempt, &reply, now);
    let order = match bridge.update(claimed, deadline.reply_by(), OnOutage::Retry, change).await {
        Ok(Updated { order, .. }) => order,
        Err(failure) => {
            log_not_stored(&reply, &error_chain(&failure.error));
            let unstored = failure.order.record_result(attempt, &reply, bridge.clock.now());
            unstored.map_or(failure.order, |unstored| *unstored)
        }
    };
    if order.attempt != attempt {
        log_not_stored(&reply, "the order belongs to another attempt by now");
        // Front Payment may have an order of this attempt, but it is not the stored one.
        let reply = if matches!(reply, SubmitReply::Created(_)) { SubmitReply::Unknown } else { reply };
        return SubmitOutcome::NotAccepted(reply);
    }
    if let SubmitReply::Created(created) = &reply
        && order.is_other_order(&created.order_uuid)
    {
        log_duplicate_order(&order, &created.order_uuid);
    }
    // A callback may have accepted the order, even if the reply did not.
    if order.order_uuid.is_some() {
        SubmitOutcome::Accepted { order: Box::new(order), is_replay: false, warnings }
    } else {
        SubmitOutcome::NotAccepted(reply)
    }
}

/// Logs a result that cannot be stored. An operator or a callback completes the order; there is no other trace of the
/// result.
fn log_not_stored(reply: &SubmitReply, error: &str) {
    let order_uuid = match reply {
        SubmitReply::Created(created) => Some(created.order_uuid.as_str()),
        _ => None,
    };
    tracing::error!(outcome = reply.status().name(), orderUuid = order_uuid, error, "the result is not stored");
}
