//! `cargo run -- trigger`: makes the sandbox that runs on this machine misbehave, without a browser.

use clap::Args;
use front_payment_bridge::config::base_url;
use front_payment_bridge::http_client;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::LOCAL_URL;
use crate::bridge_client::{BridgeClient, BridgeReply, error_text, text};
use crate::demo_secret::API_KEY;
use crate::example_order;
use crate::printable::printable;
use crate::sandbox::{WordGroup, word_groups};

const USAGE: &str = "expected a word, or: status ORDER STATUS, or: refund ORDER AMOUNT";

#[derive(Debug, Args)]
pub(super) struct Trigger {
    /// A word; or: status ORDER PAID; or: refund ORDER 10.50. ORDER is an orderId or an orderUuid. Nothing lists the words
    what: Vec<String>,
    /// Where `cargo run` listens
    #[arg(long, default_value = LOCAL_URL, value_parser = |text: &str| base_url("--url", text))]
    url: Url,
    /// The API key of a shop
    #[arg(long, default_value = API_KEY)]
    key: String,
}

/// Does what the command asks for, and returns what to print.
///
/// # Errors
/// What went wrong, in a sentence.
pub(super) async fn run(trigger: &Trigger) -> Result<String, String> {
    let client = http_client::build(None).map_err(|error| error.to_string())?;
    let base = trigger.url.as_str().trim_end_matches('/');
    let shop = BridgeClient { client, base, api_key: &trigger.key };
    let what: Vec<&str> = trigger.what.iter().map(String::as_str).collect();
    match what[..] {
        [] => Ok(words()),
        ["status", order, status] => in_portal(&shop, order, "status", status).await,
        ["refund", order, amount] => in_portal(&shop, order, "refund", amount).await,
        ["status" | "refund", ..] => Err(USAGE.to_owned()),
        [word] => send_order(&shop, word).await,
        _ => Err(USAGE.to_owned()),
    }
}

fn words() -> String {
    let group = |WordGroup { title, words }: WordGroup| {
        let lines = words.into_iter().map(|(word, meaning)| format!("\n  {word:<20} {meaning}"));
        format!("{title}:{}", lines.collect::<String>())
    };
    word_groups().map(group).join("\n\n")
}

/// Sends the example order with a word as its reference.
async fn send_order(shop: &BridgeClient<'_>, word: &str) -> Result<String, String> {
    if !word_groups().iter().flat_map(|group| &group.words).any(|(known, _)| *known == word) {
        return Err(format!("The sandbox does not know the word {}.\n\n{}", printable(word), words()));
    }
    let reply = shop.submit(&example_order(shop.base, word), &Uuid::new_v4().to_string()).await?;
    Ok(shown(shop, &reply))
}

fn shown(shop: &BridgeClient<'_>, reply: &BridgeReply) -> String {
    let text = |name: &str| reply.body.get(name).and_then(Value::as_str);
    let problem = text("title").map(|title| format!("{title}. {}", text("detail").unwrap_or_default()));
    let first = Some(format!("{} {}", reply.status, text("status").or(problem.as_deref()).unwrap_or_default()));
    let violations = ["errors", "warnings"].into_iter().filter_map(|name| reply.body.get(name)?.as_array()).flatten();
    let wait = reply.headers.get("retry-after").and_then(|wait| wait.to_str().ok());
    let last = [
        text("nextStep").map(|step| format!("nextStep: {step}")),
        wait.map(|wait| format!("Retry-After: {wait}")),
        text("bankIdUrl").map(|link| format!("sign: {link}")),
        text("orderId").map(|order_id| format!("watch: {}/console/orders/{order_id}", shop.base)),
    ];
    let lines = first.into_iter().chain(violations.map(violation)).chain(last.into_iter().flatten());
    lines.map(|line| printable(&line)).collect::<Vec<_>>().join("\n")
}

fn violation(violation: &Value) -> String {
    let text = |name: &str| violation.get(name).and_then(Value::as_str).unwrap_or_default();
    let place = if text("pointer").is_empty() { text("parameter") } else { text("pointer") };
    format!("  {place} {}: {}", text("code"), text("detail"))
}

/// Does what a button of the portal does.
async fn in_portal(shop: &BridgeClient<'_>, order: &str, button: &str, value: &str) -> Result<String, String> {
    let order_id = Uuid::try_parse(order).ok().map(|_| order);
    let order_uuid = match order_id {
        Some(order_id) => text(&shop.read(order_id).await?.with_status(200)?, "/orderUuid")?.to_owned(),
        None => order.to_owned(),
    };
    let form = [(if button == "refund" { "amount" } else { button }, value), ("callback", "once")];
    let path = format!("{}/front-payment/portal/{order_uuid}/{button}", shop.base);
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let reply = shop.client.post(path).body(form).timeout(super::MAX_PORTAL).send().await.map_err(error_text)?;
    match reply.status().as_u16() {
        303 => {}
        422 => return Err(format!("the portal does not refund {}: more is not left, or it is no amount", printable(value))),
        status => return Err(format!("the portal answers {status}: it does not know this order, or this status")),
    }
    let done = match button {
        "refund" => format!("{value} of {order_uuid} are refunded at Front Payment"),
        _ => format!("{order_uuid} is {value} at Front Payment"),
    };
    let Some(order_id) = order_id else { return Ok(printable(&format!("{done}; its callback was sent"))) };
    let stored = shop.read(order_id).await?.with_status(200)?;
    Ok(printable(&format!("{done}, and it is {} at the bridge", text(&stored, "/status")?)))
}
