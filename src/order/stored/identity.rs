//! Which order of Front Payment's a stored order is.
//!
//! Front Payment has no idempotency key, and a callback names a uuid but no attempt. Whatever may exist there is SUBMITTING,
//! UNKNOWN or accepted, and none of these is sent again. So one key has one order there, unless Front Payment created an order
//! of which it said that it did not. These are the rules by which a stored order takes a uuid:
//!
//! - An order without a uuid takes that of the first verified callback, and that of its latest attempt's 201.
//! - EXPIRED and CANCELLED give their uuid only to an order whose outcome is open.
//! - An order that is EXPIRED or CANCELLED makes way for another uuid that lives.

use super::{EntrySource, HistoryEntry, StoredOrder};
use crate::order::Status;

impl StoredOrder {
    /// Whether this uuid is the stored one.
    #[must_use]
    pub fn is_order(&self, order_uuid: &str) -> bool {
        self.order_uuid.as_deref() == Some(order_uuid)
    }

    /// Whether this uuid is another order of Front Payment's than the stored one.
    #[must_use]
    pub fn is_other_order(&self, order_uuid: &str) -> bool {
        self.order_uuid.as_deref().is_some_and(|stored| stored != order_uuid)
    }

    /// Whether a callback with this status makes this order, which has no uuid yet.
    pub(super) fn can_become(&self, status: Option<Status>) -> bool {
        self.is_open() || !status.is_some_and(Status::is_dead)
    }

    /// Takes a uuid with the status that everything heard about it comes to. What belongs to another uuid goes.
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

    /// Where the order is EXPIRED or CANCELLED and another uuid lives, the order becomes that one: of several, the one heard
    /// of last. An order that the shop has called off stays what it is.
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

    /// Whether the order may become the uuid of an entry: a verified callback or the latest attempt's 201 named it, and the
    /// operator has not replaced it.
    fn is_eligible(&self, entry: &HistoryEntry) -> bool {
        let is_named = match entry.source {
            EntrySource::Callback => true,
            EntrySource::Submit => entry.id.as_deref() == Some(self.attempt.to_string().as_str()),
            EntrySource::Provider | EntrySource::Shop | EntrySource::Operator => false,
        };
        is_named && !entry.order_uuid.as_ref().is_some_and(|uuid| self.replaced_uuids.contains(uuid))
    }
}
