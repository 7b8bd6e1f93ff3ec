//! `cargo run`: both handlers on localhost, called as API Gateway calls them, with an embedded
//! database and a Front Payment sandbox. Nothing of it is in the Lambda binaries.

mod demo;
mod gateway;
pub mod sandbox;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use clap::{Parser, Subcommand};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::Url;

use crate::bridge::{Bridge, Settings};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::config::ConfigError;
use crate::front_payment::Client;
use crate::order::hex;
use crate::secrets::{Fetch, SecretSource, Secrets};
use crate::store::{Embedded, Unavailable};
use crate::{http_client, telemetry};
use sandbox::Sandbox;

/// The demo shop's API key. It opens nothing but a sandbox on this machine.
pub const API_KEY: &str = "demo-shop-key";
const SHOP_ID: &str = "demo-shop";

/// The bridge on localhost: POST /orders, GET /orders/{orderId}, Front Payment's callbacks, and a
/// sandbox of Front Payment, with an embedded database. No AWS, no account.
#[derive(Debug, Parser)]
#[command(name = "local", version)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Where the orders are kept over a restart
    #[arg(long, default_value = ".local", value_name = "DIR")]
    data_dir: PathBuf,
    /// Keep the orders in memory: they end with the process
    #[arg(long, conflicts_with = "data_dir")]
    in_memory: bool,
    /// How many requests a minute the sandbox of Front Payment takes before it answers 429
    #[arg(long, default_value_t = sandbox::RATE_LIMIT, value_name = "REQUESTS")]
    rate_limit: u32,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// One order, unattended: submitted, signed, invoiced; then the end. Free port, in memory
    Demo,
}

/// Why `local` ends with an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port cannot be had.
    #[error("cannot listen on {0}: {1}; choose another port with --port")]
    Port(SocketAddr, #[source] io::Error),
    /// The directory cannot be had.
    #[error(
        "cannot use the data directory {0} (does another one run on it?): {1} Choose another one with --data-dir, or --in-memory"
    )]
    DataDir(PathBuf, String),
    /// The database cannot be used.
    #[error("the embedded database: {0}")]
    Database(#[from] Unavailable),
    /// There is no HTTP client.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server ended.
    #[error("the server ended: {0}")]
    Server(#[source] io::Error),
    /// The demo did not end as it should.
    #[error("the demo failed: {0}")]
    Demo(String),
}

/// Runs until Ctrl-C, or until the demo is through.
///
/// # Errors
/// [`Error`] says why it cannot, and what to do.
pub async fn run(options: Options) -> Result<(), Error> {
    telemetry::init_terminal();
    match options.command {
        Some(Command::Demo) => {
            let local = Local::start(listen(0).await?, Embedded::in_memory()?, options.rate_limit)?;
            let base = local.base.clone();
            tokio::select! {
                ended = local.serve() => ended,
                shown = demo::run(&base) => shown.map_err(Error::Demo),
            }
        }
        None => {
            let listener = listen(options.port).await?;
            let store = if options.in_memory { Embedded::in_memory()? } else { open(&options.data_dir)? };
            let local = Local::start(listener, store, options.rate_limit)?;
            println!("{}", welcome(&local.base));
            tokio::select! {
                ended = local.serve() => ended,
                _ = tokio::signal::ctrl_c() => Ok(()),
            }
        }
    }
}

/// A port of 127.0.0.1; 0 takes a free one.
async fn listen(port: u16) -> Result<TcpListener, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| Error::Port(address, error))
}

fn open(data_dir: &Path) -> Result<Embedded, Error> {
    let unusable = |why: String| Error::DataDir(data_dir.to_owned(), why);
    std::fs::create_dir_all(data_dir).map_err(|error| unusable(error.to_string()))?;
    Embedded::open(&data_dir.join("orders.redb")).map_err(|error| unusable(error.to_string()))
}

/// A bridge and a sandbox, listening on one port.
pub struct Local {
    base: String,
    listener: TcpListener,
    routes: Router,
}

