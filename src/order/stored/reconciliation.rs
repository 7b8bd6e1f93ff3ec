//! When the next status read is due for an order of which Front Payment says nothing.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::StoredOrder;
use crate::order::{Decimal, Status};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;
/// The times of the status reads, in minutes since Front Payment last said something.
const SENT: [i64; 14] = [2, 5, 15, 30, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 8 * DAY, 16 * DAY, 30 * DAY];
const SIGNED: [i64; 8] = [DAY, 2 * DAY, 4 * DAY, 8 * DAY, 16 * DAY, 32 * DAY, 64 * DAY, 128 * DAY];
const ENDED: [i64; 4] = [7 * DAY, 14 * DAY, 28 * DAY, 56 * DAY];
const CANCELLED: [i64; 2] = [7 * DAY, 28 * DAY];
/// The waits after each 404, in minutes.
const AFTER_NOT_FOUND: [i64; 5] = [DAY, 2 * DAY, 4 * DAY, 8 * DAY, 16 * DAY];

/// Front Payment does not know the uuid: it answered a status read with 404.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotFound {
    /// When it did so last.
    pub at: Timestamp,
    /// How many times in succession.
    pub times: u32,
}

impl StoredOrder {
    /// When the next status read is due; `None` if never.
    #[must_use]
    pub fn status_read_due_at(&self) -> Option<Timestamp> {
        self.order_uuid.as_ref()?;
        let scheduled = || if let Some(not_found) = &self.not_found { self.again_at(not_found) } else { self.scheduled_at() };
        match self.reason_since {
            Some(since) => Some(self.reason_due_at(since)),
            None => scheduled(),
        }
    }

    /// The first time of the schedule at which no status was read yet.
    fn scheduled_at(&self) -> Option<Timestamp> {
        let heard_at = self.heard_at();
        let asked_after = self.asked_at.map_or(SignedDuration::ZERO, |asked_at| asked_at.duration_since(heard_at));
        let mut times = self.schedule().iter().map(|minutes| SignedDuration::from_mins(*minutes));
        heard_at.checked_add(times.find(|time| *time > asked_after)?).ok()
    }

    fn schedule(&self) -> &'static [i64] {
        match self.status {
            Status::Submitting | Status::Rejected | Status::Failed | Status::Unknown => &[],
            Status::Sent => &SENT,
            Status::Reserved | Status::Invoiced | Status::Purring | Status::Inkasso | Status::Charged | Status::Captured => {
                &SIGNED
            }
            Status::Refunded if self.is_refunded_wholly() => &[],
            Status::Expired | Status::Paid | Status::RefundPending | Status::PartialRefunded | Status::Refunded => &ENDED,
            Status::Cancelled => &CANCELLED,
        }
    }

    fn is_refunded_wholly(&self) -> bool {
        self.refunded_amount.as_deref().is_some_and(|amount| Decimal::parse(amount).is_ok_and(|amount| self.has_total(&amount)))
    }

    /// At once. Then, after each failed status read, after as long as the reason has lasted: at least a minute, at most a
    /// day.
    fn reason_due_at(&self, since: Timestamp) -> Timestamp {
        match self.asked_at.filter(|asked_at| *asked_at >= since) {
            None => since,
            Some(asked_at) => {
                let wait = asked_at.duration_since(since).clamp(MINUTE, SignedDuration::from_mins(DAY));
                asked_at.saturating_add(wait).unwrap_or(asked_at)
            }
        }
    }

    fn again_at(&self, NotFound { at, times }: &NotFound) -> Option<Timestamp> {
        let place = usize::try_from(times.saturating_sub(1)).ok()?;
        let since = self.asked_at.map_or(*at, |asked_at| asked_at.max(*at));
        since.checked_add(SignedDuration::from_mins(*AFTER_NOT_FOUND.get(place)?)).ok()
    }

    /// Stores that a status read begins, before it is made, if one is due.
    #[must_use]
    pub fn begin_status_read(&self, now: Timestamp) -> Option<Box<Self>> {
        let is_due = self.status_read_due_at().is_some_and(|due_at| due_at <= now);
        is_due.then(|| self.next_quiet_version(|next| next.asked_at = Some(now)))
    }

    /// Stores that Front Payment does not know the uuid. That is no status, but it ends the reason to ask.
    #[must_use]
    pub fn note_not_found(&self, now: Timestamp) -> Box<Self> {
        self.next_quiet_version(|next| {
            let times = next.not_found.take().map_or(1, |known| known.times.saturating_add(1));
            next.not_found = Some(NotFound { at: now, times });
            next.reason_since = None;
        })
    }
}
