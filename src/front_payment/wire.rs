//! The order as it is sent: with the page's names and the shop's digits.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::order::{self, CustomerType, Decimal, Language, Order};

/// The body of a submit.
///
/// # Errors
/// Never in practice: every key is a string and every figure consists of digits.
pub fn body(order: &Order, callback_url: &str) -> serde_json::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(order::USUAL_BYTES);
    serde_json::to_writer(&mut body, &Submit::new(order, callback_url))?;
    Ok(body)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Submit<'a> {
    products: Vec<Product<'a>>,
    order_summary: OrderSummary<'a>,
    order_date: &'a str,
    customer_details: CustomerDetails<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_no: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_interval: Option<Digits<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    separate_invoices: Option<bool>,
    invoice_fee_applicable: bool,
    invoice_maturity: Digits<'a>,
    callback: Callback<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Settings>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Product<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_id: Option<&'a str>,
    quantity: Digits<'a>,
    rate: Digits<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<Digits<'a>>,
    tax: Digits<'a>,
    amount: Digits<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderSummary<'a> {
    sub_total: Digits<'a>,
    total_tax: Digits<'a>,
    total_discount: Digits<'a>,
    grand_total: Digits<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerDetails<'a> {
    r#type: CustomerType,
    country_code: &'a str,
    msisdn: &'a str,
    email: &'a str,
    name: &'a str,
    preferred_language: Language,
    #[serde(skip_serializing_if = "Option::is_none")]
    personal_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<&'a str>,
    address: Address<'a>,
}

#[derive(Serialize)]
struct Address<'a> {
    street: &'a str,
    zip: &'a str,
    city: &'a str,
    country: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Callback<'a> {
    callback_url: &'a str,
    success: &'a str,
    failure: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    secure_details: bool,
}

/// A figure as the shop wrote it: a string stays a string, a number stays a number.
struct Digits<'a>(&'a Decimal);

impl Serialize for Digits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_quoted() {
            return serializer.serialize_str(self.0.text());
        }
        let number: &RawValue = serde_json::from_str(self.0.text()).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

impl<'a> Submit<'a> {
    /// Destructures every member by name, so that a new member of the order that is forgotten here does not compile.
    fn new(order: &'a Order, callback_url: &'a str) -> Self {
        let Order {
            products,
            summary: order::Summary { sub_total, total_tax, total_discount, grand_total },
            order_date,
            customer,
            reference_no,
            customer_reference,
            invoice_interval,
            separate_invoices,
            invoice_fee_applicable,
            invoice_maturity,
            callback: order::CallbackUrls { callback: _, success, failure },
            secure_details,
        } = order;
        Self {
            products: products.iter().map(Product::new).collect(),
            order_summary: OrderSummary {
                sub_total: Digits(sub_total),
                total_tax: Digits(total_tax),
                total_discount: Digits(total_discount),
                grand_total: Digits(grand_total),
            },
            order_date,
            customer_details: CustomerDetails::new(customer),
            reference_no: reference_no.as_deref(),
            customer_reference: customer_reference.as_deref(),
            invoice_interval: invoice_interval.as_ref().map(Digits),
            separate_invoices: *separate_invoices,
            invoice_fee_applicable: *invoice_fee_applicable,
            invoice_maturity: Digits(invoice_maturity),
            callback: Callback { callback_url, success, failure },
            settings: secure_details.map(|secure_details| Settings { secure_details }),
        }
    }
}

impl<'a> Product<'a> {
    fn new(line: &'a order::Line) -> Self {
        let order::Line { name, product_id, quantity, rate, discount, tax, amount } = line;
        Self {
            name,
            product_id: product_id.as_deref(),
            quantity: Digits(quantity),
            rate: Digits(rate),
            discount: discount.as_ref().map(Digits),
            tax: Digits(tax),
            amount: Digits(amount),
        }
    }
}

impl<'a> CustomerDetails<'a> {
    fn new(customer: &'a order::Customer) -> Self {
        let order::Customer {
            kind,
            country_code,
            msisdn,
            email,
            name,
            personal_number,
            preferred_language,
            organization_id,
            address,
        } = customer;
        let order::Address { street, zip, city, country } = address;
        Self {
            r#type: *kind,
            country_code,
            msisdn,
            email,
            name,
            preferred_language: *preferred_language,
            personal_number: personal_number.as_deref(),
            organization_id: organization_id.as_deref(),
            address: Address { street, zip, city, country },
        }
    }
}
