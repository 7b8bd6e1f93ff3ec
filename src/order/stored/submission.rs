//! Submission attempts: the claim before the order is sent, and the result after.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{EntrySource, HistoryEntry, StoredOrder};
use crate::order::{CreatedOrder, Order, Status, SubmitReply};

/// How long a submission attempt may run. After this, nobody waits for its result.
pub const SUBMISSION_LEASE: SignedDuration = SignedDuration::from_secs(60);

/// What a new submission attempt needs, apart from the order.
pub struct NewAttempt<'a> {
    pub order_id: Uuid,
    /// Random.
    pub attempt: Uuid,
    pub shop_id: &'a str,
    /// Random. Used only for the first attempt.
    pub callback_token: String,
    pub idempotency_key: Option<&'a str>,
    pub now: Timestamp,
}

/// What the stored order means for a new claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyConflict {
    /// Nothing exists at Front Payment, or the retention period has ended: a new attempt may replace the order.
    Retryable,
    /// The same order; it is accepted.
    SameOrder,
    /// Another order under the same key; it is accepted.
    OtherOrder,
    /// An attempt that may still be running.
    InProgress,
    /// An attempt whose outcome is unknown.
    OutcomeUnknown,
    /// An order of another shop. Impossible, unless the bridge has a fault.
    OtherShop,
}

impl StoredOrder {
    /// The first submission attempt of an order.
    #[must_use]
    pub fn claim(order: &Order, claim: NewAttempt<'_>) -> Self {
        Self {
            order_id: claim.order_id,
            version: u64::try_from(claim.now.as_millisecond()).unwrap_or(1),
            status: Status::Submitting,
            attempt: claim.attempt,
            attempted_at: claim.now,
            shop_id: claim.shop_id.to_owned(),
            callback_token: claim.callback_token,
            order_uuid: None,
            customer_uuid: None,
            bank_id_url: None,
            fingerprint: claim.idempotency_key.map(|key| order.fingerprint(key)),
            reference_no: order.reference_no.clone(),
            customer_reference: order.customer_reference.clone(),
            grand_total: order.summary.grand_total.text().to_owned(),
            shop_callback_url: order.callback.callback.clone(),
            customer_type: order.customer.kind,
            preferred_language: order.customer.preferred_language,
            country: order.customer.address.country.clone(),
            created_at: claim.now,
            updated_at: claim.now,
            checked_at: None,
            asked_at: None,
            reason_since: None,
            not_found: None,
            payment_method: None,
            refunded_amount: None,
            cancel_requested_at: None,
            replaced_uuids: Vec::new(),
            notifications: None,
            tell_queue: None,
            tell_at: None,
            ask_queue: None,
            ask_at: None,
            changed_at: 0,
            expires_at: None,
            history: Vec::new(),
        }
    }

    /// Makes this claim a further attempt of a stored order: it keeps the callback token, the creation time and the history.
    /// After the end of the retention period it keeps nothing, as if the store had deleted the order.
    #[must_use]
    pub fn as_retry_of(mut self, stored: &Self) -> Self {
        if stored.is_past_retention(self.attempted_at) {
            self.version = self.version.max(stored.version + 1);
            return self;
        }
        self.version = stored.version + 1;
        self.callback_token.clone_from(&stored.callback_token);
        self.created_at = stored.created_at;
        self.history.clone_from(&stored.history);
        self
    }

    /// This claim as FAILED, because nothing was sent.
    #[must_use]
    pub fn abandoned(mut self, now: Timestamp) -> Self {
        self.end(Status::Failed, now);
        self.updated_at = now;
        self
    }

    /// What this stored order means for a claim that finds it.
    #[must_use]
    pub fn conflict_with(&self, claim: &Self) -> KeyConflict {
        if self.shop_id != claim.shop_id {
            return KeyConflict::OtherShop;
        }
        if self.is_past_retention(claim.attempted_at) {
            return KeyConflict::Retryable;
        }
        if self.order_uuid.is_some() {
            let is_same = self.fingerprint == claim.fingerprint;
            return if is_same { KeyConflict::SameOrder } else { KeyConflict::OtherOrder };
        }
        match self.status_at(claim.attempted_at) {
            Status::Rejected | Status::Failed => KeyConflict::Retryable,
            Status::Submitting => KeyConflict::InProgress,
            _ => KeyConflict::OutcomeUnknown,
        }
    }

    /// The status to show: UNKNOWN if the submission attempt has outlived its lease.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> Status {
        let is_stale = now.duration_since(self.attempted_at) > SUBMISSION_LEASE;
        if self.status == Status::Submitting && is_stale { Status::Unknown } else { self.status }
    }

    /// Whether it is unknown if Front Payment has the order: SUBMITTING or UNKNOWN.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.order_uuid.is_none() && matches!(self.status, Status::Submitting | Status::Unknown)
    }

    /// Makes an order UNKNOWN whose submission attempt has outlived its lease; `None` for any other.
    #[must_use]
    pub fn end_stale_attempt(&self, now: Timestamp) -> Option<Box<Self>> {
        let is_stale = self.status == Status::Submitting && self.status_at(now) == Status::Unknown;
        is_stale.then(|| self.next_version(now, |next| next.end(Status::Unknown, now))).flatten()
    }

    /// Stores the result of a submission attempt. The result of the latest attempt ends SUBMITTING or UNKNOWN. If a callback
    /// has accepted the order meanwhile, only a 201 adds something. A 201 of an earlier attempt is only noted.
    #[must_use]
    pub fn record_result(&self, attempt: Uuid, reply: &SubmitReply, now: Timestamp) -> Option<Box<Self>> {
        let is_latest = self.attempt == attempt;
        match reply {
            SubmitReply::Created(created) if is_latest => self.created(created, now),
            SubmitReply::Created(created) => self.next_version(now, |next| {
                next.add_entry(result_entry(attempt, created.status, Some(&created.order_uuid), now));
            }),
            failure if is_latest && self.is_open() => self.next_version(now, |next| next.end(failure.status(), now)),
            _ => None,
        }
    }

    fn end(&mut self, status: Status, now: Timestamp) {
        self.status = status;
        self.add_entry(result_entry(self.attempt, status, None, now));
    }

    /// Applies the 201 of the latest attempt. An order without a uuid takes its uuid. If the order has another uuid, the 201
    /// gets an entry, and its uuid is taken only if the order is EXPIRED or CANCELLED.
    fn created(&self, created: &CreatedOrder, now: Timestamp) -> Option<Box<Self>> {
        let uuid = created.order_uuid.as_str();
        let mut next = self.next_version(now, |next| {
            next.add_entry(result_entry(next.attempt, created.status, Some(uuid), now));
            if next.order_uuid.is_none() {
                next.take_uuid(uuid);
            }
            if next.is_order(uuid) {
                next.set_status(next.status.max(created.status));
            }
            next.make_way();
            if next.is_order(uuid) {
                next.customer_uuid = next.customer_uuid.take().or_else(|| created.customer_uuid.clone());
                let link = next.bank_id_url.take().or_else(|| created.bank_id_url.clone());
                next.bank_id_url = link.filter(|_| next.status == Status::Sent);
            }
        })?;
        if self.order_uuid.is_none() && next.status == Status::Sent {
            next.count_change_as_told(now);
        }
        Some(next)
    }
}

fn result_entry(attempt: Uuid, status: Status, order_uuid: Option<&str>, at: Timestamp) -> HistoryEntry {
    let (status, order_uuid) = (status.name().to_owned(), order_uuid.map(str::to_owned));
    HistoryEntry { status, at, source: EntrySource::Submit, id: Some(attempt.to_string()), order_uuid }
}
