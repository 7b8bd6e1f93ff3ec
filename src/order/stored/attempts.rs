//! The attempts of an order: its claims and their results.
//!
//! Each change is a pure function from a stored order to the next version, or to nothing where it changes nothing.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{EntrySource, OrderDetails, StoredOrder};
use crate::order::{Order, Status};

/// How long an attempt may run before nobody waits for its result any more.
pub const SUBMISSION_LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Space for earlier attempts. A DynamoDB item may have 400 KB: a full history takes up to 250, the order itself 20, and
/// the result of the latest attempt must still fit.
const MAX_EARLIER_BYTES: usize = 100_000;

/// What a new attempt needs, apart from the order.
pub struct NewAttempt<'a> {
    pub order_id: Uuid,
    /// Random.
    pub attempt: Uuid,
    pub shop_id: &'a str,
    /// Random; used only if this is the first attempt.
    pub callback_token: String,
    pub idempotency_key: Option<&'a str>,
    pub now: Timestamp,
}

/// Why a claim cannot simply be written: what the stored order is to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimConflict {
    /// The claim itself: it was written, but the reply was lost.
    SameAttempt,
    /// An attempt without an order at Front Payment, or an order past its retention: a new attempt may replace it.
    Retryable,
    /// The same order, accepted.
    SameOrder,
    /// Another order under the same key, accepted.
    OtherOrder,
    /// An attempt that may still be running.
    InProgress,
    /// An attempt whose outcome is unknown.
    OutcomeUnknown,
    /// An order of another shop. Impossible, unless the bridge has a fault.
    OtherShop,
}

#[derive(Clone, PartialEq, Eq)]
pub enum AttemptResult {
    Created(CreatedOrder),
    /// Front Payment refused the order; nothing was created.
    Rejected,
    /// Front Payment says that nothing was created, or nothing was sent.
    Failed,
    /// The order may or may not have been created.
    Unknown,
}

/// An order that Front Payment created. It has no `Debug`, because it holds a personal login link.
#[derive(Clone, PartialEq, Eq)]
pub struct CreatedOrder {
    pub order_uuid: String,
    pub customer_uuid: Option<String>,
    pub bank_id_url: Option<String>,
    /// SENT where the customer has to sign, else INVOICED.
    pub status: Status,
}

/// What a result does to the stored order.
pub enum ResultEffect {
    /// The next version, or `None` where nothing changes.
    Write(Option<Box<StoredOrder>>),
    /// Front Payment has the order twice. The stored uuid stays; the other one gets an entry in the history.
    OtherOrder(Option<Box<StoredOrder>>),
    /// The stored order belongs to another attempt by now, or was resolved without this 201.
    Superseded,
}

impl StoredOrder {
    /// The first attempt of an order, to be written where none is stored.
    #[must_use]
    pub fn claim(order: &Order, claim: NewAttempt<'_>) -> Self {
        Self {
            order_id: claim.order_id,
            version: 1,
            status: Status::Submitting,
            attempt: claim.attempt,
            attempted_at: claim.now,
            shop_id: claim.shop_id.to_owned(),
            callback_token: claim.callback_token,
            order_uuid: None,
            customer_uuid: None,
            bank_id_url: None,
            details: OrderDetails::of(order, claim.idempotency_key),
            earlier_attempts: Vec::new(),
            created_at: claim.now,
            updated_at: claim.now,
            expires_at: None,
            history: Vec::new(),
        }
    }

    /// This claim as a further attempt of a stored order. It keeps the callback token, the creation time and the history:
    /// if an earlier attempt exists at Front Payment after all, its callback still finds its order. Of an order past its
    /// retention it keeps nothing, as if the store had deleted it.
    #[must_use]
    pub fn as_retry_of(mut self, stored: &Self) -> Self {
        self.version = stored.version + 1;
        if stored.is_past_retention(self.attempted_at) {
            return self;
        }
        self.earlier_attempts = earlier_attempts(stored, &self.details);
        self.callback_token.clone_from(&stored.callback_token);
        self.created_at = stored.created_at;
        self.history.clone_from(&stored.history);
        self
    }

    /// This claim, ended before anything was sent.
    #[must_use]
    pub fn abandoned(mut self, now: Timestamp) -> Self {
        self.status = Status::Failed;
        self.updated_at = now;
        self.add_entry(EntrySource::Submit, Status::Failed.name(), Some(self.attempt.to_string()), None, now);
        self
    }

