//! What the operator decides about an order, after a look into Front Payment's portal.

use jiff::{SignedDuration, Timestamp};

use super::{EntrySource, HistoryEntry, StatusRead, StoredOrder};
use crate::order::Status;

/// An order that is not in the portal this long after its submission attempt began was not created.
pub const NOT_CREATED_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Why an order cannot be settled like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    #[error("the order is being submitted at this moment; settle it when its attempt is a minute old")]
    InProgress,
    #[error("the order's attempt began less than ten minutes ago; Front Payment may still create it")]
    TooEarly,
    #[error("the order is accepted; settle it with an orderUuid and \"instead\": true if it is another one of Front Payment's")]
    Accepted,
}

impl StoredOrder {
    /// Whether the order waits for the operator: UNKNOWN, or SUBMITTING beyond its lease.
    #[must_use]
    pub fn is_waiting(&self, now: Timestamp) -> bool {
        self.order_uuid.is_none() && self.status_at(now) == Status::Unknown
    }

    /// Whether the operator may give the order this uuid. For an accepted order, only with `instead`.
    ///
    /// # Errors
    /// [`SettleError`] says why not.
    pub fn check_settlement(&self, order_uuid: &str, instead: bool, now: Timestamp) -> Result<(), SettleError> {
        if self.is_other_order(order_uuid) && !instead {
            return Err(SettleError::Accepted);
        }
        let is_running = self.order_uuid.is_none() && self.status_at(now) == Status::Submitting;
        if is_running { Err(SettleError::InProgress) } else { Ok(()) }
    }

    /// Gives the order this uuid and the status that was read. The shop is to be told. `None` if the order has this uuid
    /// already.
    #[must_use]
    pub fn settle_as(&self, order_uuid: &str, read: &StatusRead, now: Timestamp) -> Option<Box<Self>> {
        if self.is_order(order_uuid) {
            return None;
        }
        self.next_version(now, |next| {
            if let Some(replaced) = next.order_uuid.take() {
                next.replaced_uuids.push(replaced);
            }
            next.replaced_uuids.retain(|replaced| replaced != order_uuid);
            next.add_entry(settlement(read.word.name(), Some(order_uuid), now));
            next.take_uuid(order_uuid);
            next.set_status(read.word.known().unwrap_or(Status::Sent));
            next.refunded_amount = next.refunded_after(read);
            next.checked_at = Some(now);
        })
    }

    /// Makes the order FAILED, so that the same key is sent again. `None` if nothing exists at Front Payment anyway.
    ///
    /// # Errors
    /// [`SettleError`] if something may exist there.
    pub fn settle_as_not_created(&self, now: Timestamp) -> Result<Option<Box<Self>>, SettleError> {
        if self.order_uuid.is_some() {
            return Err(SettleError::Accepted);
        }
        if !self.is_open() {
            return Ok(None);
        }
        if now.duration_since(self.attempted_at) <= NOT_CREATED_AFTER {
            return Err(SettleError::TooEarly);
        }
        Ok(self.next_version(now, |next| {
            next.status = Status::Failed;
            next.add_entry(settlement(Status::Failed.name(), None, now));
        }))
    }
}

fn settlement(status: &str, order_uuid: Option<&str>, at: Timestamp) -> HistoryEntry {
    let (status, order_uuid) = (status.to_owned(), order_uuid.map(str::to_owned));
    HistoryEntry { status, at, source: EntrySource::Operator, id: None, order_uuid }
}
