//! The one secret: Front Payment's token and secretKey, and the shops' API keys.
//!
//! Fetched in init and cached for five minutes. A good one stays in use while a newer one cannot
//! be had. It is fetched anew early where something speaks for a change (a 401, an unknown API
//! key, a wrong checksum), but seldom: whoever guesses keys must not be able to make us ask.

mod document;
mod redacted;
mod secrets_manager;

pub use document::{Secret, Unusable};
pub use redacted::Redacted;
pub use secrets_manager::SecretsManager;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::clock::Clock;

/// How long a secret is used before it is fetched anew.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// The least time between two fetches while there is a good one.
const BETWEEN_REFRESHES: SignedDuration = SignedDuration::from_secs(30);
/// The least time between two fetches while there is none.
pub const BETWEEN_TRIES: SignedDuration = SignedDuration::from_secs(5);

/// Where the secret comes from.
pub trait SecretSource: Send + Sync {
    /// Fetches its text.
    fn fetch(&self) -> Fetch<'_>;
}

/// A fetch under way; its error is a line for the log.
pub type Fetch<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;

/// There is no usable secret yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no usable secret")]
pub struct SecretUnavailable;

/// The cached secret.
pub struct Secrets {
    source: Box<dyn SecretSource>,
    clock: Clock,
    state: RwLock<State>,
    /// Held by whoever fetches, so that all others wait for that one fetch.
    fetching: Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    current: Option<Arc<Secret>>,
    fetched_at: Timestamp,
    /// When it was last asked for, in init or later.
    tried_at: Option<Timestamp>,
    /// When it was last asked for, other than in init.
    asked_at: Option<Timestamp>,
}

impl Secrets {
    /// A cache in front of a source; nothing is fetched yet.
    pub fn new(source: impl SecretSource + 'static, clock: Clock) -> Self {
        Self { source: Box::new(source), clock, state: RwLock::default(), fetching: Mutex::default() }
    }

    /// Fetches the secret in init. If it cannot be had, init goes on: it is asked for again when it is needed.
    pub async fn prefetch(&self) {
        let _one_at_a_time = self.fetching.lock().await;
        self.fetch().await;
    }

    /// The secret, at most five minutes old if the source answers.
    ///
    /// # Errors
    /// [`SecretUnavailable`] where there has been no usable one yet.
    pub async fn get(&self) -> Result<Arc<Secret>, SecretUnavailable> {
        if !self.is_due() {
            return self.current().ok_or(SecretUnavailable);
        }
        let _one_at_a_time = self.fetching.lock().await;
        if self.is_due() {
            self.ask().await;
        }
        self.current().ok_or(SecretUnavailable)
    }

    /// A newer secret than this one, if there is one and it may be asked for.
    pub async fn newer_than(&self, seen: &Arc<Secret>) -> Option<Arc<Secret>> {
        let newer = || self.current().filter(|current| !Arc::ptr_eq(current, seen));
        let _one_at_a_time = self.fetching.lock().await;
        if newer().is_none() && self.rested(self.state().asked_at, BETWEEN_REFRESHES) {
            self.ask().await;
        }
        newer()
    }

    fn is_due(&self) -> bool {
        let state = self.state();
        match state.current {
            None => self.rested(state.tried_at, BETWEEN_TRIES),
            Some(_) => {
                self.clock.now().duration_since(state.fetched_at) > LIFETIME && self.rested(state.asked_at, BETWEEN_REFRESHES)
            }
        }
    }

    fn rested(&self, since: Option<Timestamp>, at_least: SignedDuration) -> bool {
        since.is_none_or(|since| self.clock.now().duration_since(since) >= at_least)
    }

    async fn ask(&self) {
        self.change(|state| state.asked_at = Some(self.clock.now()));
        self.fetch().await;
    }

    async fn fetch(&self) {
        self.change(|state| state.tried_at = Some(self.clock.now()));
        let fetched = self.source.fetch().await;
        match fetched.map(|text| Secret::parse(&text)) {
            Ok(Ok(secret)) => {
                self.change(|state| {
                    // The same secret again is no newer one.
                    if state.current.as_deref() != Some(&secret) {
                        state.current = Some(Arc::new(secret));
                    }
                    state.fetched_at = self.clock.now();
                });
            }
            // Whoever has one can wait for Secrets Manager; a secret that is wrong does not mend itself.
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
