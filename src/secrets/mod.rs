//! The secret: Front Payment's token and secretKey, and the shops' keys.
//!
//! It is fetched during init and cached for five minutes. A good secret stays in use while a newer one cannot be fetched or
//! used. A sign of a change (a 401, an unknown API key, a wrong checksum) fetches it earlier, but with a minimum interval,
//! so that guessed keys do not cause a fetch each time.

mod document;
mod notify;
mod redacted;
mod secrets_manager;

pub use document::{Secret, SecretError};
pub use notify::{Notify, NotifyFormat};
pub use redacted::Redacted;
pub use secrets_manager::SecretsManager;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::clock::Clock;

const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// The shortest time between two fetches while there is a good secret. The fetch of init does not count.
const REFRESH_INTERVAL: SignedDuration = SignedDuration::from_secs(30);
/// The shortest time between two fetches while there is none. The fetch of init counts.
const RETRY_INTERVAL: SignedDuration = SignedDuration::from_secs(5);

pub trait SecretSource: Send + Sync {
    fn fetch(&self) -> SecretFetch<'_>;
}

/// The text of the secret, or a line for the log about why there is none.
pub type SecretFetch<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no usable secret yet")]
pub struct SecretUnavailable;

pub struct SecretCache {
    source: Box<dyn SecretSource>,
    clock: Clock,
    state: RwLock<State>,
    /// Held during a fetch, so that all others wait for its result.
    fetching: Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    current: Option<Arc<Secret>>,
    fetched_at: Timestamp,
    /// When the latest fetch was made, that of init included.
    tried_at: Option<Timestamp>,
    /// When the latest fetch after init was made.
    refreshed_at: Option<Timestamp>,
}

impl SecretCache {
    /// An empty cache: nothing is fetched yet.
    pub fn new(source: impl SecretSource + 'static, clock: Clock) -> Self {
        Self { source: Box::new(source), clock, state: RwLock::default(), fetching: Mutex::default() }
    }

    /// Fetches the secret during init. If that fails, init goes on, and a request tries again.
    pub async fn prefetch(&self) {
        let _one_at_a_time = self.fetching.lock().await;
        self.fetch().await;
    }

    /// The secret, at most five minutes old if the source answers.
    ///
    /// # Errors
    /// [`SecretUnavailable`] if there has been no usable one yet.
    pub async fn get(&self) -> Result<Arc<Secret>, SecretUnavailable> {
        if self.is_due() {
            let _one_at_a_time = self.fetching.lock().await;
            if self.is_due() {
                self.refresh().await;
            }
        }
        self.current().ok_or(SecretUnavailable)
    }

    /// A newer secret than `known`, if there is one and the interval allows a fetch.
    pub async fn newer_than(&self, known: &Arc<Secret>) -> Option<Arc<Secret>> {
        let newer = || self.current().filter(|current| !Arc::ptr_eq(current, known));
        let _one_at_a_time = self.fetching.lock().await;
        if newer().is_none() && self.has_passed(self.state().refreshed_at, REFRESH_INTERVAL) {
            self.refresh().await;
        }
        newer()
    }

    fn is_due(&self) -> bool {
        let state = self.state();
        match state.current {
            None => self.has_passed(state.tried_at, RETRY_INTERVAL),
            Some(_) => {
                let age = self.clock.now().duration_since(state.fetched_at);
                age > LIFETIME && self.has_passed(state.refreshed_at, REFRESH_INTERVAL)
            }
        }
    }

    fn has_passed(&self, since: Option<Timestamp>, interval: SignedDuration) -> bool {
        since.is_none_or(|since| self.clock.now().duration_since(since) >= interval)
    }

    async fn refresh(&self) {
        self.change(|state| state.refreshed_at = Some(self.clock.now()));
        self.fetch().await;
    }

    async fn fetch(&self) {
        self.change(|state| state.tried_at = Some(self.clock.now()));
        match self.source.fetch().await.map(|text| Secret::parse(&text)) {
            Ok(Ok(secret)) => {
                // The same secret again is not a newer one.
                let newer = Some(secret).filter(|secret| self.current().as_deref() != Some(secret));
                if let Some(unknown) = newer.as_ref().map(Secret::unknown_members).filter(|unknown| !unknown.is_empty()) {
                    tracing::warn!(members = unknown.join(" "), "the secret has unknown members, which have no effect");
                }
                self.change(|state| {
                    state.current = newer.map(Arc::new).or_else(|| state.current.take());
                    state.fetched_at = self.clock.now();
                });
            }
            // With a good secret, the process can wait for Secrets Manager. An unusable secret stays unusable until somebody
            // changes it.
            Err(error) if self.current().is_some() => {
                tracing::warn!(error, inUse = true, "the secret cannot be read or used");
            }
            Err(error) => tracing::error!(error, inUse = false, "the secret cannot be read or used"),
            Ok(Err(unusable)) => {
                let error = unusable.to_string();
                tracing::error!(error, inUse = self.current().is_some(), "the secret cannot be read or used");
            }
        }
    }

    fn current(&self) -> Option<Arc<Secret>> {
        self.state().current
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests;
