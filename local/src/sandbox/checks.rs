//! What the sandbox refuses with a 417, in sentences like Front Payment's. It shares no code with the bridge's validation,
//! so that each can reveal the other's mistakes.

use jiff::Timestamp;
use serde_json::Value;

const REQUIRED: [&str; 17] = [
    "orderSummary.subTotal",
    "orderSummary.totalTax",
    "orderSummary.totalDiscount",
    "orderSummary.grandTotal",
    "orderDate",
    "invoiceFeeApplicable",
    "customerDetails.type",
    "customerDetails.countryCode",
    "customerDetails.msisdn",
    "customerDetails.email",
    "customerDetails.name",
    "customerDetails.address.street",
    "customerDetails.address.zip",
    "customerDetails.address.city",
    "customerDetails.address.country",
    "callback.success",
    "callback.failure",
];

/// One sentence for each mistake.
pub(super) fn refusals(order: &Value, now: Timestamp) -> Vec<String> {
    let mut sentences = Vec::new();
    for field in REQUIRED {
        if is_blank(at(order, field)) {
            sentences.push(format!("The {} field is required.", words(field)));
        }
    }
    match order.get("products").and_then(Value::as_array).filter(|lines| !lines.is_empty()) {
        None => sentences.push("The products field is required.".to_owned()),
        Some(lines) => lines.iter().enumerate().for_each(|(index, line)| check_line(index, line, &mut sentences)),
    }
    let kind = at(order, "customerDetails.type").and_then(Value::as_str);
    if kind.is_some_and(|kind| kind != "private" && kind != "corporate") {
        sentences.push("The selected customer details.type is invalid.".to_owned());
    }
    let personal_number = at(order, "customerDetails.personalNumber").filter(|value| !is_blank(Some(value)));
    match personal_number.and_then(Value::as_str) {
        None if kind == Some("private") => sentences
            .push("The customer details.personal number field is required when customer details.type is private.".to_owned()),
        Some(number) if number.len() != 11 || !number.bytes().all(|b| b.is_ascii_digit()) => {
            sentences.push("The customer details.personal number must be 11 digits.".to_owned());
        }
        _ => {}
    }
    if kind == Some("corporate") && is_blank(at(order, "customerDetails.organizationId")) {
        sentences
            .push("The customer details.organization id field is required when customer details.type is corporate.".to_owned());
    }
    let is_past = |date: i64| date < now.as_second() - 36 * 3_600;
    match at(order, "orderDate").and_then(Value::as_str).map(str::parse::<i64>) {
        Some(Err(_)) => sentences.push("The order date does not match the format U.".to_owned()),
        Some(Ok(date)) if is_past(date) => sentences.push("The order date must be a date after or equal to today.".to_owned()),
        _ => {}
    }
    let callback_url = at(order, "callback.callbackUrl").and_then(Value::as_str).unwrap_or_default();
    if url::Url::parse(callback_url).is_err() || callback_url.contains('?') {
        sentences.push("The callback.callback url format is invalid.".to_owned());
    }
    sentences
}

fn check_line(index: usize, line: &Value, sentences: &mut Vec<String>) {
    for field in ["name", "quantity", "rate", "tax", "amount"] {
        if is_blank(line.get(field)) {
            sentences.push(format!("The products.{index}.{field} field is required."));
        } else if field != "name" && !is_numeric(line.get(field)) {
            sentences.push(format!("The products.{index}.{field} must be a number."));
        }
    }
}

fn at<'v>(order: &'v Value, field: &str) -> Option<&'v Value> {
    field.split('.').try_fold(order, |value, name| value.get(name))
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    }
}

fn is_numeric(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Number(_)) => true,
        Some(Value::String(text)) => front_payment_bridge::order::Decimal::parse(text).is_ok(),
        _ => false,
    }
}

/// `customerDetails.personalNumber` → `customer details.personal number`
fn words(field: &str) -> String {
    let spaced = |c: char| if c.is_ascii_uppercase() { format!(" {}", c.to_ascii_lowercase()) } else { c.to_string() };
    field.chars().map(spaced).collect()
}
