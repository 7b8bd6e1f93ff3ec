//! Limits the status reads of a process, so that a flood of unverified callbacks does not use up the 240 requests a minute
//! that Front Payment allows for everything.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Allows a number of status reads in any one minute.
#[derive(Debug)]
pub struct ReadBudget {
    per_minute: usize,
    /// When the status reads of the last minute began, oldest first.
    reads: Mutex<VecDeque<Timestamp>>,
}

impl ReadBudget {
    #[must_use]
    pub fn per_minute(per_minute: usize) -> Self {
        Self { per_minute, reads: Mutex::default() }
    }

    /// Counts a status read if it is allowed, and says whether it is.
    #[must_use]
    pub fn try_read(&self, now: Timestamp) -> bool {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        while reads.front().is_some_and(|first| now.duration_since(*first) >= MINUTE) {
            reads.pop_front();
        }
        let is_allowed = reads.len() < self.per_minute;
        if is_allowed {
            reads.push_back(now);
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_in_any_one_minute() {
        let budget = ReadBudget::per_minute(60);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!((0..30).all(|_| budget.try_read(at(0))));
        assert!((0..30).all(|_| budget.try_read(at(40))));
        assert!(!budget.try_read(at(40)) && !budget.try_read(at(59)));
        assert!((0..30).all(|_| budget.try_read(at(60))), "the first thirty are a minute old");
        assert!(!budget.try_read(at(99)));
        assert!(budget.try_read(at(100)));
    }
}
