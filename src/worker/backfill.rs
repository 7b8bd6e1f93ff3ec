//! `{"backfill": true}`: gives every order its place in the index, for a table that was written by an older version.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use uuid::Uuid;

use crate::bridge::Bridge;
use crate::store::{OrderQueue, StoreError, WriteError};
use crate::telemetry::error_chain;

/// Orders that are read at once.
const MAX_RUNNING: usize = 16;
const MIN_LEFT: Duration = Duration::from_secs(5);

/// Page by page, until the table or the time ends. The log says after which order the next run goes on. What is right
/// already is not written, so it may be repeated.
pub(super) async fn run<S: OrderQueue, F>(bridge: &Bridge<S, F>, mut after: Option<Uuid>, by: Timestamp) {
    let (mut read, mut corrected) = (0usize, 0usize);
    loop {
        let page = match bridge.all_ids(after, by).await {
            Ok(page) => page,
            Err(error) => return tracing::error!(error = error_chain(&error), "the backfill cannot read the table"),
        };
        let written = stream::iter(page.items).map(|order_id| correct(bridge, order_id, by)).buffer_unordered(MAX_RUNNING);
        let written: Vec<bool> = written.collect().await;
        read += written.len();
        corrected += written.iter().filter(|is_written| **is_written).count();
        after = page.next;
        let is_complete = after.is_none();
        if is_complete || bridge.clock.until(by) < MIN_LEFT {
            let after = after.map(tracing::field::display);
            return tracing::info!(read, corrected, isComplete = is_complete, after, "backfill");
        }
    }
}

async fn correct<S: OrderQueue, F>(bridge: &Bridge<S, F>, order_id: Uuid, by: Timestamp) -> bool {
    let corrected: Result<bool, StoreError> = async {
        let Some(order) = bridge.load(order_id, by).await? else { return Ok(false) };
        if order.is_past_retention(bridge.clock.now()) {
            return Ok(false);
        }
        let Some(next) = order.backfilled() else { return Ok(false) };
        match bridge.replace(&order, &next, by).await {
            Ok(()) => Ok(true),
            Err(WriteError::Conflict(_)) => Ok(false), // whoever wrote it has corrected it
            Err(WriteError::Store(error)) => Err(error),
        }
    }
    .await;
    corrected.unwrap_or_else(|error| {
        tracing::warn!(%order_id, error = error_chain(&error), "the backfill leaves an order out");
        false
    })
}
