//! What happened since the start: the log lines of the bridge and of the sandbox. The terminal prints them, and the pages
//! draw an order's life from them.

mod layer;
mod step;

pub use step::{Party, Step};

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tracing::Level;
use uuid::Uuid;

use super::clock::MovableClock;

/// The oldest go.
const MAX_ENTRIES: usize = 20_000;

/// One log line.
#[derive(Debug, Clone)]
pub struct Entry {
    pub at: Timestamp,
    pub level: Level,
    pub message: String,
    /// Of the bridge.
    pub order_id: Option<Uuid>,
    pub fields: BTreeMap<&'static str, String>,
}

#[derive(Default)]
pub struct Journal {
    entries: Mutex<VecDeque<Arc<Entry>>>,
    clock: OnceLock<Arc<MovableClock>>,
    printer: Mutex<Option<UnboundedSender<Arc<Entry>>>>,
}

impl Entry {
    /// When the call began whose end it tells.
    #[must_use]
    pub fn began_at(&self) -> Timestamp {
        let elapsed = self.field("totalMs").and_then(|millis| millis.parse().ok()).unwrap_or_default();
        self.at.saturating_sub(SignedDuration::from_millis(elapsed)).unwrap_or(self.at)
    }

    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

impl Journal {
    /// From now on, lines have the time of this clock, and before, the time of day.
    pub fn use_clock(&self, clock: Arc<MovableClock>) {
        // A journal has one server, so the first clock is the only one.
        drop(self.clock.set(clock));
    }

    fn now(&self) -> Timestamp {
        self.clock.get().map_or_else(Timestamp::now, |clock| clock.now())
    }

    /// Everything about one order, the oldest first.
    #[must_use]
    pub fn of_order(&self, order_id: Uuid) -> Vec<Arc<Entry>> {
        let entries = lock(&self.entries);
        entries.iter().filter(|entry| entry.order_id == Some(order_id)).cloned().collect()
    }

    /// Everything from now on.
    pub fn follow(&self) -> UnboundedReceiver<Arc<Entry>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        *lock(&self.printer) = Some(sender);
        receiver
    }

    fn add(&self, entry: Entry) {
        let entry = Arc::new(entry);
        if let Some(printer) = &*lock(&self.printer) {
            // An error says that nobody prints any more.
            drop(printer.send(entry.clone()));
        }
        let mut entries = lock(&self.entries);
        entries.push_back(entry);
        if entries.len() > MAX_ENTRIES {
            entries.pop_front();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
