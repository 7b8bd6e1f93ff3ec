//! Front Payment over HTTP.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use reqwest::{Method, RequestBuilder};
use url::Url;

use super::{Answer, FrontPayment, NoStatus, StatusReading, Submission, read_status, wire};
use crate::clock::Clock;
use crate::config::ConfigError;
use crate::http_client::{Lease, Neighbour, Tls};
use crate::order::Order;
use crate::secrets::Redacted;
use crate::telemetry::with_causes;

/// Front Payment keeps an idle connection for longer than this, as far as anybody knows. A submit on one that it has
/// closed would be begun, and lost: UNKNOWN, though it was never read.
const IDLE: Duration = Duration::from_secs(5);
/// The longest reply that is read.
const MAX_REPLY_BYTES: usize = 1024 * 1024;

/// A client of one Front Payment environment, demo or production.
pub struct Client {
    http: Neighbour,
    base_url: String,
}

/// A whole reply.
struct Reply {
    http_status: u16,
    rate_limit_remaining: Option<u32>,
    body: Vec<u8>,
}

/// Why there is none.
struct NoReply {
    reason: String,
    /// The status, if one was seen before the reply broke off.
    http_status: Option<u16>,
}

/// A request's body that tells whether the request was begun: it is asked for when the head is
/// about to be written to a connection, and not before. If it never was, nothing was sent.
struct WatchedBody {
    bytes: Option<Bytes>,
    is_begun: Arc<AtomicBool>,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.is_begun.store(true, Ordering::SeqCst);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
    }
}

impl Client {
    /// A client of the API at a base URL, like `https://demo-api.frontpayment.no/api/v1`.
    ///
    /// # Errors
    /// [`ConfigError`] where TLS cannot be set up.
    pub fn new(tls: Tls, clock: Clock, base_url: &Url) -> Result<Self, ConfigError> {
        let http = Neighbour::new(tls, clock, IDLE)?;
        Ok(Self { http, base_url: base_url.as_str().trim_end_matches('/').to_owned() })
    }

    /// Opens the connection that the first order will use. Nothing is sent, so nothing counts against the rate limit.
    pub async fn open(&self) {
        self.http.open(self.http.lease().get(&self.base_url).send()).await;
    }

    fn request(&self, http: &Lease<'_>, method: Method, path: &str, token: &Redacted, within: Duration) -> RequestBuilder {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).unwrap_or(HeaderValue::from_static(""));
        bearer.set_sensitive(true);
        http.request(method, format!("{}{path}", self.base_url))
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
        let http = self.http.lease();
        let request = self.request(&http, Method::POST, "/connect/orders/invoice/submit", token, within);
        let is_begun = Arc::new(AtomicBool::new(false));
        let body = reqwest::Body::wrap(WatchedBody { bytes: Some(body.into()), is_begun: is_begun.clone() });
        match exchange(request.header(CONTENT_TYPE, "application/json").body(body)).await {
            Ok(reply) => Submission {
                answer: Answer::read(reply.http_status, &reply.body),
                http_status: Some(reply.http_status),
                rate_limit_remaining: reply.rate_limit_remaining,
                reason: format!("answered {}", reply.http_status),
            },
            Err(NoReply { reason, .. }) if !is_begun.load(Ordering::SeqCst) => no_reply(Answer::Unavailable, reason, None),
            Err(NoReply { reason, http_status }) => no_reply(Answer::Unknown, reason, http_status),
        }
    }

    async fn status(&self, order_uuid: &str, token: &Redacted, within: Duration) -> StatusReading {
        let http = self.http.lease();
        let request = self.request(&http, Method::GET, &format!("/connect/orders/status/{order_uuid}"), token, within);
        match exchange(request).await {
            Ok(reply) => StatusReading {
                status: read_status(reply.http_status, &reply.body, order_uuid),
                http_status: Some(reply.http_status),
                rate_limit_remaining: reply.rate_limit_remaining,
            },
            Err(NoReply { reason, http_status }) => {
                StatusReading { status: Err(NoStatus::Other(reason)), http_status, rate_limit_remaining: None }
            }
        }
    }
}

async fn exchange(request: RequestBuilder) -> Result<Reply, NoReply> {
    let lost = |error: &reqwest::Error, http_status| NoReply { reason: causes(error), http_status };
    let mut response = request.send().await.map_err(|error| lost(&error, None))?;
    let http_status = response.status().as_u16();
    let remaining = response.headers().get("x-ratelimit-remaining");
    let rate_limit_remaining = remaining.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error, Some(http_status)))? {
        if body.len() + chunk.len() > MAX_REPLY_BYTES {
            let reason = format!("a reply of more than {MAX_REPLY_BYTES} bytes");
            return Err(NoReply { reason, http_status: Some(http_status) });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { http_status, rate_limit_remaining, body })
}

/// An error and its causes in one line. No URL: a status request's holds an order's id.
fn causes(error: &reqwest::Error) -> String {
    let line = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "no connection"
    } else {
        "no whole reply"
    };
    error.source().map_or(line.to_owned(), |cause| format!("{line}: {}", with_causes(cause)))
}
