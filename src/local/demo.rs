//! One order, unattended: each step as it happens.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::{API_KEY, example_order};
use crate::http_client;

/// Submits an order, signs it, waits for the callback, and reads it.
///
/// # Errors
/// A line that says which step did not end as it should.
pub(super) async fn run(base: &str) -> Result<(), String> {
    let shop = Shop { client: http_client::build(None).map_err(|error| error.to_string())?, base };

    println!("1. The shop submits an order of 40 kroner for Kari Nordmann, a private customer.");
    let created = shop.submit().await?;
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
        let order = shop.read(order_id).await?;
        if text(&order, "/status")? == "INVOICED" {
            println!("{}", pretty(&order));
            println!("The order is INVOICED: the goods may leave.");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the order was not INVOICED within ten seconds".to_owned())
}

struct Shop<'a> {
    client: reqwest::Client,
    base: &'a str,
}

impl Shop<'_> {
    async fn submit(&self) -> Result<Value, String> {
        let order = example_order(self.base, "Dhaka").to_string();
        let request = self.client.post(format!("{}/orders", self.base)).header("Idempotency-Key", Uuid::new_v4().to_string());
        self.answer(request.header("Content-Type", "application/json").body(order), 201).await
    }

    async fn read(&self, order_id: &str) -> Result<Value, String> {
        self.answer(self.client.get(format!("{}/orders/{order_id}", self.base)), 200).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder, expected: u16) -> Result<Value, String> {
        let reply = request.bearer_auth(API_KEY).send().await.map_err(said)?;
        let status = reply.status().as_u16();
        let body = reply.text().await.map_err(said)?;
        if status != expected {
            return Err(format!("the bridge answered {status} in place of {expected}: {body}"));
        }
        serde_json::from_str(&body).map_err(|error| format!("the bridge answered no JSON: {error}"))
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> Result<&'v str, String> {
    value.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("{pointer} is missing in {value}"))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
fn said(error: reqwest::Error) -> String {
    error.to_string()
}
