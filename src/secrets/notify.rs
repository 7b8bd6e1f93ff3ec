//! `shops.*.notify` of the secret: how a shop is notified.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use url::Host;

use super::document::{is_visible_ascii, text};
use super::{Redacted, SecretError};
use crate::order::json::Json;

/// How a shop is notified.
#[derive(Debug, PartialEq, Eq)]
pub struct Notify {
    /// The keys that sign notifications; at least one, and several while they are being rotated.
    pub keys: Vec<Redacted>,
    pub format: NotifyFormat,
    /// The only hosts that may be called, as [`url::Url::host_str`] writes them. `None` allows any.
    pub hosts: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotifyFormat {
    /// The way in which Front Payment itself calls.
    FrontPayment,
    /// <https://www.standardwebhooks.com>. The keys begin with `whsec_`.
    StandardWebhooks,
}

impl Notify {
    pub(super) fn read(value: &Json<'_>) -> Result<Self, SecretError> {
        let Json::Object(members) = value else {
            return Err(SecretError::new("shops.*.notify", "an object"));
        };
        let format = members.get("format").map_or(Ok(NotifyFormat::FrontPayment), read_format)?;
        let keys = read_keys(members.get("keys"), format)?;
        let hosts = members.get("hosts").map(read_hosts).transpose()?;
        Ok(Self { keys, format, hosts })
    }
}

fn read_format(value: &Json<'_>) -> Result<NotifyFormat, SecretError> {
    match text(value) {
        Some("front-payment") => Ok(NotifyFormat::FrontPayment),
        Some("standard-webhooks") => Ok(NotifyFormat::StandardWebhooks),
        _ => Err(SecretError::new("shops.*.notify.format", "front-payment or standard-webhooks")),
    }
}

fn read_keys(value: Option<&Json<'_>>, format: NotifyFormat) -> Result<Vec<Redacted>, SecretError> {
    let one = |key| text(key).filter(|key| is_notify_key(key, format)).map(Redacted::new);
    let keys = match value {
        Some(Json::Array(items)) if (1..=5).contains(&items.len()) => items.iter().map(one).collect(),
        _ => None,
    };
    keys.ok_or_else(|| {
        let expected = match format {
            NotifyFormat::FrontPayment => "an array of 1 to 5 strings of 24 to 256 visible ASCII characters",
            NotifyFormat::StandardWebhooks => "an array of 1 to 5 strings, each whsec_ and the base64 of 24 to 64 bytes",
        };
        SecretError::new("shops.*.notify.keys", expected)
    })
}

fn read_hosts(value: &Json<'_>) -> Result<Vec<String>, SecretError> {
    let hosts = match value {
        Json::Array(items) => items.iter().map(|host| parse_host(text(host)?)).collect(),
        _ => None,
    };
    hosts.ok_or_else(|| SecretError::new("shops.*.notify.hosts", "an array of host names, without scheme, port and *"))
}

fn is_notify_key(key: &str, format: NotifyFormat) -> bool {
    match format {
        NotifyFormat::FrontPayment => (24..=256).contains(&key.len()) && is_visible_ascii(key),
        NotifyFormat::StandardWebhooks => {
            let bytes = key.strip_prefix("whsec_").and_then(|key| BASE64_STANDARD.decode(key).ok());
            bytes.is_some_and(|bytes| (24..=64).contains(&bytes.len()))
        }
    }
}

/// A host in the form in which a URL has it.
fn parse_host(host: &str) -> Option<String> {
    Host::parse(host).ok().map(|host| host.to_string()).filter(|host| !host.contains('*'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::secrets::Secret;

    /// 24 characters.
    const KEY: &str = "key-of-24-characters-000";

    fn parse(notify: &Value) -> Result<Secret, SecretError> {
        let shops = json!({"shop-a": {"apiKeySha256": [], "notify": notify}, "shop-b": {"apiKeySha256": []}});
        Secret::parse(&json!({"token": "t", "callbackSecret": "s", "shops": shops}).to_string())
    }

    #[test]
    fn a_shop_may_be_notified() {
        let parse = |notify: Value| parse(&notify).unwrap();
        let keys = |notify: &Notify| notify.keys.iter().map(|key| key.expose().to_owned()).collect::<Vec<_>>();

        let least = parse(json!({"keys": [KEY], "note": "unknown members are allowed"}));
        let notify = least.notify_of("shop-a").unwrap();
        assert_eq!((keys(notify), notify.format, &notify.hosts), (vec![KEY.to_owned()], NotifyFormat::FrontPayment, &None));
        assert_eq!((least.notify_of("shop-b"), least.notify_of("shop-c")), (None, None));
        assert!(!format!("{least:?} {notify:?}").contains(KEY));

        let longest = "~".repeat(256);
        let five = parse(json!({"format": "front-payment", "keys": [longest, KEY, KEY, KEY, KEY], "hosts": []}));
        let notify = five.notify_of("shop-a").unwrap();
        assert_eq!((keys(notify)[0].len(), notify.keys.len(), notify.hosts.as_deref()), (256, 5, Some([].as_slice())));

        // 24 and 64 bytes.
        let (shortest, longest) = (format!("whsec_{}", "A".repeat(32)), format!("whsec_{}==", "A".repeat(86)));
        let webhooks = parse(json!({"format": "standard-webhooks", "keys": [shortest, longest],
            "hosts": ["Shop.EXAMPLE", "blåbær.example", "127.0.0.1", "[::1]"]}));
        let notify = webhooks.notify_of("shop-a").unwrap();
        assert_eq!((keys(notify), notify.format), (vec![shortest, longest], NotifyFormat::StandardWebhooks));
        let hosts = ["shop.example", "xn--blbr-roah.example", "127.0.0.1", "[::1]"].map(str::to_owned);
        assert_eq!(notify.hosts.as_deref(), Some(hosts.as_slice()), "as a URL has them");
    }

    #[test]
    fn a_notify_that_cannot_be_used_is_named() {
        let error = |notify: Value| parse(&notify).unwrap_err().to_string();
        for wrong in [json!(null), json!([]), json!("x"), json!(true)] {
            assert_eq!(error(wrong), "the secret's shops.*.notify: expected an object");
        }
        for keys in [
            json!(null),
            json!(KEY),
            json!([]),
            json!([KEY, KEY, KEY, KEY, KEY, KEY]),
            json!([KEY, 5]),
            json!([KEY[1..]]),
            json!(["x".repeat(257)]),
            json!([format!("{KEY} ")]),
            json!([format!(" {KEY}")]),
            json!([format!("{KEY}\n")]),
            json!([format!("{KEY} {KEY}")]),
            json!([format!("{KEY}æ")]),
        ] {
            assert_eq!(
                error(json!({"keys": keys})),
                "the secret's shops.*.notify.keys: expected an array of 1 to 5 strings of 24 to 256 visible ASCII characters"
            );
        }
        assert!(error(json!({})).contains("shops.*.notify.keys"));
        for key in [
            KEY.to_owned(),
            "A".repeat(32),
            format!("WHSEC_{}", "A".repeat(32)),
            format!("whsec_{}", "A".repeat(28)),  // 21 bytes
            format!("whsec_{}=", "A".repeat(31)), // 23 bytes
            format!("whsec_{}=", "A".repeat(87)), // 65 bytes
            format!("whsec_{} ", "A".repeat(32)),
            format!("whsec_{}", "-".repeat(32)),
            format!("whsec_{}", "A".repeat(34)), // 25 bytes, not padded
        ] {
            assert_eq!(
                error(json!({"format": "standard-webhooks", "keys": [key]})),
                "the secret's shops.*.notify.keys: expected an array of 1 to 5 strings, each whsec_ and the base64 of 24 to 64 bytes"
            );
        }
        for format in [json!(null), json!("Front-Payment"), json!("svix"), json!(1), json!("")] {
            assert_eq!(
                error(json!({"keys": [KEY], "format": format})),
                "the secret's shops.*.notify.format: expected front-payment or standard-webhooks"
            );
        }
        for hosts in [
            json!(null),
            json!("shop.example"),
            json!([1]),
            json!([""]),
            json!(["https://shop.example"]),
            json!(["shop.example/path"]),
            json!(["shop.example:443"]),
            json!(["*.shop.example"]),
            json!([" shop.example"]),
            json!(["shop.example\n"]),
            json!(["::1"]),
        ] {
            assert_eq!(
                error(json!({"keys": [KEY], "hosts": hosts})),
                "the secret's shops.*.notify.hosts: expected an array of host names, without scheme, port and *"
            );
        }
    }
}
