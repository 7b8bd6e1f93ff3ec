//! A status read: asks Front Payment for the status of an order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::ReadBudget;
use crate::bridge::{Bridge, UpdateError, is_same_order};
use crate::deadline::Deadline;
use crate::front_payment::{FrontPayment, StatusError};
use crate::order::{StatusRead, StatusWord, StoredOrder};
use crate::secrets::{Redacted, Secret};
use crate::store::{OrderStore, WriteError};
use crate::telemetry::{ProviderCalls, error_chain};

/// How long Front Payment may take to answer.
const MAX_READ: Duration = Duration::from_secs(10);
/// The most status reads of one order, if it changes during each of them.
const MAX_READS: u32 = 5;
/// A shop's request causes no status read if the last one is younger than this.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// Reads the status of an accepted order because its shop asks for it. If Front Payment does not tell it, returns the order
/// as it is stored.
pub async fn refresh<S: OrderStore, F: FrontPayment>(
    bridge: &Bridge<S, F>,
    budget: &ReadBudget,
    order: StoredOrder,
    secret: Arc<Secret>,
    deadline: Deadline,
) -> (StoredOrder, ProviderCalls) {
    let mut reader = StatusReader::new(bridge, budget, secret, deadline);
    let read = reader.read_and_store(order.clone()).await;
    let order = read.unwrap_or_else(|error| {
        tracing::warn!(error = error_chain(&error), "status read failed; the stored status stays");
        order
    });
    (order, reader.calls)
}

/// Whether a status read may bring news: the order is accepted, and was not read a moment ago.
pub(crate) fn is_worth_reading(order: &StoredOrder, now: Timestamp) -> bool {
    order.order_uuid.is_some() && order.checked_at.is_none_or(|at| now.duration_since(at) >= FRESH)
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the order has no uuid to ask about")]
    NoUuid,
    #[error("the process has read as many statuses in the last minute as it may")]
    BudgetSpent,
    #[error("the order changes faster than its status can be read")]
    Overtaken,
    #[error(transparent)]
    FrontPayment(#[from] StatusError),
    #[error(transparent)]
    Update(#[from] UpdateError),
}

/// Makes the status reads of one request.
pub(crate) struct StatusReader<'b, S, F> {
    bridge: &'b Bridge<S, F>,
    budget: &'b ReadBudget,
    secret: Arc<Secret>,
    deadline: Deadline,
    pub(crate) calls: ProviderCalls,
}

impl<'b, S: OrderStore, F: FrontPayment> StatusReader<'b, S, F> {
    pub(crate) fn new(bridge: &'b Bridge<S, F>, budget: &'b ReadBudget, secret: Arc<Secret>, deadline: Deadline) -> Self {
        Self { bridge, budget, secret, deadline, calls: ProviderCalls::default() }
    }

    /// Uses a newer token from now on.
    pub(crate) fn use_secret(&mut self, secret: Arc<Secret>) {
        self.secret = secret;
    }

    /// Reads the status and stores it, but only over the version for which it was asked. If the order has changed meanwhile,
    /// reads again.
    pub(crate) async fn read_and_store(&mut self, order: StoredOrder) -> Result<StoredOrder, ReadError> {
        let apply = |order: &StoredOrder, read: &StatusRead, now| Some(order.apply_status_read(read, now));
        self.read_and_apply(order, apply).await.map(|(order, _)| order)
    }

    /// Like [`Self::read_and_store`], but `apply` makes the change. Also returns what was read.
    pub(crate) async fn read_and_apply(
        &mut self,
        order: StoredOrder,
        apply: impl Fn(&StoredOrder, &StatusRead, Timestamp) -> Option<Box<StoredOrder>>,
    ) -> Result<(StoredOrder, StatusRead), ReadError> {
        self.read_until_stored(order, None, apply).await
    }

    /// Like [`Self::read_and_apply`], for another of Front Payment's uuids than the stored one. Ends without a change if the
    /// order takes this uuid meanwhile.
    pub(crate) async fn read_other_and_apply(
        &mut self,
        order: StoredOrder,
        order_uuid: &str,
        apply: impl Fn(&StoredOrder, &StatusRead, Timestamp) -> Option<Box<StoredOrder>>,
    ) -> Result<(StoredOrder, StatusRead), ReadError> {
        self.read_until_stored(order, Some(order_uuid), apply).await
    }

    /// `other` is another of Front Payment's uuids than the stored one.
    async fn read_until_stored(
        &mut self,
        mut order: StoredOrder,
        other: Option<&str>,
        apply: impl Fn(&StoredOrder, &StatusRead, Timestamp) -> Option<Box<StoredOrder>>,
    ) -> Result<(StoredOrder, StatusRead), ReadError> {
        for _ in 0..MAX_READS {
            let read = self.read(other.or(order.order_uuid.as_deref()).ok_or(ReadError::NoUuid)?).await?;
            let Some(next) = apply(&order, &read, self.bridge.clock.now()) else { return Ok((order, read)) };
            match self.bridge.replace(&order, next, self.deadline.reply_by()).await {
                Ok(next) => return Ok((next, read)),
                Err(WriteError::Conflict(Some(stored))) if is_same_order(&order, &stored) => order = *stored,
                Err(WriteError::Conflict(_)) => return Err(UpdateError::Deleted.into()),
                Err(WriteError::Store(error)) => return Err(UpdateError::from(error).into()),
            }
            if other.is_some_and(|other| order.is_order(other)) {
                return Ok((order, read));
            }
        }
        Err(ReadError::Overtaken)
    }

    /// Reads the status of any uuid, and stores nothing.
    pub(crate) async fn read(&mut self, order_uuid: &str) -> Result<StatusRead, ReadError> {
        let (bridge, by) = (self.bridge, self.deadline.send_by());
        let secret = self.secret.clone();
        let mut read = self.read_once(order_uuid, &secret.token).await;
        if matches!(read, Err(ReadError::FrontPayment(StatusError::Unauthorized)))
            && let Some(newer) = bridge.newer_token(&secret, by).await
        {
            read = self.read_once(order_uuid, &newer.token).await;
        }
        if let Ok(StatusRead { word: StatusWord::Unknown(word), .. }) = &read {
            tracing::warn!(word, "unknown status word from Front Payment; the stored status stays");
        }
        read
    }

    async fn read_once(&mut self, order_uuid: &str, token: &Redacted) -> Result<StatusRead, ReadError> {
        let clock = &self.bridge.clock;
        if !self.budget.try_read(clock.now()) {
            return Err(ReadError::BudgetSpent);
        }
        let limit = clock.until(self.deadline.send_by()).min(MAX_READ);
        let started = Instant::now();
        let call = self.bridge.front_payment.status(order_uuid, token, limit).await;
        self.calls.add(started.elapsed(), &call.head);
        Ok(call.status?)
    }
}
