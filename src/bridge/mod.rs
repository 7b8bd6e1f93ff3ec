//! What the use cases share: the store, Front Payment, the secret, the clock, and how long an order is kept.

mod stored_orders;

pub(crate) use stored_orders::{OnOutage, UpdateError, Updated, has_token, is_same_order};

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::secrets::{Secret, SecretCache, SecretUnavailable};

/// One for each process.
pub struct Bridge<S, F> {
    pub store: S,
    pub front_payment: F,
    pub secrets: SecretCache,
    pub clock: Clock,
    /// How long an order is kept after its last change; `None` is for ever.
    pub retention: Option<SignedDuration>,
}

impl<S, F> Bridge<S, F> {
    pub fn new(store: S, front_payment: F, secrets: SecretCache, clock: Clock) -> Self {
        Self { store, front_payment, secrets, clock, retention: None }
    }

    /// Sets how long an order is kept after its last change; `None` is for ever.
    #[must_use]
    pub fn keeping_orders_for(self, retention: Option<SignedDuration>) -> Self {
        Self { retention, ..self }
    }

    /// The secret, if it can be had before `by`.
    pub(crate) async fn secret(&self, by: Timestamp) -> Result<Arc<Secret>, SecretUnavailable> {
        tokio::time::timeout(self.clock.until(by), self.secrets.get()).await.unwrap_or(Err(SecretUnavailable))
    }

    /// A secret that is newer than `known`, if there is one and it can be had before `by`.
    pub(crate) async fn newer_secret(&self, known: &Arc<Secret>, by: Timestamp) -> Option<Arc<Secret>> {
        tokio::time::timeout(self.clock.until(by), self.secrets.newer_than(known)).await.ok().flatten()
    }

    /// A newer secret whose token is not that of `known`, which Front Payment has rejected.
    pub(crate) async fn newer_token(&self, known: &Arc<Secret>, by: Timestamp) -> Option<Arc<Secret>> {
        self.newer_secret(known, by).await.filter(|newer| newer.token != known.token)
    }
}
