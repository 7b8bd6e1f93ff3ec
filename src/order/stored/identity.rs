//! Which of Front Payment's uuids a stored order has.
//!
//! Front Payment has no idempotency key, and a callback names a uuid but no submission attempt. An order that may exist
//! there is SUBMITTING, UNKNOWN or accepted, and such an order is never sent again. So each key has one order there, unless
//! Front Payment created an order although it said that it did not. A stored order takes a uuid by these rules:
//!
//! - An order without a uuid takes the one of the first verified callback, and the one of its latest attempt's 201.
//! - A callback with EXPIRED or CANCELLED gives its uuid only to an order whose outcome is open.
//! - An order that is EXPIRED or CANCELLED makes way for another uuid that is alive: neither EXPIRED nor CANCELLED.

use super::{EntrySource, HistoryEntry, StoredOrder};
use crate::order::Status;

impl StoredOrder {
    /// Whether this is the stored uuid.
    #[must_use]
    pub fn is_order(&self, order_uuid: &str) -> bool {
        self.order_uuid.as_deref() == Some(order_uuid)
    }

    /// Whether this is another uuid than the stored one.
    #[must_use]
    pub fn is_other_order(&self, order_uuid: &str) -> bool {
        self.order_uuid.as_deref().is_some_and(|stored| stored != order_uuid)
    }

    /// Whether an order without a uuid takes that of a callback with this status.
    pub(super) fn can_become(&self, status: Option<Status>) -> bool {
        self.is_open() || !status.is_some_and(Status::is_dead)
    }

    /// Takes a uuid, and the status that follows from the entries about it. Drops what belongs to the old uuid.
    pub(super) fn take_uuid(&mut self, order_uuid: &str) {
        if !self.is_order(order_uuid) {
            self.order_uuid = Some(order_uuid.to_owned());
            self.customer_uuid = None;
            self.bank_id_url = None;
            self.payment_method = None;
            self.refunded_amount = None;
            self.cancel_requested_at = None;
            self.checked_at = None;
            self.reason_since = None;
            self.not_found = None;
        }
        self.set_status(self.status_of(order_uuid).unwrap_or(Status::Sent));
    }

    /// If the order is EXPIRED or CANCELLED and another uuid is alive, the order takes that uuid: of several, the one with
    /// the latest entry. An order that the shop has cancelled keeps its uuid.
    pub(super) fn make_way(&mut self) {
        if !self.status.is_dead() || self.cancel_requested_at.is_some() {
            return;
        }
        let others = self.history.iter().rev().filter(|entry| entry.is_about_other_order(self) && self.is_eligible(entry));
        let mut uuids = others.filter_map(|entry| entry.order_uuid.clone());
        if let Some(living) = uuids.find(|uuid| self.status_of(uuid).is_some_and(|status| !status.is_dead())) {
            self.take_uuid(&living);
        }
    }

    /// Whether the order may take the uuid of an entry: it comes from a verified callback or from the latest attempt's 201,
    /// and the operator has not replaced it.
    fn is_eligible(&self, entry: &HistoryEntry) -> bool {
        let is_named = match entry.source {
            EntrySource::Callback => true,
            EntrySource::Submit => entry.id.as_deref() == Some(self.attempt.to_string().as_str()),
            EntrySource::Provider | EntrySource::Shop | EntrySource::Operator => false,
        };
        is_named && !entry.order_uuid.as_ref().is_some_and(|uuid| self.replaced_uuids.contains(uuid))
    }
}
