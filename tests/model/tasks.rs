//! Requests to the bridge, and workers.

use std::future::Future;
use std::pin::Pin;

use crate::decisions::{Body, Decision, Op, Word};
use crate::explore::LEASE;
use crate::worker::Event;

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// A shop was told that the order is accepted, under this uuid.
    Accepted(String),
    /// The same, after the deadline for writing it down.
    AcceptedLate(String),
    /// A shop was told that nothing was created.
    NothingCreated,
    /// A shop was told that nobody knows, or to wait, or that the key is another order's.
    Other(&'static str),
    /// A request to a callback URL was answered like this.
    Callback(&'static str),
    /// A shop was told this of the cancellation that it asked for.
    Cancel(&'static str),
    /// A worker has done what was due, or what the operator said.
    Worked,
    /// The operator was told that nothing was changed.
    NothingChanged,
    /// Nobody was told anything.
    Killed,
}

pub const KEY_REUSED: Ended = Ended::Other("key reused");
pub const TAKEN: Ended = Ended::Callback("taken");
pub const READ: Ended = Ended::Callback("read");
pub const TO_BE_REPEATED: Ended = Ended::Callback("to be repeated");
pub const NOT_VERIFIED: Ended = Ended::Callback("not verified");

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A shop's request.
    Submit(Body),
    /// A callback of an order of Front Payment's.
    Callback(usize, Word),
    /// A request to the callback URL without a query: it has the status read.
    Read,
    /// A shop cancels an order of Front Payment's.
    Cancel(usize),
    /// A worker.
    Worker(Event),
}

/// Branches of one task run side by side. A sweep has several.
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

    /// Whether its deadline has passed: a lease has run out meanwhile.
    pub fn is_late(&self, seconds: i64) -> bool {
        seconds - self.began >= LEASE
    }

    pub fn is_killed(&self) -> bool {
        matches!(self.trace.last(), Some((_, _, Decision::KilledBefore | Decision::KilledAfter)))
    }

    /// A task that has ended.
    pub fn past(&self) -> Option<Self> {
        let (kind, trace, ended) = (self.kind.clone(), self.trace.clone(), Some(self.ended.clone()?));
        Some(Self { kind, trace, ended, began: self.began, future: None })
    }
}
