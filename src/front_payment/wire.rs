//! The order as it goes over the wire: the page's names, the shop's digits.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::order::{CustomerType, Decimal, Language, Order};

/// The body of a submit.
///
/// # Errors
/// None that can happen: every key is a string and every figure is digits.
pub fn body(order: &Order, callback_url: &str) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Submit::new(order, callback_url))
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

/// A figure as the shop wrote it: a string stays one, a number too.
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
    fn new(order: &'a Order, callback_url: &'a str) -> Self {
        let (customer, summary) = (&order.customer, &order.summary);
        Self {
            products: order
                .products
                .iter()
                .map(|line| Product {
                    name: &line.name,
                    product_id: line.product_id.as_deref(),
                    quantity: Digits(&line.quantity),
                    rate: Digits(&line.rate),
                    discount: line.discount.as_ref().map(Digits),
                    tax: Digits(&line.tax),
                    amount: Digits(&line.amount),
                })
                .collect(),
            order_summary: OrderSummary {
                sub_total: Digits(&summary.sub_total),
                total_tax: Digits(&summary.total_tax),
                total_discount: Digits(&summary.total_discount),
                grand_total: Digits(&summary.grand_total),
            },
            order_date: &order.order_date,
            customer_details: CustomerDetails {
                r#type: customer.kind,
                country_code: &customer.country_code,
                msisdn: &customer.msisdn,
                email: &customer.email,
                name: &customer.name,
                preferred_language: customer.preferred_language,
                personal_number: customer.personal_number.as_deref(),
                organization_id: customer.organization_id.as_deref(),
                address: Address {
                    street: &customer.address.street,
                    zip: &customer.address.zip,
                    city: &customer.address.city,
                    country: &customer.address.country,
                },
            },
            reference_no: order.reference_no.as_deref(),
            customer_reference: order.customer_reference.as_deref(),
            invoice_interval: order.invoice_interval.as_ref().map(Digits),
            separate_invoices: order.separate_invoices,
            invoice_fee_applicable: order.invoice_fee_applicable,
            invoice_maturity: Digits(&order.invoice_maturity),
            callback: Callback { callback_url, success: &order.callback.success, failure: &order.callback.failure },
            settings: order.secure_details.map(|secure_details| Settings { secure_details }),
        }
    }
}