impl Local {
    /// Puts everything together behind a listener.
    ///
    /// # Errors
    /// [`Error`], where the database cannot be used.
    pub fn start(listener: TcpListener, store: Embedded, rate_limit: u32) -> Result<Self, Error> {
        let port = listener.local_addr().map_err(Error::Server)?.port();
        let base = format!("http://127.0.0.1:{port}");
        let http = http_client::build(None)?;
        let sandbox = Sandbox::open(store.database(), format!("{base}/front-payment"), http.clone())?;
        let sandbox = Arc::new(sandbox.limited_to(rate_limit));
        let callback_base_url = Url::parse(&base).ok();
        let front_payment = Url::parse(&format!("{base}/front-payment/api/v1"));
        let front_payment = front_payment.map_err(|error| Error::Demo(error.to_string()))?;
        let bridge = Arc::new(Bridge {
            store,
            front_payment: Client::new(http, &front_payment),
            secrets: Secrets::new(DemoSecret, Clock::system()),
            clock: Clock::system(),
            readings: Budget::default(),
            settings: Settings { callback_base_url, ..Settings::default() },
        });
        let portal = Redirect::temporary("/front-payment/portal");
        let routes = Router::new()
            .route("/", get(move || async { portal }))
            .nest("/front-payment", sandbox::routes(sandbox))
            .fallback_service(gateway::routes(bridge));
        Ok(Self { base, listener, routes })
    }

    /// `http://127.0.0.1:<port>`
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Serves, without an end of its own.
    ///
    /// # Errors
    /// [`Error::Server`]
    pub async fn serve(self) -> Result<(), Error> {
        axum::serve(self.listener, self.routes).await.map_err(Error::Server)
    }
}

/// The demo's secret, in place of Secrets Manager's.
struct DemoSecret;

impl SecretSource for DemoSecret {
    fn fetch(&self) -> Fetch<'_> {
        let secret = serde_json::json!({
            "token": sandbox::TOKEN,
            "callbackSecret": sandbox::SECRET_KEY,
            "shops": { SHOP_ID: { "apiKeySha256": [hex(&Sha256::digest(API_KEY))] } },
        });
        Box::pin(std::future::ready(Ok(secret.to_string())))
    }
}

/// An order that can be sent as it stands: the provider page's example, dated today, of a synthetic person.
#[must_use]
pub fn example_order(base: &str, reference_no: &str) -> serde_json::Value {
    serde_json::json!({
        "products": [{
            "name": "Router", "productId": "R_1", "quantity": "1", "rate": 40, "discount": 0, "tax": "0", "amount": 40
        }],
        "orderSummary": { "subTotal": "40", "totalTax": "0", "totalDiscount": "0.00", "grandTotal": "40" },
        "orderDate": Timestamp::now().as_second().to_string(),
        "customerDetails": {
            "type": "private", "countryCode": "+47", "msisdn": "46567468", "email": "kari@example.com", "name": "Kari Nordmann",
            "preferredLanguage": "en", "personalNumber": "30908299902", "organizationId": "",
            "address": { "street": "Klosterenget 144", "zip": "7030", "city": "Trondheim", "country": "NO" }
        },
        "referenceNo": reference_no,
        "customerReference": "3500",
        "invoiceInterval": 0,
        "separateInvoices": true,
        "invoiceFeeApplicable": true,
        "invoiceMaturity": 10,
        "callback": {
            "callbackUrl": format!("{base}/front-payment/shop/status"),
            "success": format!("{base}/front-payment/shop/success"),
            "failure": format!("{base}/front-payment/shop/failure")
        }
    })
}

fn welcome(base: &str) -> String {
    let curl = |reference: &str, key: &str| {
        format!(
            "curl -s {base}/orders -H 'Authorization: Bearer {API_KEY}' -H 'Idempotency-Key: {key}' \\\n  -d '{}'",
            example_order(base, reference)
        )
    };
    let now = Timestamp::now().as_second();
    format!(
        "The bridge listens on {base}; the demo shop's API key is {API_KEY}.\n\
         \n\
         1. Send an order, then open its bankIdUrl in a browser and sign:\n\n{}\n\
         \n\
         2. Read it (put its orderId in place of ORDER_ID):\n\n\
         curl -s {base}/orders/ORDER_ID -H 'Authorization: Bearer {API_KEY}'\n\
         \n\
         3. See how Front Payment misbehaves: a reply that is lost. Send it twice, sign it in the portal, send it again.\n\n{}\n\
         \n\
         Other words for referenceNo: {}\n\
         Front Payment's portal, with all orders: {base}/front-payment/portal\n\
         Ctrl-C ends it.\n",
        curl("Dhaka", &format!("first-{now}")),
        curl("lost-reply", &format!("lost-{now}")),
        sandbox::Mischief::words().join(", "),
    )
}
