//! `cargo run -- demo`: one order, step by step, without a browser.

use std::time::Duration;

use front_payment_bridge::http_client;
use reqwest::Response;
use serde_json::Value;
use uuid::Uuid;

use super::say;
use crate::API_KEY;
use crate::bridge_client::{BridgeClient, error_text, text};
use crate::example_order;

/// How many times a step looks for its result. In all ten seconds, which is more than a step takes.
const POLLS: u32 = 100;
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Submits an order, signs it, reads it, and shows how the shop is told.
///
/// # Errors
/// A line that says what failed.
pub(super) async fn run(base: &str) -> Result<(), String> {
    let client = http_client::build(None).map_err(|error| error.to_string())?;
    let bridge = BridgeClient { client, base, api_key: API_KEY };

    say("1. The shop submits an order of 40 kroner for Kari Nordmann, a private customer.");
    let created = bridge.submit(&example_order(base, "Dhaka"), &Uuid::new_v4().to_string()).await?.with_status(201)?;
    say(&pretty(&created));

    say("2. Kari opens the BankID page and signs.");
    let shop_page = sign(&bridge, text(&created, "/bankIdUrl")?).await?;
    say(&format!("   Her browser is sent to {shop_page}"));

    say("3. Front Payment calls back; the shop reads the order.");
    say(&pretty(&invoiced(&bridge, text(&created, "/orderId")?).await?));
    say("The order is INVOICED: the goods may leave.");

    let verification = notification(&bridge, text(&created, "/orderUuid")?).await?;
    say(&format!("4. The shop is told: INVOICED, {verification}."));
    Ok(())
}

async fn sign(bridge: &BridgeClient<'_>, bank_id_url: &str) -> Result<String, String> {
    let page = bridge.client.get(bank_id_url).send().await.and_then(Response::error_for_status).map_err(error_text)?;
    if !page.text().await.map_err(error_text)?.contains("/sign") {
        return Err("the BankID page has no button to sign".to_owned());
    }
    let signed = bridge.client.post(format!("{bank_id_url}/sign")).send().await.map_err(error_text)?;
    let shop_page = signed.headers().get("location").and_then(|url| url.to_str().ok());
    shop_page.map(str::to_owned).ok_or_else(|| "signing does not lead back to the shop".to_owned())
}

async fn invoiced(bridge: &BridgeClient<'_>, order_id: &str) -> Result<Value, String> {
    for _ in 0..POLLS {
        let order = bridge.read(order_id).await?.with_status(200)?;
        if text(&order, "/status")? == "INVOICED" {
            return Ok(order);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Err("the order was not INVOICED within ten seconds".to_owned())
}

/// `verified` as soon as the shop has got the notification that the order is INVOICED; an error if the shop could not verify
/// it.
async fn notification(bridge: &BridgeClient<'_>, order_uuid: &str) -> Result<String, String> {
    for _ in 0..POLLS {
        let received = bridge.client.get(format!("{}/front-payment/shop/notifications", bridge.base));
        let received = bridge.send(received).await?.with_status(200)?;
        let is_invoiced = |told: &&Value| {
            told.pointer("/orderUuid").is_some_and(|uuid| uuid == order_uuid)
                && told.pointer("/status").is_some_and(|status| status == "INVOICED")
        };
        if let Some(told) = received.as_array().and_then(|all| all.iter().find(is_invoiced)) {
            return match text(told, "/reason") {
                Ok(reason) => Err(format!("the shop could not verify the notification: {reason}")),
                Err(_) => Ok("verified".to_owned()),
            };
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Err("the shop was not told within ten seconds".to_owned())
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
