//! A shop cancels an order.

use jiff::{SignedDuration, Timestamp};

use super::{EntrySource, HistoryEntry, StoredOrder};

const CANCEL_REQUESTED: &str = "CANCEL_REQUESTED";
const CANCEL_REFUSED: &str = "CANCEL_REFUSED";

impl StoredOrder {
    /// Stores that the shop asks for the cancellation, before Front Payment is asked. From then on, a status read is due. If
    /// an earlier request is stored, this one replaces it, one nanosecond later, so that the refusal of the earlier request
    /// does not withdraw this one.
    #[must_use]
    pub fn request_cancellation(&self, now: Timestamp) -> Option<Box<Self>> {
        if let Some(standing) = self.cancel_requested_at {
            let later = standing.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(standing);
            return Some(self.next_quiet_version(|next| {
                next.cancel_requested_at = Some(later);
                next.reason_since.get_or_insert(now);
            }));
        }
        self.next_version(now, |next| {
            next.cancel_requested_at = Some(now);
            next.reason_since = Some(now);
            next.add_entry(self.cancellation_entry(CANCEL_REQUESTED, EntrySource::Shop, now));
        })
    }

    /// Front Payment has refused the request of `requested_at`. `None` if a later request is stored, or none. Nor is
    /// anything withdrawn from an order that has become CANCELLED or EXPIRED all the same, by an earlier request for example.
    #[must_use]
    pub fn refuse_cancellation(&self, requested_at: Option<Timestamp>, now: Timestamp) -> Option<Box<Self>> {
        if self.status.is_dead() || self.cancel_requested_at.is_none() || self.cancel_requested_at != requested_at {
            return None;
        }
        self.next_version(now, |next| {
            next.cancel_requested_at = None;
            next.add_entry(self.cancellation_entry(CANCEL_REFUSED, EntrySource::Provider, now));
        })
    }

    fn cancellation_entry(&self, status: &str, source: EntrySource, at: Timestamp) -> HistoryEntry {
        HistoryEntry { status: status.to_owned(), at, source, id: None, order_uuid: self.order_uuid.clone() }
    }

    /// Whether this uuid is the order's own, or one in its history.
    #[must_use]
    pub fn knows_uuid(&self, order_uuid: &str) -> bool {
        self.is_order(order_uuid) || self.history.iter().any(|entry| entry.order_uuid.as_deref() == Some(order_uuid))
    }
}
