//! Reads and writes one order, within a deadline and in competition with other writers.

use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use uuid::Uuid;

use super::Bridge;
use crate::deadline::backoff;
use crate::order::StoredOrder;
use crate::secrets::Redacted;
use crate::store::{IndexEntry, IndexQuery, OrderIndex, OrderStore, Page, StoreError, WriteError};

/// What an update does when the store does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnOutage {
    GiveUp,
    /// Tries again until the deadline.
    Retry,
}

/// Why a change is not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the order is no longer stored, or another one has taken its place")]
    Deleted,
    #[error("other writers were faster until the deadline")]
    Overtaken,
    #[error("no time left")]
    NoTimeLeft,
}

pub(crate) struct Updated {
    pub order: StoredOrder,
    /// The version that was replaced; `None` if nothing was written.
    pub replaced: Option<StoredOrder>,
}

pub(crate) struct UpdateFailure {
    pub error: UpdateError,
    /// The version that was read last.
    pub order: StoredOrder,
}

impl<S: OrderIndex, F> Bridge<S, F> {
    pub(crate) async fn list(&self, query: &IndexQuery<'_>, by: Timestamp) -> Result<Page<IndexEntry>, StoreError> {
        self.within(by, self.store.list(query)).await
    }

    pub(crate) async fn all_ids(&self, after: Option<Uuid>, by: Timestamp) -> Result<Vec<Uuid>, StoreError> {
        self.within(by, self.store.all_ids(after)).await
    }
}

impl<S: OrderStore, F> Bridge<S, F> {
    pub(crate) async fn load(&self, order_id: Uuid, by: Timestamp) -> Result<Option<StoredOrder>, StoreError> {
        self.within(by, self.store.load(order_id)).await
    }

    /// Writes an order that is not stored yet, and returns it as it was written.
    pub(crate) async fn create(&self, mut order: StoredOrder, by: Timestamp) -> Result<StoredOrder, WriteError> {
        order.derive(self.retention);
        unless_own(&order, self.within(by, self.store.create(&order)).await)?;
        Ok(order)
    }

    /// Writes the next version over the one that was read, and returns it as it was written.
    pub(crate) async fn replace(
        &self,
        current: &StoredOrder,
        mut next: Box<StoredOrder>,
        by: Timestamp,
    ) -> Result<StoredOrder, WriteError> {
        next.derive(self.retention);
        let written = self.within(by, self.store.replace(current, &next)).await;
        if has_mark(current, &next) { unless_own(&next, written) } else { written }?;
        log_update(current, &next);
        Ok(*next)
    }

    /// Corrects the derived attributes of a stored order. Returns whether something was written.
    pub(crate) async fn correct(&self, order: &StoredOrder, by: Timestamp) -> Result<bool, StoreError> {
        let Some(next) = order.corrected(self.retention) else { return Ok(false) };
        match self.replace(order, next, by).await {
            Ok(_) => Ok(true),
            Err(WriteError::Conflict(_)) => Ok(false), // whoever wrote it has derived it
            Err(WriteError::Store(error)) => Err(error),
        }
    }

    /// Writes a change over the version that is stored at that moment. After a conflict, `change` decides again about the
    /// new stored version. It returns `None` if nothing is to be written.
    pub(crate) async fn update(
        &self,
        mut order: StoredOrder,
        by: Timestamp,
        on_outage: OnOutage,
        change: impl Fn(&StoredOrder, Timestamp) -> Option<Box<StoredOrder>>,
    ) -> Result<Updated, UpdateFailure> {
        let mut error = UpdateError::NoTimeLeft;
        for retry in 0u32.. {
            let Some(next) = change(&order, self.clock.now()) else { return Ok(Updated { order, replaced: None }) };
            if self.clock.until(by).is_zero() {
                break;
            }
            let pause = match self.replace(&order, next, by).await {
                Ok(next) => return Ok(Updated { order: next, replaced: Some(order) }),
                Err(WriteError::Conflict(Some(stored))) if is_same_order(&order, &stored) => {
                    order = *stored;
                    error = UpdateError::Overtaken;
                    // The stored version is new, so the next write will probably succeed. Wait only if that one fails, too.
                    if retry.is_multiple_of(2) { Duration::ZERO } else { backoff((retry / 2).min(3)) }
                }
                Err(WriteError::Store(outage)) if on_outage == OnOutage::Retry => {
                    error = outage.into();
                    backoff(retry)
                }
                Err(WriteError::Store(outage)) => return Err(UpdateFailure { error: outage.into(), order }),
                Err(WriteError::Conflict(_)) => return Err(UpdateFailure { error: UpdateError::Deleted, order }),
            };
            if !pause.is_zero() {
                tokio::time::sleep(pause.min(self.clock.until(by))).await;
            }
        }
        Err(UpdateFailure { error, order })
    }

    // Not an `async fn`, which would keep the large future of the operation twice.
    fn within<T, E: From<StoreError>>(
        &self,
        by: Timestamp,
        operation: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, E>> {
        let limit = self.clock.until(by);
        tokio::time::timeout(limit, operation).map(move |done| done.unwrap_or_else(|_| Err(StoreError::Timeout(limit).into())))
    }
}

/// Whether no other writer can have made the same version of this one: it has the random id of its attempt, or the moment at
/// which Front Payment is asked.
fn has_mark(current: &StoredOrder, next: &StoredOrder) -> bool {
    let running =
        |order: &StoredOrder| order.notifications.as_ref().and_then(|all| all.running.as_ref().map(|running| running.id));
    next.attempt != current.attempt
        || next.asked_at != current.asked_at
        || running(next).is_some() && running(next) != running(current)
}

/// The store's client repeats a write whose reply was lost. Then the write conflicts with itself.
fn unless_own(written: &StoredOrder, result: Result<(), WriteError>) -> Result<(), WriteError> {
    match result {
        Err(WriteError::Conflict(Some(stored))) if *stored == *written => Ok(()),
        result => result,
    }
}

/// Whether two versions are of one order. After its retention period, another order may have the same id.
pub(crate) fn is_same_order(one: &StoredOrder, other: &StoredOrder) -> bool {
    has_token(one, &other.callback_token)
}

pub(crate) fn has_token(order: &StoredOrder, callback_token: &str) -> bool {
    Redacted::new(order.callback_token.as_str()) == Redacted::new(callback_token)
}

/// Logs an update that a person should know about.
fn log_update(current: &StoredOrder, next: &StoredOrder) {
    let is_entry_missing = next.is_history_full() && next.history.len() == current.history.len();
    if is_entry_missing && next.updated_at != current.updated_at {
        tracing::warn!("the history is full; the status is applied without an entry");
    }
    if let (Some(old), Some(new)) = (&current.order_uuid, &next.order_uuid)
        && old != new
        && !next.replaced_uuids.contains(old)
    {
        tracing::error!(
            orderUuid = new,
            otherOrderUuid = old,
            "the stored order is cancelled or expired at Front Payment, and another one lives; the order is now that one"
        );
    }
}
