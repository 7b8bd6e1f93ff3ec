//! What is to be done about an order, and when. Derived from the order at every write and never set by hand: the order is
//! its own outbox, and the store's index over these two attributes is the queue.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{SUBMISSION_LEASE, StoredOrder};
use crate::order::Status;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Queue {
    /// A notification or a reading is due.
    Due,
    /// An attempt is running, or its outcome is unknown: somebody has to settle it.
    Settle,
}

impl StoredOrder {
    /// Where the order belongs in the index, in Unix seconds; not before what is due is due.
    #[must_use]
    pub fn queue_place(&self) -> Option<(Queue, i64)> {
        let (queue, due_at) = if self.is_open() {
            (Queue::Settle, self.attempted_at.checked_add(SUBMISSION_LEASE).ok()?)
        } else {
            let due_at = [self.notification_due_at(), self.reading_due_at()].into_iter().flatten().min()?;
            (Queue::Due, due_at)
        };
        Some((queue, round_up(due_at)))
    }

    /// The order as a store writes it: with its place in the index.
    #[must_use]
    pub fn placed(&self) -> Self {
        let mut order = self.clone();
        (order.queue, order.due_at) = self.queue_place().unzip();
        order
    }

    /// The next version with what an operator's command does not set: the place in the index, and the change to tell the shop.
    /// `None` if both are right.
    #[must_use]
    pub fn corrected(&self, now: Timestamp) -> Option<Box<Self>> {
        self.completed(Some(now))
    }

    /// The same for an item of an older version: earlier changes count as told.
    #[must_use]
    pub fn backfilled(&self) -> Option<Box<Self>> {
        self.completed(None)
    }

    fn completed(&self, tell_from: Option<Timestamp>) -> Option<Box<Self>> {
        let is_in_place = self.queue_place().unzip() == (self.queue, self.due_at);
        let is_bound_by_operator = self.is_bound_by_operator();
        if is_in_place && !is_bound_by_operator {
            return None;
        }
        self.next_quiet_version(|next| {
            if is_bound_by_operator {
                next.note_operator_binding(tell_from);
            }
        })
    }

    fn is_open(&self) -> bool {
        self.order_uuid.is_none() && matches!(self.status, Status::Submitting | Status::Unknown)
    }
}

fn round_up(moment: Timestamp) -> i64 {
    moment.as_second() + i64::from(moment.subsec_nanosecond() > 0)
}
