//! The secret of `local`, instead of Secrets Manager's. Its keys are valid only for a sandbox on this machine.

use front_payment_bridge::secrets::{SecretFetch, SecretSource};
use sha2::{Digest, Sha256};

use super::sandbox;

/// The name of the demo shop.
pub(super) const SHOP: &str = "demo-shop";
/// The API key of the demo shop, which is notified in the format `front-payment`.
pub const API_KEY: &str = "demo-shop-key";
/// The name of a second shop.
pub(super) const WEBHOOKS_SHOP: &str = "demo-webhooks";
/// The API key of the second shop, which is notified in the format `standard-webhooks`.
pub const WEBHOOKS_API_KEY: &str = "demo-webhooks-key";

/// The API key of one of the two shops.
pub(super) fn api_key_of(shop_id: &str) -> Option<&'static str> {
    match shop_id {
        SHOP => Some(API_KEY),
        WEBHOOKS_SHOP => Some(WEBHOOKS_API_KEY),
        _ => None,
    }
}

/// The hosts at which the shops are notified, at any port.
pub(super) const THIS_MACHINE: [&str; 2] = ["127.0.0.1", "localhost"];

pub(super) struct DemoSecret {
    hosts: Vec<String>,
}

impl DemoSecret {
    /// Also allows these hosts for notifications.
    pub(super) fn new(hosts: Vec<String>) -> Self {
        Self { hosts: THIS_MACHINE.map(str::to_owned).into_iter().chain(hosts).collect() }
    }
}

impl SecretSource for DemoSecret {
    fn fetch(&self) -> SecretFetch<'_> {
        let shop = |api_key: &str, format: &str| {
            serde_json::json!({
                "apiKeySha256": [hex::encode(Sha256::digest(api_key))],
                "notify": { "keys": [sandbox::SHOP_KEY], "format": format, "hosts": self.hosts },
            })
        };
        let secret = serde_json::json!({
            "token": sandbox::TOKEN,
            "callbackSecret": sandbox::SECRET_KEY,
            "shops": {
                SHOP: shop(API_KEY, "front-payment"),
                WEBHOOKS_SHOP: shop(WEBHOOKS_API_KEY, "standard-webhooks"),
            },
        });
        Box::pin(std::future::ready(Ok(secret.to_string())))
    }
}
