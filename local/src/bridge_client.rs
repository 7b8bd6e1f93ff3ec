//! A shop's calls to a bridge, for the demo and the smoke test.

use std::time::Duration;

use front_payment_bridge::telemetry::error_chain;
use http::HeaderMap;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

/// The bridge, or API Gateway for it, answers within 29 seconds.
const MAX_REPLY: Duration = Duration::from_secs(35);

pub(super) struct BridgeClient<'a> {
    pub(super) client: Client,
    /// Without a slash at the end.
    pub(super) base: &'a str,
    pub(super) api_key: &'a str,
}

pub(super) struct BridgeReply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl BridgeClient<'_> {
    /// `POST /orders`
    pub(super) async fn submit(&self, order: &Value, idempotency_key: &str) -> Result<BridgeReply, String> {
        let request = self.client.post(format!("{}/orders", self.base)).header("Idempotency-Key", idempotency_key);
        self.send(request.header("Content-Type", "application/json").body(order.to_string())).await
    }

    /// `GET /orders/{orderId}`
    pub(super) async fn read(&self, order_id: &str) -> Result<BridgeReply, String> {
        self.send(self.client.get(format!("{}/orders/{order_id}", self.base))).await
    }

    /// Sends any request with the API key.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<BridgeReply, String> {
        let reply = request.bearer_auth(self.api_key).timeout(MAX_REPLY).send().await.map_err(error_text)?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let body = reply.text().await.map_err(error_text)?;
        let body = serde_json::from_str(&body)
            .map_err(|error| format!("the bridge answered {status} and something that is not JSON ({error}): {body}"))?;
        Ok(BridgeReply { status, headers, body })
    }
}

impl BridgeReply {
    /// The body of a reply with this status; any other is an error that quotes the reply.
    pub(super) fn with_status(self, status: u16) -> Result<Value, String> {
        if self.status == status {
            return Ok(self.body);
        }
        Err(format!("the bridge answered {} instead of {status}: {}", self.status, self.body))
    }
}

/// The string at a JSON pointer of a reply.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Result<&'v str, String> {
    value.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("{pointer} is missing in {value}"))
}

#[allow(clippy::needless_pass_by_value)] // the signature that map_err wants
pub(super) fn error_text(error: reqwest::Error) -> String {
    error_chain(&error)
}
