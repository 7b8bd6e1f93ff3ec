//! The tasks: requests to the bridge, and workers.

use std::future::Future;
use std::pin::Pin;

use crate::decisions::{Body, Decision, Op, Word};
use crate::explore::LEASE;
use crate::worker::Event;

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The shop was told that the order is accepted, with this uuid.
    Accepted(String),
    /// Like [`Self::Accepted`], after the deadline for storing it.
    AcceptedLate(String),
    /// The shop was told that nothing was created.
    NothingCreated,
    /// The shop was told that the outcome is unknown, to wait, or that the key has another order.
    Other(&'static str),
    /// The result of a request to a callback URL.
    Callback(&'static str),
    /// What the shop was told about its cancellation.
    Cancel(&'static str),
    /// The worker has done what was due, or what the operator asked for.
    Worked,
    /// The operator was told that nothing was changed.
    NothingChanged,
    /// The process was killed, so nobody was told anything.
    Killed,
}

pub const KEY_REUSED: Ended = Ended::Other("key reused");
pub const TAKEN: Ended = Ended::Callback("taken");
pub const READ: Ended = Ended::Callback("read");
pub const TO_BE_REPEATED: Ended = Ended::Callback("to be repeated");
pub const NOT_VERIFIED: Ended = Ended::Callback("not verified");

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A shop submits an order.
    Submit(Body),
    /// Front Payment sends a callback about one of its orders.
    Callback(usize, Word),
    /// A request to the callback URL without a query, which causes a status read.
    Read,
    /// A shop cancels one of Front Payment's orders.
    Cancel(usize),
    /// A worker handles an event.
    Worker(Event),
}

/// A task has several branches if it does things at the same time, as a sweep does.
pub type BranchId = usize;

pub struct Task {
    pub kind: Kind,
    pub trace: Vec<(BranchId, Op, Decision)>,
    pub ended: Option<Ended>,
    /// Seconds since the beginning of the world.
    pub began: i64,
    pub future: Option<Pin<Box<dyn Future<Output = Ended>>>>,
}

impl Task {
    pub fn is_submit(&self) -> bool {
        matches!(self.kind, Kind::Submit(_))
    }

    /// Whether a lease has ended since the task began, so that its deadline has passed.
    pub fn is_late(&self, seconds: i64) -> bool {
        seconds - self.began >= LEASE
    }

    pub fn is_killed(&self) -> bool {
        matches!(self.trace.last(), Some((_, _, Decision::KilledBefore | Decision::KilledAfter)))
    }

    /// The task without its future, if it has ended.
    pub fn past(&self) -> Option<Self> {
        let (kind, trace, ended) = (self.kind.clone(), self.trace.clone(), Some(self.ended.clone()?));
        Some(Self { kind, trace, ended, began: self.began, future: None })
    }
}
