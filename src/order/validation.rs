//! The validation of an order: the provider's table, row by row.
//!
//! Source of the rules: Front Payment Go, "Create Session for Invoice Order", and where a later
//! revision of that page says otherwise (personalNumber), the later one.

use email_address::EmailAddress;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use url::Url;

use super::fields::{FieldError, Fields, Findings};
use super::json::{Json, Malformed};
use super::violation::{Code, MAX_ERRORS, MAX_WARNINGS, Violation};
use super::{Address, CallbackUrls, Customer, CustomerType, Decimal, DecimalError, Language, Line, Order, Summary, check_digits};

/// Days are counted where the invoices are written.
static OSLO: TimeZone = jiff::tz::get!("Europe/Oslo");

const MAX_LINES: usize = 1_000;
const MAX_PRODUCT_ID_CHARS: usize = 25;
const MAX_STORED_BYTES: usize = 2_048;

/// What the rules depend on beside the order.
pub struct Rules<'a> {
    /// The moment of the request: an order's date may not lie on an earlier day.
    pub now: Timestamp,
    /// `ALLOWED_TAX_RATES`.
    pub tax_rates: &'a [Decimal],
    /// `ADVISORY_CHECKS=enforce`.
    pub enforce_advisories: bool,
}

/// A valid order, and what is to be said about it.
pub struct Validated {
    /// The order.
    pub order: Order,
    /// What forbids to send it now: its date, a tax rate, an enforced advisory. It does not stand
    /// against repeating the answer to an order that was sent already.
    pub fresh_only: Vec<Violation>,
    /// Advisory findings, at most [`super::MAX_WARNINGS`].
    pub warnings: Vec<Violation>,
}

/// Why a document is no valid order.
#[derive(Debug, PartialEq, Eq)]
pub enum Invalid {
    /// It is no JSON.
    Malformed(Malformed),
    /// It is, but breaks these rules: all of them, at most [`super::MAX_ERRORS`].
    Violations(Vec<Violation>),
}

/// Reads an order from the document that a shop sent.
///
/// # Errors
/// [`Invalid`], with every violation at once.
pub fn validate(document: &[u8], rules: &Rules<'_>) -> Result<Validated, Invalid> {
    let json = Json::parse(document).map_err(Invalid::Malformed)?;
    let mut findings = Findings::default();
    let order = Fields::of(&json, String::new(), &mut findings).and_then(|fields| read_order(fields, rules));
    let Findings { mut errors, mut fresh_only, mut advisories, unknown } = findings;
    advisories.extend(unknown);
    if rules.enforce_advisories {
        fresh_only.extend(advisories.iter().cloned());
    }
    match order {
        Some(order) if errors.is_empty() => {
            fresh_only.truncate(MAX_ERRORS);
            advisories.truncate(MAX_WARNINGS);
            Ok(Validated { order, fresh_only, warnings: advisories })
        }
        _ => {
            errors.extend(fresh_only);
            errors.truncate(MAX_ERRORS);
            Err(Invalid::Violations(errors))
        }
    }
}

fn read_order(mut fields: Fields<'_, '_>, rules: &Rules<'_>) -> Option<Order> {
    let products = fields.required("products", array).and_then(|items| read_lines(items, &mut fields, rules));
    let summary = fields.object("orderSummary").and_then(read_summary);
    let order_date = fields.required("orderDate", unix_seconds);
    if let Some(date) = &order_date {
        check_date(date, rules.now, fields.findings);
    }
    let customer = fields.object("customerDetails").and_then(read_customer);
    let reference_no = fields.optional("referenceNo", stored_text);
    let customer_reference = fields.optional("customerReference", stored_text);
    let invoice_interval = fields.optional("invoiceInterval", |v| one_of_numbers(v, &[0, 1, 2]));
    let separate_invoices = fields.optional("separateInvoices", boolean);
    let invoice_fee_applicable = fields.required("invoiceFeeApplicable", boolean);
    let invoice_maturity = fields.optional("invoiceMaturity", |v| one_of_numbers(v, &[1, 10]));
    let callback = fields.object("callback").and_then(read_callback);
    let secure_details = fields.optional_object("settings").and_then(|mut settings| {
        let secure_details = settings.optional("secureDetails", boolean);
        settings.finish();
        secure_details
    });
    fields.refused("fpgoUuid", "updates an earlier order at Front Payment, which the bridge does not do; leave it out");
    fields.refused("orderFrom", "belongs to fpgoUuid, which the bridge does not forward; leave it out");
    fields.finish();
    Some(Order {
        products: products?,
        summary: summary?,
        order_date: order_date?,
        customer: customer?,
        reference_no,
        customer_reference,
        invoice_interval,
        separate_invoices,
        invoice_fee_applicable: invoice_fee_applicable?,
        invoice_maturity: invoice_maturity.unwrap_or_else(|| Decimal::from(10)),
        callback: callback?,
        secure_details,
    })
}

