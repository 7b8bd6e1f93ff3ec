//! Everything that can happen to a stored order.
//!
//! Each change is a pure function from a record to the next one, or to nothing where it changes
//! nothing. The next one has a version one higher; a store writes it only over the version it was
//! made from, so nothing that happened meanwhile is overwritten.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::record::{Entry, Particulars, Record, Source};
use super::status::{Status, StatusWord};
use super::{Decimal, Order};

/// How long an attempt may be on its way before nobody waits for its result any more.
pub const SUBMISSION_LEASE: SignedDuration = SignedDuration::from_secs(60);
/// The most entries of a history.
pub const MAX_HISTORY: usize = 1_000;
/// What is kept of earlier attempts. An item of DynamoDB's may have 400 KB, of which a full history may
/// take 250, and the order itself 20: were there less room, the result of an attempt might find none.
const MAX_EARLIER_BYTES: usize = 100_000;

/// What a new attempt needs beside the order.
pub struct Claim<'a> {
    /// The id of the order.
    pub order_id: Uuid,
    /// A random id for the attempt.
    pub attempt: Uuid,
    /// The shop.
    pub shop_id: &'a str,
    /// A random token for the callback URL.
    pub callback_token: String,
    /// The shop's key, if it sent one.
    pub idempotency_key: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}

/// What a claim meets in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The claim itself: it was written though its reply was lost.
    Own,
    /// An attempt that came to nothing, or an order that may be forgotten: another attempt is allowed.
    Free,
    /// The same order, accepted.
    Accepted,
    /// Another order under the same key, accepted.
    OtherOrder,
    /// An attempt that may still be on its way.
    InProgress,
    /// An attempt whose outcome nobody knows.
    Unknown,
    /// An item of another shop: impossible, short of a fault in the bridge.
    OtherShop,
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Eq)]
pub enum AttemptResult {
    /// Front Payment has the order.
    Created(Created),
    /// It refused the order; nothing was created.
    Rejected,
    /// By its word, or for want of a connection, nothing was created.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// What Front Payment says of an order that it created. It has no `Debug`, for it has the link.
#[derive(Clone, PartialEq, Eq)]
pub struct Created {
    /// Its id of the order.
    pub order_uuid: String,
    /// Its id of the customer.
    pub customer_uuid: Option<String>,
    /// Where to send the customer.
    pub bank_id_url: Option<String>,
    /// SENT where the customer has to sign, INVOICED where not.
    pub status: Status,
}

/// What a result does to the stored order.
pub enum Settled {
    /// It is to be written so, or (`None`) stands there already or was overtaken by a callback.
    As(Option<Box<Record>>),
    /// Front Payment has the order twice: the stored one stays, the other one is noted.
    Twice(Option<Box<Record>>),
    /// The stored order belongs to another attempt by now, or was settled without this one's 201.
    NotOurs,
}

/// A callback that is believed.
#[derive(Debug, Clone)]
pub struct StatusCallback {
    /// Front Payment's id of the order.
    pub order_uuid: String,
    /// The status.
    pub word: StatusWord,
    /// What the customer pays.
    pub amount: Decimal,
    /// A digest of all its values.
    pub id: String,
}

impl Record {
    /// The record of a first attempt, to be written where there is none.
    #[must_use]
    pub fn claim(order: &Order, claim: Claim<'_>) -> Self {
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
            particulars: Particulars::of(order, claim.idempotency_key),
            earlier_attempts: Vec::new(),
            created_at: claim.now,
            updated_at: claim.now,
            expires_at: None,
            history: Vec::new(),
        }
    }

    /// This first claim as a further attempt of a stored order, whose callback token, beginnings and
    /// history it keeps: an earlier attempt that exists after all still finds its order. Of one that may be
    /// forgotten it keeps nothing, as if the store had done so.
    #[must_use]
    pub fn as_attempt_of(mut self, stored: &Self) -> Self {
        if stored.is_expired(self.attempted_at) {
            self.version = stored.version + 1;
            return self;
        }
        self.earlier_attempts = earlier_attempts(stored, &self.particulars);
        self.version = stored.version + 1;
        self.callback_token.clone_from(&stored.callback_token);
        self.created_at = stored.created_at;
        self.history.clone_from(&stored.history);
        self
    }

    /// This claim as one that was given up before anything was sent.
    #[must_use]
    pub fn given_up(mut self, now: Timestamp) -> Self {
        self.status = Status::Failed;
        self.updated_at = now;
        self.note(Source::Submit, Status::Failed.name(), Some(self.attempt.to_string()), None, now);
        self
    }

