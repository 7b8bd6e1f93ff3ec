//! `cargo run -- explain`: whether a callback or a notification is verified, and why.

mod query;
mod webhook;

use std::path::PathBuf;

use clap::Args;
use front_payment_bridge::config::base_url;
use front_payment_bridge::http_client;
use front_payment_bridge::secrets::Redacted;
use jiff::Timestamp;
use url::Url;

use super::{LOCAL_URL, check_secret};
use crate::Error;
use crate::bridge_client::BridgeClient;
use crate::demo_secret::API_KEY;
use crate::sandbox::{SECRET_KEY, SHOP_KEY};
use webhook::Webhook;

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The whole URL that was called. Or - for a webhook on standard input: its headers, an empty line, and its body
    what: String,
    /// The bridge's secret, with the keys. Without it, the sandbox's keys
    #[arg(long, value_name = "FILE")]
    secret: Option<PathBuf>,
    /// A bridge that knows the order, to compare it
    #[arg(long, value_name = "URL", default_value = LOCAL_URL, value_parser = |text: &str| base_url("--bridge", text))]
    bridge: Url,
    /// The API key of the order's shop at that bridge
    #[arg(long, env = "SMOKE_KEY", hide_env_values = true, default_value = API_KEY)]
    key: String,
}

/// The name of a key, and the key. Only the name is printed.
type NamedKey = (String, Redacted);

/// What the stored order says, to compare a callback with.
pub(crate) struct Known {
    pub(crate) order_uuid: Option<String>,
    pub(crate) grand_total: String,
}

/// Whether the callback or the notification is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Verified,
    /// Only if something holds that is not known here: the order's total, or when the request arrived.
    Depends,
    Unverified,
}

pub(crate) struct Explanation {
    pub(crate) verdict: Verdict,
    /// The verdict as a sentence.
    pub(crate) conclusion: &'static str,
    /// One sentence each.
    pub(crate) reasons: Vec<String>,
}

/// What the caller sent: a callback or notification in a URL, or a webhook.
pub(crate) enum Called<'t> {
    Url(Url),
    Webhook(Webhook<'t>),
}

impl<'t> Called<'t> {
    /// `None` if it is neither a URL nor a request with the headers of a webhook.
    pub(crate) fn read(text: &'t str) -> Option<Self> {
        match Url::parse(text.trim()) {
            Ok(url) if url.has_host() => Some(Self::Url(url)),
            _ => Webhook::read(text).map(Self::Webhook),
        }
    }

    /// The order of a callback; `None` for a notification, whose URL is the shop's own.
    pub(crate) fn order_id(&self) -> Option<String> {
        match self {
            Self::Url(url) => query::order_id(url),
            Self::Webhook(_) => None,
        }
    }

    pub(crate) fn explained(&self, keys: &[NamedKey], known: Option<&Known>, now: Timestamp) -> Explanation {
        match self {
            Self::Url(url) => query::explained(url, keys, known),
            Self::Webhook(webhook) => webhook.explained(keys, now),
        }
    }
}

/// # Errors
/// [`Error`] if there is nothing that can be explained, or no key.
pub(super) async fn run(explain: &Explain) -> Result<Explanation, Error> {
    let text = match explain.what.as_str() {
        "-" => std::io::read_to_string(std::io::stdin()).map_err(|error| Error::Explain(error.to_string()))?,
        url => url.to_owned(),
    };
    let Some(called) = Called::read(&text) else {
        return Err(Error::Explain("expected the URL of a call, or the headers and the body of a webhook".to_owned()));
    };
    let secret = explain.secret.as_deref().map(check_secret::read).transpose()?;
    let order_id = called.order_id();
    let keys = match (&secret, &order_id) {
        (None, _) => sandbox_keys(order_id.is_some()),
        (Some(secret), Some(_)) => named("callbackSecret", &secret.callback_secrets),
        (Some(secret), None) => secret
            .shops()
            .flat_map(|(shop_id, _)| {
                secret.notify_of(shop_id).map(|notify| named(&format!("{shop_id}'s key"), &notify.keys)).unwrap_or_default()
            })
            .collect(),
    };
    let known = match &order_id {
        Some(order_id) => known(explain, order_id).await,
        None => None,
    };
    Ok(called.explained(&keys, known.as_ref(), Timestamp::now()))
}

pub(crate) fn sandbox_keys(is_callback: bool) -> Vec<NamedKey> {
    let (name, key) = if is_callback { ("the sandbox's secretKey", SECRET_KEY) } else { ("the demo shop's key", SHOP_KEY) };
    vec![(name.to_owned(), Redacted::new(key))]
}

/// Names keys by their number, because a key itself is never printed.
fn named(name: &str, keys: &[Redacted]) -> Vec<NamedKey> {
    let number = |index: usize| if keys.len() == 1 { name.to_owned() } else { format!("{name} number {}", index + 1) };
    keys.iter().enumerate().map(|(index, key)| (number(index), Redacted::new(key.expose()))).collect()
}

async fn known(explain: &Explain, order_id: &str) -> Option<Known> {
    let client = http_client::build(None).ok()?;
    let base = explain.bridge.as_str().trim_end_matches('/');
    let order = BridgeClient { client, base, api_key: &explain.key }.read(order_id).await.ok()?.with_status(200).ok()?;
    let text = |name: &str| order.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(Known { order_uuid: text("orderUuid"), grand_total: text("grandTotal")? })
}
