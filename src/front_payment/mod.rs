//! Front Payment Go, the provider: its API, its replies, its callbacks.

pub mod callback;
mod client;
mod replies;
mod sentences;
pub mod wire;

pub use crate::telemetry::ReplyHead;
pub use client::Client;
pub use replies::{CancelCall, CancelReply, StatusCall, StatusError, SubmitCall, read_cancel, read_status, read_submit};

use std::future::Future;
use std::time::Duration;

use crate::order::Order;
use crate::secrets::Redacted;

/// The calls that the bridge makes.
pub trait FrontPayment: Send + Sync {
    /// Submits an order once, with this callback URL instead of the shop's. Never retries.
    fn submit(
        &self,
        order: &Order,
        callback_url: &str,
        token: &Redacted,
        within: Duration,
    ) -> impl Future<Output = SubmitCall> + Send;

    fn status(&self, order_uuid: &str, token: &Redacted, within: Duration) -> impl Future<Output = StatusCall> + Send;

    /// Asks once for the cancellation of an order. `note` is 1 to 200 characters.
    fn cancel(&self, order_uuid: &str, note: &str, token: &Redacted, within: Duration)
    -> impl Future<Output = CancelCall> + Send;
}

/// Whether a text can be an `orderUuid` or a `customerUuid`: 1 to 64 of `[A-Za-z0-9_-]`. They are not UUIDs: `ODR4286244937`.
#[must_use]
pub fn is_provider_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
