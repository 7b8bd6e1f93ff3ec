//! Orders whose outcome is unknown: they cannot be asked for, because Front Payment has not named a uuid.

use jiff::Timestamp;

use crate::bridge::Bridge;
use crate::order::{Queue, Status};
use crate::store::{DueOrder, OrderQueue, StoreError, WriteError};
use crate::telemetry::error_chain;

/// Ends attempts that outlived their lease as UNKNOWN, and logs how many orders wait for the operator.
pub async fn settle<S: OrderQueue, F>(bridge: &Bridge<S, F>, by: Timestamp) {
    let (mut waiting, mut oldest, mut after) = (0u64, None::<i64>, None);
    loop {
        let now = bridge.clock.now();
        let page = match bridge.due(Queue::Settle, now.as_second(), after, by).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(error = error_chain(&error), "the orders that wait for the operator cannot be read");
                return;
            }
        };
        for entry in page.items {
            if is_unknown(bridge, &entry, by).await {
                waiting += 1;
                oldest = oldest.or(Some(entry.due_at));
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let oldest_seconds = oldest.map(|since| bridge.clock.now().as_second() - since);
    tracing::info!(waiting, oldestSeconds = oldest_seconds, "orders that wait for the operator");
}

/// Whether the order is UNKNOWN, now or already. The index may be behind, or wrong after an operator's command: then the
/// order itself decides.
async fn is_unknown<S: OrderQueue, F>(bridge: &Bridge<S, F>, entry: &DueOrder, by: Timestamp) -> bool {
    if entry.status == Status::Unknown {
        return true;
    }
    match end_stale_attempt(bridge, entry, by).await {
        Ok(is_unknown) => is_unknown,
        Err(error) => {
            tracing::warn!(error = error_chain(&error), "a stale attempt cannot be marked UNKNOWN");
            entry.status == Status::Submitting
        }
    }
}

async fn end_stale_attempt<S: OrderQueue, F>(bridge: &Bridge<S, F>, entry: &DueOrder, by: Timestamp) -> Result<bool, StoreError> {
    let Some(order) = bridge.load(entry.order_id, by).await? else { return Ok(false) };
    let now = bridge.clock.now();
    let next = order.end_stale_attempt(now).or_else(|| order.corrected(now));
    let Some(next) = next else { return Ok(order.status == Status::Unknown) };
    match bridge.replace(&order, &next, by).await {
        Ok(()) => Ok(next.status == Status::Unknown),
        Err(WriteError::Conflict(_)) => Ok(false), // something was heard: the next sweep looks again
        Err(WriteError::Store(error)) => Err(error),
    }
}
