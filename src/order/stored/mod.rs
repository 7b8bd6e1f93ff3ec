//! The stored order: what is kept of an order, and every change that can be made to it.
//!
//! Every change is a pure function that returns the next version, or `None` if nothing changes. A store writes the next
//! version only over the version that it was made from, so no write of another process is lost.

mod cancellation;
mod derived;
mod history;
mod identity;
mod notifications;
mod operator;
mod reconciliation;
mod status_changes;
mod submission;

pub use derived::AskQueue;
pub use history::{EntrySource, HistoryEntry, MAX_HISTORY};
pub use notifications::{AttemptEnd, NotificationState, Notifications, RunningAttempt};
pub use operator::{NOT_CREATED_AFTER, SettleError};
pub use reconciliation::NotFound;
pub use status_changes::{StatusCallback, StatusRead};
pub use submission::{KeyConflict, NewAttempt, SUBMISSION_LEASE};

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CustomerType, Decimal, Language, Status};

/// One item of the store. It is also the record of its idempotency key.
///
/// It contains no personal data, but two secrets, `callback_token` and `bank_id_url`. So its `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredOrder {
    pub order_id: Uuid,
    /// Rises by one with every write. It starts at the time of the first claim, in milliseconds, so that a later order with
    /// the same id never has a version that an earlier one had.
    pub version: u64,
    pub status: Status,
    /// The random id of the latest submission attempt.
    pub attempt: Uuid,
    /// When that attempt was claimed.
    pub attempted_at: Timestamp,
    pub shop_id: String,
    /// The secret part of the order's callback URL.
    pub callback_token: String,
    /// Front Payment's id of the order. An order that has one is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_uuid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_uuid: Option<String>,
    /// A login link for one person. It is stored only while the status is SENT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_id_url: Option<String>,

    /// [`Order::fingerprint`](crate::order::Order::fingerprint). `None` without an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_no: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<String>,
    /// In the shop's own digits.
    pub grand_total: String,
    pub shop_callback_url: String,
    pub customer_type: CustomerType,
    pub preferred_language: Language,
    pub country: String,

    /// When the order was first claimed.
    pub created_at: Timestamp,
    /// When the order last changed. Writes about notifications and status reads do not count.
    pub updated_at: Timestamp,
    /// When a status read last told the status. A status read of reconciliation that brings no news is not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// When reconciliation last made a status read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// Since when there is a reason to ask Front Payment. A status read ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_found: Option<NotFound>,
    /// From the latest verified callback about the stored uuid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<String>,
    /// In Front Payment's digits, once it has told an amount above 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded_amount: Option<String>,
    /// When the shop asked to cancel the order. `None` again after Front Payment has refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_requested_at: Option<Timestamp>,
    /// The uuids that the operator has replaced. The order never takes one of them without the operator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced_uuids: Vec<String>,
    /// `None` for an order that is not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Notifications>,

    // The places in the store's indexes and the end of retention, computed by `derived.rs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell_queue: Option<String>,
    /// In Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "derived::known_queue")]
    pub ask_queue: Option<AskQueue>,
    /// In Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_at: Option<i64>,
    /// In Unix milliseconds.
    #[serde(default)]
    pub changed_at: i64,
    /// In Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,

    /// In the order of arrival.
    pub history: Vec<HistoryEntry>,
}

impl StoredOrder {
    /// The next version after a change, or `None` if the change makes no difference.
    fn next_version(&self, now: Timestamp, change: impl FnOnce(&mut Self)) -> Option<Box<Self>> {
        let mut next = Box::new(self.clone());
        change(&mut next);
        if *next == *self {
            return None;
        }
        next.version += 1;
        next.updated_at = now;
        next.note_change_since(self, now);
        Some(next)
    }

    /// The next version after a write that is no change of the order: it concerns notifications or status reads.
    fn next_quiet_version(&self, change: impl FnOnce(&mut Self)) -> Box<Self> {
        let mut next = Box::new(self.clone());
        change(&mut next);
        next.version += 1;
        next
    }

    /// Whether an amount is the order's grandTotal.
    #[must_use]
    pub fn has_total(&self, amount: &Decimal) -> bool {
        Decimal::parse(&self.grand_total).is_ok_and(|total| total == *amount)
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
