//! `cargo run -- trigger`: makes the sandbox that runs on this machine misbehave, without a browser.

use std::time::Duration;

use clap::Args;
use front_payment_bridge::http_client;
use url::Url;
use uuid::Uuid;

use crate::bridge_client::{BridgeClient, BridgeReply, error_text, text};
use crate::demo_secret::API_KEY;
use crate::example_order;
use crate::sandbox::{CancelMisbehaviour, Misbehaviour, ShopMisbehaviour};

#[derive(Debug, Args)]
pub(super) struct Trigger {
    /// A word, or: status ORDER PAID, where ORDER is an orderId or an orderUuid. Nothing lists the words
    what: Vec<String>,
    /// Where `cargo run` listens
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    url: Url,
    /// The API key of a shop
    #[arg(long, default_value = API_KEY)]
    key: String,
}

/// What to print.
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
        [word] => order(&shop, word).await,
        ["status", order, status] => set_status(&shop, order, status).await,
        _ => Err("expected a word, or: status ORDER PAID".to_owned()),
    }
}

fn words() -> String {
    let line = |(word, meaning): (&str, &str)| format!("  {word:<20} {meaning}");
    let of = |title: &str, lines: Vec<String>| format!("{title}\n{}", lines.join("\n"));
    let front_payment = of("In referenceNo, Front Payment:", Misbehaviour::meanings().map(line).collect());
    let cancel = of("Front Payment, when the order is to be cancelled:", CancelMisbehaviour::meanings().map(line).collect());
    let shop = of("The shop, when it is notified:", ShopMisbehaviour::meanings().map(line).collect());
    format!("{front_payment}\n\n{cancel}\n\n{shop}")
}

fn is_word(text: &str) -> bool {
    let all = Misbehaviour::meanings().chain(CancelMisbehaviour::meanings()).chain(ShopMisbehaviour::meanings());
    all.into_iter().any(|(word, _)| word == text)
}

/// Sends the example with a word as its reference.
async fn order(shop: &BridgeClient<'_>, word: &str) -> Result<String, String> {
    if !is_word(word) {
        return Err(format!("{word} is no word of the sandbox's\n\n{}", words()));
    }
    let reply = shop.submit(&example_order(shop.base, word), &Uuid::new_v4().to_string()).await?;
    Ok(shown(shop, &reply))
}

fn shown(shop: &BridgeClient<'_>, reply: &BridgeReply) -> String {
    let text = |name: &str| reply.body.get(name).and_then(serde_json::Value::as_str);
    let problem = text("title").map(|title| format!("{title}. {}", text("detail").unwrap_or_default()));
    let wait = reply.headers.get("retry-after").and_then(|wait| wait.to_str().ok());
    let lines = [
        Some(format!("{} {}", reply.status, text("status").or(problem.as_deref()).unwrap_or_default())),
        wait.map(|wait| format!("Retry-After: {wait}")),
        text("bankIdUrl").map(|link| format!("sign: {link}")),
        text("orderId").map(|order_id| format!("watch: {}/console/orders/{order_id}", shop.base)),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// As the portal does.
async fn set_status(shop: &BridgeClient<'_>, order: &str, status: &str) -> Result<String, String> {
    let order_id = Uuid::try_parse(order).ok().map(|_| order);
    let order_uuid = match order_id {
        Some(order_id) => text(&shop.read(order_id).await?.with_status(200)?, "/orderUuid")?.to_owned(),
        None => order.to_owned(),
    };
    let form = [("status", status), ("callback", "once")];
    let path = format!("{}/front-payment/portal/{order_uuid}/status", shop.base);
    let request = shop.client.post(path).body(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish());
    let reply = request.timeout(Duration::from_secs(35)).send().await.map_err(error_text)?;
    if !reply.status().is_redirection() {
        return Err(format!("the portal answers {}: it does not know this order, or this status", reply.status().as_u16()));
    }
    let Some(order_id) = order_id else { return Ok(format!("{order_uuid} is {status} at Front Payment; its callback was sent")) };
    let stored = shop.read(order_id).await?.with_status(200)?;
    Ok(format!("{order_uuid} is {status} at Front Payment, and {} at the bridge", text(&stored, "/status")?))
}
