//! The format `front-payment`: the bridge calls the shop as Front Payment would have.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use url::Url;

use super::php_query::{self, MAX_PARAMETERS, Parameter, ReadError};
use crate::secrets::Redacted;

/// What the bridge adds to the shop's query, in this order.
const NAMES: [&str; 7] = ["orderUuid", "status", "paymentMethod", "amount", "createdAt", "timestamp", "checksum"];

/// A space becomes `%20`, because not every reader decodes `+` as a space.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a shop is told. The shop reads exactly these texts.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    pub order_uuid: &'a str,
    pub status: &'a str,
    /// Empty if no verified callback has named one.
    pub payment_method: &'a str,
    /// The order's grandTotal in the shop's digits.
    pub amount: &'a str,
    /// When the order was created, in Unix seconds.
    pub created_at: i64,
    /// When the order got its status, in Unix seconds.
    pub timestamp: i64,
}

/// Why the notification's parameters cannot be added to the query of a callbackUrl.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("its query has the parameter `{0}`, which the notification adds")]
    ReservedName(&'static str),
    #[error("its query has a parameter with `[` in the name, which PHP reads as an array")]
    Array,
    #[error("its query has more than {} parameters", MAX_PARAMETERS - NAMES.len())]
    TooMany,
}

/// Checks whether the notification's parameters can be added to the query of the callbackUrl.
///
/// # Errors
/// [`QueryError`] says why not.
pub fn check_query(callback_url: &Url) -> Result<(), QueryError> {
    own_parameters(callback_url).map(drop)
}

/// The query to call: the shop's own, unchanged, then the notification's. `key` is the first of the shop's keys.
///
/// The checksum is lower-case hex of SHA-256 over all values as PHP's `$_GET` has them, the shop's own first, then the key.
///
/// # Errors
/// [`QueryError`] if they cannot be added.
pub fn query(callback_url: &Url, notification: &Notification<'_>, key: &Redacted) -> Result<String, QueryError> {
    let (created_at, timestamp) = (notification.created_at.to_string(), notification.timestamp.to_string());
    let Notification { order_uuid, status, payment_method, amount, .. } = *notification;
    let values = [order_uuid, status, payment_method, amount, &created_at, &timestamp];

    let mut digest = Sha256::new();
    for own in own_parameters(callback_url)? {
        digest.update(own.value);
    }
    for value in values {
        digest.update(value);
    }
    let checksum = hex::encode(digest.chain_update(key.expose()).finalize());

    let mut query = callback_url.query().unwrap_or_default().to_owned();
    for (name, value) in NAMES.into_iter().zip(values.into_iter().chain([checksum.as_str()])) {
        query.extend([if query.is_empty() { "" } else { "&" }, name, "="]);
        query.extend(utf8_percent_encode(value, ENCODED));
    }
    Ok(query)
}

fn own_parameters(callback_url: &Url) -> Result<Vec<Parameter>, QueryError> {
    let own = php_query::read(callback_url.query().unwrap_or_default(), MAX_PARAMETERS - NAMES.len());
    let own = own.map_err(|error| match error {
        ReadError::Array => QueryError::Array,
        ReadError::TooMany => QueryError::TooMany,
    })?;
    let taken = NAMES.into_iter().find(|name| own.iter().any(|parameter| parameter.name == name.as_bytes()));
    taken.map_or(Ok(own), |name| Err(QueryError::ReservedName(name)))
}

#[cfg(test)]
mod tests;
