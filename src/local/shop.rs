//! A shop, as the bridge sees one.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use crate::telemetry::error_chain;

/// The bridge answers within 29 seconds, or API Gateway does.
const MOST_FOR_A_REPLY: Duration = Duration::from_secs(35);

/// A shop and the bridge that it sends its orders to.
pub(super) struct Shop<'a> {
    pub(super) client: Client,
    /// Without a slash at its end.
    pub(super) base: &'a str,
    pub(super) api_key: &'a str,
}

/// A reply of the bridge's.
pub(super) struct BridgeReply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Shop<'_> {
    /// `POST /orders`
    pub(super) async fn submit(&self, order: &Value, idempotency_key: &str) -> Result<BridgeReply, String> {
        let request = self.client.post(format!("{}/orders", self.base)).header("Idempotency-Key", idempotency_key);
        self.ask(request.header("Content-Type", "application/json").body(order.to_string())).await
    }

    /// `GET /orders/{orderId}`
    pub(super) async fn read(&self, order_id: &str) -> Result<BridgeReply, String> {
        self.ask(self.client.get(format!("{}/orders/{order_id}", self.base))).await
    }

    /// Any request, with the shop's key.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<BridgeReply, String> {
        let reply = request.bearer_auth(self.api_key).timeout(MOST_FOR_A_REPLY).send().await.map_err(said)?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let body = reply.text().await.map_err(said)?;
        let body = serde_json::from_str(&body).map_err(|error| format!("{status}, and no JSON ({error}): {body}"))?;
        Ok(BridgeReply { status, headers, body })
    }
}

impl BridgeReply {
    /// The body of a reply with this status; any other is an error that quotes the reply.
    pub(super) fn with_status(self, status: u16) -> Result<Value, String> {
        if self.status == status {
            return Ok(self.body);
        }
        Err(format!("the bridge answered {} in place of {status}: {}", self.status, self.body))
    }
}

/// A text in a reply.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Result<&'v str, String> {
    value.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("{pointer} is missing in {value}"))
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
pub(super) fn said(error: reqwest::Error) -> String {
    error_chain(&error)
}

/// An order that can be sent as it stands: the provider page's example, dated today, of a synthetic person.
#[must_use]
pub fn example_order(base: &str, reference_no: &str) -> serde_json::Value {
    serde_json::json!({
        "products": [{
            "name": "Router", "productId": "R_1", "quantity": "1", "rate": 40, "discount": 0, "tax": "0", "amount": 40
        }],
        "orderSummary": { "subTotal": "40", "totalTax": "0", "totalDiscount": "0.00", "grandTotal": "40" },
        "orderDate": Timestamp::now().as_second().to_string(),
        "customerDetails": {
            "type": "private", "countryCode": "+47", "msisdn": "46567468", "email": "kari@example.com", "name": "Kari Nordmann",
            "preferredLanguage": "en", "personalNumber": "30908299902", "organizationId": "",
            "address": { "street": "Klosterenget 144", "zip": "7030", "city": "Trondheim", "country": "NO" }
        },
        "referenceNo": reference_no,
        "customerReference": "3500",
        "invoiceInterval": 0,
        "separateInvoices": true,
        "invoiceFeeApplicable": true,
        "invoiceMaturity": 10,
        "callback": {
            "callbackUrl": format!("{base}/front-payment/shop/status"),
            "success": format!("{base}/front-payment/shop/success"),
            "failure": format!("{base}/front-payment/shop/failure")
        }
    })
}
