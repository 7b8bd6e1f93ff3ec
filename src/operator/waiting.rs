//! `{"waiting": {}}`: the orders that wait for the operator, oldest first.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{OperatorError, read_cursor, write_cursor};
use crate::bridge::Bridge;
use crate::order::{AskQueue, SUBMISSION_LEASE, StoredOrder};
use crate::order_view::Instant;
use crate::store::{IndexQuery, OrderIndex, Partition};

/// Orders in one answer.
const PAGE: u16 = 100;

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiting {
    /// `next` of the answer before.
    #[serde(default)]
    after: Option<String>,
}

impl Waiting {
    pub(super) async fn run<S: OrderIndex, F>(&self, bridge: &Bridge<S, F>, by: Timestamp) -> Result<Value, OperatorError> {
        let now = bridge.clock.now();
        // An UNKNOWN order waits at once, but its place in the index is one minute after its attempt began.
        let until = now.saturating_add(SUBMISSION_LEASE).unwrap_or(now).as_second() + 1;
        let mut query = IndexQuery::until(Partition::Ask(AskQueue::Settle), until, PAGE);
        query.after = self.after.as_deref().map(read_cursor).transpose()?;
        let page = bridge.list(&query, by).await?;
        let mut orders = Vec::new();
        for entry in page.items {
            orders.extend(bridge.load(entry.order_id, by).await?.filter(|order| order.is_waiting(now)));
        }
        // The index sorts by whole seconds.
        orders.sort_by_key(|order| order.attempted_at);
        let waiting: Vec<_> = orders.iter().map(View::of).collect();
        Ok(match page.next {
            Some(next) => json!({ "waiting": waiting, "next": write_cursor(next) }),
            None => json!({ "waiting": waiting }),
        })
    }
}

/// An order that waits, as the answer shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    order_id: Uuid,
    shop_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_no: Option<&'a str>,
    grand_total: &'a str,
    attempted_at: Instant,
}

impl<'a> View<'a> {
    fn of(order: &'a StoredOrder) -> Self {
        Self {
            order_id: order.order_id,
            shop_id: &order.shop_id,
            reference_no: order.reference_no.as_deref(),
            grand_total: &order.grand_total,
            attempted_at: Instant(order.attempted_at),
        }
    }
}
