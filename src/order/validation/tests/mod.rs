//! What is accepted and what is refused, rule by rule.

mod advisories;
mod fields;
mod properties;
mod real_life;
mod same_thing;
mod values;
mod whole;

use serde_json::{Value, json};

use super::*;
use crate::order::Code;

/// 2026-06-15T00:00:00Z. In summer, Oslo is two hours ahead of UTC.
const NOW: i64 = 1_781_481_600;

/// The example of the provider's page, with today's date, an e-mail address, and a synthetic person.
fn example() -> Value {
    json!({
        "products": [{"name": "Router", "productId": "R_1", "quantity": "1", "rate": 40, "discount": 0, "tax": "0", "amount": 40}],
        "orderSummary": {"subTotal": "40", "totalTax": "0", "totalDiscount": "0.00", "grandTotal": "40"},
        "orderDate": NOW.to_string(),
        "customerDetails": {
            "type": "private", "countryCode": "+47", "msisdn": "46567468", "email": "kari@example.com", "name": "Kari Nordmann",
            "preferredLanguage": "en", "personalNumber": "30908299902", "organizationId": "",
            "address": {"street": "Klosterenget 144", "zip": "7030", "city": "Trondheim", "country": "NO"}
        },
        "referenceNo": "Dhaka", "customerReference": "3500", "invoiceInterval": 0, "separateInvoices": true,
        "invoiceFeeApplicable": true, "invoiceMaturity": 10,
        "callback": {
            "callbackUrl": "https://shop.example/?order_identifier=rRbl1FWZG59o&order_status=success",
            "success": "https://shop.example/?order_identifier=rRbl1FWZG59o&order_status=success",
            "failure": "https://shop.example/?order_identifier=rRbl1FWZG59o&order_status=failed"
        }
    })
}

fn rates() -> Vec<Decimal> {
    parse_tax_rates("0,12,15,25").unwrap()
}

/// Validates as if the request had an Idempotency-Key.
fn check(document: &str, enforce_advisories: bool) -> Result<Validated, Invalid> {
    let now = Timestamp::from_second(NOW).unwrap();
    let rules = Rules { now, tax_rates: &rates(), enforce_advisories, has_idempotency_key: true };
    validate(document.as_bytes(), &rules)
}

/// The errors and the warnings of a document, which must be refused.
#[track_caller]
fn refusal(document: &str, enforce_advisories: bool) -> (Vec<Violation>, Vec<Violation>) {
    match check(document, enforce_advisories) {
        Err(Invalid::Violations { errors, warnings }) => (errors, warnings),
        Err(Invalid::Malformed(malformed)) => panic!("{malformed}"),
        Ok(_) => panic!("{document} was taken"),
    }
}

fn with(pointer: &str, value: Value) -> Value {
    let mut order = example();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match order.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer}"),
    }
    order
}

fn without(pointer: &str) -> Value {
    let mut order = example();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    order.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    order
}

/// Pointer and code of each reason why an order may not be sent.
fn faults(order: &Value) -> Vec<(String, Code)> {
    let violations = match check(&order.to_string(), false) {
        Ok(validated) => validated.fresh_only,
        Err(Invalid::Violations { errors, .. }) => errors,
        Err(Invalid::Malformed(malformed)) => panic!("{malformed}"),
    };
    violations.into_iter().map(|violation| (violation.pointer, violation.code)).collect()
}

fn warnings(order: &Value) -> Vec<(String, Code)> {
    let validated = check(&order.to_string(), false).unwrap_or_else(|invalid| panic!("{invalid:?}"));
    validated.warnings.into_iter().map(|violation| (violation.pointer, violation.code)).collect()
}

impl std::fmt::Debug for Validated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Validated")
    }
}

#[track_caller]
fn refused(pointer: &str, value: Value, code: Code) {
    assert_eq!(faults(&with(pointer, value.clone())), [(pointer.to_owned(), code)], "{pointer} = {value}");
}

#[track_caller]
fn taken(pointer: &str, value: Value) {
    let order = with(pointer, value.clone());
    assert_eq!((faults(&order), warnings(&order)), (vec![], vec![]), "{pointer} = {value}");
}

/// Like [`taken`], but there may be warnings.
#[track_caller]
fn valid(pointer: &str, value: Value) {
    assert_eq!(faults(&with(pointer, value.clone())), [], "{pointer} = {value}");
}
