//! One neighbour, and the connections to it.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;

use super::kept::Kept;
use super::{Tls, builder, no_tls};
use crate::clock::Clock;
use crate::config::ConfigError;

/// A client of one neighbour. Lambda may freeze the process between two requests: the neighbour closes its
/// connections meanwhile, and the monotonic clock of a connection pool may stand still. So by the time of day,
/// too, no connection is used that was idle for longer than the neighbour is sure to keep it.
pub struct Neighbour {
    tls: Tls,
    clock: Clock,
    idle: Duration,
    kept: Kept,
    state: Mutex<State>,
}

struct State {
    client: Client,
    used_at: Timestamp,
}

/// The client while it is used.
pub struct Lease<'n> {
    neighbour: &'n Neighbour,
    client: Client,
}

impl Neighbour {
    /// A neighbour that keeps an idle connection for longer than `idle`. There is none yet.
    ///
    /// # Errors
    /// [`ConfigError`] where TLS cannot be set up.
    pub fn new(tls: Tls, clock: Clock, idle: Duration) -> Result<Self, ConfigError> {
        let kept = Kept::new(clock.clone(), idle);
        let client = client(&tls, idle, &kept).map_err(|error| no_tls(&error))?;
        let state = Mutex::new(State { client, used_at: clock.now() });
        Ok(Self { tls, clock, idle, kept, state })
    }

    /// The client, for one exchange.
    pub fn lease(&self) -> Lease<'_> {
        let mut state = self.state();
        let idle_for = self.clock.now().duration_since(state.used_at).unsigned_abs();
        // A new client has no connection. It cannot fail, for the first one has not.
        if idle_for > self.idle
            && let Ok(client) = client(&self.tls, self.idle, &self.kept)
        {
            state.client = client;
        }
        state.used_at = self.clock.now();
        Lease { neighbour: self, client: state.client.clone() }
    }

    /// Opens the connection that the next exchange will use. `exchange` is to make any request: it is dropped
    /// as soon as there is a connection, before a byte of it is sent.
    pub async fn open<T>(&self, exchange: impl Future<Output = T>) {
        let keeping = self.kept.keep_next();
        tokio::select! {
            biased;
            () = keeping.done() => {}
            _ = exchange => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn client(tls: &Tls, idle: Duration, kept: &Kept) -> reqwest::Result<Client> {
    builder(tls).pool_idle_timeout(idle).connector_layer(kept.clone()).build()
}

impl Deref for Lease<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut state = self.neighbour.state();
        state.used_at = state.used_at.max(self.neighbour.clock.now());
    }
}
