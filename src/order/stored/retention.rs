//! How long an order is stored.

use jiff::{SignedDuration, Timestamp};

use super::StoredOrder;
use crate::order::Status;

impl StoredOrder {
    /// Whether its retention period has ended at `now`. The store may not have deleted it yet.
    #[must_use]
    pub fn is_past_retention(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now.as_second())
    }

    /// When its retention period ends, in Unix seconds. Never while it is not known whether Front Payment has the order:
    /// its key must not become a new key.
    #[must_use]
    pub fn retained_until(&self, retention: SignedDuration) -> Option<i64> {
        let is_resolved = !matches!(self.status, Status::Submitting | Status::Unknown);
        is_resolved.then(|| self.updated_at.saturating_add(retention).map_or(i64::MAX, Timestamp::as_second))
    }
}
