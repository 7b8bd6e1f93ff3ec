//! The attempts of an order: its claims and their results.
//!
//! Each change is a pure function from a stored order to the next version, or to nothing where it changes nothing.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{EarlierAttempt, EntrySource, HistoryEntry, OrderDetails, StoredOrder};
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
    /// Nothing was created, as far as Front Payment says.
    Failed {
        /// Front Payment may have created the order all the same: it was not refused before it was processed.
        may_exist: bool,
    },
    /// The order may or may not have been created.
    Unknown,
}

/// An order that Front Payment created. It has no `Debug`, because it holds a personal login link.
#[derive(Clone, PartialEq, Eq)]
pub struct CreatedOrder {
    pub order_uuid: String,
    pub customer_uuid: Option<String>,
    pub bank_id_url: Option<String>,
    /// There is a link, but it cannot be given out: the customer cannot sign.
    pub has_unusable_link: bool,
    /// SENT where the customer has to sign, else INVOICED.
    pub status: Status,
}

/// What a result does to the stored order.
pub enum ResultEffect {
    /// The next version, or `None` where nothing changes.
    Write(Option<Box<StoredOrder>>),
    /// The stored order belongs to another attempt by now, or was resolved without this 201.
    Superseded,
}

/// Attempts with one body.
#[derive(Clone)]
pub(super) struct Attempt<'a> {
    /// Of the latest one.
    pub(super) id: Option<Uuid>,
    pub(super) may_exist: u32,
    pub(super) details: &'a OrderDetails,
}

impl StoredOrder {
    /// The first attempt of an order, to be written where none is stored.
    #[must_use]
    pub fn claim(order: &Order, claim: NewAttempt<'_>) -> Self {
        Self {
            order_id: claim.order_id,
            version: u64::try_from(claim.now.as_millisecond()).unwrap_or(1),
            status: Status::Submitting,
            attempt: claim.attempt,
            attempted_at: claim.now,
            may_exist: true,
            shop_id: claim.shop_id.to_owned(),
            callback_token: claim.callback_token,
            order_uuid: None,
            customer_uuid: None,
            bank_id_url: None,
            details: OrderDetails::of(order, claim.idempotency_key),
            earlier_attempts: Vec::new(),
            created_at: claim.now,
            updated_at: claim.now,
            checked_at: None,
            asked_at: None,
            doubted_at: None,
            not_found_at: None,
            payment_method: None,
            notifications: None,
            queue: None,
            due_at: None,
            expires_at: None,
            history: Vec::new(),
        }
    }

    /// This claim as a further attempt of a stored order. It keeps the callback token, the creation time and the history:
    /// if an earlier attempt exists at Front Payment after all, its callback still finds its order. Of an order past its
    /// retention it keeps nothing, as if the store had deleted it.
    #[must_use]
    pub fn as_retry_of(mut self, stored: &Self) -> Self {
        if stored.is_past_retention(self.attempted_at) {
            self.version = self.version.max(stored.version + 1);
            return self;
        }
        self.version = stored.version + 1;
        self.earlier_attempts = stored.all_attempts();
        self.callback_token.clone_from(&stored.callback_token);
        self.created_at = stored.created_at;
        self.history.clone_from(&stored.history);
        self
    }

