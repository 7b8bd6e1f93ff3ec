//! The journal: the log lines of the bridge and the sandbox since the start. The terminal prints them, and an order's page
//! draws them.

mod layer;
mod step;

pub use step::{Party, Step};

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tracing::Level;
use uuid::Uuid;

/// Beyond this, the oldest entries are dropped.
const MAX_ENTRIES: usize = 20_000;

/// One log line.
#[derive(Debug, Clone)]
pub struct Entry {
    pub at: Timestamp,
    /// When the call began. The line of a call is logged at its end.
    pub began_at: Timestamp,
    pub level: Level,
    pub message: String,
    /// The bridge's id of the order that the line is about.
    pub order_id: Option<Uuid>,
    pub fields: BTreeMap<&'static str, String>,
}

#[derive(Default)]
pub struct Journal {
    entries: Mutex<VecDeque<Arc<Entry>>>,
    printer: Mutex<Option<UnboundedSender<Arc<Entry>>>>,
}

impl Entry {
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

impl Journal {
    /// Changes the times of all lines so far, when the clock is moved.
    pub(super) fn move_times(&self, moved: impl Fn(Timestamp) -> Timestamp) {
        for entry in lock(&self.entries).iter_mut() {
            let (at, began_at) = (moved(entry.at), moved(entry.began_at));
            *entry = Arc::new(Entry { at, began_at, ..Entry::clone(entry) });
        }
    }

    /// The lines about one order, the oldest first.
    #[must_use]
    pub fn of_order(&self, order_id: Uuid) -> Vec<Arc<Entry>> {
        let entries = lock(&self.entries);
        entries.iter().filter(|entry| entry.order_id == Some(order_id)).cloned().collect()
    }

    /// Receives every line from now on.
    pub fn follow(&self) -> UnboundedReceiver<Arc<Entry>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        *lock(&self.printer) = Some(sender);
        receiver
    }

    fn add(&self, entry: Entry) {
        let entry = Arc::new(entry);
        if let Some(printer) = &*lock(&self.printer) {
            // Fails only if the printer has ended.
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
