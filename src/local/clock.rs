//! The clock of `local`: the time of day, and how far somebody has moved it forward. The bridge, its worker and the sandbox
//! share it, so that days of waiting can be watched in a minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use redb::TableDefinition;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::store::{EmbeddedDatabase, StoreError, database_error};

/// In milliseconds. Kept, because the times of the stored orders would lie in the future after a restart.
const AHEAD: TableDefinition<'_, (), i64> = TableDefinition::new("clock");

/// A shop may take ten seconds.
const MAX_WAIT: Duration = Duration::from_secs(15);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// It never goes back: the bridge takes a later time for granted, as it can on AWS.
pub struct MovableClock {
    ahead: AtomicI64,
    moved: Notify,
    /// Has a clone for each invocation that is under way.
    running: Arc<()>,
    database: Arc<EmbeddedDatabase>,
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
        Ok(Arc::new(Self { ahead: ahead.into(), moved: Notify::new(), running: Arc::default(), database }))
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.saturating_add(self.ahead()).unwrap_or(now)
    }

    /// How far it is ahead of the time of day.
    #[must_use]
    pub fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed))
    }

    /// As the bridge takes it.
    #[must_use]
    pub fn shared(self: &Arc<Self>) -> Clock {
        let clock = self.clone();
        Clock::new(move || clock.now())
    }

    /// An invocation, which a move waits for as long as it is held: to its deadlines, a move is a time that it slept.
    #[must_use]
    pub fn hold(&self) -> Arc<()> {
        self.running.clone()
    }

    async fn until_idle(&self) {
        let idle = async {
            while Arc::strong_count(&self.running) > 1 {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        if tokio::time::timeout(MAX_WAIT, idle).await.is_err() {
            tracing::warn!("the clock is moved although requests are under way");
        }
    }

    /// Moves it between two invocations.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written.
    pub async fn forward(&self, by: SignedDuration) -> Result<(), StoreError> {
        self.until_idle().await;
        let by = i64::try_from(by.as_millis()).unwrap_or_default();
        let ahead = self.ahead.load(Ordering::Relaxed).saturating_add(by);
        let written = move |write: &redb::WriteTransaction| -> Result<(), StoreError> {
            write.open_table(AHEAD).map_err(database_error)?.insert((), ahead).map_err(database_error)?;
            Ok(())
        };
        self.database.write(written).await?;
        self.ahead.fetch_add(by, Ordering::Relaxed);
        Ok(())
    }

    /// Has the worker look for what is due by now.
    pub fn wake(&self) {
        self.moved.notify_one();
    }

    /// Returns once it was moved, also if that was before this call.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }
}