fn read_lines<'d>(items: &'d [Json<'d>], fields: &mut Fields<'_, 'd>, rules: &Rules<'_>) -> Option<Vec<Line>> {
    let at = fields.pointer("products");
    if !(1..=MAX_LINES).contains(&items.len()) {
        let fault = FieldError::new(Code::OutOfRange, format!("must have 1 to {MAX_LINES} lines"));
        fields.findings.error(at.clone(), fault);
    }
    let lines = items.iter().enumerate().map(|(index, item)| {
        Fields::of(item, format!("{at}/{index}"), fields.findings).and_then(|fields| read_line(fields, rules))
    });
    // Every line is read, also behind a bad one.
    lines.collect::<Vec<_>>().into_iter().collect()
}

fn read_line(mut fields: Fields<'_, '_>, rules: &Rules<'_>) -> Option<Line> {
    let name = fields.required("name", text);
    let product_id = fields.optional("productId", |v| text_of(v, MAX_PRODUCT_ID_CHARS));
    let quantity = fields.required("quantity", |v| {
        number(v)
            .and_then(|q| if q.is_positive() { Ok(q) } else { Err(FieldError::new(Code::OutOfRange, "must be greater than 0")) })
    });
    let rate = fields.required("rate", number);
    let discount = fields.optional("discount", number);
    let tax = fields.required("tax", number);
    if tax.as_ref().is_some_and(|tax| !rules.tax_rates.contains(tax)) {
        let allowed = rules.tax_rates.iter().map(Decimal::text).collect::<Vec<_>>().join(", ");
        let pointer = fields.pointer("tax");
        fields.findings.fresh_only(pointer, Code::NotAllowed, format!("must be one of the tax rates {allowed}"));
    }
    let amount = fields.required("amount", number);
    fields.finish();
    Some(Line { name: name?, product_id, quantity: quantity?, rate: rate?, discount, tax: tax?, amount: amount? })
}

fn read_summary(mut fields: Fields<'_, '_>) -> Option<Summary> {
    let sub_total = fields.required("subTotal", not_negative);
    let total_tax = fields.required("totalTax", not_negative);
    let total_discount = fields.required("totalDiscount", not_negative);
    let grand_total = fields.required("grandTotal", not_negative);
    let at = fields.pointer("grandTotal");
    let summary = (|| {
        let summary =
            Summary { sub_total: sub_total?, total_tax: total_tax?, total_discount: total_discount?, grand_total: grand_total? };
        if !summary.sub_total.adds_up_to(&summary.total_tax, &summary.total_discount, &summary.grand_total) {
            fields.findings.advise(
                at,
                Code::TotalsMismatch,
                "differs from subTotal + totalTax - totalDiscount by more than 1.00",
            );
        }
        Some(summary)
    })();
    fields.finish();
    summary
}

