//! `cargo run -- smoke`: checks a deployed stack, without an order or with one that is sent, sent again, and read.

use clap::Args;
use front_payment_bridge::config::base_url;
use front_payment_bridge::environment::{Environment, ProcessEnvironment};
use front_payment_bridge::http_client;
use jiff::Timestamp;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::say;
use crate::bridge_client::{BridgeClient, BridgeReply, text};
use crate::example_order;
use crate::printable::{excerpt, printable};

#[derive(Debug, Args)]
pub(super) struct Target {
    /// The stack's ApiUrl
    #[arg(long, value_parser = |text: &str| base_url("--url", text))]
    url: Url,
    /// A shop's API key. Prefer SMOKE_KEY: no list of processes shows it
    #[arg(long, env = "SMOKE_KEY", hide_env_values = true)]
    key: String,
    /// Also send an order of 40 kroner. With Front Payment's production, this is a real invoice
    #[arg(long)]
    order: bool,
}

/// Prints a line for each check that passes.
///
/// # Errors
/// The first check that fails, with the stack's answer.
pub(super) async fn run(target: &Target) -> Result<(), String> {
    let certificates = ProcessEnvironment.get("SSL_CERT_FILE").map_err(|error| error.to_string())?;
    let client = http_client::build(certificates.as_deref().map(std::path::Path::new)).map_err(|error| error.to_string())?;
    let base = target.url.as_str().trim_end_matches('/');
    let shop = BridgeClient { client, base, api_key: &target.key };

    let stranger = BridgeClient { api_key: "no-shop-has-this-key", client: shop.client.clone(), ..shop };
    let refused = stranger.read(&Uuid::nil().to_string()).await?;
    expect_problem(refused, 401, "unauthorized")?;
    done("a key of no shop is refused: the orders function runs and has its secret");

    let callback = shop.client.get(format!("{base}/callbacks/{}/no-such-token", Uuid::nil()));
    expect_problem(shop.send(callback).await?, 404, "not-found")?;
    done("an unknown callback URL is refused: the callbacks function runs and reads the table");

    expect_problem(shop.read(&Uuid::nil().to_string()).await?, 404, "not-found")?;
    done("the shop's key is known, and an order that nobody sent is not there: the orders function reads the table");

    if target.order {
        send_an_order(&shop).await?;
    } else {
        say("The stack answers. Nothing was sent to Front Payment; --order sends an order.");
    }
    Ok(())
}

async fn send_an_order(shop: &BridgeClient<'_>) -> Result<(), String> {
    let reference_no = format!("smoke-{}", Timestamp::now().as_second());
    let (order, key) = (example_order("https://shop.example", &reference_no), Uuid::new_v4().to_string());
    let created = shop.submit(&order, &key).await?.with_status(201)?;
    let [order_id, order_uuid] = [text(&created, "/orderId")?, text(&created, "/orderUuid")?];
    let status = text(&created, "/status")?;
    done(&format!("Front Payment has the order {reference_no}: orderId {order_id}, orderUuid {order_uuid}, {status}"));

    let again = shop.submit(&order, &key).await?;
    let is_replay = again.headers.get("idempotency-replayed").is_some();
    let again = again.with_status(201)?;
    if !is_replay || text(&again, "/orderUuid")? != order_uuid {
        return Err(format!("the same Idempotency-Key did not get the stored order, but {}", excerpt(&again.to_string())));
    }
    done("the same Idempotency-Key gets the same order; nothing is sent twice");

    let read = shop.read(order_id).await?.with_status(200)?;
    let is_same = text(&read, "/orderUuid")? == order_uuid && text(&read, "/grandTotal")? == "40";
    if !is_same || read.pointer("/history/0").is_none() {
        return Err(format!("the stored order differs from the one that was sent: {}", excerpt(&read.to_string())));
    }
    done(&format!("the stored order is the one that was sent; its status is {}", text(&read, "/status")?));
    say(&printable(&format!("The stack takes orders. Cancel {order_uuid} in Front Payment's portal.")));
    Ok(())
}

fn done(what: &str) {
    say(&format!("ok  {}", printable(what)));
}

/// Checks that the reply is a problem document of the bridge, and not one of API Gateway.
fn expect_problem(answer: BridgeReply, status: u16, slug: &str) -> Result<(), String> {
    let body = answer.with_status(status)?;
    let is_expected = body.get("type").and_then(Value::as_str) == Some(&format!("urn:front-payment-bridge:{slug}"));
    if is_expected {
        Ok(())
    } else {
        Err(format!("this is not an answer of the bridge; check the URL: {}", excerpt(&body.to_string())))
    }
}