    /// This claim, ended before anything was sent.
    #[must_use]
    pub fn abandoned(mut self, now: Timestamp) -> Self {
        self.end(Status::Failed, false, now);
        self.updated_at = now;
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
            return if self.has_body_of(claim) { ClaimConflict::SameOrder } else { ClaimConflict::OtherOrder };
        }
        match self.status_at(claim.attempted_at) {
            Status::Rejected | Status::Failed => ClaimConflict::Retryable,
            Status::Submitting if self.attempt == claim.attempt => ClaimConflict::SameAttempt,
            Status::Submitting => ClaimConflict::InProgress,
            _ => ClaimConflict::OutcomeUnknown,
        }
    }

    /// Whether the body of an attempt is the order's.
    #[must_use]
    pub fn has_body_of(&self, claim: &Self) -> bool {
        match (&self.details.fingerprint, &claim.details.fingerprint) {
            (Some(stored), Some(claimed)) => stored == claimed,
            // Without a key there is but one attempt.
            (None, None) => self.attempt == claim.attempt,
            _ => false,
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
    pub fn end_stale_attempt(&self, now: Timestamp) -> Option<Box<Self>> {
        let is_stale = self.status == Status::Submitting && self.status_at(now) == Status::Unknown;
        is_stale.then(|| self.next_version(now, |next| next.end(Status::Unknown, true, now))).flatten()
    }

    /// Records the result of an attempt. Only the latest attempt may, onto SUBMITTING or onto the UNKNOWN that its lease
    /// ended in. Where a callback has accepted the order meanwhile, only a 201 adds something.
    #[must_use]
    pub fn record_result(&self, attempt: Uuid, result: &AttemptResult, now: Timestamp) -> ResultEffect {
        let is_latest = self.attempt == attempt;
        let is_open = is_latest && matches!(self.status, Status::Submitting | Status::Unknown);
        let ended = |status, may_exist| ResultEffect::Write(self.next_version(now, |next| next.end(status, may_exist, now)));
        match (&self.order_uuid, result) {
            (Some(_), AttemptResult::Created(created)) => ResultEffect::Write(self.created(attempt, created, now)),
            (Some(_), _) => ResultEffect::Write(None),
            (None, AttemptResult::Created(created)) if is_open => ResultEffect::Write(self.created(attempt, created, now)),
            (None, AttemptResult::Rejected) if is_open => ended(Status::Rejected, false),
            (None, AttemptResult::Failed { may_exist }) if is_open => ended(Status::Failed, *may_exist),
            (None, AttemptResult::Unknown) if is_open => ended(Status::Unknown, true),
            // Resolved meanwhile, by an operator for example: only a 201 is news that must not get lost.
            (None, AttemptResult::Created(_)) => ResultEffect::Superseded,
            (None, _) if is_latest => ResultEffect::Write(None),
            (None, _) => ResultEffect::Superseded,
        }
    }

    fn end(&mut self, status: Status, may_exist: bool, now: Timestamp) {
        self.status = status;
        self.may_exist = may_exist;
        let entry = HistoryEntry { order_uuid: None, ..self.result_entry(self.attempt, status, now) };
        self.add_entry(entry);
    }

    /// A 201. Its uuid is taken with its attempt's body, also where a callback has taken it before. Another uuid than the
    /// stored one gets an entry, and becomes the order only if that is dead.
    fn created(&self, attempt: Uuid, created: &CreatedOrder, now: Timestamp) -> Option<Box<Self>> {
        let mut next = self.next_version(now, |next| {
            let entry = next.result_entry(attempt, created.status, now);
            next.add_entry(HistoryEntry { order_uuid: Some(created.order_uuid.clone()), ..entry });
            if next.order_uuid.is_none() {
                next.take_uuid(&created.order_uuid, next.details_of(attempt));
            }
            if next.order_uuid.as_deref() == Some(&created.order_uuid) {
                next.details_of(attempt).into_iter().for_each(|body| next.set_body(body));
                next.set_status(next.status.max(created.status));
            }
            next.make_way();
            if next.order_uuid.as_deref() == Some(&created.order_uuid) {
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

    fn result_entry(&self, attempt: Uuid, status: Status, at: Timestamp) -> HistoryEntry {
        let (status, id) = (status.name().to_owned(), Some(attempt.to_string()));
        HistoryEntry { status, at, source: EntrySource::Submit, id, order_uuid: None, amount: None }
    }

    /// How many attempts Front Payment may have.
    #[must_use]
    pub fn attempts_that_may_exist(&self) -> u32 {
        self.attempts().map(|attempt| attempt.may_exist).sum()
    }

    /// All attempts by body, oldest first.
    pub(super) fn attempts(&self) -> impl Iterator<Item = Attempt<'_>> {
        let earlier = self.earlier_attempts.iter().map(|earlier| Attempt {
            id: earlier.attempt,
            may_exist: earlier.may_exist,
            details: &earlier.details,
        });
        let may_exist = self.may_exist && self.status != Status::Rejected; // items of version 0.1 do not say
        let latest = Attempt { id: Some(self.attempt), may_exist: u32::from(may_exist), details: &self.details };
        let is_among_earlier = self.earlier_attempts.iter().any(|earlier| earlier.attempt == Some(self.attempt));
        earlier.chain((!is_among_earlier).then_some(latest))
    }

    pub(super) fn latest_as_earlier(&self) -> EarlierAttempt {
        EarlierAttempt { attempt: Some(self.attempt), may_exist: u32::from(self.may_exist), details: self.details.clone() }
    }

    /// All attempts, one a body, for the next one to keep. Where the space ends, the oldest are dropped.
    fn all_attempts(&self) -> Vec<EarlierAttempt> {
        let mut kept: Vec<EarlierAttempt> = Vec::new();
        for Attempt { id, may_exist, details } in self.attempts() {
            let mut merged = EarlierAttempt { attempt: id, may_exist, details: details.clone() };
            if let Some(place) = kept.iter().position(|known| known.details.fingerprint == details.fingerprint) {
                let known = kept.remove(place);
                merged.may_exist = known.may_exist.saturating_add(may_exist);
                // Of one body, an attempt that may exist goes before one that cannot.
                if may_exist == 0 && known.may_exist > 0 {
                    merged = EarlierAttempt { may_exist: merged.may_exist, ..known };
                }
            }
            kept.push(merged);
        }
        let mut space = MAX_EARLIER_BYTES;
        let fits = kept.iter().rev().take_while(|attempt| match space.checked_sub(attempt.details.bytes()) {
            Some(left) => {
                space = left;
                true
            }
            None => false,
        });
        let dropped = kept.len() - fits.count();
        kept.split_off(dropped)
    }
}
