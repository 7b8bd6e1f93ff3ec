//! What is wrong with an order: where, which kind, and what to do.

use serde::Serialize;

/// The most errors that one reply lists.
pub const MAX_ERRORS: usize = 1_000;
/// The most warnings that one reply lists.
pub const MAX_WARNINGS: usize = 100;

/// The kind of a violation; stable names for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A required member is missing, `null` or blank.
    Required,
    /// Another JSON type than the page asks for.
    WrongType,
    /// A text is longer than it may be.
    TooLong,
    /// None of the values that are allowed, or a member that may not be sent.
    NotAllowed,
    /// The right type in the wrong form.
    InvalidFormat,
    /// A figure, a date or a count beyond its bounds.
    OutOfRange,
    /// Advisory: a member that the page does not have; it is not forwarded.
    UnknownField,
    /// Advisory: grandTotal is not subTotal + totalTax − totalDiscount.
    TotalsMismatch,
    /// Advisory: a number that the Norwegian registers cannot have issued.
    BadCheckDigits,
    /// Advisory: the bridge cannot call the shop's URL.
    NotNotifiable,
    /// Front Payment's own sentence.
    Provider,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the document that was sent; `""` is the whole of it.
    pub pointer: String,
    /// Its kind.
    pub code: Code,
    /// A sentence for the shop's engineer. Never quotes the value.
    pub detail: String,
}

impl Violation {
    /// A violation at a place.
    pub fn new(pointer: impl Into<String>, code: Code, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }
}
