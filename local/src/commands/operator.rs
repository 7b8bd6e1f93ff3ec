//! `cargo run -- operator`: sends an operator's event to the worker of a running sandbox.

use clap::Args;
use front_payment_bridge::config::base_url;
use front_payment_bridge::http_client;
use serde_json::Value;
use url::Url;

use super::LOCAL_URL;
use crate::bridge_client::BridgeReply;
use crate::printable::printable;

#[derive(Debug, Args)]
pub(super) struct Operator {
    /// The event, for example '{"waiting":{}}'; - reads standard input
    event: String,
    /// Where `cargo run` listens
    #[arg(long, default_value = LOCAL_URL, value_parser = |text: &str| base_url("--url", text))]
    url: Url,
}

/// Sends the event, and returns the worker's answer.
///
/// # Errors
/// What went wrong, in a sentence. That includes the worker's refusal.
pub(super) async fn run(operator: &Operator) -> Result<String, String> {
    let event = match operator.event.as_str() {
        "-" => std::io::read_to_string(std::io::stdin()).map_err(|error| error.to_string())?,
        event => event.to_owned(),
    };
    let client = http_client::build(None).map_err(|error| error.to_string())?;
    let url = format!("{}/console/operator/events", operator.url.as_str().trim_end_matches('/'));
    let answer = BridgeReply::of(client.post(url).header("Content-Type", "application/json").body(event)).await?.body;
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => Err(printable(error)),
        None => Ok(printable(&answer.to_string())),
    }
}