fn read_customer(mut fields: Fields<'_, '_>) -> Option<Customer> {
    let kind =
        fields.required("type", |v| one_of(v, &[("private", CustomerType::Private), ("corporate", CustomerType::Corporate)]));
    let country_code = fields.required("countryCode", country_code);
    let msisdn = fields.required("msisdn", msisdn);
    let email = fields.required("email", email);
    let name = fields.required("name", text);
    let languages =
        [("en", Language::En), ("no", Language::No), ("sv", Language::Sv), ("da", Language::Da), ("de", Language::De)];
    let preferred_language = fields.optional("preferredLanguage", |v| one_of(v, &languages));
    let personal_number = fields.required_if(kind == Some(CustomerType::Private), "personalNumber", personal_number);
    let organization_id = fields.required_if(kind == Some(CustomerType::Corporate), "organizationId", organization_id);
    let (country, address) = fields.object("address").map(read_address).unwrap_or_default();
    if country.as_deref() == Some("NO") {
        if personal_number.as_deref().is_some_and(|number| !check_digits::is_personal_number(number)) {
            let pointer = fields.pointer("personalNumber");
            fields.findings.advise(pointer, Code::BadCheckDigits, "no Norwegian register can have issued this number");
        }
        if organization_id.as_deref().is_some_and(|number| !check_digits::is_organization_number(number)) {
            let pointer = fields.pointer("organizationId");
            fields.findings.advise(pointer, Code::BadCheckDigits, "no Norwegian register can have issued this number");
        }
    }
    fields.finish();
    Some(Customer {
        kind: kind?,
        country_code: country_code?,
        msisdn: msisdn?,
        email: email?,
        name: name?,
        personal_number,
        preferred_language: preferred_language.unwrap_or(Language::No),
        organization_id,
        address: address?,
    })
}

/// The country, which other rules depend on, and the whole address.
fn read_address(mut fields: Fields<'_, '_>) -> (Option<String>, Option<Address>) {
    let street = fields.required("street", text);
    let zip = fields.required("zip", text);
    let city = fields.required("city", text);
    let country = fields.required("country", country);
    fields.finish();
    let address = (|| Some(Address { street: street?, zip: zip?, city: city?, country: country.clone()? }))();
    (country, address)
}

fn read_callback(mut fields: Fields<'_, '_>) -> Option<CallbackUrls> {
    let callback = fields.required("callbackUrl", url);
    let success = fields.required("success", url);
    let failure = fields.required("failure", url);
    fields.finish();
    Some(CallbackUrls { callback: callback?, success: success?, failure: failure? })
}

/// An order dated on an earlier day is refused by Front Payment.
fn check_date(date: &str, now: Timestamp, findings: &mut Findings) {
    let day = |at: Timestamp| -> Date { at.to_zoned(OSLO.clone()).date() };
    let ordered = date.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    if ordered.is_none_or(|ordered| day(ordered) < day(now)) {
        findings.fresh_only("/orderDate", Code::OutOfRange, "lies before today (in Europe/Oslo); it must be today or later");
    }
}

fn array<'d>(value: &'d Json<'d>) -> Result<&'d [Json<'d>], FieldError> {
    match value {
        Json::Array(items) => Ok(items),
        other => Err(FieldError::wrong_type("an array", other)),
    }
}

fn text(value: &Json<'_>) -> Result<String, FieldError> {
    match value {
        Json::String(text) => Ok(text.to_string()),
        other => Err(FieldError::wrong_type("a string", other)),
    }
}

fn text_of(value: &Json<'_>, most_chars: usize) -> Result<String, FieldError> {
    let text = text(value)?;
    if text.chars().count() > most_chars {
        return Err(FieldError::new(Code::TooLong, format!("must have at most {most_chars} characters")));
    }
    Ok(text)
}

fn stored_text(value: &Json<'_>) -> Result<String, FieldError> {
    let text = text(value)?;
    if text.len() > MAX_STORED_BYTES {
        return Err(FieldError::new(Code::TooLong, format!("must have at most {MAX_STORED_BYTES} bytes")));
    }
    Ok(text)
}

fn formatted(value: &Json<'_>, is_right: impl FnOnce(&str) -> bool, expected: &'static str) -> Result<String, FieldError> {
    let text = text(value)?;
    if is_right(&text) { Ok(text) } else { Err(FieldError::new(Code::InvalidFormat, expected)) }
}

fn boolean(value: &Json<'_>) -> Result<bool, FieldError> {
    match value {
        Json::Bool(flag) => Ok(*flag),
        other => Err(FieldError::wrong_type("a boolean", other)),
    }
}

