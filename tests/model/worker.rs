//! The worker: woken by the table's stream, or by its schedule; and the shop that it tells.

use std::future::{pending, ready};
use std::time::Duration;

use front_payment_bridge::notify::{Failure, Message, ShopCall, Shops};
use front_payment_bridge::order::{Queue, StoredOrder};
use front_payment_bridge::store::{Cursor, DueOrder, OrderQueue, Page, StoreError};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use crate::decisions::{Decision, Op, ShopAnswer};
use crate::services::Services;
use crate::world::lock;

/// Longer than the waits after the first two attempts, one and five minutes with their 20 %; shorter than the third.
pub const WAIT: i64 = 400;

/// What wakes a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The table's stream names the order.
    Stream,
    /// The schedule.
    Sweep,
}

/// One status that the shop heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub order_uuid: String,
    pub status: String,
    /// How many changes the order had had when the attempt to tell it began.
    pub changes: usize,
    /// The shop answered 200, or 410: it need not hear of this change again.
    pub is_final: bool,
}

pub fn invocation(event: Event, order_id: Uuid, now: i64) -> LambdaEvent<Box<RawValue>> {
    let payload = match event {
        Event::Stream => json!({"Records": [{"dynamodb": {"Keys": {"orderId": {"S": order_id}}}}]}),
        Event::Sweep => json!({}),
    };
    let mut context = Context::default();
    context.deadline = u64::try_from((now + 60) * 1_000).unwrap();
    LambdaEvent { payload: to_raw_value(&payload).unwrap(), context }
}

impl Shops for Services {
    async fn call(&self, message: &Message, _: Duration) -> ShopCall {
        let changes = lock(&self.shared).store.changes.len();
        let (_, decision) = self.gate(Op::Tell).await;
        let query: Vec<(String, String)> = message.target.url().query_pairs().into_owned().collect();
        let value = |name: &str| query.iter().find(|(known, _)| known == name).unwrap().1.clone();
        {
            let mut shared = lock(&self.shared);
            let is_final = matches!(decision, Decision::Shop(ShopAnswer::Ok200 | ShopAnswer::Gone410));
            shared.heard.push(Heard { order_uuid: value("orderUuid"), status: value("status"), changes, is_final });
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

impl OrderQueue for Services {
    /// What the index says, at once: it holds one order.
    async fn due(&self, queue: Queue, until: i64, _: Option<Cursor>) -> Result<Page<DueOrder, Cursor>, StoreError> {
        let shared = lock(&self.shared);
        let is_due = |order: &&StoredOrder| order.queue == Some(queue) && order.due_at.is_some_and(|due_at| due_at <= until);
        let due = shared.store.item.as_ref().filter(is_due).map(|order| DueOrder {
            order_id: order.order_id,
            status: order.status,
            shop_id: order.shop_id.clone(),
            due_at: order.due_at.unwrap(),
        });
        Ok(Page { items: due.into_iter().collect(), next: None })
    }

    async fn all_ids(&self, _: Option<Uuid>) -> Result<Page<Uuid, Uuid>, StoreError> {
        ready(Ok(Page { items: Vec::new(), next: None })).await
    }
}
