//! Whether a callback is Front Payment's, and about this order.

use std::sync::Arc;

use crate::bridge::Bridge;
use crate::deadline::Deadline;
use crate::front_payment::callback::SignedCallback;
use crate::order::{StatusCallback, StoredOrder};
use crate::secrets::Secret;

/// Why a callback is not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disbelief {
    /// No query at all: operators send such a request to have a status read.
    NoQuery,
    Shape,
    Checksum,
    /// No attempt of the order has this total.
    Amount,
}

impl Disbelief {
    /// As the log has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NoQuery => "none",
            Self::Shape => "shape",
            Self::Checksum => "checksum",
            Self::Amount => "amount",
        }
    }
}

/// Checks shape and checksum. Where the checksum is wrong, fetches the secret again: Front Payment may sign with a key that
/// was added a moment ago.
pub(super) async fn verify<S, F>(
    bridge: &Bridge<S, F>,
    secret: &Arc<Secret>,
    deadline: Deadline,
    raw_query: &str,
) -> Result<StatusCallback, Disbelief> {
    if raw_query.is_empty() {
        return Err(Disbelief::NoQuery);
    }
    let signed = SignedCallback::read(raw_query).ok_or(Disbelief::Shape)?;
    let is_signed_with = |secret: &Secret| secret.callback_secrets.iter().any(|key| signed.is_signed_with(key));
    if !is_signed_with(secret) {
        let newer = bridge.newer_secret(secret, deadline.send_by()).await;
        newer.filter(|newer| is_signed_with(newer)).ok_or(Disbelief::Checksum)?;
    }
    Ok(signed.callback)
}

/// The checksum does not protect the borders between values, so the amount is compared with what was sent.
pub(super) fn verify_amount(callback: StatusCallback, order: &StoredOrder) -> Result<StatusCallback, Disbelief> {
    if order.has_attempt_of(&callback.amount) { Ok(callback) } else { Err(Disbelief::Amount) }
}
