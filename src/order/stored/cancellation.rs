//! The shop calls an order off.

use jiff::Timestamp;

use super::{EntrySource, HistoryEntry, StoredOrder};

const CANCEL_REQUESTED: &str = "CANCEL_REQUESTED";
const CANCEL_REFUSED: &str = "CANCEL_REFUSED";

impl StoredOrder {
    /// Writes down that the shop asks for the cancellation, before Front Payment is asked. `None` if it stands already. From
    /// then on, the status is due to be read.
    #[must_use]
    pub fn request_cancellation(&self, now: Timestamp) -> Option<Box<Self>> {
        if self.cancel_requested_at.is_some() {
            return None;
        }
        self.next_version(now, |next| {
            next.cancel_requested_at = Some(now);
            next.reason_since = Some(now);
            next.add_entry(self.cancellation_entry(CANCEL_REQUESTED, EntrySource::Shop, now));
        })
    }

    /// Front Payment refuses the cancellation.
    #[must_use]
    pub fn refuse_cancellation(&self, now: Timestamp) -> Option<Box<Self>> {
        self.cancel_requested_at?;
        self.next_version(now, |next| {
            next.cancel_requested_at = None;
            next.add_entry(self.cancellation_entry(CANCEL_REFUSED, EntrySource::Provider, now));
        })
    }

    fn cancellation_entry(&self, status: &str, source: EntrySource, at: Timestamp) -> HistoryEntry {
        HistoryEntry { status: status.to_owned(), at, source, id: None, order_uuid: self.order_uuid.clone() }
    }

    /// Whether the order is known under this uuid: its own, or one that its history names.
    #[must_use]
    pub fn knows_uuid(&self, order_uuid: &str) -> bool {
        self.is_order(order_uuid) || self.history.iter().any(|entry| entry.order_uuid.as_deref() == Some(order_uuid))
    }
}
