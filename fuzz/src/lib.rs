//! What the fuzzing targets expect of the bridge. The rules of docs/api.md are implemented here a second time, without the
//! bridge's code: a target that computed its expectations with the code under test could not fail.

pub mod advice;
pub mod callback;
pub mod fields;
pub mod heard;
pub mod json;
pub mod key;
pub mod log;
pub mod money;
pub mod provider;
pub mod reply;
pub mod rules;
pub mod stage;
pub mod store;
pub mod tree;

use front_payment_bridge::order::Violation;

/// 2026-06-15T00:00:00Z
pub const NOW: i64 = 1_781_481_600;

/// The error codes.
pub const ERRORS: [&str; 6] = ["required", "wrong_type", "too_long", "not_allowed", "invalid_format", "out_of_range"];

/// The warning codes. `not_notifiable` is one only for a shop that is notified.
pub const ADVISORY: [&str; 8] = [
    "unknown_field",
    "totals_mismatch",
    "lines_mismatch",
    "tax_mismatch",
    "too_precise",
    "bad_check_digits",
    "unlikely_format",
    "recommended",
];

/// Front Payment's statuses by rank. The bridge's own four statuses come before them and have no rank among themselves.
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

/// The code as it stands in a reply.
pub fn code(violation: &Violation) -> String {
    let code = serde_json::to_value(violation.code).expect("a code has a name");
    code.as_str().expect("the name is a string").to_owned()
}

/// A JSON pointer (RFC 6901): empty, or names with a `/` before each. A `~` may stand only in `~0` and `~1`.
pub fn is_pointer(text: &str) -> bool {
    let escapes = text.match_indices('~').all(|(place, _)| matches!(text.as_bytes().get(place + 1), Some(b'0' | b'1')));
    (text.is_empty() || text.starts_with('/')) && escapes
}

/// An id of Front Payment's: 1 to 64 of `[A-Za-z0-9_-]`.
pub fn is_provider_id(text: &str) -> bool {
    matches!(text.len(), 1..=64) && text.chars().all(|c| matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-'))
}

/// Digits with at most one decimal point.
pub fn is_plain_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
}

/// The number of digits without leading zeros.
pub fn significant_digits(text: &str) -> usize {
    text.chars().filter(|c| *c != '.' && *c != '-').skip_while(|c| *c == '0').count()
}

/// One spelling for each value: without needless zeros, and zero without a sign.
pub fn by_value(text: &str) -> String {
    let (whole, fraction) = text.trim_start_matches('-').split_once('.').unwrap_or((text.trim_start_matches('-'), ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let sign = if text.starts_with('-') && !(whole.is_empty() && fraction.is_empty()) { "-" } else { "" };
    format!("{sign}{whole}.{fraction}")
}
