//! What both use cases share: the neighbours, the settings, and how much time is left.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::budget::Budget;
use crate::clock::Clock;
use crate::order::{Decimal, Record};
use crate::secrets::{Secret, SecretUnavailable, Secrets};
use crate::store::Unavailable;

/// The bridge, once per process.
pub struct Bridge<S, F> {
    /// Where orders are kept.
    pub store: S,
    /// The provider.
    pub front_payment: F,
    /// Tokens and keys.
    pub secrets: Secrets,
    /// The time.
    pub clock: Clock,
    /// What may be read back of Front Payment.
    pub readings: Budget,
    /// What an operator chose.
    pub settings: Settings,
}

/// The configuration that requests depend on.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `CALLBACK_BASE_URL`: the public base of our API; from the request where there is none.
    pub callback_base_url: Option<Url>,
    /// `ALLOWED_TAX_RATES`, in per cent.
    pub allowed_tax_rates: Vec<Decimal>,
    /// `ADVISORY_CHECKS=enforce`.
    pub enforce_advisories: bool,
}

/// When the Lambda is ended, and what has to be done before.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Timestamp);

impl<S, F> Bridge<S, F> {
    /// The secret, if there is one by then.
    pub(crate) async fn secret(&self, by: Timestamp) -> Result<Arc<Secret>, SecretUnavailable> {
        tokio::time::timeout(self.clock.until(by), self.secrets.get()).await.unwrap_or(Err(SecretUnavailable))
    }

    /// A newer secret than this one, if there is one by then.
    pub(crate) async fn newer_secret(&self, seen: &Arc<Secret>, by: Timestamp) -> Option<Arc<Secret>> {
        tokio::time::timeout(self.clock.until(by), self.secrets.newer_than(seen)).await.ok().flatten()
    }
}

impl Deadline {
    /// The reply is given two seconds before the end.
    #[must_use]
    pub fn reply_by(self) -> Timestamp {
        self.0.saturating_sub(SignedDuration::from_secs(2)).unwrap_or(self.0)
    }

    /// Front Payment may take until three seconds before that: they are kept for writing down the result.
    #[must_use]
    pub fn send_by(self) -> Timestamp {
        self.0.saturating_sub(SignedDuration::from_secs(5)).unwrap_or(self.0)
    }
}

/// The result of a store's work, or [`Unavailable`] if it is not there within the time.
pub(crate) async fn within<T, E: From<Unavailable>>(limit: Duration, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(Unavailable(format!("no answer within {} ms", limit.as_millis())).into()),
    }
}

/// What the log says of a request beside its ids and its outcome, as far as it is known.
#[derive(Debug, Default)]
pub struct Report {
    /// Whose request it is, or whose order.
    pub shop_id: Option<String>,
    /// Front Payment's id of the order that a shop is told of.
    pub order_uuid: Option<String>,
    /// Front Payment's part in it.
    pub provider: ProviderReport,
    /// For a callback: it claims something that does not hold up.
    pub is_forged: bool,
    /// For the first callback of an order that is believed: how long after the order's 201 it came.
    pub first_callback_after: Option<SignedDuration>,
}

/// What the log says of Front Payment's part in a request.
#[derive(Debug, Default, Clone, Copy)]
pub struct ProviderReport {
    /// Its HTTP status.
    pub http_status: Option<u16>,
    /// Milliseconds spent waiting for it; nothing where it was not called.
    pub elapsed_ms: Option<u64>,
    /// What it left of its rate limit.
    pub rate_limit_remaining: Option<u32>,
}

impl ProviderReport {
    /// Adds a call to those before it.
    pub(crate) fn add(&mut self, waited: Duration, http_status: Option<u16>, rate_limit_remaining: Option<u32>) {
        let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let elapsed_ms = Some(self.elapsed_ms.unwrap_or_default().saturating_add(waited));
        *self = Self { http_status, elapsed_ms, rate_limit_remaining };
    }
}

/// Somebody must act: a customer may be billed twice.
pub(crate) fn report_twice(stored: &Record, other: &str) {
    tracing::error!(
        orderUuid = stored.order_uuid,
        otherOrderUuid = other,
        "Front Payment has the order twice; cancel one of the two there"
    );
}

/// Every change adds to the history, until that is full.
pub(crate) fn warn_if_not_noted(before: &Record, after: &Record) {
    if after.history.len() == before.history.len() {
        tracing::warn!("the history is full: the status is applied, but not noted");
    }
}

/// How long to wait before the n-th repetition: doubling from 20 ms to 640 ms, and of that a random part.
pub(crate) fn backoff(repetition: u32) -> Duration {
    let most = 20u64 << repetition.min(5);
    let mut random = [0u8];
    // Without randomness it is merely the same wait for all.
    let part = getrandom::fill(&mut random).map_or(255, |()| u64::from(random[0]));
    Duration::from_millis(most * (128 + part / 2) / 256)
}
