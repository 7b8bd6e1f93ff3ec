//! The format `standard-webhooks`: an event as <https://www.standardwebhooks.com/> describes it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Serialize;
use sha2::Sha256;

use crate::secrets::Redacted;

/// The header with the id of the change: the same in every attempt to tell it.
pub const ID: &str = "webhook-id";
/// The header with the time of the attempt in Unix seconds. Receivers refuse an attempt whose time is far from theirs.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures that [`sign`] returns.
pub const SIGNATURE: &str = "webhook-signature";

const KEY_PREFIX: &str = "whsec_";

/// The request's body. `at` is the time of the status, `data` the order.
///
/// # Errors
/// If `data` cannot be written as JSON.
pub fn body(at: Timestamp, data: &impl Serialize) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Event<'a, D> {
        r#type: &'static str,
        timestamp: String,
        data: &'a D,
    }
    serde_json::to_string(&Event { r#type: "order.status", timestamp: format!("{at:.3}"), data })
}

/// The value of [`SIGNATURE`]: a signature for each key, with a space between. A key that [`decode_key`] rejects signs nothing.
#[must_use]
pub fn sign(id: &str, timestamp: i64, body: &str, keys: &[Redacted]) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    let signatures = keys.iter().filter_map(|key| {
        let mac = Hmac::<Sha256>::new_from_slice(&decode_key(key)?).ok()?.chain_update(&signed);
        Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

/// The HMAC key: the decoded base64 after `whsec_`. `None` for any other text.
#[must_use]
pub fn decode_key(key: &Redacted) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(key.expose().strip_prefix(KEY_PREFIX)?).ok()
}

#[cfg(test)]
mod tests;
