//! `{"backfill": true}`: corrects the derived attributes of every order in the table.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bridge::Bridge;
use crate::operator::refusal;
use crate::store::{OrderIndex, StoreError};
use crate::telemetry::error_chain;

/// Orders that are read at the same time.
const MAX_RUNNING: usize = 16;
const MIN_LEFT: Duration = Duration::from_secs(5);

/// Works page by page, until the end of the table or of the time. Then the answer names the order after which the next run
/// continues. A run writes only what is wrong, so it may be repeated.
pub(super) async fn run<S: OrderIndex, F>(bridge: &Bridge<S, F>, mut after: Option<Uuid>, by: Timestamp) -> Value {
    let (mut read, mut corrected) = (0usize, 0usize);
    let answer = loop {
        let page = match bridge.all_ids(after, by).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(error = error_chain(&error), "the backfill cannot read the table");
                break after.map_or_else(|| refusal("the table cannot be read"), |after| json!({ "after": after }));
            }
        };
        let Some(last) = page.last().copied() else { break json!({}) };
        let written = stream::iter(page).map(|order_id| correct(bridge, order_id, by)).buffer_unordered(MAX_RUNNING);
        let written: Vec<bool> = written.collect().await;
        read += written.len();
        corrected += written.iter().filter(|is_written| **is_written).count();
        after = Some(last);
        if bridge.clock.until(by) < MIN_LEFT {
            break json!({ "after": last });
        }
    };
    tracing::info!(read, corrected, isComplete = answer == json!({}), "backfill");
    answer
}

async fn correct<S: OrderIndex, F>(bridge: &Bridge<S, F>, order_id: Uuid, by: Timestamp) -> bool {
    let corrected: Result<bool, StoreError> = async {
        let Some(order) = bridge.load(order_id, by).await? else { return Ok(false) };
        if order.is_past_retention(bridge.clock.now()) {
            return Ok(false);
        }
        bridge.correct(&order, by).await
    }
    .await;
    corrected.unwrap_or_else(|error| {
        tracing::warn!(orderId = %order_id, error = error_chain(&error), "the backfill leaves an order out");
        false
    })
}
