//! `{"waiting": {}}`: the orders that wait for the operator, oldest first.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{OperatorError, read_cursor, write_cursor};
use crate::bridge::Bridge;
use crate::order::{AskQueue, StoredOrder};
use crate::store::{IndexQuery, OrderIndex, Partition};

/// Orders of a page.
const PAGE: u16 = 100;

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiting {
    /// `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

impl Waiting {
    pub(super) async fn run<S: OrderIndex, F>(&self, bridge: &Bridge<S, F>, by: Timestamp) -> Result<Value, OperatorError> {
        let now = bridge.clock.now();
        let mut query = IndexQuery::until(Partition::Ask(AskQueue::Settle), now.as_second(), PAGE);
        query.after = self.after.as_deref().map(read_cursor).transpose()?;
        let page = bridge.list(&query, by).await?;
        let mut waiting = Vec::new();
        for entry in page.items {
            let order = bridge.load(entry.order_id, by).await?;
            waiting.extend(order.filter(|order| order.is_waiting(now)).map(|order| view(&order)));
        }
        Ok(match page.next {
            Some(next) => json!({ "waiting": waiting, "next": write_cursor(next) }),
            None => json!({ "waiting": waiting }),
        })
    }
}

fn view(order: &StoredOrder) -> Value {
    let mut view = json!({
        "orderId": order.order_id,
        "shopId": order.shop_id,
        "grandTotal": order.grand_total,
        "attemptedAt": format!("{:.3}", order.attempted_at),
    });
    if let Some(reference_no) = &order.reference_no {
        view["referenceNo"] = reference_no.as_str().into();
    }
    view
}
