//! Keeps a slow or dead host from holding up the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Semaphore;

/// Calls at once to one host.
const MAX_CALLS: usize = 4;
/// After so many failures in a minute, the rest of the minute passes over the host.
const MAX_FAILURES: u32 = 5;

/// What this process knows of the hosts that it calls.
#[derive(Debug, Default)]
pub struct Hosts(Mutex<HashMap<String, Host>>);

#[derive(Debug)]
struct Host {
    calls: Arc<Semaphore>,
    /// The minute that the failures are of, counted from the epoch.
    minute: i64,
    failures: u32,
}

impl Hosts {
    /// Limits the calls to a host.
    pub(super) fn calls(&self, host: &str) -> Arc<Semaphore> {
        self.hosts().entry(host.to_owned()).or_insert_with(Host::new).calls.clone()
    }

    pub(super) fn is_passed_over(&self, host: &str, now: Timestamp) -> bool {
        self.hosts().get(host).is_some_and(|host| host.minute == minute(now) && host.failures >= MAX_FAILURES)
    }

    /// A timeout, a failed connection or a 5xx.
    pub(super) fn note_failure(&self, host: &str, now: Timestamp) {
        let mut hosts = self.hosts();
        let host = hosts.entry(host.to_owned()).or_insert_with(Host::new);
        if host.minute != minute(now) {
            (host.minute, host.failures) = (minute(now), 0);
        }
        host.failures += 1;
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    fn new() -> Self {
        Self { calls: Arc::new(Semaphore::new(MAX_CALLS)), minute: 0, failures: 0 }
    }
}

fn minute(now: Timestamp) -> i64 {
    now.as_second().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_failures_a_host_is_passed_over_until_the_next_minute() {
        let hosts = Hosts::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        for _ in 0..4 {
            hosts.note_failure("a.example", at(61));
        }
        assert!(!hosts.is_passed_over("a.example", at(62)));
        hosts.note_failure("a.example", at(62));
        assert!(hosts.is_passed_over("a.example", at(119)) && !hosts.is_passed_over("b.example", at(119)));
        assert!(!hosts.is_passed_over("a.example", at(120)));
        hosts.note_failure("a.example", at(120));
        assert!(!hosts.is_passed_over("a.example", at(121)), "the failures of the last minute do not count");
    }

    #[test]
    fn one_host_is_called_four_times_at_once() {
        let hosts = Hosts::default();
        assert_eq!(hosts.calls("a.example").available_permits(), 4);
        let _one = hosts.calls("a.example").try_acquire_owned().unwrap();
        assert_eq!((hosts.calls("a.example").available_permits(), hosts.calls("b.example").available_permits()), (3, 4));
    }
}
