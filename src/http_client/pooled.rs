//! An HTTP client for one service. It never uses a connection that the service may have closed.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;

use super::preconnect::Preconnect;
use super::{Tls, TlsError, builder};
use crate::clock::Clock;

/// Lambda may freeze the process between two requests. The service closes its connections meanwhile, but the monotonic clock
/// of the connection pool may stand still. So this client also measures idle time by the time of day.
pub struct PooledClient {
    tls: Tls,
    clock: Clock,
    max_idle: Duration,
    preconnect: Preconnect,
    state: Mutex<State>,
}

struct State {
    client: Client,
    used_at: Timestamp,
}

/// The client during one exchange.
pub struct ClientLease<'c> {
    owner: &'c PooledClient,
    client: Client,
}

impl PooledClient {
    /// `max_idle` must be shorter than the time after which the service closes an idle connection.
    ///
    /// # Errors
    /// [`TlsError`] if reqwest does not accept the TLS configuration.
    pub fn new(tls: Tls, clock: Clock, max_idle: Duration) -> Result<Self, TlsError> {
        let preconnect = Preconnect::new(clock.clone(), max_idle);
        let client = client(&tls, max_idle, &preconnect)?;
        let state = Mutex::new(State { client, used_at: clock.now() });
        Ok(Self { tls, clock, max_idle, preconnect, state })
    }

    /// The client, for one exchange.
    pub fn lease(&self) -> ClientLease<'_> {
        let mut state = self.state();
        let idle = self.clock.now().duration_since(state.used_at).unsigned_abs();
        // A new client has no old connections. Building one cannot fail, because the first one was built the same way.
        if idle > self.max_idle
            && let Ok(client) = client(&self.tls, self.max_idle, &self.preconnect)
        {
            state.client = client;
        }
        state.used_at = self.clock.now();
        ClientLease { owner: self, client: state.client.clone() }
    }

    /// Opens the connection that the next exchange uses. `exchange` can be any request: it is dropped as soon as a
    /// connection is open, before a byte is sent.
    pub async fn connect<T>(&self, exchange: impl Future<Output = T>) {
        self.preconnect.run(exchange).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn client(tls: &Tls, max_idle: Duration, preconnect: &Preconnect) -> Result<Client, TlsError> {
    builder(tls).pool_idle_timeout(max_idle).connector_layer(preconnect.clone()).build().map_err(TlsError::Client)
}

impl Deref for ClientLease<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for ClientLease<'_> {
    fn drop(&mut self) {
        let mut state = self.owner.state();
        state.used_at = state.used_at.max(self.owner.clock.now());
    }
}
