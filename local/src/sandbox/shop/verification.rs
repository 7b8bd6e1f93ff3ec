//! How the shop verifies notifications. It shares no code with the bridge that signs them, so that each can reveal the
//! other's mistakes.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::sandbox::SHOP_KEY;

/// In seconds. The tolerance of the Standard Webhooks libraries.
const MAX_AGE: i64 = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Format {
    FrontPayment,
    StandardWebhooks,
}

/// The values of a notification.
pub(super) struct Told {
    pub(super) format: Format,
    /// Empty if it is missing. The same holds for the other texts.
    pub(super) order_uuid: String,
    pub(super) status: String,
    /// The time of the status, as the notification tells it.
    pub(super) timestamp: String,
    pub(super) verified: Result<(), &'static str>,
}

/// Verifies like a shop in PHP: hashes the values of `$_GET` without the checksum, and then the key.
pub(super) fn front_payment(query: &str) -> Told {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()).into_owned() {
        // A repeated name keeps its first place and its last value.
        match parameters.iter_mut().find(|(known, _)| *known == name) {
            Some((_, last)) => *last = value,
            None => parameters.push((name, value)),
        }
    }
    let get = |name: &str| {
        let parameter = parameters.iter().find(|(known, _)| known == name);
        parameter.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let signed: String = parameters.iter().filter(|(name, _)| name != "checksum").map(|(_, value)| value.as_str()).collect();
    let verified = match get("checksum") {
        checksum if checksum.is_empty() => Err("there is no checksum"),
        checksum if checksum != hex::encode(Sha256::digest(signed + SHOP_KEY)) => Err("the checksum is wrong"),
        _ => Ok(()),
    };
    Told {
        format: Format::FrontPayment,
        order_uuid: get("orderUuid"),
        status: get("status"),
        timestamp: get("timestamp"),
        verified,
    }
}

/// Verifies as <https://www.standardwebhooks.com/> describes it.
pub(super) fn standard_webhooks(headers: &HeaderMap, body: &[u8], now: Timestamp) -> Told {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, sent_at, signatures) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let signed = [id.as_bytes(), sent_at.as_bytes(), body].join(&b'.');
    let verified = if signatures.is_empty() {
        Err("there is no webhook-signature")
    } else if !sent_at.parse().is_ok_and(|sent_at: i64| now.as_second().abs_diff(sent_at) <= MAX_AGE.unsigned_abs()) {
        Err("the webhook-timestamp is more than five minutes away")
    } else if signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).any(|it| is_signature(it, &signed)) {
        Ok(())
    } else {
        Err("no webhook-signature is right")
    };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |pointer| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Told {
        format: Format::StandardWebhooks,
        order_uuid: text("/data/orderUuid"),
        status: text("/data/status"),
        timestamp: text("/timestamp"),
        verified,
    }
}

fn is_signature(signature: &str, signed: &[u8]) -> bool {
    let key = BASE64_STANDARD.decode(SHOP_KEY.trim_start_matches("whsec_")).unwrap_or_default();
    let mac = Hmac::<Sha256>::new_from_slice(&key).map(|mac| mac.chain_update(signed));
    mac.is_ok_and(|mac| BASE64_STANDARD.encode(mac.finalize().into_bytes()) == signature)
}
