//! `cargo run`: both handlers on localhost, called as API Gateway calls them, with an embedded
//! database and a Front Payment sandbox. Nothing of it is in the Lambda binaries.

mod check_secret;
mod demo;
mod gateway;
mod options;
pub mod sandbox;
mod shop;
mod smoke;

pub use options::Options;
pub use shop::example_order;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::Url;

use crate::bridge::Bridge;
use crate::clock::Clock;
use crate::config::Settings;
use crate::front_payment::Client;
use crate::http::callbacks::Callbacks;
use crate::http::orders::Orders;
use crate::http_client::{Tls, TlsError};
use crate::secrets::{SecretCache, SecretFetch, SecretSource};
use crate::store::{EmbeddedStore, OpenError, StoreError};
use crate::{http_client, telemetry};
use gateway::Functions;
use options::Command;
use sandbox::Sandbox;

/// The demo shop's API key. It opens nothing but a sandbox on this machine.
pub const API_KEY: &str = "demo-shop-key";
const SHOP_ID: &str = "demo-shop";

/// Why `local` ends with an error, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {0}; choose another port with --port")]
    Port(SocketAddr, #[source] io::Error),
    #[error("cannot create the data directory {}; choose another one with --data-dir, or use --in-memory", .0.display())]
    DataDir(PathBuf, #[source] io::Error),
    #[error("cannot use the database in {}; choose another directory with --data-dir, or use --in-memory", .0.display())]
    DataFile(PathBuf, #[source] OpenError),
    #[error("no memory for the embedded database")]
    InMemory(#[source] OpenError),
    #[error("the sandbox has no database")]
    Sandbox(#[source] StoreError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the address of the sandbox is not a URL")]
    Address(#[source] url::ParseError),
    #[error("the server ended")]
    Server(#[source] io::Error),
    #[error("the demo failed: {0}")]
    Demo(String),
    #[error("the smoke test failed: {0}")]
    Smoke(String),
    #[error(transparent)]
    Secret(#[from] check_secret::CheckSecretError),
}

/// Runs until Ctrl-C, or until what was asked for is through.
///
/// # Errors
/// [`Error`] says why it cannot, and what to do.
pub async fn run(options: Options) -> Result<(), Error> {
    telemetry::init_terminal();
    match options.command {
        None => {
            let (listener, store) = options.serving.open().await?;
            let local = Local::start(listener, store, options.serving.rate_limit)?;
            println!("{}", welcome(&local.base));
            until_ctrl_c(local).await
        }
        Some(Command::Sandbox(serving)) => {
            let (listener, store) = serving.open().await?;
            let sandbox = Local::start_sandbox(listener, &store, serving.rate_limit)?;
            println!("{}", sandbox_welcome(&sandbox.base));
            until_ctrl_c(sandbox).await
        }
        Some(Command::Demo) => {
            let local =
                Local::start(listen(0).await?, EmbeddedStore::in_memory().map_err(Error::InMemory)?, sandbox::RATE_LIMIT)?;
            let base = local.base.clone();
            tokio::select! {
                ended = local.serve() => ended,
                shown = demo::run(&base) => shown.map_err(Error::Demo),
            }
        }
        Some(Command::Smoke(target)) => smoke::run(&target).await.map_err(Error::Smoke),
        Some(Command::CheckSecret { file }) => {
            println!("{}", check_secret::run(&file)?);
            Ok(())
        }
    }
}

async fn until_ctrl_c(local: Local) -> Result<(), Error> {
    tokio::select! {
        ended = local.serve() => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// A port of 127.0.0.1; 0 takes a free one.
async fn listen(port: u16) -> Result<TcpListener, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| Error::Port(address, error))
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
    pub fn start(listener: TcpListener, store: EmbeddedStore, rate_limit: u32) -> Result<Self, Error> {
        let Self { base, listener, routes } = Self::start_sandbox(listener, &store, rate_limit)?;
        let callback_base_url = Url::parse(&base).ok();
        let front_payment = Url::parse(&format!("{base}/front-payment/api/v1"));
        let front_payment = front_payment.map_err(Error::Address)?;
        let front_payment = Client::new(Tls::new(None)?, Clock::system(), &front_payment)?;
        let secrets = SecretCache::new(DemoSecret, Clock::system());
        let bridge = Arc::new(Bridge::new(store, front_payment, secrets, Clock::system()));
        let settings = Settings { callback_base_url, ..Settings::default() };
        let functions = Functions { orders: Orders::new(bridge.clone(), settings), callbacks: Callbacks::new(bridge) };
        Ok(Self { base, listener, routes: routes.fallback_service(gateway::routes(Arc::new(functions))) })
    }

    /// The sandbox alone, at the paths that it has beside a bridge.
    ///
    /// # Errors
    /// [`Error`], where the database cannot be used.
    pub fn start_sandbox(listener: TcpListener, store: &EmbeddedStore, rate_limit: u32) -> Result<Self, Error> {
        let port = listener.local_addr().map_err(Error::Server)?.port();
        let base = format!("http://127.0.0.1:{port}");
        let sandbox = Sandbox::open(store.database(), format!("{base}/front-payment"), http_client::build(None)?);
        let sandbox = sandbox.map_err(Error::Sandbox)?;
        let portal = Redirect::temporary("/front-payment/portal");
        let routes = Router::new()
            .route("/", get(move || async { portal }))
            .nest("/front-payment", sandbox::routes(Arc::new(sandbox.limited_to(rate_limit))));
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
    fn fetch(&self) -> SecretFetch<'_> {
        let secret = serde_json::json!({
            "token": sandbox::TOKEN,
            "callbackSecret": sandbox::SECRET_KEY,
            "shops": { SHOP_ID: { "apiKeySha256": [hex::encode(Sha256::digest(API_KEY))] } },
        });
        Box::pin(std::future::ready(Ok(secret.to_string())))
    }
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
        sandbox::Misbehaviour::words().join(", "),
    )
}

fn sandbox_welcome(base: &str) -> String {
    format!(
        "The sandbox of Front Payment listens on {base}; for a bridge that runs elsewhere on this machine:\n\
         \n\
         FRONT_PAYMENT_BASE_URL={base}/front-payment/api/v1\n\
         the secret's token:          {}\n\
         the secret's callbackSecret: {}\n\
         \n\
         Its portal, with all orders: {base}/front-payment/portal\n\
         Ctrl-C ends it.\n",
        sandbox::TOKEN,
        sandbox::SECRET_KEY,
    )
}
