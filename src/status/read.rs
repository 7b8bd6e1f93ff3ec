//! Asking Front Payment for the status of an order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::ReadBudget;
use crate::bridge::{Bridge, TokenCall, UpdateError, is_same_order, log_update};
use crate::deadline::Deadline;
use crate::front_payment::{FrontPayment, StatusError};
use crate::order::{StatusWord, StoredOrder};
use crate::secrets::{Redacted, Secret};
use crate::store::{OrderStore, WriteError};
use crate::telemetry::{ProviderCalls, error_chain};

/// How long Front Payment may take to answer.
const MAX_READ: Duration = Duration::from_secs(10);
/// How often a status is read again because the order changed meanwhile.
const MAX_READS: u32 = 5;
/// A status that was read more recently is fresh enough for a shop.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// Reads the status of an accepted order for a shop that asks for it. Where Front Payment does not tell, returns the order
/// as it is stored.
pub async fn refresh<S: OrderStore, F: FrontPayment>(
    bridge: &Bridge<S, F>,
    budget: &ReadBudget,
    order: StoredOrder,
    secret: Arc<Secret>,
    deadline: Deadline,
) -> (StoredOrder, ProviderCalls) {
    let now = bridge.clock.now();
    let is_fresh = order.checked_at.is_some_and(|at| now.duration_since(at) < FRESH);
    if order.order_uuid.is_none() || is_fresh {
        return (order, ProviderCalls::default());
    }
    let mut reader = StatusReader::new(bridge, budget, secret, deadline);
    let read = reader.read_and_store(order.clone()).await;
    let order = read.unwrap_or_else(|error| {
        tracing::warn!(error = error_chain(&error), "status read failed; the stored status stays");
        order
    });
    (order, reader.calls)
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

/// Reads statuses on behalf of one request.
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

    /// Stores the status that Front Payment tells, but only over the version of the order for which it was asked. Where
    /// the order changed meanwhile, asks again.
    pub(crate) async fn read_and_store(&mut self, mut order: StoredOrder) -> Result<StoredOrder, ReadError> {
        for _ in 0..MAX_READS {
            let word = self.read(&order).await?;
            if let StatusWord::Unknown(word) = &word {
                tracing::warn!(word, "unknown status word from Front Payment; the stored status stays");
            }
            let next = order.apply_reading(&word, self.bridge.clock.now());
            match self.bridge.replace(&order, &next, self.deadline.reply_by()).await {
                Ok(()) => {
                    log_update(&order, &next);
                    return Ok(*next);
                }
                Err(WriteError::Conflict(Some(stored))) if is_same_order(&order, &stored) => order = *stored,
                Err(WriteError::Conflict(_)) => return Err(UpdateError::Deleted.into()),
                Err(WriteError::Store(error)) => return Err(UpdateError::from(error).into()),
            }
        }
        Err(ReadError::Overtaken)
    }

    async fn read(&mut self, order: &StoredOrder) -> Result<StatusWord, ReadError> {
        let Self { bridge, budget, secret, deadline, calls } = self;
        let (order_uuid, by) = (order.order_uuid.as_deref().ok_or(ReadError::NoUuid)?, deadline.send_by());
        let call = ReadStatus { bridge, budget, order_uuid, by, calls };
        bridge.call_with_token(call, secret, by, Duration::ZERO).await
    }
}

struct ReadStatus<'a, S, F> {
    bridge: &'a Bridge<S, F>,
    budget: &'a ReadBudget,
    order_uuid: &'a str,
    by: Timestamp,
    calls: &'a mut ProviderCalls,
}

impl<S: OrderStore, F: FrontPayment> TokenCall for ReadStatus<'_, S, F> {
    type Reply = Result<StatusWord, ReadError>;

    async fn call(&mut self, token: &Redacted) -> Self::Reply {
        let clock = &self.bridge.clock;
        if !self.budget.try_read(clock.now()) {
            return Err(ReadError::BudgetSpent);
        }
        let limit = clock.until(self.by).min(MAX_READ);
        let started = Instant::now();
        let call = self.bridge.front_payment.status(self.order_uuid, token, limit).await;
        self.calls.add(started.elapsed(), &call.head);
        Ok(call.status?)
    }

    fn is_unauthorized(reply: &Self::Reply) -> bool {
        matches!(reply, Err(ReadError::FrontPayment(StatusError::Unauthorized)))
    }
}
