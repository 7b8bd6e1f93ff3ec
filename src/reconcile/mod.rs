//! Use case: Front Payment is asked for the status of orders of which it says nothing.

mod settle;

pub use settle::settle;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::bridge::Bridge;
use crate::deadline::Deadline;
use crate::front_payment::{FrontPayment, StatusError};
use crate::order::{EntrySource, StoredOrder};
use crate::secrets::Secret;
use crate::status::{ReadBudget, ReadError, StatusReader};
use crate::store::{OrderStore, WriteError};
use crate::telemetry::{ProviderCalls, error_chain};

/// Readings in one sweep.
const MAX_READINGS: u32 = 30;
/// What must be left of Front Payment's 240 requests a minute, for orders and callbacks.
const MIN_RATE_LIMIT: u32 = 120;
/// With less than this, no reading begins.
const MIN_LEFT: Duration = Duration::from_secs(12);

/// The readings of one sweep, one at a time.
pub struct Reconciler<'b, S, F> {
    bridge: &'b Bridge<S, F>,
    budget: ReadBudget,
    left: u32,
}

/// The end of a reading. The names are in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
enum ReadingOutcome {
    /// Front Payment told the stored status.
    Unchanged,
    /// Front Payment told another status: its callback was missed.
    News,
    /// Front Payment does not know the uuid.
    NotFound,
    Failed,
}

impl<'b, S: OrderStore, F: FrontPayment> Reconciler<'b, S, F> {
    #[must_use]
    pub fn new(bridge: &'b Bridge<S, F>) -> Self {
        let budget = ReadBudget::per_minute(usize::try_from(MAX_READINGS).unwrap_or(usize::MAX));
        Self { bridge, budget, left: MAX_READINGS }
    }

    /// Reads the status of an order, if that is due and the sweep may read more. Returns the order as it is then stored.
    pub async fn read(&mut self, order: StoredOrder, secret: &Arc<Secret>, by: Timestamp) -> StoredOrder {
        if order.reading_due_at().is_none_or(|due_at| due_at > self.bridge.clock.now()) {
            return order;
        }
        if self.left == 0 || self.bridge.clock.until(by) < MIN_LEFT {
            return order;
        }
        // When to ask again is written down before it is asked.
        let Some(asked) = order.begin_reading(self.bridge.clock.now()) else { return order };
        match self.bridge.replace(&order, &asked, by).await {
            Ok(()) => {}
            Err(WriteError::Conflict(_)) => return order, // something was heard
            Err(WriteError::Store(error)) => {
                tracing::warn!(error = error_chain(&error), "a reading is not stored");
                return order;
            }
        }
        self.left -= 1;
        self.ask(*asked, secret, by).await
    }

    async fn ask(&mut self, order: StoredOrder, secret: &Arc<Secret>, by: Timestamp) -> StoredOrder {
        let started = Instant::now();
        let deadline = Deadline::replying_by(by);
        let mut reader = StatusReader::new(self.bridge, &self.budget, secret.clone(), deadline);
        let (next, outcome) = match reader.read_and_store(order.clone()).await {
            Ok(next) if was_news(&next) => (next, ReadingOutcome::News),
            Ok(next) => (next, ReadingOutcome::Unchanged),
            Err(ReadError::FrontPayment(StatusError::NotFound)) => {
                tracing::error!(orderUuid = order.order_uuid, "Front Payment does not know this uuid");
                (self.store_not_found(order, by).await, ReadingOutcome::NotFound)
            }
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "status read failed; the stored status stays");
                (order, ReadingOutcome::Failed)
            }
        };
        if reader.calls.rate_limit_remaining.is_some_and(|remaining| remaining < MIN_RATE_LIMIT) {
            self.left = 0;
        }
        log(&next, outcome, &reader.calls, started.elapsed());
        next
    }

    async fn store_not_found(&self, order: StoredOrder, by: Timestamp) -> StoredOrder {
        let Some(next) = order.note_not_found(self.bridge.clock.now()) else { return order };
        match self.bridge.replace(&order, &next, by).await {
            Ok(()) => *next,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "a reading is not stored");
                order
            }
        }
    }
}

/// Whether the reading that was stored last told another status than the stored one.
fn was_news(order: &StoredOrder) -> bool {
    let latest = order.history.last().filter(|entry| Some(entry.at) == order.checked_at);
    latest.is_some_and(|entry| entry.source == EntrySource::Provider && entry.status == order.status.name())
}

/// The summary line of a reading.
fn log(order: &StoredOrder, outcome: ReadingOutcome, calls: &ProviderCalls, elapsed: Duration) {
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
