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
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder};
use url::Url;

use super::{
    CancelCall, CancelReply, FrontPayment, ReplyHead, StatusCall, StatusError, SubmitCall, read_cancel, read_status, read_submit,
    wire,
};
use crate::clock::Clock;
use crate::http_client::{ClientLease, PooledClient, Tls, TlsError, retry_after};
use crate::order::{Order, SubmitReply};
use crate::secrets::Redacted;
use crate::telemetry::error_chain;

/// Shorter than any server keeps an idle connection: Apache closes it after five seconds. If a submit began on a connection
/// that Front Payment has closed, it would be lost, and the order would be UNKNOWN although nobody read it.
const MAX_IDLE: Duration = Duration::from_secs(2);
/// A longer reply is dropped.
const MAX_REPLY_BYTES: usize = 1024 * 1024;

/// A client of one environment of Front Payment: demo or production.
pub struct Client {
    http: PooledClient,
    base_url: String,
    trusted_failures: Vec<u16>,
}

struct Reply {
    head: ReplyHead,
    http_status: u16,
    body: Vec<u8>,
}

struct NoReply {
    reason: String,
    /// The part that arrived before the reply broke off.
    head: ReplyHead,
}

/// A request body that knows whether sending began. hyper polls it only when it is about to write the head to a connection.
/// If it was never polled, nothing was sent.
struct WatchedBody {
    bytes: Option<Bytes>,
    has_begun: Arc<AtomicBool>,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.has_begun.store(true, Ordering::SeqCst);
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
    /// [`TlsError`] if the HTTP client cannot be built.
    pub fn new(tls: Tls, clock: Clock, base_url: &Url) -> Result<Self, TlsError> {
        let http = PooledClient::new(tls, clock, MAX_IDLE)?;
        Ok(Self { http, base_url: base_url.as_str().trim_end_matches('/').to_owned(), trusted_failures: Vec::new() })
    }

    /// Sets the HTTP statuses, 500 or 510, after which Front Payment has confirmed that nothing was created.
    #[must_use]
    pub fn trusting(self, trusted_failures: Vec<u16>) -> Self {
        Self { trusted_failures, ..self }
    }

    /// Opens the connection that the first order uses. It sends no request, so it does not count against the rate limit.
    pub async fn connect(&self) {
        self.http.connect(self.http.lease().get(&self.base_url).send()).await;
    }

    /// Sends a body once. If there is no whole reply, says whether sending had begun.
    async fn post(&self, path: &str, body: Vec<u8>, token: &Redacted, within: Duration) -> Result<Reply, (NoReply, bool)> {
        let http = self.http.lease();
        let request = self.request(&http, Method::POST, path, token, within).header(CONTENT_TYPE, "application/json");
        let has_begun = Arc::new(AtomicBool::new(false));
        let body = reqwest::Body::wrap(WatchedBody { bytes: Some(body.into()), has_begun: has_begun.clone() });
        exchange(request.body(body)).await.map_err(|no_reply| (no_reply, has_begun.load(Ordering::SeqCst)))
    }

    fn request(&self, http: &ClientLease<'_>, method: Method, path: &str, token: &Redacted, within: Duration) -> RequestBuilder {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).unwrap_or(HeaderValue::from_static(""));
        bearer.set_sensitive(true);
        http.request(method, format!("{}{path}", self.base_url))
            .timeout(within)
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, "application/json")
    }
}

impl FrontPayment for Client {
    async fn submit(&self, order: &Order, callback_url: &str, token: &Redacted, within: Duration) -> SubmitCall {
        let body = match wire::body(order, callback_url) {
            Ok(body) => body,
            Err(error) => {
                let reason = format!("not sent: {error}");
                return SubmitCall { reply: SubmitReply::Failed, head: ReplyHead::default(), reason };
            }
        };
        match self.post("/connect/orders/invoice/submit", body, token, within).await {
            Ok(Reply { head, http_status, body }) => {
                let reply = read_submit(http_status, &body, &self.trusted_failures);
                SubmitCall { reply, head, reason: format!("answered {http_status}") }
            }
            Err((NoReply { reason, head }, was_sent)) => {
                let reply = if was_sent { SubmitReply::Unknown } else { SubmitReply::Unavailable };
                SubmitCall { reply, head, reason }
            }
        }
    }

    async fn cancel(&self, order_uuid: &str, note: &str, token: &Redacted, within: Duration) -> CancelCall {
        let body = serde_json::json!({ "cancellationNote": note }).to_string().into_bytes();
        match self.post(&format!("/connect/orders/cancel/{order_uuid}"), body, token, within).await {
            Ok(Reply { head, http_status, body }) => {
                CancelCall { reply: read_cancel(http_status, &body), head, reason: format!("answered {http_status}") }
            }
            Err((NoReply { reason, head }, was_sent)) => {
                let reply = if was_sent { CancelReply::Unknown } else { CancelReply::Unavailable };
                CancelCall { reply, head, reason }
            }
        }
    }

    async fn status(&self, order_uuid: &str, token: &Redacted, within: Duration) -> StatusCall {
        let http = self.http.lease();
        let request = self.request(&http, Method::GET, &format!("/connect/orders/status/{order_uuid}"), token, within);
        match exchange(request).await {
            Ok(Reply { head, http_status, body }) => StatusCall { status: read_status(http_status, &body, order_uuid), head },
            Err(NoReply { reason, head }) => StatusCall { status: Err(StatusError::Other(reason)), head },
        }
    }
}

async fn exchange(request: RequestBuilder) -> Result<Reply, NoReply> {
    let lost = |error: &reqwest::Error, head| NoReply { reason: causes(error), head };
    let mut response = request.send().await.map_err(|error| lost(&error, ReplyHead::default()))?;
    let http_status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let head = ReplyHead {
        http_status: Some(http_status),
        rate_limit_remaining: header("x-ratelimit-remaining").and_then(|value| value.parse().ok()),
        retry_after: header("retry-after").and_then(|value| retry_after::parse(value, Timestamp::now())),
    };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error, head))? {
        if body.len() + chunk.len() > MAX_REPLY_BYTES {
            return Err(NoReply { reason: format!("a reply of more than {MAX_REPLY_BYTES} bytes"), head });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { head, http_status, body })
}

/// The error and its causes without the URL, which may contain an order's id.
fn causes(error: &reqwest::Error) -> String {
    let line = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "no connection"
    } else {
        "no whole reply"
    };
    error.source().map_or(line.to_owned(), |cause| format!("{line}: {}", error_chain(cause)))
}
