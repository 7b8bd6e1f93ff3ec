//! What the use cases share: the store, Front Payment, the secret and the clock.

mod stored_orders;

pub(crate) use stored_orders::{OnOutage, UpdateError, Updated, has_token, is_same_order, log_update};

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::secrets::{Redacted, Secret, SecretCache, SecretUnavailable};

/// Made once per process.
pub struct Bridge<S, F> {
    pub store: S,
    pub front_payment: F,
    pub secrets: SecretCache,
    pub clock: Clock,
}

/// A call to Front Payment that carries the bearer token.
pub(crate) trait TokenCall {
    type Reply;

    fn call(&mut self, token: &Redacted) -> impl Future<Output = Self::Reply> + Send;

    fn is_unauthorized(reply: &Self::Reply) -> bool;
}

impl<S, F> Bridge<S, F> {
    pub fn new(store: S, front_payment: F, secrets: SecretCache, clock: Clock) -> Self {
        Self { store, front_payment, secrets, clock }
    }

    /// The secret, if there is one by then.
    pub(crate) async fn secret(&self, by: Timestamp) -> Result<Arc<Secret>, SecretUnavailable> {
        tokio::time::timeout(self.clock.until(by), self.secrets.get()).await.unwrap_or(Err(SecretUnavailable))
    }

    /// A newer secret than `known`, if there is one by then.
    pub(crate) async fn newer_secret(&self, known: &Arc<Secret>, by: Timestamp) -> Option<Arc<Secret>> {
        tokio::time::timeout(self.clock.until(by), self.secrets.newer_than(known)).await.ok().flatten()
    }

    /// Calls Front Payment. Where it rejects the token and there is a newer one, calls once more, unless less than
    /// `min_left` is left until `by`.
    pub(crate) async fn call_with_token<C: TokenCall>(
        &self,
        mut call: C,
        secret: &Arc<Secret>,
        by: Timestamp,
        min_left: Duration,
    ) -> C::Reply {
        let reply = call.call(&secret.token).await;
        if !C::is_unauthorized(&reply) {
            return reply;
        }
        match self.newer_secret(secret, by).await.filter(|newer| newer.token != secret.token) {
            Some(newer) if self.clock.until(by) >= min_left => call.call(&newer.token).await,
            _ => reply,
        }
    }
}
