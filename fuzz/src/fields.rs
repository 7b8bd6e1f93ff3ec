//! What each field of an order may be, by the provider's page and docs/api.md.

use crate::tree::Tree;
use crate::{by_value, is_plain_decimal, significant_digits};

/// The codes that an error at a field may have.
#[derive(Debug, Clone, Copy)]
pub struct Verdict {
    pub codes: &'static [&'static str],
    /// Whether an error must be reported. `false` where this check cannot decide: then there may be one or none.
    pub must: bool,
}

pub const RIGHT: Verdict = Verdict { codes: &[], must: false };

pub const fn wrong(codes: &'static [&'static str]) -> Verdict {
    Verdict { codes, must: true }
}

const fn open(codes: &'static [&'static str]) -> Verdict {
    Verdict { codes, must: false }
}

pub const WRONG_TYPE: Verdict = wrong(&["wrong_type"]);
pub const OUT_OF_RANGE: Verdict = wrong(&["out_of_range"]);
pub const NOT_ALLOWED: Verdict = wrong(&["not_allowed"]);
const INVALID_FORMAT: Verdict = wrong(&["invalid_format"]);
const TOO_LONG: Verdict = wrong(&["too_long"]);

pub struct Field {
    pub name: &'static str,
    pub is_required: bool,
    pub check: fn(&Tree) -> Verdict,
}

const fn required(name: &'static str, check: fn(&Tree) -> Verdict) -> Field {
    Field { name, is_required: true, check }
}

const fn optional(name: &'static str, check: fn(&Tree) -> Verdict) -> Field {
    Field { name, is_required: false, check }
}

pub const ROOT: &[Field] = &[
    required("orderDate", date),
    optional("referenceNo", stored),
    optional("customerReference", stored),
    optional("invoiceInterval", |value| one_of_figures(value, &[".", "1.", "2."])),
    optional("separateInvoices", boolean),
    required("invoiceFeeApplicable", boolean),
    optional("invoiceMaturity", |value| one_of_figures(value, &["1.", "10."])),
    optional("fpgoUuid", |_| NOT_ALLOWED),
    optional("orderFrom", |_| NOT_ALLOWED),
];
pub const LINE: &[Field] = &[
    required("name", text),
    optional("productId", |value| if chars(value) > 25 { TOO_LONG } else { text(value) }),
    required("quantity", |value| {
        let is_positive = |text: &str| by_value(text) != "." && !by_value(text).starts_with('-');
        figure(value, is_positive)
    }),
    required("rate", any_figure),
    optional("discount", any_figure),
    required("tax", any_figure),
    required("amount", any_figure),
];
pub const SUMMARY: &[Field] = &[
    required("subTotal", not_negative),
    required("totalTax", not_negative),
    required("totalDiscount", not_negative),
    required("grandTotal", not_negative),
];
pub const CUSTOMER: &[Field] = &[
    required("type", |value| one_of(value, &["private", "corporate"])),
    required("countryCode", |value| formatted(value, |text| text.strip_prefix('+').is_some_and(|rest| is_digits(rest, 1, 4)))),
    required("msisdn", |value| formatted(value, |text| is_digits(text, 4, 15))),
    required("email", email),
    required("name", text),
    optional("preferredLanguage", |value| one_of(value, &["en", "no", "sv", "da", "de"])),
];
pub const PERSONAL_NUMBER: Field = optional("personalNumber", |value| formatted(value, |text| text.chars().count() == 11));
pub const ORGANIZATION_ID: Field =
    optional("organizationId", |value| formatted(value, |text| text.chars().all(|c| c.is_ascii_alphanumeric())));
pub const ADDRESS: &[Field] =
    &[required("street", text), required("zip", text), required("city", text), required("country", country)];
pub const CALLBACK: &[Field] = &[required("callbackUrl", url), required("success", url), required("failure", url)];
pub const SETTINGS: &[Field] = &[optional("secureDetails", boolean)];

fn text(value: &Tree) -> Verdict {
    if matches!(value, Tree::Text(_)) { RIGHT } else { WRONG_TYPE }
}

fn chars(value: &Tree) -> usize {
    if let Tree::Text(text) = value { text.chars().count() } else { 0 }
}

fn stored(value: &Tree) -> Verdict {
    match value {
        Tree::Text(text) if text.len() > 2_048 => TOO_LONG,
        _ => text(value),
    }
}

