//! Orders whose outcome is unknown. Their status cannot be read, because Front Payment has not named a uuid.

use jiff::Timestamp;

use crate::bridge::Bridge;
use crate::order::{AskQueue, SUBMISSION_LEASE, Status};
use crate::store::{IndexEntry, IndexQuery, OrderIndex, Partition, StoreError, WriteError};
use crate::telemetry::error_chain;

/// Entries in one page of the index.
const PAGE: u16 = 1_000;
/// UNKNOWN orders that one sweep loads, the oldest first, to correct what is derived. The others are only counted.
const MAX_LOADS: usize = 100;

/// Makes orders UNKNOWN whose submission attempts have outlived their lease, and logs how many orders wait for the operator.
pub async fn end_stale_attempts<S: OrderIndex, F>(bridge: &Bridge<S, F>, by: Timestamp) {
    let (mut waiting, mut oldest, mut loads) = (0u64, None::<i64>, 0);
    let now = bridge.clock.now();
    // An UNKNOWN order waits at once. Its place in the index is a minute after its attempt began.
    let until = now.saturating_add(SUBMISSION_LEASE).unwrap_or(now).as_second() + 1;
    let mut query = IndexQuery::until(Partition::Ask(AskQueue::Settle), until, PAGE);
    loop {
        let page = match bridge.list(&query, by).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(error = error_chain(&error), "the orders that wait for the operator cannot be read");
                return;
            }
        };
        for entry in page.items {
            let is_running = entry.status == Some(Status::Submitting) && entry.at > now.as_second();
            let is_counted = entry.status == Some(Status::Unknown) && loads >= MAX_LOADS;
            loads += usize::from(!is_running && !is_counted);
            if is_counted || !is_running && is_unknown(bridge, &entry, by).await {
                waiting += 1;
                oldest = oldest.or(Some(entry.at));
            }
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let oldest_seconds = oldest.map(|since| (now.as_second() - since).max(0));
    tracing::info!(waiting, oldestSeconds = oldest_seconds, "orders that wait for the operator");
}

/// Whether the order is UNKNOWN, already or from now on. The index may be outdated, so the order itself decides.
async fn is_unknown<S: OrderIndex, F>(bridge: &Bridge<S, F>, entry: &IndexEntry, by: Timestamp) -> bool {
    end_stale_attempt(bridge, entry, by).await.unwrap_or_else(|error| {
        tracing::warn!(error = error_chain(&error), "a stale attempt cannot be marked UNKNOWN");
        true
    })
}

async fn end_stale_attempt<S: OrderIndex, F>(
    bridge: &Bridge<S, F>,
    entry: &IndexEntry,
    by: Timestamp,
) -> Result<bool, StoreError> {
    let Some(order) = bridge.load(entry.order_id, by).await? else { return Ok(false) };
    let Some(ended) = order.end_stale_attempt(bridge.clock.now()) else {
        bridge.correct(&order, by).await?;
        return Ok(order.status == Status::Unknown);
    };
    match bridge.replace(&order, ended, by).await {
        Ok(_) => Ok(true),
        Err(WriteError::Conflict(_)) => Ok(false), // changed by a callback: the next sweep looks again
        Err(WriteError::Store(error)) => Err(error),
    }
}
