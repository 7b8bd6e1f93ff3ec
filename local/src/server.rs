//! The bridge and the sandbox behind one port.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;
use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::config::{self, Settings};
use front_payment_bridge::environment::{Environment, ProcessEnvironment};
use front_payment_bridge::front_payment::Client;
use front_payment_bridge::http::callbacks::Callbacks;
use front_payment_bridge::http::orders::Orders;
use front_payment_bridge::http_client::{self, Tls};
use front_payment_bridge::notify::{PrivateHosts, ShopClient};
use front_payment_bridge::secrets::SecretCache;
use front_payment_bridge::worker::Worker;
use tokio::net::TcpListener;
use url::Url;

use super::clock::MovableClock;
use super::console::{self, Console};
use super::demo_secret::{DemoSecret, THIS_MACHINE};
use super::gateway::{self, Functions};
use super::guard::{Hosts, guard};
use super::journal::Journal;
use super::page::{self, Frame};
use super::sandbox::{self, Sandbox, SandboxSettings};
use super::watched_store::WatchedStore;
use super::worker::{LocalWorker, SharedWorker};
use super::{Error, HOST};
use crate::store::EmbeddedStore;

pub struct Local {
    base: String,
    listener: TcpListener,
    routes: Router,
    /// The host of `CALLBACK_BASE_URL`, if it is set.
    tunnel: Option<String>,
    /// `None` if only the sandbox runs.
    worker: Option<LocalWorker>,
}

impl Local {
    /// Starts the bridge, its worker and the sandbox.
    ///
    /// # Errors
    /// [`Error`], for example if the database cannot be used.
    pub async fn start(
        listener: TcpListener,
        store: EmbeddedStore,
        mut sandbox: SandboxSettings,
        journal: Arc<Journal>,
    ) -> Result<Self, Error> {
        let settings = Settings::read(&ProcessEnvironment)?;
        let retention = config::order_retention(&ProcessEnvironment)?;
        let private_shop_hosts = settings.private_shop_hosts.and(this_machine()?);
        let frame = frame(&listener, &store, true)?;
        frame.clock.use_bridge(store.clone(), journal.clone());
        // `CALLBACK_BASE_URL` is an address of this API, so the sandbox may call its host.
        let tunnel = settings.callback_base_url.as_ref().and_then(|url| url.host_str().map(str::to_owned));
        sandbox.callback_hosts.extend(tunnel.clone());
        let Self { base, listener, routes, .. } = Self::with_frame(listener, &store, sandbox, frame.clone())?;
        let front_payment = Url::parse(&format!("{base}/front-payment/api/v1")).map_err(Error::Address)?;
        let tls = Tls::new(None)?;
        let front_payment = Client::new(tls.clone(), Clock::system(), &front_payment)?;
        let front_payment = front_payment.trusting(settings.trusted_failures.clone());
        let secrets = SecretCache::new(DemoSecret::new(private_shop_host_names()?), Clock::system());
        secrets.prefetch().await;
        let (watched, changed) = WatchedStore::new(store.clone());
        let bridge = Arc::new(Bridge::new(watched, front_payment, secrets, Clock::system()).keeping_orders_for(retention));
        let worker = {
            let (bridge, private_shop_hosts) = (bridge.clone(), private_shop_hosts.clone());
            let start = move || Ok(Worker::new(bridge.clone(), ShopClient::new(&tls)?, private_shop_hosts.clone()));
            Arc::new(SharedWorker::new(start)?)
        };
        let callback_base_url = settings.callback_base_url.or(Url::parse(&base).ok());
        let settings = Settings { callback_base_url, private_shop_hosts, ..settings };
        let functions = Functions { orders: Orders::new(bridge.clone(), settings), callbacks: Callbacks::new(bridge) };
        let http = http_client::build(None)?;
        let console = Console { frame: frame.clone(), store: store.clone(), journal, http, worker: worker.clone() };
        let routes = routes.nest("/console", console::routes(Arc::new(console))).merge(console::document());
        let routes = routes.fallback_service(gateway::routes(Arc::new(functions)));
        Ok(Self { base, listener, routes, tunnel, worker: Some(LocalWorker { worker, store, changed, frame }) })
    }

    /// Starts only the sandbox, at the same paths as beside a bridge.
    ///
    /// # Errors
    /// [`Error`], for example if the database cannot be used.
    pub fn start_sandbox(listener: TcpListener, store: &EmbeddedStore, settings: SandboxSettings) -> Result<Self, Error> {
        let frame = frame(&listener, store, false)?;
        Self::with_frame(listener, store, settings, frame)
    }

    fn with_frame(
        listener: TcpListener,
        store: &EmbeddedStore,
        settings: SandboxSettings,
        frame: Arc<Frame>,
    ) -> Result<Self, Error> {
        let sandbox = Sandbox::open(store.database(), frame.clone(), http_client::build(None)?).map_err(Error::Sandbox)?;
        let first = Redirect::temporary(if frame.has_bridge { "/console" } else { "/front-payment/portal" });
        let routes = Router::new()
            .route("/", get(move || async { first }))
            .nest("/front-payment", sandbox::routes(Arc::new(sandbox.with_settings(settings))))
            .merge(page::routes(frame.clone()));
        Ok(Self { base: frame.base.clone(), listener, routes, tunnel: None, worker: None })
    }

    /// `http://127.0.0.1:<port>`
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Serves requests until it is dropped.
    ///
    /// # Errors
    /// [`Error::Server`]
    pub async fn serve(self) -> Result<(), Error> {
        let address = self.listener.local_addr().map_err(Error::Server)?;
        let hosts = if address.ip().is_loopback() { Hosts::Loopback { tunnel: self.tunnel } } else { Hosts::Any };
        let routes = self.routes.layer(from_fn_with_state(hosts, guard));
        let serving = axum::serve(self.listener, routes).into_future();
        let Some(worker) = self.worker else { return serving.await.map_err(Error::Server) };
        tokio::select! {
            ended = serving => ended.map_err(Error::Server),
            () = worker.run() => Ok(()),
        }
    }
}

fn frame(listener: &TcpListener, store: &EmbeddedStore, has_bridge: bool) -> Result<Arc<Frame>, Error> {
    let port = listener.local_addr().map_err(Error::Server)?.port();
    let clock = MovableClock::open(store.database()).map_err(Error::Sandbox)?;
    Ok(Arc::new(Frame::new(format!("http://{HOST}:{port}"), has_bridge, clock)))
}

/// The hosts of `PRIVATE_SHOP_HOSTS`, where the demo shops may be notified, too: for example a shop that runs beside a
/// container.
fn private_shop_host_names() -> Result<Vec<String>, Error> {
    let hosts = ProcessEnvironment.get("PRIVATE_SHOP_HOSTS")?.unwrap_or_default();
    let names = hosts.split(',').map(|host| host.trim().split(':').next().unwrap_or_default().to_owned());
    Ok(names.filter(|name| !name.is_empty()).collect())
}

/// This machine, where the demo shop runs, and perhaps a shop that is being developed.
fn this_machine() -> Result<PrivateHosts, Error> {
    PrivateHosts::parse(&THIS_MACHINE.join(",")).map_err(Error::ShopHost)
}
