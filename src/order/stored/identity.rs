//! Which order of Front Payment's a stored order is, and which body it has.
//!
//! Front Payment has no idempotency key. So one key may have created several orders there, by attempts that were reported
//! as failed and by attempts whose reply was lost. A callback names a uuid and a total, and no attempt. These are the rules
//! by which a stored order takes a uuid:
//!
//! - The candidates of a callback are the attempts that may exist and have its total; without any, those that cannot exist.
//! - The order gets the body of its one candidate. Where candidates differ, nobody knows the body.
//! - The uuid of an attempt's own 201 is certain, and so is its body.
//! - EXPIRED and CANCELLED never make an order, unless only the latest attempt can be meant and its outcome is open.
//! - An order that is EXPIRED or CANCELLED makes way for another uuid that lives.

use uuid::Uuid;

use super::attempts::Attempt;
use super::{EntrySource, HistoryEntry, OrderDetails, StoredOrder};
use crate::order::{Decimal, Status};

impl StoredOrder {
    /// Whether an attempt of this order has this grandTotal.
    #[must_use]
    pub fn has_attempt_of(&self, amount: &Decimal) -> bool {
        self.attempts().any(|attempt| attempt.details.has_total(amount))
    }

    /// Whether this uuid is another order of Front Payment's than the stored one.
    #[must_use]
    pub fn is_other_order(&self, order_uuid: &str) -> bool {
        self.order_uuid.as_deref().is_some_and(|stored| stored != order_uuid)
    }

    /// Whether a callback can make this order, which has no uuid yet.
    pub(super) fn can_become(&self, status: Option<Status>, amount: &Decimal) -> bool {
        if !status.is_some_and(is_dead) {
            return true;
        }
        let is_open = matches!(self.status, Status::Submitting | Status::Unknown);
        let candidates = self.candidates(amount);
        let is_sole = candidates.iter().map(|attempt| attempt.may_exist).sum::<u32>() == 1;
        is_open && is_sole && candidates.iter().any(|attempt| attempt.id == Some(self.attempt))
    }

    /// Takes a uuid with the status that everything heard about it comes to. Without a body, nobody knows which one it is.
    pub(super) fn take_uuid(&mut self, order_uuid: &str, body: Option<OrderDetails>) {
        if self.order_uuid.as_deref() != Some(order_uuid) {
            self.order_uuid = Some(order_uuid.to_owned());
            self.customer_uuid = None;
            self.bank_id_url = None;
            self.payment_method = None;
            self.checked_at = None;
            self.not_found_at = None;
        }
        self.set_body(body.unwrap_or_else(|| OrderDetails { fingerprint: None, ..self.details.clone() }));
        self.set_status(self.status_of(order_uuid).unwrap_or(Status::Sent));
    }

    /// The body of a uuid that callbacks name: of the attempt whose 201 named it, or else of the candidates for its total.
    pub(super) fn body_of(&self, order_uuid: &str, amount: Option<&Decimal>) -> Option<OrderDetails> {
        let creator = self.history.iter().find(|entry| is_created(entry, order_uuid)).and_then(|entry| entry.id.as_deref());
        let creator = creator.and_then(|id| self.details_of(Uuid::parse_str(id).ok()?));
        creator.or_else(|| self.body_of_candidates(amount?))
    }

    /// The details of an attempt.
    pub(super) fn details_of(&self, attempt: Uuid) -> Option<OrderDetails> {
        self.attempts().find(|known| known.id == Some(attempt)).map(|known| known.details.clone())
    }

    /// Where the order is dead and another uuid lives, the order becomes that one: of several, the one heard of last.
    pub(super) fn make_way(&mut self) {
        if !is_dead(self.status) {
            return;
        }
        let others = self.history.iter().rev().filter(|entry| entry.is_about_other_order(self));
        let mut uuids = others.filter_map(|entry| entry.order_uuid.clone());
        if let Some(living) = uuids.find(|uuid| self.status_of(uuid).is_some_and(|status| !is_dead(status))) {
            let body = self.body_of(&living, self.amount_of(&living).as_ref());
            self.take_uuid(&living, body);
        }
    }

    /// Makes these details the order's. The latest attempt keeps its own among the others.
    pub(super) fn set_body(&mut self, body: OrderDetails) {
        if self.details == body {
            return;
        }
        if !self.earlier_attempts.iter().any(|earlier| earlier.attempt == Some(self.attempt)) {
            self.earlier_attempts.push(self.latest_as_earlier());
        }
        self.details = body;
    }

    fn body_of_candidates(&self, amount: &Decimal) -> Option<OrderDetails> {
        let candidates = self.candidates(amount);
        let latest = candidates.last()?.details;
        let is_certain = candidates.iter().all(|candidate| candidate.details.fingerprint == latest.fingerprint);
        let fingerprint = latest.fingerprint.clone().filter(|_| is_certain);
        Some(OrderDetails { fingerprint, ..latest.clone() })
    }

    /// Oldest first.
    fn candidates(&self, amount: &Decimal) -> Vec<Attempt<'_>> {
        let with_total: Vec<_> = self.attempts().filter(|attempt| attempt.details.has_total(amount)).collect();
        let may_exist: Vec<_> = with_total.iter().filter(|attempt| attempt.may_exist > 0).cloned().collect();
        if may_exist.is_empty() { with_total } else { may_exist }
    }
}

/// A status that no order comes back from, as far as callbacks tell.
fn is_dead(status: Status) -> bool {
    matches!(status, Status::Expired | Status::Cancelled)
}

/// Whether an entry is the 201 that named a uuid.
fn is_created(entry: &HistoryEntry, order_uuid: &str) -> bool {
    entry.source == EntrySource::Submit && entry.order_uuid.as_deref() == Some(order_uuid)
}
