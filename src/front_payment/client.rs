//! Front Payment over HTTP.

use std::error::Error;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder};
use url::Url;

use super::{Answer, FrontPayment, NoStatus, Submission, outcome, wire};
use crate::order::{Order, StatusWord};
use crate::secrets::Redacted;

/// The longest reply that is read.
const MAX_REPLY_BYTES: usize = 1024 * 1024;

/// A client of one Front Payment environment, demo or production.
pub struct Client {
    http: reqwest::Client,
    base_url: String,
}

/// A whole reply.
struct Reply {
    http_status: u16,
    rate_limit_remaining: Option<u32>,
    body: Vec<u8>,
}

/// Why there is none.
enum NoReply {
    /// Nothing was sent.
    NoConnection(String),
    /// Something may have been. The status, if one was seen before the reply broke off.
    Lost(String, Option<u16>),
}

impl Client {
    /// A client of the API at a base URL, like `https://demo-api.frontpayment.no/api/v1`.
    ///
    /// The HTTP client must neither follow redirects nor try anything again on its own.
    #[must_use]
    pub fn new(http: reqwest::Client, base_url: &Url) -> Self {
        Self { http, base_url: base_url.as_str().trim_end_matches('/').to_owned() }
    }

    fn request(&self, method: Method, path: &str, token: &Redacted, within: Duration) -> RequestBuilder {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).unwrap_or(HeaderValue::from_static(""));
        bearer.set_sensitive(true);
        self.http
            .request(method, format!("{}{path}", self.base_url))
            .timeout(within)
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, "application/json")
    }
}

impl FrontPayment for Client {
    async fn submit(&self, order: &Order, callback_url: &str, token: &Redacted, within: Duration) -> Submission {
        let no_reply = |answer, reason, http_status| Submission { answer, http_status, rate_limit_remaining: None, reason };
        let body = match wire::body(order, callback_url) {
            Ok(body) => body,
            Err(error) => return no_reply(Answer::Failed { its_word: false }, format!("not sent: {error}"), None),
        };
        let request = self.request(Method::POST, "/connect/orders/invoice/submit", token, within);
        match exchange(request.header(CONTENT_TYPE, "application/json").body(body)).await {
            Ok(reply) => Submission {
                answer: Answer::read(reply.http_status, &reply.body),
                http_status: Some(reply.http_status),
                rate_limit_remaining: reply.rate_limit_remaining,
                reason: format!("answered {}", reply.http_status),
            },
            Err(NoReply::NoConnection(reason)) => no_reply(Answer::Unavailable, reason, None),
            Err(NoReply::Lost(reason, http_status)) => no_reply(Answer::Unknown, reason, http_status),
        }
    }

    async fn status(&self, order_uuid: &str, token: &Redacted, within: Duration) -> Result<StatusWord, NoStatus> {
        let request = self.request(Method::GET, &format!("/connect/orders/status/{order_uuid}"), token, within);
        match exchange(request).await {
            Ok(reply) => outcome::status(reply.http_status, &reply.body, order_uuid),
            Err(NoReply::NoConnection(reason) | NoReply::Lost(reason, _)) => Err(NoStatus::Other(reason)),
        }
    }
}

async fn exchange(request: RequestBuilder) -> Result<Reply, NoReply> {
    let mut response = request.send().await.map_err(|error| match causes(&error) {
        causes if error.is_connect() || error.is_builder() => NoReply::NoConnection(causes),
        causes => NoReply::Lost(causes, None),
    })?;
    let http_status = response.status().as_u16();
    let remaining = response.headers().get("x-ratelimit-remaining");
    let rate_limit_remaining = remaining.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(Reply { http_status, rate_limit_remaining, body }),
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_REPLY_BYTES => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(NoReply::Lost(format!("a reply of more than {MAX_REPLY_BYTES} bytes"), Some(http_status))),
            Err(error) => return Err(NoReply::Lost(causes(&error), Some(http_status))),
        }
    }
}

/// An error and its causes in one line. No URL: a status request's holds an order's id.
fn causes(error: &reqwest::Error) -> String {
    let mut line = if error.is_timeout() {
        "timed out".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "no whole reply".to_owned()
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}
