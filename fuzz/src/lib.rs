//! What the targets judge the bridge by: the contract, read a second time and by other means.
//!
//! A target that computed its expectations with the code under test could not fail.

pub mod callback;
pub mod log;
pub mod reply;
pub mod stage;
pub mod tree;

use front_payment_bridge::order::Violation;

/// 2026-06-15T00:00:00Z
pub const NOW: i64 = 1_781_481_600;

/// Every code of `errors` and `warnings`.
pub const CODES: [&str; 10] = [
    "required",
    "wrong_type",
    "too_long",
    "not_allowed",
    "invalid_format",
    "out_of_range",
    "unknown_field",
    "totals_mismatch",
    "bad_check_digits",
    "provider",
];

/// Those that are advisory.
pub const ADVISORY: [&str; 3] = ["unknown_field", "totals_mismatch", "bad_check_digits"];

/// The statuses by rank; the bridge's own four come before all of Front Payment's, and have none among themselves.
pub const RANKED: [&str; 13] = [
    "SENT",
    "RESERVED",
    "EXPIRED",
    "INVOICED",
    "PURRING",
    "INKASSO",
    "CHARGED",
    "CAPTURED",
    "PAID",
    "CANCELLED",
    "REFUND_PENDING",
    "PARTIAL_REFUNDED",
    "REFUNDED",
];

/// 0 for the bridge's own statuses, and from 1 on for Front Payment's.
pub fn rank(status: &str) -> usize {
    RANKED.iter().position(|ranked| *ranked == status).map_or(0, |place| place + 1)
}

/// The code as a program sees it.
pub fn code(violation: &Violation) -> String {
    let code = serde_json::to_value(violation.code).expect("a code has a name");
    code.as_str().expect("the name is a string").to_owned()
}

/// RFC 6901: nothing, or names with a `/` before each, where `~` stands only as `~0` and `~1`.
pub fn is_pointer(text: &str) -> bool {
    let escapes = text.match_indices('~').all(|(place, _)| matches!(text.as_bytes().get(place + 1), Some(b'0' | b'1')));
    (text.is_empty() || text.starts_with('/')) && escapes
}

/// 1 to 64 of `[A-Za-z0-9_-]`.
pub fn is_uuid(text: &str) -> bool {
    matches!(text.len(), 1..=64) && text.chars().all(|c| matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-'))
}

/// Digits, and at most one point among them.
pub fn is_plain_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
}

/// How many digits count: all but zeros in front.
pub fn significant_digits(text: &str) -> usize {
    text.chars().filter(|c| *c != '.' && *c != '-').skip_while(|c| *c == '0').count()
}

/// A figure in the one spelling that all of its value share: no zero too many, no sign of nought.
pub fn by_value(text: &str) -> String {
    let (whole, fraction) = text.trim_start_matches('-').split_once('.').unwrap_or((text.trim_start_matches('-'), ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let sign = if text.starts_with('-') && !(whole.is_empty() && fraction.is_empty()) { "-" } else { "" };
    format!("{sign}{whole}.{fraction}")
}
