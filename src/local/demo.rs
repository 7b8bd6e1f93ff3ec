//! One order, unattended: each step as it happens.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::API_KEY;
use super::shop::{Shop, example_order, said, text};
use crate::http_client;

/// Submits an order, signs it, waits for the callback, and reads it.
///
/// # Errors
/// A line that says which step did not end as it should.
pub(super) async fn run(base: &str) -> Result<(), String> {
    let client = http_client::build(None).map_err(|error| error.to_string())?;
    let shop = Shop { client, base, api_key: API_KEY };

    println!("1. The shop submits an order of 40 kroner for Kari Nordmann, a private customer.");
    let order = example_order(base, "Dhaka");
    let created = shop.submit(&order, &Uuid::new_v4().to_string()).await?.with_status(201)?;
    println!("{}", pretty(&created));
    let order_id = text(&created, "/orderId")?;
    let bank_id_url = text(&created, "/bankIdUrl")?;

    println!("2. Kari opens the BankID page and signs.");
    let page = shop.client.get(bank_id_url).send().await.and_then(reqwest::Response::error_for_status).map_err(said)?;
    if !page.text().await.map_err(said)?.contains("/sign") {
        return Err("the BankID page has no way to sign".to_owned());
    }
    let signed = shop.client.post(format!("{bank_id_url}/sign")).send().await.map_err(said)?;
    let shop_page = signed.headers().get("location").and_then(|url| url.to_str().ok());
    println!("   Her browser is sent on to {}", shop_page.ok_or("signing did not lead back to the shop")?);

    println!("3. Front Payment calls back; the shop reads the order.");
    for _ in 0..100 {
        let order = shop.read(order_id).await?.with_status(200)?;
        if text(&order, "/status")? == "INVOICED" {
            println!("{}", pretty(&order));
            println!("The order is INVOICED: the goods may leave.");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the order was not INVOICED within ten seconds".to_owned())
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
