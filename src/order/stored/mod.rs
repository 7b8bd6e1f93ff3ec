//! The stored order: what is kept of an order, and everything that can happen to it.
//!
//! Every change is a pure function that returns the next version, or `None` where nothing changes. The next version is
//! one higher, and a store writes it only over the version that it was made from. So no write of somebody else is lost.

mod attempts;
mod retention;
mod status_changes;

pub use attempts::{AttemptResult, ClaimConflict, CreatedOrder, NewAttempt, ResultEffect, SUBMISSION_LEASE};
pub use status_changes::{MAX_HISTORY, StatusCallback};

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
    /// One higher with every write.
    pub version: u64,
    pub status: Status,
    /// The random id of the latest attempt.
    pub attempt: Uuid,
    /// When the latest attempt was claimed.
    pub attempted_at: Timestamp,
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
    /// Of the latest attempt, or of the earlier one that turned out to exist.
    #[serde(flatten)]
    pub details: OrderDetails,
    /// Of the other attempts, the latest of each grandTotal: their callbacks may still come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_attempts: Vec<OrderDetails>,
    /// When the order was first claimed.
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When its retention period ends, in Unix seconds. Only the store sets it, at every write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// In the order of arrival.
    pub history: Vec<HistoryEntry>,
}

/// What is stored of an order as it was sent. No personal data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderDetails {
    /// [`Order::fingerprint`]; only with an idempotency key.
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

/// One thing that was heard about an order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The name of a [`Status`], or an unknown word of Front Payment's in capitals and underscores.
    pub status: String,
    pub at: Timestamp,
    pub source: EntrySource,
    /// Recognises a repetition: the attempt's id, or a digest of the callback's values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Front Payment's id of the order, where it is not the stored one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_order_uuid: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntrySource {
    /// The result of an attempt.
    Submit,
    /// A verified callback.
    Callback,
    /// A status that was read from Front Payment.
    Provider,
}

impl StoredOrder {
    /// The next version, or `None` if the change changes nothing.
    fn next_version(&self, now: Timestamp, change: impl FnOnce(&mut Self)) -> Option<Self> {
        let mut next = self.clone();
        change(&mut next);
        if next == *self {
            return None;
        }
        next.version += 1;
        next.updated_at = now;
        next.expires_at = None;
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

    fn has_same_total(&self, other: &Self) -> bool {
        Decimal::parse(&other.grand_total).is_ok_and(|total| self.has_total(&total))
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

#[cfg(test)]
mod tests;
