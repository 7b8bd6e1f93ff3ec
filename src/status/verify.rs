//! Whether a callback is Front Payment's, and about this order.

use std::sync::Arc;

use crate::bridge::Bridge;
use crate::deadline::Deadline;
use crate::front_payment::callback::SignedCallback;
use crate::order::{StatusCallback, StoredOrder};
use crate::secrets::Secret;

/// Why a callback is unverified. The names are in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Unverified {
    /// There is no query at all: whoever calls like this wants the status read.
    None,
    Shape,
    Checksum,
    /// The amount is not the order's grandTotal.
    Amount,
}

/// Checks names, forms and checksum. If the checksum is wrong, fetches the secret again, because Front Payment may sign with
/// a key that was added a moment ago.
pub(super) async fn verify<S, F>(
    bridge: &Bridge<S, F>,
    secret: &Arc<Secret>,
    deadline: Deadline,
    raw_query: &str,
) -> Result<StatusCallback, Unverified> {
    if raw_query.is_empty() {
        return Err(Unverified::None);
    }
    let signed = SignedCallback::read(raw_query).ok_or(Unverified::Shape)?;
    let is_signed_with = |secret: &Secret| secret.callback_secrets.iter().any(|key| signed.is_signed_with(key));
    if !is_signed_with(secret) {
        let newer = bridge.newer_secret(secret, deadline.send_by()).await;
        newer.filter(|newer| is_signed_with(newer)).ok_or(Unverified::Checksum)?;
    }
    Ok(signed.callback)
}

/// The checksum does not show where one value ends and the next begins. So the amount is compared with the order's total.
pub(super) fn verify_amount(callback: StatusCallback, order: &StoredOrder) -> Result<StatusCallback, Unverified> {
    if order.has_total(&callback.amount) { Ok(callback) } else { Err(Unverified::Amount) }
}
