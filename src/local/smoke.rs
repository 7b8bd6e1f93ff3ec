//! Whether a deployed stack works: one order, sent, sent again, and read back.

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::shop::{BridgeReply, Shop, example_order, text};
use crate::config::base_url;
use crate::environment::{Environment, ProcessEnvironment};
use crate::http_client;

/// The stack to try.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The stack's ApiUrl
    #[arg(long, value_parser = |text: &str| base_url("--url", text))]
    url: Url,
    /// A shop's API key; better given as SMOKE_KEY, which no list of processes shows
    #[arg(long, env = "SMOKE_KEY", hide_env_values = true)]
    key: String,
}

/// Tries the stack, and prints a line for each thing that it did as it should.
///
/// # Errors
/// What it did not do, and what it said instead.
pub(super) async fn run(target: &Target) -> Result<(), String> {
    let certificates = ProcessEnvironment.get("SSL_CERT_FILE").map_err(|error| error.to_string())?;
    let client = http_client::build(certificates.as_deref().map(std::path::Path::new)).map_err(|error| error.to_string())?;
    let base = target.url.as_str().trim_end_matches('/');
    let shop = Shop { client, base, api_key: &target.key };

    let stranger = Shop { api_key: "no-shop-has-this-key", client: shop.client.clone(), ..shop };
    let refused = stranger.read(&Uuid::nil().to_string()).await?;
    problem(refused, 401, "unauthorized")?;
    done("a key that no shop has is refused: the orders function runs, and has its secret");

    let callback = shop.client.get(format!("{base}/callbacks/{}/no-such-token", Uuid::nil()));
    problem(shop.ask(callback).await?, 404, "not-found")?;
    done("a callback URL that was never given out is unknown: the callbacks function runs, and reads the table");

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
        return Err(format!("the same Idempotency-Key was not answered from what is stored, but with {again}"));
    }
    done("the same Idempotency-Key gets the same order, and nothing is sent twice");

    let read = shop.read(order_id).await?.with_status(200)?;
    let is_as_sent = text(&read, "/orderUuid")? == order_uuid && text(&read, "/grandTotal")? == "40";
    if !is_as_sent || read.pointer("/history/0").is_none() {
        return Err(format!("the order is stored otherwise than it was sent: {read}"));
    }
    done(&format!("it reads back as it was sent, and is {}", text(&read, "/status")?));
    println!("The stack takes orders. Cancel {order_uuid} in Front Payment's portal.");
    Ok(())
}

fn done(what: &str) {
    println!("ok  {what}");
}

/// A problem document of the bridge's own: API Gateway has others.
fn problem(answer: BridgeReply, status: u16, slug: &str) -> Result<(), String> {
    let body = answer.with_status(status)?;
    let is_it = body.get("type").and_then(Value::as_str) == Some(&format!("urn:front-payment-bridge:{slug}"));
    if is_it { Ok(()) } else { Err(format!("this is no answer of the bridge's; is the URL right? {body}")) }
}
