//! The clock that the bridge, the worker and the sandbox of `local` share. Somebody can move it forward, so that nobody has to
//! wait for days.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use front_payment_bridge::clock::Clock;
use front_payment_bridge::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use redb::TableDefinition;
use tokio::sync::Notify;

use crate::store::{EmbeddedDatabase, database_error};

/// Milliseconds ahead of the system clock. Stored, or after a restart the orders would have times in the future.
const AHEAD: TableDefinition<'_, (), i64> = TableDefinition::new("clock");

/// How long a move waits for running invocations. A call to a shop takes up to ten seconds.
const MAX_WAIT: Duration = Duration::from_secs(15);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A clock that moves forward only: the bridge assumes that time does not go back.
pub struct MovableClock {
    ahead: AtomicI64,
    moved: Notify,
    /// Each running invocation holds a clone, so the reference count tells whether one runs.
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

    /// How far it is ahead of the system clock.
    #[must_use]
    pub fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed))
    }

    /// This clock, as the bridge's type.
    #[must_use]
    pub fn shared(self: &Arc<Self>) -> Clock {
        let clock = self.clone();
        Clock::new(move || clock.now())
    }

    /// To be held while an invocation runs. The clock does not move meanwhile, because the invocation would miss its deadlines.
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

    /// Moves the clock, once no invocation runs.
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

    /// Wakes the worker's sweep.
    pub fn wake(&self) {
        self.moved.notify_one();
    }

    /// Waits for [`wake`](Self::wake). A wake before this call counts.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }
}
