//! What is wrong with an order: where, which kind, and what to do.

use serde::Serialize;

/// The most errors of one reply.
pub const MAX_ERRORS: usize = 1_000;
/// The most warnings of one reply.
pub const MAX_WARNINGS: usize = 100;

/// The kind of a violation. Programs rely on the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(strum::EnumIter))]
pub enum Code {
    /// Missing, `null` or blank.
    Required,
    WrongType,
    TooLong,
    /// None of the allowed values, or a member that a shop may not send.
    NotAllowed,
    /// The right type in the wrong form.
    InvalidFormat,
    /// A figure, a date or a count beyond its bounds.
    OutOfRange,
    /// Advisory: Front Payment's page has no such member; it is not forwarded.
    UnknownField,
    /// Advisory: grandTotal is not subTotal + totalTax − totalDiscount.
    TotalsMismatch,
    /// Advisory: an amount is not that of its line, or the lines do not add up to subTotal.
    LinesMismatch,
    /// Advisory: totalTax is not the tax of the lines.
    TaxMismatch,
    /// Advisory: a sum has fractions of an øre.
    TooPrecise,
    /// Advisory: a number that the Norwegian registers cannot have issued.
    BadCheckDigits,
    /// Advisory: the bridge cannot call the shop's URL.
    NotNotifiable,
    /// Advisory: a phone number or postal code is unlike those of its country, or a text is garbled.
    UnlikelyFormat,
    /// Advisory: optional, but safer to send.
    Recommended,
    /// A sentence of Front Payment's.
    Provider,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the document that was sent. `""` means the whole document, or a header.
    pub pointer: String,
    pub code: Code,
    /// A sentence for the shop's engineer. It never quotes the value.
    pub detail: String,
}

impl Violation {
    pub fn new(pointer: impl Into<String>, code: Code, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn openapi_yaml_has_every_code() {
        let described = include_str!("../../openapi.yaml");
        for code in Code::iter() {
            let name = serde_json::to_value(code).unwrap();
            let name = name.as_str().unwrap();
            assert!(described.split(|c: char| !c.is_ascii_lowercase() && c != '_').any(|word| word == name), "{name}");
        }
    }
}
