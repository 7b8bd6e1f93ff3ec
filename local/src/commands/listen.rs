//! `cargo run -- listen`: forwards the notifications to the sandbox's shop to a shop that is being developed.

use std::time::Duration;

use clap::Args;
use front_payment_bridge::config::base_url;
use front_payment_bridge::http_client;
use url::Url;

use super::{LOCAL_URL, say};
use crate::bridge_client::error_text;
use crate::printable::printable;
use crate::sandbox::{ReceivedNotification, SHOP_KEY};

/// As long as the bridge waits for a shop.
const MAX_ANSWER: Duration = Duration::from_secs(10);

/// Longer than any notification.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct Listen {
    /// Where the shop takes notifications, for example `http://localhost:8000/notification`
    #[arg(long, value_name = "URL", value_parser = without_query)]
    forward_to: Url,
    /// Where `cargo run` listens
    #[arg(long, default_value = LOCAL_URL, value_parser = |text: &str| base_url("--url", text))]
    url: Url,
}

/// Refuses a URL with a query: the checksum covers the query of the shop's URL, and the sandbox's shop has none.
fn without_query(url: &str) -> Result<Url, String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    if url.query().is_some() { Err("a URL without a query is needed: the checksum would include it".to_owned()) } else { Ok(url) }
}

/// Runs until the sandbox ends.
///
/// # Errors
/// What went wrong, in a sentence.
pub(super) async fn run(listen: &Listen) -> Result<(), String> {
    let client = http_client::build(None).map_err(|error| error.to_string())?;
    let base = listen.url.as_str().trim_end_matches('/');
    let events = client.get(format!("{base}/front-payment/shop/events")).send().await.map_err(error_text)?;
    let mut events = events.error_for_status().map_err(error_text)?;
    say(&format!(
        "Passes notifications of {base}/front-payment/shop/status on to {}, signed with the key {SHOP_KEY}.\n\
         The sandbox's shop answers the bridge, whatever {} says. Ctrl-C ends it.",
        listen.forward_to,
        listen.forward_to.host_str().unwrap_or_default(),
    ));
    // Server-sent events: each notification is one line.
    let mut received = Vec::new();
    while let Some(part) = events.chunk().await.map_err(error_text)? {
        received.extend(part);
        if received.len() > MAX_EVENT_BYTES {
            return Err(format!("{base} sends something that is no notification"));
        }
        while let Some(end) = received.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = received.drain(..=end).collect();
            if let Some(notification) = line.strip_prefix(b"data: ").and_then(|data| serde_json::from_slice(data).ok()) {
                say(&forward(&client, &listen.forward_to, notification).await);
            }
        }
    }
    Err(format!("{base} has ended"))
}

/// Sends a notification to the shop's URL. Returns a line for the terminal: the order, its status and the shop's answer.
async fn forward(client: &reqwest::Client, to: &Url, notification: ReceivedNotification) -> String {
    let ReceivedNotification { order_uuid, status, method, query, headers, body } = notification;
    let mut url = to.clone();
    url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
    let request = client.request(method.parse().unwrap_or_default(), url).body(body).timeout(MAX_ANSWER);
    let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let answer = match request.send().await {
        Ok(reply) => reply.status().as_u16().to_string(),
        Err(error) => error_text(error),
    };
    printable(&format!("{order_uuid} {status} → {answer}"))
}
