//! A shop's calls to a bridge, for the commands and the pages.

use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use front_payment_bridge::telemetry::error_chain;
use http::HeaderMap;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use super::guard::is_loopback_name;
use super::printable::{excerpt, printable};

/// Longer than the 29 seconds that the bridge, or API Gateway, may take.
const MAX_REPLY: Duration = Duration::from_secs(35);
/// The bridge's longest reply is a page of orders.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

pub(super) struct BridgeClient<'a> {
    pub(super) client: Client,
    /// Without a slash at its end.
    pub(super) base: &'a str,
    pub(super) api_key: &'a str,
}

pub(super) struct BridgeReply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

/// What a violation of a reply is about: its `pointer` or `parameter`. Where that is empty, the code tells.
pub(super) fn place<'v>(named: &'v str, code: &str) -> &'v str {
    match (named, code) {
        ("", "provider") => "Front Payment's answer",
        ("", "wrong_type") => "the body",
        ("", _) => "the header Idempotency-Key",
        _ => named,
    }
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
        BridgeReply::of(request.bearer_auth(self.api_key)).await
    }
}

impl BridgeReply {
    /// The reply to any request, if it is JSON.
    pub(super) async fn of(request: RequestBuilder) -> Result<Self, String> {
        let reply = request.timeout(MAX_REPLY).send().await.map_err(error_text)?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let body = body(reply).await?;
        let body = serde_json::from_slice(&body).map_err(|error| {
            let text = excerpt(&String::from_utf8_lossy(&body));
            format!("the answer {status} is not JSON ({error}), so it is not the bridge's; check the URL: {text}")
        })?;
        Ok(Self { status, headers, body })
    }

    /// The body, if the reply has this status. For any other status, an error that quotes the reply.
    pub(super) fn with_status(self, status: u16) -> Result<Value, String> {
        if self.status == status {
            return Ok(self.body);
        }
        Err(format!("the bridge answered {} instead of {status}: {}", self.status, excerpt(&self.body.to_string())))
    }
}

async fn body(mut reply: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = reply.chunk().await.map_err(error_text)? {
        body.extend(part);
        if body.len() > MAX_BODY_BYTES {
            return Err(format!("the answer is longer than {MAX_BODY_BYTES} bytes, so it is not the bridge's; check the URL"));
        }
    }
    Ok(body)
}

/// The string at a JSON pointer of a reply.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Result<&'v str, String> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.ok_or_else(|| format!("{pointer} is missing in {}", excerpt(&value.to_string())))
}

/// A text for a person about what went wrong.
#[allow(clippy::needless_pass_by_value)] // map_err needs this signature
pub(super) fn error_text(error: reqwest::Error) -> String {
    let Some(url) = error.url().filter(|_| error.is_connect()) else { return printable(&error_chain(&error)) };
    let cause = successors(error.source(), |&cause| cause.source()).last().map(ToString::to_string);
    let is_here = url.host_str().is_some_and(is_loopback_name);
    let hint = if is_here { ". Is the sandbox running, in another terminal?" } else { "" };
    printable(&format!("nothing answers at {}: {}{hint}", url.origin().ascii_serialization(), cause.unwrap_or_default()))
}
