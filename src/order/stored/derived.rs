//! What is stored beside the order because the store's indexes need it: what is to be done and when, when the order changed,
//! and when it may be deleted.
//!
//! All of this is computed from the order, right before each write, and nothing else sets it. So an order in memory and its
//! item in the table agree. The indexes serve as the queues, and no separate outbox is needed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

use super::{SUBMISSION_LEASE, StoredOrder};
use crate::order::Status;

/// The partitions of the index `ask`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::EnumString, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum AskQueue {
    /// SENT, or there is a reason to ask.
    Ask,
    /// All other orders whose status is to be read.
    Check,
    /// A submission attempt is running, or its outcome is unknown.
    Settle,
}

/// A queue of a later release is none: what is derived anew corrects it, and the order stays readable.
pub(super) fn known_queue<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AskQueue>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    Ok(name.and_then(|name| name.parse().ok()))
}

impl StoredOrder {
    /// Derives everything anew. `retention` is how long an order is kept after its last change; `None` is for ever.
    pub fn derive(&mut self, retention: Option<SignedDuration>) {
        let tell_at = self.notification_due_at();
        self.tell_queue = tell_at.map(|_| self.shop_id.clone());
        self.tell_at = tell_at.map(round_up);
        (self.ask_queue, self.ask_at) = self.ask_place().map(|(queue, at)| (queue, round_up(at))).unzip();
        self.changed_at = self.updated_at.as_millisecond();
        self.expires_at = retention.and_then(|retention| self.retained_until(retention));
    }

    /// The next version with the right derived attributes, or `None` if they are right already.
    #[must_use]
    pub fn corrected(&self, retention: Option<SignedDuration>) -> Option<Box<Self>> {
        let mut derived = self.clone();
        derived.derive(retention);
        (derived != *self).then(|| self.next_quiet_version(|_| {}))
    }

    /// Whether its retention period has ended at `now`. The store may not have deleted it yet.
    #[must_use]
    pub fn is_past_retention(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now.as_second())
    }

    fn ask_place(&self) -> Option<(AskQueue, Timestamp)> {
        if self.is_open() {
            return Some((AskQueue::Settle, self.attempted_at.checked_add(SUBMISSION_LEASE).ok()?));
        }
        let is_soon = self.status == Status::Sent || self.reason_since.is_some();
        let queue = if is_soon { AskQueue::Ask } else { AskQueue::Check };
        Some((queue, self.status_read_due_at()?))
    }

    /// `None` while nobody knows whether Front Payment has the order, because its key must not become a new key.
    fn retained_until(&self, retention: SignedDuration) -> Option<i64> {
        let until = self.updated_at.saturating_add(retention).map_or(i64::MAX, Timestamp::as_second);
        (!self.is_open()).then_some(until)
    }
}

/// Rounds up, so that nothing is read from an index before it is due.
fn round_up(moment: Timestamp) -> i64 {
    moment.as_second() + i64::from(moment.subsec_nanosecond() > 0)
}
