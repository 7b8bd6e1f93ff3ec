//! Reads an order from its JSON document, in the sequence of the provider's page.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::fields::{FieldError, Fields, Findings};
use super::{Rules, advisories, checks, texts};
use crate::order::{Address, CallbackUrls, Code, Customer, CustomerType, Decimal, Language, Line, Order, Summary};

/// The time zone in which Front Payment dates its invoices.
static OSLO: TimeZone = jiff::tz::get!("Europe/Oslo");

const MAX_LINES: usize = 1_000;
const MAX_PRODUCT_ID_CHARS: usize = 25;

pub(super) fn read_order(mut fields: Fields<'_, '_>, rules: &Rules<'_>) -> Option<Order> {
    let products = read_products(&mut fields, rules);
    let summary = fields.object("orderSummary").and_then(read_summary);
    if let (Some(products), Some(summary)) = (&products, &summary) {
        fields.advise("orderSummary/subTotal", advisories::lines(products, summary));
        fields.advise("orderSummary/totalTax", advisories::tax(products, summary));
    }
    let order_date = fields.required("orderDate", checks::unix_seconds);
    if let Some(date) = &order_date {
        check_date(date, rules.now, fields.findings);
    }
    let customer = fields.object("customerDetails").and_then(read_customer);
    let reference_no = fields.optional("referenceNo", checks::stored_text);
    fields.advise("referenceNo", advisories::reference_no(!fields.is_missing("referenceNo")));
    let customer_reference = fields.optional("customerReference", checks::stored_text);
    let invoice_interval = fields.optional("invoiceInterval", |v| checks::one_of_numbers(v, &[0, 1, 2]));
    let separate_invoices = fields.optional("separateInvoices", checks::boolean);
    let invoice_fee_applicable = fields.required("invoiceFeeApplicable", checks::boolean);
    let invoice_maturity = fields.optional("invoiceMaturity", |v| checks::one_of_numbers(v, &[1, 10]));
    let callback = fields.object("callback").and_then(read_callback);
    let secure_details = fields.optional_object("settings").and_then(|mut settings| {
        let secure_details = settings.optional("secureDetails", checks::boolean);
        settings.finish();
        secure_details
    });
    fields.refused("fpgoUuid", texts::FPGO_UUID);
    fields.refused("orderFrom", texts::ORDER_FROM);
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

/// Reads every line, even after a wrong one.
fn read_products(fields: &mut Fields<'_, '_>, rules: &Rules<'_>) -> Option<Vec<Line>> {
    let items = fields.required("products", checks::lines)?;
    let at = fields.pointer("products");
    if !(1..=MAX_LINES).contains(&items.len()) {
        fields.findings.error(at.clone(), FieldError::new(Code::OutOfRange, texts::line_count(MAX_LINES)));
    }
    let lines = items.into_iter().enumerate().map(|(index, item)| {
        Fields::of(item, format!("{at}/{index}"), fields.findings).and_then(|fields| read_line(fields, rules))
    });
    lines.collect::<Vec<_>>().into_iter().collect()
}

fn read_line(mut fields: Fields<'_, '_>, rules: &Rules<'_>) -> Option<Line> {
    let errors_before = fields.findings.errors.len();
    let name = fields.required("name", checks::text);
    let product_id = fields.optional("productId", |v| checks::text_of(v, MAX_PRODUCT_ID_CHARS));
    let quantity = fields.required("quantity", checks::positive);
    let rate = fields.required("rate", checks::number);
    let discount = fields.optional("discount", checks::number);
    let tax = fields.required("tax", checks::number);
    if tax.as_ref().is_some_and(|tax| !rules.tax_rates.contains(tax)) {
        let allowed: Vec<_> = rules.tax_rates.iter().map(Decimal::text).collect();
        fields.findings.fresh_only(fields.pointer("tax"), Code::NotAllowed, texts::tax_rate(&allowed));
    }
    let amount = fields.required("amount", checks::number);
    let line =
        (|| Some(Line { name: name?, product_id, quantity: quantity?, rate: rate?, discount, tax: tax?, amount: amount? }))();
    // If a line has an error, nobody knows what its amount should be.
    if let Some(line) = line.as_ref().filter(|_| fields.findings.errors.len() == errors_before) {
        fields.advise_line("amount", advisories::line(line));
    }
    fields.finish();
    line
}

fn read_summary(mut fields: Fields<'_, '_>) -> Option<Summary> {
    let mut figure = |name| {
        let figure = fields.required(name, checks::not_negative)?;
        fields.advise(name, advisories::figure(&figure));
        Some(figure)
    };
    let (sub_total, total_tax) = (figure("subTotal"), figure("totalTax"));
    let (total_discount, grand_total) = (figure("totalDiscount"), figure("grandTotal"));
    let summary = (|| {
        Some(Summary { sub_total: sub_total?, total_tax: total_tax?, total_discount: total_discount?, grand_total: grand_total? })
    })();
    if let Some(summary) = &summary {
        fields.advise("grandTotal", advisories::summary(summary));
    }
    fields.finish();
    summary
}

fn read_customer(mut fields: Fields<'_, '_>) -> Option<Customer> {
    let kinds = [("private", CustomerType::Private), ("corporate", CustomerType::Corporate)];
    let kind = fields.required("type", |v| checks::one_of(v, &kinds));
    let country_code = fields.required("countryCode", checks::country_code);
    let msisdn = fields.required("msisdn", checks::msisdn);
    if let (Some(country_code), Some(msisdn)) = (&country_code, &msisdn) {
        fields.advise("msisdn", advisories::msisdn(country_code, msisdn));
    }
    let email = fields.required("email", checks::email);
    let name = fields.required("name", checks::text);
    let languages =
        [("en", Language::En), ("no", Language::No), ("sv", Language::Sv), ("da", Language::Da), ("de", Language::De)];
    let preferred_language = fields.optional("preferredLanguage", |v| checks::one_of(v, &languages));
    let is = |expected| kind == Some(expected);
    let personal_number = fields.required_if(is(CustomerType::Private), "personalNumber", checks::personal_number);
    let organization_id = fields.required_if(is(CustomerType::Corporate), "organizationId", checks::organization_id);
    let (country, address) = fields.object("address").map(read_address).unwrap_or_default();
    if let (Some(number), Some(country)) = (&personal_number, &country) {
        fields.advise("personalNumber", advisories::personal_number(number, country));
    }
    if let (Some(number), Some(country)) = (&organization_id, &country) {
        fields.advise("organizationId", advisories::organization_id(number, country));
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

/// The country, because other rules depend on it even if the rest of the address is wrong; and the whole address.
fn read_address(mut fields: Fields<'_, '_>) -> (Option<String>, Option<Address>) {
    let street = fields.required("street", checks::text);
    let zip = fields.required("zip", checks::text);
    let city = fields.required("city", checks::text);
    let country = fields.required("country", checks::country);
    if let (Some(zip), Some(country)) = (&zip, &country) {
        fields.advise("zip", advisories::zip(zip, country));
    }
    fields.finish();
    let address = (|| Some(Address { street: street?, zip: zip?, city: city?, country: country.clone()? }))();
    (country, address)
}

fn read_callback(mut fields: Fields<'_, '_>) -> Option<CallbackUrls> {
    let callback = fields.required("callbackUrl", checks::url);
    let success = fields.required("success", checks::url);
    let failure = fields.required("failure", checks::url);
    fields.finish();
    Some(CallbackUrls { callback: callback?, success: success?, failure: failure? })
}

/// Front Payment refuses an order that is dated on an earlier day.
fn check_date(date: &str, now: Timestamp, findings: &mut Findings) {
    let day = |at: Timestamp| -> Date { at.to_zoned(OSLO.clone()).date() };
    let ordered = date.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    if ordered.is_none_or(|ordered| day(ordered) < day(now)) {
        findings.fresh_only("/orderDate", Code::OutOfRange, texts::DATE_PAST);
    }
}
