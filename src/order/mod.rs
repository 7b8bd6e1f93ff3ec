//! The domain: what an order is, when it is valid, and how its status changes.
//!
//! Pure: no I/O and no async. Time and random values are arguments.

mod decimal;
pub mod json;
mod status;
mod stored;
mod submit_reply;
mod validation;
mod violation;

pub use decimal::{Decimal, DecimalError};
pub use status::{Status, StatusWord};
pub use stored::{
    AskQueue, AttemptEnd, EntrySource, HistoryEntry, KeyConflict, MAX_HISTORY, NOT_CREATED_AFTER, NewAttempt, NotFound,
    NotificationState, Notifications, RunningAttempt, SUBMISSION_LEASE, SettleError, StatusCallback, StatusRead, StoredOrder,
};
pub use submit_reply::{CreatedOrder, SubmitReply};

pub use validation::{Invalid, Rules, Validated, parse_tax_rates, validate};
pub use violation::{Code, MAX_ERRORS, MAX_WARNINGS, Violation};

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;

/// A valid order: no later code checks it again.
///
/// Its `Serialize` is the canonical form in which two orders are compared: figures by value, defaults filled in. It leaves
/// out what a shop's code makes anew for a retry (`order_date`, `callback`), and `personal_number`, of which no digest may
/// be stored. It is not what goes to Front Payment. It has no `Debug`, because it is personal data.
#[derive(Clone, Serialize)]
pub struct Order {
    /// 1 to 1,000.
    pub products: Vec<Line>,
    pub summary: Summary,
    /// Unix seconds, as text of at most ten digits.
    #[serde(skip)]
    pub order_date: String,
    pub customer: Customer,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<String>,
    /// 0, 1 or 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_interval: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separate_invoices: Option<bool>,
    pub invoice_fee_applicable: bool,
    /// 1 or 10; 10 if the shop sent none.
    pub invoice_maturity: Decimal,
    #[serde(skip)]
    pub callback: CallbackUrls,
    /// `settings.secureDetails`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_details: Option<bool>,
}

/// A product line.
#[derive(Clone, Serialize)]
pub struct Line {
    pub name: String,
    /// At most 25 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<String>,
    /// Greater than zero.
    pub quantity: Decimal,
    pub rate: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount: Option<Decimal>,
    /// Per cent.
    pub tax: Decimal,
    pub amount: Decimal,
}

/// The sums of an order, in the currency of the agreement with Front Payment (NOK). None is negative.
#[derive(Clone, Serialize)]
pub struct Summary {
    /// Before tax and discount.
    pub sub_total: Decimal,
    pub total_tax: Decimal,
    pub total_discount: Decimal,
    pub grand_total: Decimal,
}

#[derive(Clone, Serialize)]
pub struct Customer {
    pub kind: CustomerType,
    /// `+` and one to four digits.
    pub country_code: String,
    /// Four to fifteen digits.
    pub msisdn: String,
    pub email: String,
    pub name: String,
    /// Eleven characters. Never stored, not even as a digest.
    #[serde(skip)]
    pub personal_number: Option<String>,
    pub preferred_language: Language,
    /// Alphanumeric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    pub address: Address,
}

#[derive(Clone, Serialize)]
pub struct Address {
    pub street: String,
    pub zip: String,
    pub city: String,
    /// ISO 3166-1 alpha-2, in capitals.
    pub country: String,
}

/// Absolute http(s) URLs.
#[derive(Clone)]
pub struct CallbackUrls {
    /// The shop's. It is stored; Front Payment gets a URL of the bridge's instead.
    pub callback: String,
    /// Where a customer is sent after signing.
    pub success: String,
    /// Where a customer is sent who did not sign.
    pub failure: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CustomerType {
    /// Needs a `personalNumber`.
    Private,
    /// Needs an `organizationId`.
    Corporate,
}

/// Of Front Payment's messages to the customer; `no` if the shop sent none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    En,
    No,
    Sv,
    Da,
    De,
}

/// Room for the JSON of an order of ten lines, so that a buffer need not grow.
pub(crate) const USUAL_BYTES: usize = 4_096;

impl Order {
    /// HMAC-SHA-256 of the canonical form in lower-case hex, keyed by the idempotency key. Equal for equal orders under
    /// one key. It tells nothing to somebody who has the stored item but not the key.
    #[must_use]
    pub fn fingerprint(&self, idempotency_key: &str) -> String {
        let mut canonical = Vec::with_capacity(USUAL_BYTES);
        // Neither step can fail: the canonical form has only string keys, and HMAC takes a key of any length.
        serde_json::to_writer(&mut canonical, self)
            .ok()
            .and_then(|()| Hmac::<Sha256>::new_from_slice(idempotency_key.as_bytes()).ok())
            .map(|mac| hex::encode(mac.chain_update(canonical).finalize().into_bytes()))
            .unwrap_or_default()
    }
}