    /// What a claim meets in this record.
    #[must_use]
    pub fn meets(&self, claim: &Self) -> Seen {
        if self.shop_id != claim.shop_id {
            return Seen::OtherShop;
        }
        if self.is_expired(claim.attempted_at) {
            return Seen::Free;
        }
        if self.order_uuid.is_some() {
            let is_same = self.particulars.fingerprint == claim.particulars.fingerprint;
            return if is_same { Seen::Accepted } else { Seen::OtherOrder };
        }
        match self.status_at(claim.attempted_at) {
            Status::Rejected | Status::Failed => Seen::Free,
            Status::Submitting if self.attempt == claim.attempt => Seen::Own,
            Status::Submitting => Seen::InProgress,
            _ => Seen::Unknown,
        }
    }

    /// The status as it is to be shown: an attempt that outlived its lease is UNKNOWN.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> Status {
        let lease_ran_out = now.duration_since(self.attempted_at) > SUBMISSION_LEASE;
        if self.status == Status::Submitting && lease_ran_out { Status::Unknown } else { self.status }
    }

    /// May the store forget it?
    fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now.as_second())
    }

    /// When the store may forget it, if orders are kept so long after their last change. Never while nobody knows
    /// whether Front Payment has it: its key must not be used again.
    #[must_use]
    pub fn expiry(&self, kept_for: SignedDuration) -> Option<i64> {
        let is_settled = !matches!(self.status, Status::Submitting | Status::Unknown);
        is_settled.then(|| self.updated_at.saturating_add(kept_for).map_or(i64::MAX, Timestamp::as_second))
    }

    /// An attempt that outlived its lease becomes UNKNOWN.
    #[must_use]
    pub fn expire(&self, now: Timestamp) -> Option<Self> {
        (self.status == Status::Submitting && self.status_at(now) == Status::Unknown)
            .then(|| self.ended(self.attempt, Status::Unknown, now))
            .flatten()
    }

    /// An attempt's result. Only its own attempt writes it, onto SUBMITTING or the UNKNOWN that it ran
    /// out to; where a callback has accepted the order meanwhile, only a 201 has something to add.
    #[must_use]
    pub fn settle(&self, attempt: Uuid, result: &AttemptResult, now: Timestamp) -> Settled {
        let waiting = self.attempt == attempt && matches!(self.status, Status::Submitting | Status::Unknown);
        match (&self.order_uuid, result) {
            (Some(uuid), AttemptResult::Created(created)) if created.order_uuid != *uuid => Settled::Twice(self.noted_twice(
                Source::Submit,
                created.status.name(),
                attempt.to_string(),
                &created.order_uuid,
                now,
            )),
            (Some(_), AttemptResult::Created(created)) => Settled::As(self.created(attempt, created, now)),
            (Some(_), _) => Settled::As(None),
            (None, AttemptResult::Created(created)) if waiting => Settled::As(self.created(attempt, created, now)),
            (None, AttemptResult::Rejected) if waiting => Settled::As(self.ended(attempt, Status::Rejected, now).map(Box::new)),
            (None, AttemptResult::Failed) if waiting => Settled::As(self.ended(attempt, Status::Failed, now).map(Box::new)),
            (None, AttemptResult::Unknown) if waiting => Settled::As(self.ended(attempt, Status::Unknown, now).map(Box::new)),
            // Settled otherwise meanwhile, by an operator for one: only a 201 is news that must not be lost.
            (None, AttemptResult::Created(_)) => Settled::NotOurs,
            (None, _) if self.attempt == attempt => Settled::As(None),
            (None, _) => Settled::NotOurs,
        }
    }

    fn ended(&self, attempt: Uuid, status: Status, now: Timestamp) -> Option<Self> {
        self.revised(now, |next| {
            next.status = status;
            next.note(Source::Submit, status.name(), Some(attempt.to_string()), None, now);
        })
    }

    fn created(&self, attempt: Uuid, created: &Created, now: Timestamp) -> Option<Box<Self>> {
        self.revised(now, |next| {
            next.order_uuid = Some(created.order_uuid.clone());
            next.customer_uuid = next.customer_uuid.take().or_else(|| created.customer_uuid.clone());
            next.bank_id_url = next.bank_id_url.take().or_else(|| created.bank_id_url.clone());
            next.raise(created.status);
            next.note(Source::Submit, created.status.name(), Some(attempt.to_string()), None, now);
        })
        .map(Box::new)
    }

    /// Has this order, or an earlier attempt of it, this grandTotal?
    #[must_use]
    pub fn expects(&self, amount: &Decimal) -> bool {
        self.earlier_attempts.iter().chain([&self.particulars]).any(|attempt| attempt.comes_to(amount))
    }

    /// Is this Front Payment's id of an order that this record is not?
    #[must_use]
    pub fn is_other_order(&self, order_uuid: &str) -> bool {
        self.order_uuid.as_deref().is_some_and(|stored| stored != order_uuid)
    }

    /// A believed callback: raises the rank and is noted once. It accepts an order that had no id yet;
    /// one that names another id than the stored one is noted, and changes nothing else.
    #[must_use]
    pub fn believe(&self, callback: &StatusCallback, now: Timestamp) -> Option<Box<Self>> {
        let known = |entry: &Entry| entry.source == Source::Callback && entry.id.as_deref() == Some(&callback.id);
        if self.history.iter().any(known) {
            return None;
        }
        let StatusCallback { order_uuid, word, id, .. } = callback;
        if self.is_other_order(order_uuid) {
            return self.noted_twice(Source::Callback, word.name(), id.clone(), order_uuid, now);
        }
        self.revised(now, |next| {
            if next.order_uuid.replace(order_uuid.clone()).is_none() {
                next.recall(&callback.amount);
            }
            next.raise(match word {
                StatusWord::Known(status) => *status,
                StatusWord::Unknown(_) => Status::Sent,
            });
            next.note(Source::Callback, word.name(), Some(id.clone()), None, now);
        })
        .map(Box::new)
    }

    /// How long after the order's 201 its one callback came; nothing where there are more, or none, or where it
    /// came before.
    #[must_use]
    pub fn first_callback_after(&self) -> Option<SignedDuration> {
        let is_own = |entry: &&Entry| entry.other_order_uuid.is_none();
        let mut callbacks = self.history.iter().filter(|entry| entry.source == Source::Callback).filter(is_own);
        let (first, None) = (callbacks.next()?, callbacks.next()) else { return None };
        let is_created = |entry: &&Entry| [Status::Sent, Status::Invoiced].iter().any(|status| status.name() == entry.status);
        let created = self.history.iter().filter(|entry| entry.source == Source::Submit).filter(is_own).find(is_created)?;
        Some(first.at.duration_since(created.at)).filter(|after| !after.is_negative())
    }

    /// A status read from Front Payment: taken as it is, higher or lower.
    #[must_use]
    pub fn take(&self, status: Status, now: Timestamp) -> Option<Box<Self>> {
        if self.status == status {
            return None;
        }
        self.revised(now, |next| {
            next.set(status);
            next.note(Source::Provider, status.name(), None, None, now);
        })
        .map(Box::new)
    }

    /// Whether the history takes no further entry.
    #[must_use]
    pub fn is_history_full(&self) -> bool {
        self.history.len() >= MAX_HISTORY
    }

    fn noted_twice(&self, source: Source, word: &str, id: String, other: &str, now: Timestamp) -> Option<Box<Self>> {
        self.revised(now, |next| next.note(source, word, Some(id), Some(other.to_owned()), now)).map(Box::new)
    }

    /// The next version, or nothing if it would be the same.
    fn revised(&self, now: Timestamp, change: impl FnOnce(&mut Self)) -> Option<Self> {
        let mut next = self.clone();
        change(&mut next);
        if next == *self {
            return None;
        }
        next.version += 1;
        next.updated_at = now;
        next.expires_at = None;
        Some(next)
    }

    /// Where it is an earlier attempt that exists, and not the latest one, this is its order.
    fn recall(&mut self, amount: &Decimal) {
        if !self.particulars.comes_to(amount)
            && let Some(existing) = self.earlier_attempts.iter_mut().rev().find(|earlier| earlier.comes_to(amount))
        {
            std::mem::swap(existing, &mut self.particulars);
        }
    }

    fn raise(&mut self, status: Status) {
        self.set(self.status.max(status));
    }

    fn set(&mut self, status: Status) {
        self.status = status;
        if status != Status::Sent {
            self.bank_id_url = None;
        }
    }

    fn note(&mut self, source: Source, status: &str, id: Option<String>, other_order_uuid: Option<String>, at: Timestamp) {
        let again = |entry: &Entry| id.is_some() && entry.source == source && entry.id == id && entry.status == status;
        if !self.is_history_full() && !self.history.iter().any(again) {
            self.history.push(Entry { status: status.to_owned(), at, source, id, other_order_uuid });
        }
    }
}

/// The attempts before this one, the latest of each grandTotal, for that is what a callback names. Where
/// there is no room for all of them, the oldest go.
fn earlier_attempts(stored: &Record, latest: &Particulars) -> Vec<Particulars> {
    let mut kept: Vec<Particulars> = Vec::new();
    let mut room = MAX_EARLIER_BYTES;
    for earlier in [&stored.particulars].into_iter().chain(stored.earlier_attempts.iter().rev()) {
        if earlier.is_of_the_same_total(latest) || kept.iter().any(|kept| kept.is_of_the_same_total(earlier)) {
            continue;
        }
        match room.checked_sub(earlier.bytes()) {
            Some(left) => room = left,
            None => break,
        }
        kept.push(earlier.clone());
    }
    kept.reverse();
    kept
}

#[cfg(test)]
#[path = "life_tests.rs"]
mod tests;
