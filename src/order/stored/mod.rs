//! The stored order: what is kept of an order, and everything that can happen to it.
//!
//! Every change is a pure function that returns the next version, or `None` where nothing changes. A store writes the next
//! version only over the version that it was made from, so no write of somebody else is lost.

mod attempts;
mod history;
mod identity;
mod notifications;
mod operator;
mod queue;
mod reconciliation;
mod retention;
mod status_changes;

pub use attempts::{AttemptResult, ClaimConflict, CreatedOrder, NewAttempt, ResultEffect, SUBMISSION_LEASE};
pub use history::{EntrySource, HistoryEntry, MAX_HISTORY};
pub use notifications::{AttemptEnd, NotificationState, Notifications, RunningAttempt};
pub use operator::Finding;
pub use queue::Queue;
pub use status_changes::StatusCallback;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CustomerType, Decimal, Language, Order, Status};

/// One item of the store. It is also the record of its idempotency key.
///
/// It contains no personal data, but two secrets, `callback_token` and `bank_id_url`. So its `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredOrder {
    pub order_id: Uuid,
    /// One higher with every write. It begins at the time of the first claim in milliseconds, so that a later order with
    /// the same id never has a version that an earlier one had.
    pub version: u64,
    pub status: Status,
    /// The random id of the latest attempt.
    pub attempt: Uuid,
    /// When the latest attempt was claimed.
    pub attempted_at: Timestamp,
    /// Whether the latest attempt may exist at Front Payment. Its result decides.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub may_exist: bool,
    pub shop_id: String,
    /// The secret part of the order's callback URL.
    pub callback_token: String,
    /// Front Payment's id of the order. An order that has one is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_uuid: Option<String>,
    /// A login link for one person, stored only while the status is SENT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_id_url: Option<String>,
    /// What the order is. Of the latest attempt, until a uuid shows that another attempt is the order.
    #[serde(flatten)]
    pub details: OrderDetails,
    /// The other attempts, one a body. With the latest one, if `details` are not its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_attempts: Vec<EarlierAttempt>,
    /// When the order was first claimed.
    pub created_at: Timestamp,
    /// When something was last heard about it.
    pub updated_at: Timestamp,
    /// When Front Payment last told the status because it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// When Front Payment was last asked by itself, not for a callback or a shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// Since when a callback has raised a doubt about the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted_at: Option<Timestamp>,
    /// When Front Payment did not know the uuid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_found_at: Option<Timestamp>,
    /// Of the latest verified callback about the stored uuid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<String>,
    /// `None` in an order that is not accepted, and in items of version 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Notifications>,
    /// The order's place in the store's index. Only the store sets both, at every write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// In Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
    /// When its retention period ends, in Unix seconds. Only the store sets it, at every write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// In the order of arrival.
    pub history: Vec<HistoryEntry>,
}

/// What is stored of the body of an order. No personal data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderDetails {
    /// [`Order::fingerprint`]. `None` without an idempotency key, or where nobody knows which body the order has: then no
    /// body is the same order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<String>,
    /// In the shop's digits.
    pub grand_total: String,
    pub shop_callback_url: String,
    pub customer_type: CustomerType,
    pub preferred_language: Language,
    pub country: String,
}

/// All attempts with one body, apart from the latest attempt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EarlierAttempt {
    /// The latest of them; absent in items of version 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Uuid>,
    /// How many of them may exist at Front Payment.
    #[serde(default = "one")]
    pub may_exist: u32,
    #[serde(flatten)]
    pub details: OrderDetails,
}

impl StoredOrder {
    /// The next version with something heard, or `None` if the change changes nothing.
    fn next_version(&self, now: Timestamp, change: impl FnOnce(&mut Self)) -> Option<Box<Self>> {
        let mut next = Box::new(self.clone());
        change(&mut next);
        if *next == *self {
            return None;
        }
        next.version += 1;
        next.updated_at = now;
        next.expires_at = None;
        next.note_change_since(self, now);
        Some(next)
    }

    /// The next version of an order about which nothing was heard: what is written concerns telling and asking.
    fn next_quiet_version(&self, change: impl FnOnce(&mut Self)) -> Option<Box<Self>> {
        let mut next = Box::new(self.clone());
        change(&mut next);
        next.version += 1;
        Some(next)
    }
}

impl OrderDetails {
    fn of(order: &Order, idempotency_key: Option<&str>) -> Self {
        Self {
            fingerprint: idempotency_key.map(|key| order.fingerprint(key)),
            reference_no: order.reference_no.clone(),
            customer_reference: order.customer_reference.clone(),
            grand_total: order.summary.grand_total.text().to_owned(),
            shop_callback_url: order.callback.callback.clone(),
            customer_type: order.customer.kind,
            preferred_language: order.customer.preferred_language,
            country: order.customer.address.country.clone(),
        }
    }

    fn has_total(&self, amount: &Decimal) -> bool {
        Decimal::parse(&self.grand_total).is_ok_and(|total| total == *amount)
    }

    /// Slightly more than its size in an item.
    fn bytes(&self) -> usize {
        serde_json::to_vec(self).map_or(0, |json| json.len())
    }
}

impl fmt::Debug for StoredOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { order_id, version, status, .. } = self;
        f.debug_struct("StoredOrder")
            .field("order_id", order_id)
            .field("version", version)
            .field("status", status)
            .finish_non_exhaustive()
    }
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde wants
fn is_yes(flag: &bool) -> bool {
    *flag
}

fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests;