fn formatted(value: &Tree, is_right: impl Fn(&str) -> bool) -> Verdict {
    match value {
        Tree::Text(text) if is_right(text) => RIGHT,
        Tree::Text(_) => INVALID_FORMAT,
        _ => WRONG_TYPE,
    }
}

fn one_of(value: &Tree, allowed: &[&str]) -> Verdict {
    match value {
        Tree::Text(text) if allowed.contains(&text.as_str()) => RIGHT,
        Tree::Text(_) => NOT_ALLOWED,
        _ => WRONG_TYPE,
    }
}

fn is_digits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn figure(value: &Tree, is_in_range: impl Fn(&str) -> bool) -> Verdict {
    match value.text() {
        None | Some("true" | "false" | "null") if !matches!(value, Tree::Text(_)) => WRONG_TYPE,
        Some(text) if is_plain_decimal(text) => {
            let is_short = significant_digits(text) <= 28 && text.len() <= 2_048;
            if is_short && is_in_range(text) { RIGHT } else { OUT_OF_RANGE }
        }
        _ => INVALID_FORMAT,
    }
}

fn any_figure(value: &Tree) -> Verdict {
    figure(value, |_| true)
}

fn not_negative(value: &Tree) -> Verdict {
    figure(value, |text| !by_value(text).starts_with('-'))
}

fn one_of_figures(value: &Tree, allowed: &[&str]) -> Verdict {
    match value.text() {
        Some(text) if any_figure(value).codes.is_empty() && !allowed.contains(&by_value(text).as_str()) => NOT_ALLOWED,
        _ => any_figure(value),
    }
}

/// The boolean that is forwarded for this value.
pub fn flag(value: &Tree) -> Option<bool> {
    match value {
        Tree::Bare(text) if text == "true" => Some(true),
        Tree::Bare(text) if text == "false" => Some(false),
        Tree::Bare(text) | Tree::Text(text) if text == "1" => Some(true),
        Tree::Bare(text) | Tree::Text(text) if text == "0" => Some(false),
        _ => None,
    }
}

fn boolean(value: &Tree) -> Verdict {
    if flag(value).is_some() { RIGHT } else { WRONG_TYPE }
}

fn date(value: &Tree) -> Verdict {
    match formatted(value, |text| is_digits(text, 1, usize::MAX)) {
        right if right.codes.is_empty() && chars(value) > 10 => OUT_OF_RANGE,
        verdict => verdict,
    }
}

/// Decides only clear cases: a plain address is right, and a text without an `@` is wrong.
fn email(value: &Tree) -> Verdict {
    let Tree::Text(text) = value else { return WRONG_TYPE };
    let is_word = |text: &str| matches!(text.len(), 1..=60) && text.bytes().all(|byte| byte.is_ascii_lowercase());
    match text.trim().split_once('@') {
        None => INVALID_FORMAT,
        Some((name, host)) => match host.split_once('.') {
            Some((host, top)) if is_word(name) && is_word(host) && is_word(top) && top.len() > 1 => RIGHT,
            _ => open(&["invalid_format"]),
        },
    }
}

/// Decides only clear cases: a few countries.
fn country(value: &Tree) -> Verdict {
    match value {
        Tree::Text(text) if ["NO", "SE", "DK", "FI", "DE", "GB", "US", "IS", "SJ", "BV"].contains(&text.as_str()) => RIGHT,
        Tree::Text(text) if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) => open(&["not_allowed"]),
        Tree::Text(_) => wrong(&["invalid_format", "not_allowed"]),
        _ => WRONG_TYPE,
    }
}

/// Decides only clear cases: a plain URL is right, and another scheme is wrong.
fn url(value: &Tree) -> Verdict {
    let Tree::Text(text) = value else { return WRONG_TYPE };
    if text.len() > 2_048 {
        return TOO_LONG;
    }
    let lower = text.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")) else { return INVALID_FORMAT };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_plain = |text: &str, more: &str| text.chars().all(|c| c.is_ascii_lowercase() || more.contains(c));
    let is_name = host.split('.').all(|label| matches!(label.len(), 1..=60) && is_plain(label, ""));
    if is_name && host.len() < 200 && is_plain(path, "0123456789?=&/") {
        RIGHT
    } else if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        INVALID_FORMAT
    } else {
        open(&["invalid_format"])
    }
}
