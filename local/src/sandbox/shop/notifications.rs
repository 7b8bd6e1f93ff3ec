//! What the shop was told, and what it answered.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use front_payment_bridge::store::StoreError;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};

use super::verification::{Format, Told};
use crate::sandbox::{ORDERS, Sandbox, SandboxOrder, ShopMisbehaviour, api, insert, read_order};
use crate::store::database_error;

/// The notifications by number, in the order of arrival.
pub(crate) const NOTIFICATIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("shop");
/// Beyond this, the oldest are deleted.
const MAX_REMEMBERED: u64 = 100_000;
/// The most notifications on the page and in the list.
const MAX_LISTED: usize = 500;
/// How long `shop-down` lasts.
const DOWN: SignedDuration = SignedDuration::from_mins(2);

/// A notification as the shop received it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShopNotification {
    /// When it arrived.
    pub at: Timestamp,
    pub format: Format,
    /// Empty if the notification has none.
    pub order_uuid: String,
    pub status: String,
    /// The time of the status, as the notification tells it.
    pub timestamp: String,
    pub verified: bool,
    /// Why it is unverified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The HTTP status; `None` if the shop does not answer.
    pub answer: Option<u16>,
}

impl Sandbox {
    /// Every remembered notification, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn notifications(&self) -> Result<Vec<ShopNotification>, StoreError> {
        let mut notifications = self.latest_notifications(usize::MAX)?;
        notifications.reverse();
        Ok(notifications)
    }

    /// The latest notifications, latest first.
    fn latest_notifications(&self, limit: usize) -> Result<Vec<ShopNotification>, StoreError> {
        self.database.read(|read| {
            let notifications = read.open_table(NOTIFICATIONS).map_err(database_error)?;
            let latest = notifications.iter().map_err(database_error)?.rev().take(limit);
            latest.map(|item| serde_json::from_slice(item.map_err(database_error)?.1.value()).map_err(database_error)).collect()
        })
    }

    /// Remembers a notification. Returns what the shop answers, if anything, and whether slowly.
    pub(super) async fn remember(&self, told: Told, now: Timestamp) -> Result<(Option<StatusCode>, bool), StoreError> {
        if let Err(reason) = told.verified {
            tracing::warn!(orderUuid = told.order_uuid, status = told.status, reason, "sandbox: notification not verified");
        }
        self.database
            .write(move |write| {
                let mut orders = write.open_table(ORDERS).map_err(database_error)?;
                let order = orders.get(told.order_uuid.as_str()).map_err(database_error)?;
                let mut order = order.map(|item| read_order(item.value())).transpose()?;
                if let Some(order) = order.as_mut().filter(|order| order.first_notified_at.is_none()) {
                    order.first_notified_at = Some(now);
                    insert(&mut orders, order)?;
                }
                let asked = order.as_ref().map(|order| ShopMisbehaviour::asked_by(&order.reference_no)).unwrap_or_default();
                let is_down = asked.contains(&ShopMisbehaviour::Down) && order.is_some_and(|order| is_soon(&order, now));
                let answer = (!is_down).then(|| answer(&asked, &told));

                let mut notifications = write.open_table(NOTIFICATIONS).map_err(database_error)?;
                let number = notifications.last().map_err(database_error)?.map_or(0, |(last, _)| last.value() + 1);
                let item = serde_json::to_vec(&ShopNotification::new(told, answer, now)).map_err(database_error)?;
                notifications.insert(number, item.as_slice()).map_err(database_error)?;
                if notifications.len().map_err(database_error)? > MAX_REMEMBERED {
                    notifications.pop_first().map_err(database_error)?;
                }
                Ok((answer, asked.contains(&ShopMisbehaviour::Slow)))
            })
            .await
    }
}

fn is_soon(order: &SandboxOrder, now: Timestamp) -> bool {
    order.first_notified_at.is_some_and(|first| now.duration_since(first) < DOWN)
}

fn answer(asked: &[ShopMisbehaviour], told: &Told) -> StatusCode {
    let answers = asked.iter().find_map(|misbehaviour| match misbehaviour {
        ShopMisbehaviour::Error500 => Some(StatusCode::INTERNAL_SERVER_ERROR),
        ShopMisbehaviour::Gone => Some(StatusCode::GONE),
        ShopMisbehaviour::Redirect => Some(StatusCode::FOUND),
        ShopMisbehaviour::Down | ShopMisbehaviour::Slow => None,
    });
    answers.unwrap_or(if told.verified.is_ok() { StatusCode::OK } else { StatusCode::FORBIDDEN })
}

impl ShopNotification {
    fn new(told: Told, answer: Option<StatusCode>, at: Timestamp) -> Self {
        let Told { format, order_uuid, status, timestamp, verified } = told;
        let reason = verified.err().map(str::to_owned);
        let answer = answer.map(|status| status.as_u16());
        Self { at, format, order_uuid, status, timestamp, verified: reason.is_none(), reason, answer }
    }
}

/// The latest notifications as JSON, latest first.
pub(super) async fn list(State(sandbox): State<Arc<Sandbox>>) -> Response {
    match listed(&sandbox) {
        Ok(notifications) => Json(notifications).into_response(),
        Err(error) => api::broken(&error),
    }
}

/// The notifications that the list and the page show.
pub(super) fn listed(sandbox: &Sandbox) -> Result<Vec<ShopNotification>, StoreError> {
    sandbox.latest_notifications(MAX_LISTED)
}
