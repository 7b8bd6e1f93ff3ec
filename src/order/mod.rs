//! The domain: what an order is, when it is valid, and how its status changes.
//!
//! No I/O, no clock and no randomness of its own: time and random values are arguments.

mod decimal;
mod fields;
pub mod json;
mod life;
mod record;
mod registers;
mod status;
mod validation;
mod violation;

pub use decimal::{Decimal, NotDecimal};
pub use life::{AttemptResult, Claim, Created, MAX_HISTORY, SUBMISSION_LEASE, Seen, Settled, StatusCallback};
pub use record::{Entry, Particulars, Record, Source};
pub use status::{Status, StatusWord};
pub use validation::{Invalid, Rules, Validated, parse_tax_rates, validate};
pub use violation::{Code, MAX_ERRORS, MAX_WARNINGS, Violation};

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;

/// An order that was found valid. Where it stands, nobody checks again.
///
/// Its `Serialize` is the canonical form in which two orders are compared: figures by value,
/// defaults filled in, `personalNumber` left out. It is not what goes to Front Payment. It has
/// no `Debug`: an order is a person's data.
#[derive(Clone, Serialize)]
pub struct Order {
    /// The product lines, 1 to 1,000.
    pub products: Vec<Line>,
    /// The sums, none negative.
    pub summary: Summary,
    /// Unix seconds, as text of at most ten digits.
    pub order_date: String,
    /// Who gets the invoice.
    pub customer: Customer,
    /// The shop's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_no: Option<String>,
    /// The customer's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<String>,
    /// 0, 1 or 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_interval: Option<Decimal>,
    /// Whether invoices are separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separate_invoices: Option<bool>,
    /// Whether an invoice fee applies.
    pub invoice_fee_applicable: bool,
    /// 1 or 10; 10 where the shop sent none.
    pub invoice_maturity: Decimal,
    /// Where the customer's browser and the statuses go.
    pub callback: CallbackUrls,
    /// `settings.secureDetails`, passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_details: Option<bool>,
}

/// A product line.
#[derive(Clone, Serialize)]
pub struct Line {
    /// The product's name.
    pub name: String,
    /// At most 25 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<String>,
    /// Greater than nought.
    pub quantity: Decimal,
    /// Price of one.
    pub rate: Decimal,
    /// Discount on the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount: Option<Decimal>,
    /// A tax rate in per cent.
    pub tax: Decimal,
    /// What the line comes to.
    pub amount: Decimal,
}

/// The sums of an order, in the currency of the agreement (NOK).
#[derive(Clone, Serialize)]
pub struct Summary {
    /// Before tax and discount.
    pub sub_total: Decimal,
    /// All tax.
    pub total_tax: Decimal,
    /// All discount.
    pub total_discount: Decimal,
    /// What the customer pays.
    pub grand_total: Decimal,
}

/// Who gets the invoice.
#[derive(Clone, Serialize)]
pub struct Customer {
    /// A person or a company.
    pub kind: CustomerType,
    /// `+` and one to four digits.
    pub country_code: String,
    /// Four to fifteen digits.
    pub msisdn: String,
    /// An e-mail address.
    pub email: String,
    /// Full name.
    pub name: String,
    /// Eleven characters. Never stored, not even as a digest.
    #[serde(skip)]
    pub personal_number: Option<String>,
    /// The language that Front Payment writes in.
    pub preferred_language: Language,
    /// Alphanumeric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// Where they live.
    pub address: Address,
}

/// A postal address.
#[derive(Clone, Serialize)]
pub struct Address {
    /// Street and number.
    pub street: String,
    /// Postal code.
    pub zip: String,
    /// City.
    pub city: String,
    /// ISO 3166-1 alpha-2, capitals.
    pub country: String,
}

/// The three URLs of an order, absolute http(s).
#[derive(Clone, Serialize)]
pub struct CallbackUrls {
    /// The shop's own; stored, not called, replaced by the bridge's before the order is sent.
    pub callback: String,
    /// Where a customer who signed goes.
    pub success: String,
    /// Where a customer who did not goes.
    pub failure: String,
}

/// `customerDetails.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CustomerType {
    /// A person: needs a `personalNumber`.
    Private,
    /// A company: needs an `organizationId`.
    Corporate,
}

/// `customerDetails.preferredLanguage`; `no` where the shop sent none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Language {
    En,
    No,
    Sv,
    Da,
    De,
}

impl Order {
    /// HMAC-SHA-256 of the canonical form, in lower-case hex, keyed by the idempotency key: equal for
    /// equal orders under one key, and worth nothing to whoever has the stored item but not the key.
    #[must_use]
    pub fn fingerprint(&self, idempotency_key: &str) -> String {
        // Both of these cannot fail: HMAC takes a key of any length, and the canonical form has only string keys.
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        Hmac::<Sha256>::new_from_slice(idempotency_key.as_bytes())
            .map(|mac| hex(&mac.chain_update(canonical).finalize().into_bytes()))
            .unwrap_or_default()
    }
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
