//! Front Payment Go: what the bridge asks of it, and how it is spoken to.

pub mod callback;
mod client;
mod outcome;
mod sentences;
pub mod wire;

pub use client::Client;
pub use outcome::{Answer, NoStatus, StatusReading, Submission, read_status};

use std::future::Future;
use std::time::Duration;

use crate::order::Order;
use crate::secrets::Redacted;

/// The two calls that the bridge makes.
pub trait FrontPayment: Send + Sync {
    /// Submits an order, once, with this callback URL in place of the shop's. Never tries again on its own.
    fn submit(
        &self,
        order: &Order,
        callback_url: &str,
        token: &Redacted,
        within: Duration,
    ) -> impl Future<Output = Submission> + Send;

    /// Reads the status of an order.
    fn status(&self, order_uuid: &str, token: &Redacted, within: Duration) -> impl Future<Output = StatusReading> + Send;
}

/// `orderUuid` and `customerUuid`: 1 to 64 of `[A-Za-z0-9_-]`.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