fn number(value: &Json<'_>) -> Result<Decimal, FieldError> {
    let decimal = match value {
        Json::Number(text) => Decimal::parse(text).map(Decimal::unquoted),
        Json::String(text) => Decimal::parse(text),
        other => return Err(FieldError::wrong_type("a number or a numeric string", other)),
    };
    decimal.map_err(|error| {
        let code = match error {
            DecimalError::Format => Code::InvalidFormat,
            DecimalError::Digits | DecimalError::Length => Code::OutOfRange,
        };
        FieldError::new(code, error.to_string())
    })
}

fn not_negative(value: &Json<'_>) -> Result<Decimal, FieldError> {
    let number = number(value)?;
    if number.is_negative() { Err(FieldError::new(Code::OutOfRange, "must not be negative")) } else { Ok(number) }
}

fn one_of_numbers(value: &Json<'_>, allowed: &[u8]) -> Result<Decimal, FieldError> {
    let number = number(value)?;
    if allowed.iter().any(|&one| Decimal::from(one) == number) {
        return Ok(number);
    }
    let allowed = allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(FieldError::new(Code::NotAllowed, format!("must be one of {allowed}")))
}

fn one_of<T: Copy>(value: &Json<'_>, allowed: &[(&str, T)]) -> Result<T, FieldError> {
    let text = text(value)?;
    allowed.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names = allowed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        FieldError::new(Code::NotAllowed, format!("must be one of {names}"))
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn unix_seconds(value: &Json<'_>) -> Result<String, FieldError> {
    let seconds = formatted(value, is_digits, "must be a Unix timestamp in seconds, digits only")?;
    if seconds.len() > 10 {
        return Err(FieldError::new(Code::OutOfRange, "must have at most 10 digits: seconds, not milliseconds"));
    }
    Ok(seconds)
}

fn country_code(value: &Json<'_>) -> Result<String, FieldError> {
    let is_right = |text: &str| text.strip_prefix('+').is_some_and(|digits| is_digits(digits) && digits.len() <= 4);
    formatted(value, is_right, "must be + and 1 to 4 digits, like +47")
}

fn msisdn(value: &Json<'_>) -> Result<String, FieldError> {
    formatted(
        value,
        |text| is_digits(text) && (4..=15).contains(&text.len()),
        "must be 4 to 15 digits, without country code, + or spaces",
    )
}

fn email(value: &Json<'_>) -> Result<String, FieldError> {
    let options = email_address::Options::default().with_required_tld().without_display_text().without_domain_literal();
    formatted(value, |text| EmailAddress::parse_with_options(text, options).is_ok(), "must be an e-mail address")
}

fn personal_number(value: &Json<'_>) -> Result<String, FieldError> {
    formatted(value, |text| text.chars().count() == 11, "must have 11 characters")
}

fn organization_id(value: &Json<'_>) -> Result<String, FieldError> {
    formatted(value, |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "must be letters and digits only")
}

fn country(value: &Json<'_>) -> Result<String, FieldError> {
    let is_right = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
    let expected = "must be an ISO 3166-1 alpha-2 code in capitals, like NO";
    let code = formatted(value, is_right, expected)?;
    if rust_iso3166::from_alpha2(&code).is_none() {
        return Err(FieldError::new(Code::NotAllowed, expected));
    }
    Ok(code)
}

fn url(value: &Json<'_>) -> Result<String, FieldError> {
    let text = stored_text(value)?;
    if !is_absolute_url(&text) {
        return Err(FieldError::new(Code::InvalidFormat, "must be an absolute http or https URL with a host"));
    }
    Ok(text)
}

/// `Url` mends what it reads (drops tabs, adds slashes); what it would have to mend is refused.
fn is_absolute_url(text: &str) -> bool {
    let after_scheme = ["http://", "https://"].iter().find_map(|scheme| {
        let (head, rest) = text.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    after_scheme.is_some_and(|rest| !rest.starts_with(['/', '\\', '?', '#']))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && Url::parse(text).is_ok_and(|url| url.has_host())
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
#[path = "validation_tests/mod.rs"]
mod tests;
