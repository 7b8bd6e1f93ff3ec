//! The stored order: what is kept of it, and what is not.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::status::Status;
use super::{CustomerType, Decimal, Language, Order};

/// An order as it is stored: one item, which is also the record of its idempotency key.
///
/// Of the customer it holds what no person can be told by; but it does hold two secrets,
/// `callbackToken` and `bankIdUrl`, so its `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The key of the item.
    pub order_id: Uuid,
    /// Raised by one with every write.
    pub version: u64,
    /// Where it stands.
    pub status: Status,
    /// The random id of the latest attempt.
    pub attempt: Uuid,
    /// When that attempt was claimed.
    pub attempted_at: Timestamp,
    /// The shop whose order it is.
    pub shop_id: String,
    /// The secret in this order's callback URL.
    pub callback_token: String,
    /// Front Payment's id of the order. An order that has one is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_uuid: Option<String>,
    /// Front Payment's id of the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_uuid: Option<String>,
    /// A login link for one person; only while the status is SENT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bank_id_url: Option<String>,
    /// What the latest attempt said, or the earlier one that turned out to exist.
    #[serde(flatten)]
    pub particulars: Particulars,
    /// What the other attempts said, the latest of each grandTotal: a callback of one of those is believed too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_attempts: Vec<Particulars>,
    /// When the order was first claimed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the store may forget it, in Unix seconds; every change moves that. None while nobody knows whether
    /// Front Payment has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// What was heard of it, in the order of hearing.
    pub history: Vec<Entry>,
}

/// What is stored of an order as it was sent: nothing that a person can be told by.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Particulars {
    /// [`Order::fingerprint`]; only with an idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The shop's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_no: Option<String>,
    /// The customer's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<String>,
    /// What the customer pays, in the shop's digits.
    pub grand_total: String,
    /// The shop's own callback URL.
    pub shop_callback_url: String,
    /// `customerDetails.type`.
    pub customer_type: CustomerType,
    /// `customerDetails.preferredLanguage`.
    pub preferred_language: Language,
    /// `customerDetails.address.country`.
    pub country: String,
}

impl Particulars {
    pub(super) fn of(order: &Order, idempotency_key: Option<&str>) -> Self {
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

    pub(super) fn is_of_the_same_total(&self, other: &Self) -> bool {
        Decimal::parse(&other.grand_total).is_ok_and(|total| self.comes_to(&total))
    }

    /// What it takes in an item, and a little more.
    pub(super) fn bytes(&self) -> usize {
        serde_json::to_vec(self).map_or(0, |json| json.len())
    }

    /// Is this its grandTotal?
    pub(super) fn comes_to(&self, amount: &Decimal) -> bool {
        Decimal::parse(&self.grand_total).is_ok_and(|total| total == *amount)
    }
}

/// One thing that was heard of an order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// A [`Status`]' name, or an unknown word of Front Payment's in capitals and underscores.
    pub status: String,
    /// When it was heard.
    pub at: Timestamp,
    /// From whom.
    pub source: Source,
    /// What makes it the same one again: the attempt's id, or a digest of the callback's values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Front Payment's id of the order, where it is another one than the stored one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_order_uuid: Option<String>,
}

/// Where a status was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The result of an attempt.
    Submit,
    /// A believed callback.
    Callback,
    /// Read from Front Payment.
    Provider,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { order_id, version, status, .. } = self;
        f.debug_struct("Record")
            .field("order_id", order_id)
            .field("version", version)
            .field("status", status)
            .finish_non_exhaustive()
    }
}
