//! The validation of an order: every violation at once.
//!
//! Source of the rules: Front Payment Go, "Create Session for Invoice Order", and where a later
//! revision of that page says otherwise (personalNumber), the later one.

mod advisories;
mod check_digits;
mod checks;
mod document;
mod fields;
mod garbled;
mod phone;
mod texts;

use jiff::Timestamp;

use super::json::{Json, Malformed};
use super::violation::{MAX_ERRORS, MAX_WARNINGS, Violation};
use super::{Decimal, Order};
use fields::{Fields, Findings};

/// What the rules depend on, besides the document.
pub struct Rules<'a> {
    /// The order's date must not be an earlier day than this.
    pub now: Timestamp,
    /// `ALLOWED_TAX_RATES`.
    pub tax_rates: &'a [Decimal],
    /// `ADVISORY_CHECKS=enforce`.
    pub enforce_advisories: bool,
    /// Whether the request has an `Idempotency-Key`, which is recommended.
    pub has_idempotency_key: bool,
}

/// A valid order.
pub struct Validated {
    pub order: Order,
    /// Why the order may not be sent now: its date, a tax rate, enforced advisories. A reply to an order that was sent
    /// earlier may still be repeated.
    pub fresh_only: Vec<Violation>,
    /// Advisory findings, at most [`MAX_WARNINGS`]. Includes those that are enforced.
    pub warnings: Vec<Violation>,
    /// Unknown members, at most [`MAX_WARNINGS`], for a refusal of the order. Enforced ones are in `fresh_only` instead.
    pub unknown: Vec<Violation>,
}

/// Why a document is no valid order.
#[derive(Debug, PartialEq, Eq)]
pub enum Invalid {
    Malformed(Malformed),
    Violations {
        /// Every error, at most [`MAX_ERRORS`].
        errors: Vec<Violation>,
        /// Unknown members, at most [`MAX_WARNINGS`], because a misspelt name explains why a member is missing. If
        /// advisories are enforced, they are errors instead.
        warnings: Vec<Violation>,
    },
}

/// Reads an order from the document that a shop sent.
pub fn validate(document: &[u8], rules: &Rules<'_>) -> Result<Validated, Invalid> {
    let json = Json::parse(document).map_err(Invalid::Malformed)?;
    let mut findings = Findings::default();
    let order = Fields::of(&json, String::new(), &mut findings).and_then(|fields| document::read_order(fields, rules));
    if let Some(advice) = advisories::idempotency_key(rules.has_idempotency_key) {
        findings.advise(String::new(), advice);
    }
    let Findings { mut errors, mut fresh_only, advisories: mut warnings, line_advisories, mut unknown } = findings;
    if let Some(order) = order.filter(|_| errors.is_empty()) {
        warnings.extend(line_advisories);
        warnings.extend(unknown.iter().cloned());
        if rules.enforce_advisories {
            fresh_only.extend(warnings.iter().cloned());
            unknown.clear();
        }
        fresh_only.truncate(MAX_ERRORS);
        warnings.truncate(MAX_WARNINGS);
        unknown.truncate(MAX_WARNINGS);
        return Ok(Validated { order, fresh_only, warnings, unknown });
    }
    errors.extend(fresh_only);
    if rules.enforce_advisories {
        errors.extend(warnings.into_iter().chain(line_advisories).chain(unknown.drain(..)));
    }
    errors.truncate(MAX_ERRORS);
    unknown.truncate(MAX_WARNINGS);
    Err(Invalid::Violations { errors, warnings: unknown })
}

/// The tax rates of `ALLOWED_TAX_RATES`: plain decimals between commas, none negative.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn parse_tax_rates(text: &str) -> Result<Vec<Decimal>, String> {
    let rates = text.split(',').map(|rate| match Decimal::parse(rate.trim()) {
        Ok(rate) if rate.is_negative() => Err("a rate is negative".to_owned()),
        Ok(rate) => Ok(rate),
        Err(error) => Err(format!("a rate is {error}")),
    });
    rates.collect()
}

#[cfg(test)]
mod tests;
