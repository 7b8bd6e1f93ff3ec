//! The bridge and the sandbox behind one port.

use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use tokio::net::TcpListener;
use url::Url;

use super::demo_secret::DemoSecret;
use super::gateway::{self, Functions};
use super::sandbox::{self, Sandbox};
use super::watched_store::WatchedStore;
use super::worker::LocalWorker;
use super::{Error, HOST};
use crate::bridge::Bridge;
use crate::clock::Clock;
use crate::config::Settings;
use crate::front_payment::Client;
use crate::http::callbacks::Callbacks;
use crate::http::orders::Orders;
use crate::http_client::{self, Tls};
use crate::notify::{PrivateHosts, ShopClient};
use crate::secrets::SecretCache;
use crate::store::EmbeddedStore;
use crate::worker::Worker;

pub struct Local {
    base: String,
    listener: TcpListener,
    routes: Router,
    /// `None` for the sandbox alone.
    worker: Option<LocalWorker>,
}

impl Local {
    /// The bridge, its worker and the sandbox.
    ///
    /// # Errors
    /// [`Error`], for example if the database cannot be used.
    pub fn start(listener: TcpListener, store: EmbeddedStore, rate_limit: u32) -> Result<Self, Error> {
        let private_shop_hosts = private_shop_hosts(&listener)?;
        let Self { base, listener, routes, .. } = Self::start_sandbox(listener, &store, rate_limit)?;
        let front_payment = Url::parse(&format!("{base}/front-payment/api/v1")).map_err(Error::Address)?;
        let tls = Tls::new(None)?;
        let shops = ShopClient::new(&tls)?;
        let front_payment = Client::new(tls, Clock::system(), &front_payment)?;
        let secrets = SecretCache::new(DemoSecret, Clock::system());
        let (watched, changed) = WatchedStore::new(store.clone());
        let bridge = Arc::new(Bridge::new(watched, front_payment, secrets, Clock::system()));
        let worker = Arc::new(Worker::new(bridge.clone(), shops, private_shop_hosts.clone()));
        let settings = Settings { callback_base_url: Url::parse(&base).ok(), private_shop_hosts, ..Settings::default() };
        let functions = Functions { orders: Orders::new(bridge.clone(), settings), callbacks: Callbacks::new(bridge) };
        let routes = routes.fallback_service(gateway::routes(Arc::new(functions)));
        Ok(Self { base, listener, routes, worker: Some(LocalWorker { worker, store, changed }) })
    }

    /// The sandbox alone, at the paths that it also has beside a bridge.
    ///
    /// # Errors
    /// [`Error`], for example if the database cannot be used.
    pub fn start_sandbox(listener: TcpListener, store: &EmbeddedStore, rate_limit: u32) -> Result<Self, Error> {
        let port = listener.local_addr().map_err(Error::Server)?.port();
        let base = format!("http://{HOST}:{port}");
        let sandbox = Sandbox::open(store.database(), format!("{base}/front-payment"), http_client::build(None)?);
        let sandbox = sandbox.map_err(Error::Sandbox)?;
        let portal = Redirect::temporary("/front-payment/portal");
        let routes = Router::new()
            .route("/", get(move || async { portal }))
            .nest("/front-payment", sandbox::routes(Arc::new(sandbox.limited_to(rate_limit))));
        Ok(Self { base, listener, routes, worker: None })
    }

    /// `http://127.0.0.1:<port>`
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Serves until it is dropped.
    ///
    /// # Errors
    /// [`Error::Server`]
    pub async fn serve(self) -> Result<(), Error> {
        let serving = axum::serve(self.listener, self.routes).into_future();
        let Some(worker) = self.worker else { return serving.await.map_err(Error::Server) };
        tokio::select! {
            ended = serving => ended.map_err(Error::Server),
            () = worker.run() => Ok(()),
        }
    }
}

/// The demo shop is on this machine.
fn private_shop_hosts(listener: &TcpListener) -> Result<PrivateHosts, Error> {
    let address = listener.local_addr().map_err(Error::Server)?;
    PrivateHosts::parse(&address.to_string()).map_err(Error::ShopHost)
}
