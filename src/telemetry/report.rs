//! What the summary line of a request contains, apart from its route, its outcome and its duration.

use std::time::Duration;

use jiff::SignedDuration;

#[derive(Debug, Default)]
pub struct RequestReport {
    pub shop_id: Option<String>,
    /// The number of the shop's API key that was used, counted from 1.
    pub api_key: Option<u64>,
    pub order_uuid: Option<String>,
    pub provider: ProviderCalls,
    /// Why the callback is unverified: `shape`, `checksum`, `amount`, or `none` without a query.
    pub unverified: Option<&'static str>,
    /// How long after the order's 201 its first verified callback came.
    pub first_callback_after: Option<SignedDuration>,
}

/// What the log contains of a reply, and when the next call may be made.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ReplyHead {
    /// `None` without a reply.
    pub http_status: Option<u16>,
    /// `x-ratelimit-remaining`: what is left of 240 requests a minute.
    pub rate_limit_remaining: Option<u32>,
    /// `Retry-After`
    pub retry_after: Option<Duration>,
}

/// The calls to Front Payment that one request made.
#[derive(Debug, Default, Clone, Copy)]
pub struct ProviderCalls {
    /// The HTTP status of the last call.
    pub http_status: Option<u16>,
    /// Milliseconds spent waiting, over all calls; `None` without a call.
    pub elapsed_ms: Option<u64>,
    /// What the last reply left of the rate limit.
    pub rate_limit_remaining: Option<u32>,
    /// What the last reply asked for in `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl ProviderCalls {
    pub(crate) fn add(&mut self, waited: Duration, reply: &ReplyHead) {
        let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let elapsed_ms = Some(self.elapsed_ms.unwrap_or_default().saturating_add(waited));
        let ReplyHead { http_status, rate_limit_remaining, retry_after } = *reply;
        *self = Self { http_status, elapsed_ms, rate_limit_remaining, retry_after };
    }
}
