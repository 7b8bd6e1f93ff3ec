//! The sandbox's clock. A developer moves it forward instead of waiting for days.
//!
//! There is only the machine's clock. A move by a day makes everything that is stored a day older, so what is due within a
//! day becomes due at once. No time is ever in the future, so shops, orders and notifications are not disturbed.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::store::{OrderStore, StoreError, WriteError};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use redb::TableDefinition;
use serde_json::Value;
use tokio::sync::{Mutex, Notify};

use super::journal::Journal;
use crate::store::{EmbeddedDatabase, EmbeddedStore, database_error};

/// How many milliseconds the clock was moved since the last reset.
const AHEAD: TableDefinition<'_, (), i64> = TableDefinition::new("clock");
/// Orders that are written at the same time, so that they share a commit.
const MAX_WRITES: usize = 64;

pub struct MovableClock {
    ahead: AtomicI64,
    /// Locked during a move, so that moves do not overlap.
    moving: Mutex<()>,
    moved: Notify,
    database: Arc<EmbeddedDatabase>,
    bridge: OnceLock<(EmbeddedStore, Arc<Journal>)>,
}

/// How a move changes the stored times.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// Negative in a reset.
    older_by: SignedDuration,
    now: Timestamp,
}

impl Move {
    /// The moved time. A reset makes no time later than now.
    #[must_use]
    pub fn of(self, at: Timestamp) -> Timestamp {
        let moved = at.saturating_sub(self.older_by).unwrap_or(at);
        if self.older_by.is_negative() { moved.min(self.now.max(at)) } else { moved }
    }
}

impl MovableClock {
    /// # Errors
    /// [`StoreError`] if the database cannot be used.
    pub fn open(database: Arc<EmbeddedDatabase>) -> Result<Arc<Self>, StoreError> {
        database.create_table(AHEAD)?;
        let ahead = database.read(|read| {
            let table = read.open_table(AHEAD).map_err(database_error)?;
            Ok(table.get(()).map_err(database_error)?.map_or(0, |ahead| ahead.value()))
        })?;
        let (moving, moved) = (Mutex::default(), Notify::new());
        Ok(Arc::new(Self { ahead: ahead.into(), moving, moved, database, bridge: OnceLock::new() }))
    }

    /// From now on, a move also changes the times of these orders and log lines.
    pub(super) fn use_bridge(&self, orders: EmbeddedStore, journal: Arc<Journal>) {
        // Fails only if it is called twice, and each clock has one bridge.
        drop(self.bridge.set((orders, journal)));
    }

    /// How far the clock was moved since the last reset.
    #[must_use]
    pub fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed))
    }

    /// Makes everything that is stored older.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written.
    pub async fn forward(&self, by: SignedDuration) -> Result<Move, StoreError> {
        let _moving = self.moving.lock().await;
        let step = Move { older_by: by, now: Timestamp::now() };
        self.change(step, self.ahead().saturating_add(by)).await?;
        Ok(step)
    }

    /// Takes the moves back, but makes no time later than now.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written.
    pub async fn reset(&self) -> Result<Move, StoreError> {
        let _moving = self.moving.lock().await;
        let step = Move { older_by: -self.ahead(), now: Timestamp::now() };
        self.change(step, SignedDuration::ZERO).await?;
        Ok(step)
    }

    async fn change(&self, step: Move, ahead: SignedDuration) -> Result<(), StoreError> {
        if let Some((orders, journal)) = self.bridge.get() {
            let moves = stream::iter(orders.all()?).map(|order| move_order(orders, order, step));
            moves.buffer_unordered(MAX_WRITES).try_collect::<()>().await?;
            journal.move_times(|at| step.of(at));
        }
        let ahead = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        let written = move |write: &redb::WriteTransaction| -> Result<(), StoreError> {
            write.open_table(AHEAD).map_err(database_error)?.insert((), ahead).map_err(database_error)?;
            Ok(())
        };
        self.database.write(written).await?;
        self.ahead.store(ahead, Ordering::Relaxed);
        Ok(())
    }

    /// Wakes the worker's sweep.
    pub fn wake(&self) {
        self.moved.notify_one();
    }

    /// Waits for [`wake`](Self::wake). A wake before this call counts.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }
}

async fn move_order(orders: &EmbeddedStore, mut order: StoredOrder, step: Move) -> Result<(), StoreError> {
    loop {
        match orders.replace(&order, &moved(&order, step)?).await {
            Ok(()) => return Ok(()),
            Err(WriteError::Conflict(Some(written_meanwhile))) => order = *written_meanwhile,
            Err(WriteError::Conflict(None)) => return Ok(()),
            Err(WriteError::Store(error)) => return Err(error),
        }
    }
}

/// The order with its times moved. When it expires is left to the backfill that follows, which knows the retention.
fn moved(order: &StoredOrder, step: Move) -> Result<StoredOrder, StoreError> {
    let mut item = serde_json::to_value(order).map_err(database_error)?;
    move_times(&mut item, step);
    let moved: StoredOrder = serde_json::from_str(&item.to_string()).map_err(database_error)?;
    let mut moved = StoredOrder { version: order.version + 1, ..moved };
    moved.derive(None);
    Ok(moved)
}

/// Moves the times in a document: members like `createdAt`, `pendingSince` and `at`.
fn move_times(item: &mut Value, step: Move) {
    match item {
        Value::Object(members) => {
            for (name, value) in members {
                let is_time = ["at", "since"].contains(&name.as_str()) || name.ends_with("At") || name.ends_with("Since");
                match value.as_str().and_then(|text| text.parse::<Timestamp>().ok()).filter(|_| is_time) {
                    Some(at) => *value = step.of(at).to_string().into(),
                    None => move_times(value, step),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_times(item, step)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn moved(older_by: SignedDuration, mut item: Value) -> Value {
        move_times(&mut item, Move { older_by, now: "2026-03-10T12:00:00Z".parse().unwrap() });
        item
    }

    #[test]
    fn times_move_and_nothing_else_does() {
        let item = json!({
            "createdAt": "2026-03-10T11:00:00.5Z", "referenceNo": "2026-03-10T11:00:00Z", "changedAt": 1, "nextAt": "soon",
            "notifications": {"pendingSince": "2026-03-10T11:59:00Z"}, "history": [{"at": "2026-03-09T12:00:00Z"}],
        });
        let older = json!({
            "createdAt": "2026-03-09T11:00:00.5Z", "referenceNo": "2026-03-10T11:00:00Z", "changedAt": 1, "nextAt": "soon",
            "notifications": {"pendingSince": "2026-03-09T11:59:00Z"}, "history": [{"at": "2026-03-08T12:00:00Z"}],
        });
        assert_eq!(moved(DAY, item.clone()), older);
        assert_eq!(moved(-DAY, older), item, "a reset");
    }

    #[test]
    fn a_reset_moves_nothing_beyond_now_and_leaves_what_is_to_come() {
        let item = json!({"updatedAt": "2026-03-10T11:00:00Z", "nextAt": "2026-03-10T12:05:00Z"});
        assert_eq!(moved(-DAY, item), json!({"updatedAt": "2026-03-10T12:00:00Z", "nextAt": "2026-03-10T12:05:00Z"}));
    }
}