    /// What this stored order is to a claim that finds it.
    #[must_use]
    pub fn conflict_with(&self, claim: &Self) -> ClaimConflict {
        if self.shop_id != claim.shop_id {
            return ClaimConflict::OtherShop;
        }
        if self.is_past_retention(claim.attempted_at) {
            return ClaimConflict::Retryable;
        }
        if self.order_uuid.is_some() {
            let is_same = self.details.fingerprint == claim.details.fingerprint;
            return if is_same { ClaimConflict::SameOrder } else { ClaimConflict::OtherOrder };
        }
        match self.status_at(claim.attempted_at) {
            Status::Rejected | Status::Failed => ClaimConflict::Retryable,
            Status::Submitting if self.attempt == claim.attempt => ClaimConflict::SameAttempt,
            Status::Submitting => ClaimConflict::InProgress,
            _ => ClaimConflict::OutcomeUnknown,
        }
    }

    /// The status to show: UNKNOWN for an attempt that outlived its lease.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> Status {
        let is_stale = now.duration_since(self.attempted_at) > SUBMISSION_LEASE;
        if self.status == Status::Submitting && is_stale { Status::Unknown } else { self.status }
    }

    /// Ends an attempt that outlived its lease as UNKNOWN.
    #[must_use]
    pub fn end_stale_attempt(&self, now: Timestamp) -> Option<Self> {
        (self.status == Status::Submitting && self.status_at(now) == Status::Unknown)
            .then(|| self.ended(self.attempt, Status::Unknown, now))
            .flatten()
    }

    /// Records the result of an attempt. Only the latest attempt may, onto SUBMITTING or onto the UNKNOWN that its lease
    /// ended in. Where a callback has accepted the order meanwhile, only a 201 adds something.
    #[must_use]
    pub fn record_result(&self, attempt: Uuid, result: &AttemptResult, now: Timestamp) -> ResultEffect {
        let is_latest = self.attempt == attempt;
        let is_open = is_latest && matches!(self.status, Status::Submitting | Status::Unknown);
        let ended = |status| ResultEffect::Write(self.ended(attempt, status, now).map(Box::new));
        match (&self.order_uuid, result) {
            (Some(uuid), AttemptResult::Created(created)) if created.order_uuid != *uuid => {
                let (word, id) = (created.status.name(), attempt.to_string());
                ResultEffect::OtherOrder(self.note_other_order(EntrySource::Submit, word, id, &created.order_uuid, now))
            }
            (Some(_), AttemptResult::Created(created)) => ResultEffect::Write(self.created(attempt, created, now)),
            (Some(_), _) => ResultEffect::Write(None),
            (None, AttemptResult::Created(created)) if is_open => ResultEffect::Write(self.created(attempt, created, now)),
            (None, AttemptResult::Rejected) if is_open => ended(Status::Rejected),
            (None, AttemptResult::Failed) if is_open => ended(Status::Failed),
            (None, AttemptResult::Unknown) if is_open => ended(Status::Unknown),
            // Resolved meanwhile, by an operator for example: only a 201 is news that must not get lost.
            (None, AttemptResult::Created(_)) => ResultEffect::Superseded,
            (None, _) if is_latest => ResultEffect::Write(None),
            (None, _) => ResultEffect::Superseded,
        }
    }

    fn ended(&self, attempt: Uuid, status: Status, now: Timestamp) -> Option<Self> {
        self.next_version(now, |next| {
            next.status = status;
            next.add_entry(EntrySource::Submit, status.name(), Some(attempt.to_string()), None, now);
        })
    }

    fn created(&self, attempt: Uuid, created: &CreatedOrder, now: Timestamp) -> Option<Box<Self>> {
        self.next_version(now, |next| {
            next.order_uuid = Some(created.order_uuid.clone());
            next.customer_uuid = next.customer_uuid.take().or_else(|| created.customer_uuid.clone());
            next.bank_id_url = next.bank_id_url.take().or_else(|| created.bank_id_url.clone());
            next.raise_status(created.status);
            next.add_entry(EntrySource::Submit, created.status.name(), Some(attempt.to_string()), None, now);
        })
        .map(Box::new)
    }
}

/// The attempts before this one: the latest of each grandTotal, because a callback names a total. Where the space ends,
/// the oldest are dropped.
fn earlier_attempts(stored: &StoredOrder, latest: &OrderDetails) -> Vec<OrderDetails> {
    let mut kept: Vec<OrderDetails> = Vec::new();
    let mut space = MAX_EARLIER_BYTES;
    for earlier in [&stored.details].into_iter().chain(stored.earlier_attempts.iter().rev()) {
        if earlier.has_same_total(latest) || kept.iter().any(|kept| kept.has_same_total(earlier)) {
            continue;
        }
        match space.checked_sub(earlier.bytes()) {
            Some(left) => space = left,
            None => break,
        }
        kept.push(earlier.clone());
    }
    kept.reverse();
    kept
}
