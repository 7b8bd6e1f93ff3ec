//! The worker, which the table's stream, its schedule or the operator wakes; and the shop that it tells.

use std::future::pending;
use std::time::Duration;

use front_payment_bridge::notify::{Failure, Message, ShopCall, Shops};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use crate::decisions::{Decision, Op, ShopAnswer};
use crate::provider::{reference_no, uuid_of};
use crate::services::Services;
use crate::world::{Truth, lock};

/// Longer than the waits after the first two attempts, one and five minutes ± 20 %; shorter than the third wait.
pub const WAIT: i64 = 400;
/// Longer than the ten minutes after which the operator may settle an order as not created.
pub const TEN_MINUTES: i64 = 700;

/// What wakes a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The table's stream names the order.
    Stream,
    /// The schedule.
    Sweep,
    /// The operator settles the order as this one of Front Payment's.
    Settle(usize),
    /// The operator does so with `instead`, also for an accepted order.
    Instead(usize),
    /// The operator settles the order as not created.
    NotCreated,
    /// The operator sends `tell`, so that the shop is told again.
    Tell,
}

impl Event {
    pub fn is_operators(self) -> bool {
        !matches!(self, Self::Stream | Self::Sweep)
    }

    pub fn invocation(self, order_id: Uuid, truth: &Truth) -> LambdaEvent<Box<RawValue>> {
        // The referenceNo that the portal shows.
        let reference = |index: usize| reference_no(truth.orders[index].body);
        let payload = match self {
            Self::Stream => json!({"Records": [{"dynamodb": {"Keys": {"orderId": {"S": order_id}}}}]}),
            Self::Sweep => json!({}),
            Self::Settle(index) => {
                json!({"settle": {"orderId": order_id, "orderUuid": uuid_of(index), "referenceNo": reference(index)}})
            }
            Self::Instead(index) => json!({"settle": {
                "orderId": order_id, "orderUuid": uuid_of(index), "referenceNo": reference(index), "instead": true
            }}),
            Self::NotCreated => json!({"settle": {"orderId": order_id, "created": false}}),
            Self::Tell => json!({"tell": {"shopId": "shop", "since": "2020-01-01T00:00:00Z"}}),
        };
        let mut context = Context::default();
        context.deadline = u64::try_from((truth.now() + 1_000) * 1_000).unwrap();
        LambdaEvent { payload: to_raw_value(&payload).unwrap(), context }
    }
}

/// A status that the shop heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub order_uuid: String,
    pub status: String,
    /// How many changes the order had when this attempt began.
    pub changes: usize,
    /// Whether the shop answered 200 or 410, after which it need not hear of this change again.
    pub is_final: bool,
}

impl Shops for Services {
    async fn call(&self, message: &Message, _: Duration) -> ShopCall {
        let changes = lock(&self.shared).truth.store.changes.len();
        let (_, decision) = self.gate(Op::Tell).await;
        let query: Vec<(String, String)> = message.target.url().query_pairs().into_owned().collect();
        let value = |name: &str| query.iter().find(|(known, _)| known == name).unwrap().1.clone();
        {
            let mut shared = lock(&self.shared);
            let is_final = matches!(decision, Decision::Shop(ShopAnswer::Ok200 | ShopAnswer::Gone410));
            shared.truth.heard.push(Heard { order_uuid: value("orderUuid"), status: value("status"), changes, is_final });
        }
        match decision {
            Decision::Shop(ShopAnswer::Ok200) => ShopCall::Answered { http_status: 200, retry_after: None },
            Decision::Shop(ShopAnswer::Gone410) => ShopCall::Answered { http_status: 410, retry_after: None },
            Decision::Shop(ShopAnswer::Timeout) => ShopCall::Failed(Failure::Timeout),
            Decision::KilledAfter => pending().await,
            other => panic!("{other:?} at a shop"),
        }
    }
}
