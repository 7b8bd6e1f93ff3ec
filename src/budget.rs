//! A budget of requests, so that a flood of forged callbacks cannot eat Front Payment's 240 a minute.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How often a process may read a status in any one minute.
const READINGS: usize = 60;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What was spent of it in the last minute.
#[derive(Debug, Default)]
pub struct Budget(Mutex<VecDeque<Timestamp>>);

impl Budget {
    /// Takes one request from the budget, if there is one left.
    #[must_use]
    pub fn take(&self, now: Timestamp) -> bool {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while spent.front().is_some_and(|first| now.duration_since(*first) >= MINUTE) {
            spent.pop_front();
        }
        let is_left = spent.len() < READINGS;
        if is_left {
            spent.push_back(now);
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_in_any_one_minute() {
        let budget = Budget::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!((0..30).all(|_| budget.take(at(0))));
        assert!((0..30).all(|_| budget.take(at(40))));
        assert!(!budget.take(at(40)) && !budget.take(at(59)));
        assert!((0..30).all(|_| budget.take(at(60))), "the first thirty are a minute old");
        assert!(!budget.take(at(99)));
        assert!(budget.take(at(100)));
    }
}
