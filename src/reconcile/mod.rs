//! Use case: status reads of orders of which Front Payment says nothing.

mod stale_attempts;

pub use stale_attempts::end_stale_attempts;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use crate::bridge::{Bridge, OnOutage, Updated};
use crate::deadline::Deadline;
use crate::front_payment::{FrontPayment, StatusError};
use crate::order::{AskQueue, Status, StoredOrder};
use crate::secrets::Secret;
use crate::status::{ReadBudget, ReadError, StatusReader};
use crate::store::{IndexEntry, IndexQuery, OrderIndex, OrderStore, Partition, StoreError};
use crate::telemetry::{ProviderCalls, error_chain};

/// The most status reads of one sweep.
const MAX_READS: u16 = 100;
/// The least number of them for other orders than SENT ones and those with a reason to ask, if so many are due.
const MIN_CHECKS: usize = 20;
/// Orders that are loaded at the same time to look for a reason to ask.
const MAX_LOADS_AT_ONCE: usize = 16;
/// What a sweep must leave of Front Payment's 240 requests a minute, for orders and callbacks.
const MIN_RATE_LIMIT: u32 = 120;
/// With less time left than this, no status read begins.
const MIN_LEFT: Duration = Duration::from_secs(12);

/// Makes the status reads of one sweep, one after the other.
pub struct Reconciler<'b, S, F> {
    bridge: &'b Bridge<S, F>,
    budget: ReadBudget,
    /// Whether Front Payment's rate limit is nearly used up.
    is_rate_limited: bool,
}

/// The end of a status read. The names are in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
enum ReadOutcome {
    Unchanged,
    /// Front Payment told something new, so its callback was missed.
    News,
    /// Front Payment does not know the uuid.
    NotFound,
    Failed,
}

/// The orders whose status is to be read, in this sequence: reasons to ask, SENT, all others.
///
/// A reason to ask is due at once, so it stands at the end of the queue. To find it behind a backlog of other orders, both
/// ends of the queue are read. A SENT order with a reason goes before other SENT ones only if more waits than one sweep reads,
/// because the index does not have the reason.
///
/// # Errors
/// [`StoreError`] if an index cannot be read.
pub async fn due<S: OrderIndex, F>(bridge: &Bridge<S, F>, by: Timestamp) -> Result<Vec<IndexEntry>, StoreError> {
    let now = bridge.clock.now().as_second();
    let earliest = |queue| IndexQuery::until(Partition::Ask(queue), now, MAX_READS);
    let (ask, check) = (earliest(AskQueue::Ask), earliest(AskQueue::Check));
    let latest = IndexQuery { is_descending: true, ..ask.clone() };
    let (ask, check) = tokio::try_join!(bridge.list(&ask, by), bridge.list(&check, by))?;
    let latest = if ask.next.is_some() { bridge.list(&latest, by).await?.items } else { Vec::new() };
    let most = usize::from(MAX_READS) - check.items.len().min(MIN_CHECKS);
    let is_crowded = ask.next.is_some() || ask.items.len() > most;
    let mut ask: Vec<_> = ask.items.into_iter().chain(latest).collect();
    ask.sort_by_key(|entry| (entry.status == Some(Status::Sent), entry.at, entry.order_id));
    ask.dedup();
    if is_crowded {
        ask = reasons_first(bridge, ask, by).await;
    }
    ask.truncate(most);
    ask.extend(check.items);
    ask.truncate(usize::from(MAX_READS));
    Ok(ask)
}

/// Puts orders with a reason to ask before the others. SENT orders are loaded to see the reason. One that cannot be loaded holds
/// up no other.
async fn reasons_first<S: OrderIndex, F>(bridge: &Bridge<S, F>, entries: Vec<IndexEntry>, by: Timestamp) -> Vec<IndexEntry> {
    let judged = stream::iter(entries).map(async |entry| {
        let has_reason = entry.status != Some(Status::Sent)
            || matches!(bridge.load(entry.order_id, by).await, Ok(Some(order)) if order.reason_since.is_some());
        (!has_reason, entry)
    });
    let mut judged: Vec<_> = judged.buffered(MAX_LOADS_AT_ONCE).collect().await;
    judged.sort_by_key(|(has_none, _)| *has_none);
    judged.into_iter().map(|(_, entry)| entry).collect()
}

impl<'b, S: OrderStore, F: FrontPayment> Reconciler<'b, S, F> {
    #[must_use]
    pub fn new(bridge: &'b Bridge<S, F>) -> Self {
        Self { bridge, budget: ReadBudget::per_minute(MAX_READS.into()), is_rate_limited: false }
    }

    /// Whether enough time and rate limit is left for another status read.
    #[must_use]
    pub fn may_read(&self, by: Timestamp) -> bool {
        !self.is_rate_limited && self.bridge.clock.until(by) >= MIN_LEFT
    }

    /// Reads the status of an order, if that is due. Returns the order as it is stored afterwards; `None` if nothing was
    /// read.
    pub async fn read(&mut self, order: StoredOrder, secret: &Arc<Secret>, by: Timestamp) -> Option<StoredOrder> {
        // The time of the next status read is stored before this one is made.
        match self.bridge.update(order, by, OnOutage::GiveUp, StoredOrder::begin_status_read).await {
            Ok(Updated { order, replaced: Some(_) }) => Some(self.ask(order, secret, by).await),
            Ok(_) => None, // not due, or changed by a callback
            Err(failure) => {
                tracing::warn!(error = error_chain(&failure.error), "a status read is not stored");
                None
            }
        }
    }

    async fn ask(&mut self, order: StoredOrder, secret: &Arc<Secret>, by: Timestamp) -> StoredOrder {
        let started = Instant::now();
        let mut reader = StatusReader::new(self.bridge, &self.budget, secret.clone(), Deadline::replying_by(by));
        let before = order.updated_at;
        let read = reader.read_and_apply(order.clone(), StoredOrder::apply_reconciliation).await;
        let (next, outcome) = match read {
            Ok((next, _)) if next.updated_at != before => (next, ReadOutcome::News),
            Ok((next, _)) => (next, ReadOutcome::Unchanged),
            Err(ReadError::FrontPayment(StatusError::NotFound)) => {
                tracing::error!(orderUuid = order.order_uuid, "Front Payment does not know this uuid");
                (self.store_not_found(order, by).await, ReadOutcome::NotFound)
            }
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "status read failed; the stored status stays");
                (order, ReadOutcome::Failed)
            }
        };
        self.is_rate_limited |= reader.calls.rate_limit_remaining.is_some_and(|remaining| remaining < MIN_RATE_LIMIT);
        log(&next, outcome, &reader.calls, started.elapsed());
        next
    }

    async fn store_not_found(&self, order: StoredOrder, by: Timestamp) -> StoredOrder {
        match self.bridge.replace(&order, order.note_not_found(self.bridge.clock.now()), by).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "a status read is not stored");
                order
            }
        }
    }
}

/// The summary line of a status read.
fn log(order: &StoredOrder, outcome: ReadOutcome, calls: &ProviderCalls, elapsed: Duration) {
    tracing::info!(
        route = "reading",
        shopId = order.shop_id,
        orderUuid = order.order_uuid,
        status = order.status.name(),
        outcome = <&str>::from(outcome),
        providerStatusCode = calls.http_status,
        providerMs = calls.elapsed_ms,
        providerRateLimitRemaining = calls.rate_limit_remaining,
        totalMs = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        "reading"
    );
}
