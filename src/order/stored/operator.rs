//! Settling an UNKNOWN order by what an operator finds in Front Payment's portal.

use jiff::Timestamp;

use super::{OrderDetails, StoredOrder};
use crate::order::Status;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The order is there, with this uuid.
    Order(String),
    /// There is no such order, or only cancelled or expired ones.
    NotCreated,
}

impl StoredOrder {
    /// Whether it waits for the operator: UNKNOWN, or SUBMITTING beyond its lease.
    #[must_use]
    pub fn is_to_settle(&self, now: Timestamp) -> bool {
        self.order_uuid.is_none() && self.status_at(now) == Status::Unknown
    }

    /// The next version with the operator's finding; `None` if the order does not wait for the operator any more.
    ///
    /// With a uuid, the order takes the status that the history has of that uuid, or SENT. The status is due to be read at
    /// once, and the shop is to be told. With [`Finding::NotCreated`] the order is FAILED: **the same key is sent afresh**.
    #[must_use]
    pub fn settle(&self, finding: &Finding, now: Timestamp) -> Option<Box<Self>> {
        let settled = self.is_to_settle(now).then(|| {
            self.next_version(now, |next| match finding {
                Finding::Order(order_uuid) => {
                    next.take_uuid(order_uuid, next.only_body(order_uuid));
                    next.doubted_at = Some(now);
                }
                Finding::NotCreated => {
                    next.status = Status::Failed;
                    next.may_exist = false;
                }
            })
        });
        settled.flatten()
    }

    /// The body that callbacks of this uuid show, or else that of the only attempt that may exist.
    fn only_body(&self, order_uuid: &str) -> Option<OrderDetails> {
        let mut possible = self.attempts().filter(|attempt| attempt.may_exist > 0);
        let only = match (possible.next(), possible.next()) {
            (Some(only), None) => Some(only.details.clone()),
            _ => None,
        };
        self.body_of(order_uuid, self.amount_of(order_uuid).as_ref()).or(only)
    }
}
