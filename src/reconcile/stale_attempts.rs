//! Orders whose outcome is unknown. Their status cannot be read, because Front Payment has not named a uuid.

use jiff::Timestamp;

use crate::bridge::Bridge;
use crate::order::{AskQueue, Status};
use crate::store::{IndexEntry, IndexQuery, OrderIndex, Partition, StoreError, WriteError};
use crate::telemetry::error_chain;

/// Entries in one page of the index.
const PAGE: u16 = 1_000;

/// Makes orders UNKNOWN whose submission attempts have outlived their lease, and logs how many orders wait for the operator.
pub async fn end_stale_attempts<S: OrderIndex, F>(bridge: &Bridge<S, F>, by: Timestamp) {
    let (mut waiting, mut oldest) = (0u64, None::<i64>);
    let now = bridge.clock.now().as_second();
    let mut query = IndexQuery::until(Partition::Ask(AskQueue::Settle), now, PAGE);
    loop {
        let page = match bridge.list(&query, by).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(error = error_chain(&error), "the orders that wait for the operator cannot be read");
                return;
            }
        };
        for entry in page.items {
            if is_unknown(bridge, &entry, by).await {
                waiting += 1;
                oldest = oldest.or(Some(entry.at));
            }
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let oldest_seconds = oldest.map(|since| bridge.clock.now().as_second() - since);
    tracing::info!(waiting, oldestSeconds = oldest_seconds, "orders that wait for the operator");
}

/// Whether the order is UNKNOWN, already or from now on. If the index may be outdated, reads the order itself.
async fn is_unknown<S: OrderIndex, F>(bridge: &Bridge<S, F>, entry: &IndexEntry, by: Timestamp) -> bool {
    if entry.status == Some(Status::Unknown) {
        return true;
    }
    end_stale_attempt(bridge, entry, by).await.unwrap_or_else(|error| {
        tracing::warn!(error = error_chain(&error), "a stale attempt cannot be marked UNKNOWN");
        entry.status == Some(Status::Submitting)
    })
}

async fn end_stale_attempt<S: OrderIndex, F>(
    bridge: &Bridge<S, F>,
    entry: &IndexEntry,
    by: Timestamp,
) -> Result<bool, StoreError> {
    let Some(order) = bridge.load(entry.order_id, by).await? else { return Ok(false) };
    let next = order.end_stale_attempt(bridge.clock.now()).or_else(|| order.corrected(bridge.retention));
    let Some(next) = next else { return Ok(order.status == Status::Unknown) };
    match bridge.replace(&order, next, by).await {
        Ok(next) => Ok(next.status == Status::Unknown),
        Err(WriteError::Conflict(_)) => Ok(false), // changed by a callback: the next sweep looks again
        Err(WriteError::Store(error)) => Err(error),
    }
}
