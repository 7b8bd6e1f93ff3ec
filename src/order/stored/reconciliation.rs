//! When Front Payment is asked for the status of an order of which it says nothing.

use jiff::{SignedDuration, Timestamp};

use super::StoredOrder;
use crate::order::Status;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// After Front Payment did not know the uuid.
const AFTER_NOT_FOUND: SignedDuration = DAY;

/// First at these times, then every so often until an end; all counted from when something was last heard.
struct Schedule {
    /// In minutes.
    first: &'static [i64],
    /// In days: every, until.
    then: &'static [(i64, i64)],
}

impl Schedule {
    fn of(status: Status) -> Self {
        let (first, then): (&[i64], &[(i64, i64)]) = match status {
            Status::Submitting | Status::Rejected | Status::Failed | Status::Unknown | Status::Refunded => (&[], &[]),
            Status::Sent => (&[2, 5, 15, 30, 60, 180, 360], &[(1, 30)]),
            Status::Reserved | Status::Invoiced | Status::Purring | Status::Inkasso | Status::Charged | Status::Captured => {
                (&[], &[(1, 45), (7, 180)])
            }
            Status::Expired | Status::Paid | Status::RefundPending | Status::PartialRefunded => (&[], &[(7, 90)]),
            Status::Cancelled => (&[], &[(7, 30)]),
        };
        Self { first, then }
    }

    /// The first time after `elapsed`.
    fn next(&self, elapsed: SignedDuration) -> Option<SignedDuration> {
        let first = self.first.iter().map(|minutes| MINUTE * i32::try_from(*minutes).unwrap_or(i32::MAX));
        let mut begin = 0;
        let then = self.then.iter().flat_map(move |&(every, until)| {
            let days = (1..).map(move |n| begin + n * every).take_while(move |days| *days <= until);
            begin = until;
            days
        });
        first.chain(then.map(|days| SignedDuration::from_hours(days * 24))).find(|time| *time > elapsed)
    }
}

impl StoredOrder {
    /// When Front Payment is to be asked; `None` if never.
    #[must_use]
    pub fn reading_due_at(&self) -> Option<Timestamp> {
        self.order_uuid.as_ref()?;
        let heard_at = self.updated_at;
        let asked_at = self.asked_at.map_or(heard_at, |asked_at| asked_at.max(heard_at));
        let next = Schedule::of(self.status).next(asked_at.duration_since(heard_at));
        let scheduled = next.and_then(|next| heard_at.checked_add(next).ok());
        let due_at = [scheduled, self.doubt_due_at()].into_iter().flatten().min();
        self.not_found_due_at().or(due_at)
    }

    /// `None` if it was asked again since.
    fn not_found_due_at(&self) -> Option<Timestamp> {
        let not_found_at = self.not_found_at.filter(|at| self.asked_at.is_none_or(|asked_at| asked_at <= *at))?;
        not_found_at.checked_add(AFTER_NOT_FOUND).ok()
    }

    /// A doubt is asked about at once, and then each time after as long as it has lasted.
    fn doubt_due_at(&self) -> Option<Timestamp> {
        let doubted_at = self.doubted_at?;
        match self.asked_at.filter(|asked_at| *asked_at >= doubted_at) {
            None => Some(doubted_at),
            Some(asked_at) => asked_at.checked_add(asked_at.duration_since(doubted_at).clamp(MINUTE, DAY)).ok(),
        }
    }

    /// Writes down that Front Payment is asked, before it is asked, if that is due.
    #[must_use]
    pub fn begin_reading(&self, now: Timestamp) -> Option<Box<Self>> {
        self.reading_due_at().filter(|due_at| *due_at <= now)?;
        self.next_quiet_version(|next| next.asked_at = Some(now))
    }

    /// Front Payment does not know the uuid. That is no status: it is asked again after a day.
    #[must_use]
    pub fn note_not_found(&self, now: Timestamp) -> Option<Box<Self>> {
        self.next_quiet_version(|next| next.not_found_at = Some(now))
    }
}
