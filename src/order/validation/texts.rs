//! Every sentence about an order for a shop's engineer: what is wrong, and what to do.
//!
//! No sentence quotes a value, because it may be a person's data. No sentence may lead to a second invoice: none advises to
//! send an order again that Front Payment may have, or to use a new Idempotency-Key.

use std::fmt::Display;

// Errors. Nothing was sent.

pub(super) const REQUIRED: &str = "is required";
pub(super) const BLANK: &str = "is required and must not be blank";

/// `expected` and `found` are kinds of JSON values, like "a string".
pub(super) fn wrong_type(expected: &str, found: &str) -> String {
    format!("must be {expected}, not {found}")
}

pub(super) const LINES_TYPE: &str = "an array (or an object with the member names 0 to n-1)";
pub(super) const NUMBER_TYPE: &str = "a number or a numeric string";

pub(super) fn line_count(most: usize) -> String {
    format!("must have 1 to {most} lines")
}

pub(super) fn too_long(most: usize, unit: &str) -> String {
    format!("must have at most {most} {unit}")
}

pub(super) fn one_of(allowed: &[impl Display]) -> String {
    format!("must be one of {}", list(allowed))
}

pub(super) fn tax_rate(allowed: &[impl Display]) -> String {
    format!("must be one of the tax rates {}; the operator of the bridge can allow others", list(allowed))
}

fn list(items: &[impl Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

pub(super) const DECIMAL: &str = "must be a plain decimal: digits with at most one point, no exponent, no spaces";
pub(super) const POSITIVE: &str = "must be greater than 0";
pub(super) const NOT_NEGATIVE: &str = "must not be negative";

pub(super) const DATE: &str = "must be a Unix timestamp in seconds, digits only";
pub(super) const DATE_DIGITS: &str = "must have at most 10 digits: seconds, not milliseconds";
pub(super) const DATE_PAST: &str = "lies before today (in Europe/Oslo); it must be today or later. If the order may have been sent \
    on an earlier day, look for it in Front Payment's portal first";

pub(super) const COUNTRY_CODE: &str = "must be + and 1 to 4 digits, like +47";
pub(super) const MSISDN: &str = "must be 4 to 15 digits, without country code, + or spaces";
pub(super) const EMAIL: &str = "must be an e-mail address";
pub(super) const PERSONAL_NUMBER: &str = "must have 11 characters";
pub(super) const ORGANIZATION_ID: &str = "must be letters and digits only";
pub(super) const COUNTRY: &str = "must be an ISO 3166-1 alpha-2 code in capitals, like NO";
pub(super) const URL: &str = "must be an absolute http or https URL with a host";

pub(super) const FPGO_UUID: &str = "would change an earlier order at Front Payment, which the bridge does not do. Change that order \
    in Front Payment's portal: the same order without this member is a second invoice";
pub(super) const ORDER_FROM: &str = "belongs to fpgoUuid, which changes an earlier order; the bridge forwards neither. Only a new \
    order can be sent, without both";

// Advisories. They are in the 201 of an order that was sent, so each says what the shop's code should do in future, and none
// asks to send this order again. If the operator enforces them, they are in a 422.

macro_rules! advice {
    ($text:literal) => {
        concat!($text, " A 201 means that Front Payment has the order: do not send it again.")
    };
}

pub(super) fn unknown_field(meant: Option<&str>) -> String {
    let question = meant.map(|name| format!(" Was {name} meant?")).unwrap_or_default();
    let advice = advice!("The shop's code should correct the name or leave the member out.");
    format!("is not on Front Payment's page, and is not forwarded.{question} {advice}")
}

pub(super) const TOTALS: &str = advice!(
    "differs by more than 1.00 from subTotal + totalTax - totalDiscount. The shop's code should compute all four from the same \
     lines."
);
pub(super) const LINE_AMOUNT: &str = advice!(
    "differs by more than 1.00 from quantity times rate, whether less the discount or not, with tax or not. The shop's code \
     should compute it from them."
);
pub(super) const LINES_SUM: &str = advice!(
    "does not fit the lines: the sum of quantity times rate and the sum of amount both differ from subTotal, from subTotal - \
     totalDiscount and from grandTotal. The shop's code should send every line, shipping and fees too, and add them up."
);
pub(super) const TAX: &str = advice!(
    "does not fit the lines: it is neither the tax on their amounts nor the tax within them, less a share of totalDiscount or \
     not. The shop's code should compute the tax of each line and of the order from the same rates."
);
pub(super) const TOO_PRECISE: &str = advice!("is finer than 0.01. The shop's code should round it to two decimals.");

pub(super) const PERSONAL_NUMBER_DIGITS: &str = advice!(
    "is no national identity number or D-number: no Norwegian register can have issued it. The shop's code should check the date \
     and the check digits where the customer enters it."
);
pub(super) const ORGANIZATION_DIGITS: &str = advice!(
    "is no organisation number: no Norwegian register can have issued it. It has nine digits, the first is 2, 3, 8 or 9, and the \
     last is a check digit. The shop's code should check it where the customer enters it."
);
pub(super) const ORGANIZATION_NO: &str =
    advice!("has NO before the organisation number. The shop's code should send the nine digits alone.");
pub(super) const ORGANIZATION_MVA: &str =
    advice!("has MVA behind the organisation number. The shop's code should send the nine digits alone.");
pub(super) const ORGANIZATION_NO_MVA: &str =
    advice!("has NO before and MVA behind the organisation number. The shop's code should send the nine digits alone.");

pub(super) const PHONE_COUNTRY_CODE: &str = advice!(
    "begins with the digits of countryCode and is longer than numbers of that country are. The shop's code should send the country \
     code in countryCode alone."
);
pub(super) const PHONE_INTERNATIONAL: &str = advice!(
    "begins with 00. The shop's code should send the country code in countryCode, and the number without 00 and without it."
);
pub(super) const PHONE_TRUNK: &str =
    advice!("begins with 0, which nobody dials after a country code. The shop's code should leave the 0 out.");
pub(super) const ZIP: &str =
    advice!("is not four digits, as every Norwegian postal code is. The shop's code should send these alone.");

pub(super) const GARBLED: &str = advice!(
    "was encoded as UTF-8 and read as Latin-1 or Windows-1252: letters beyond ASCII are garbled. The shop's code should read it \
     as UTF-8."
);

pub(super) const NO_REFERENCE: &str = advice!(
    "is missing. Without it, an order whose reply is lost cannot be found in Front Payment's portal. The shop's code should send \
     its own order number."
);
pub(super) const NO_KEY: &str = advice!(
    "The header Idempotency-Key is missing. Without it, the same request again is a second invoice. The shop's code should choose \
     one key for each order, and send it with the first request and with each repetition."
);
