//! Keeps a slow or dead host from delaying the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

/// Calls to one host at the same time, whatever the port.
pub const MAX_CALLS_TO_A_HOST: usize = 4;
/// After so many failures in a minute, the host is passed over for the rest of that minute.
const MAX_FAILURES: u32 = 5;
/// An answer that takes longer is slow.
const SLOW: Duration = Duration::from_secs(3);
/// How long the stream leaves a slow host to the sweep.
const LEFT_TO_SWEEP: SignedDuration = SignedDuration::from_mins(1);

/// What this process knows of the hosts that it calls.
#[derive(Debug, Default)]
pub(super) struct Hosts(Mutex<HashMap<String, Host>>);

#[derive(Debug)]
struct Host {
    calls: Arc<Semaphore>,
    /// The minute in which the failures are counted, as a number since the epoch.
    minute: i64,
    failures: u32,
    slow_until: Option<Timestamp>,
}

impl Hosts {
    /// The semaphore that limits the calls to a host.
    pub(super) fn calls(&self, host: &str) -> Arc<Semaphore> {
        self.hosts().entry(host.to_owned()).or_insert_with(Host::new).calls.clone()
    }

    pub(super) fn is_passed_over(&self, host: &str, now: Timestamp) -> bool {
        self.hosts().get(host).is_some_and(|host| host.minute == minute(now) && host.failures >= MAX_FAILURES)
    }

    pub(super) fn is_left_to_sweep(&self, host: &str, now: Timestamp) -> bool {
        self.hosts().get(host).is_some_and(|host| host.slow_until.is_some_and(|until| now < until))
    }

    /// Counts a failure if the host is failing, and marks the host as slow if the call took long.
    pub(super) fn note(&self, host: &str, is_failing: bool, took: Duration, now: Timestamp) {
        let mut hosts = self.hosts();
        let host = hosts.entry(host.to_owned()).or_insert_with(Host::new);
        if took > SLOW {
            host.slow_until = now.checked_add(LEFT_TO_SWEEP).ok();
        }
        if is_failing {
            if host.minute != minute(now) {
                (host.minute, host.failures) = (minute(now), 0);
            }
            host.failures += 1;
        }
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    fn new() -> Self {
        Self { calls: Arc::new(Semaphore::new(MAX_CALLS_TO_A_HOST)), minute: 0, failures: 0, slow_until: None }
    }
}

fn minute(now: Timestamp) -> i64 {
    now.as_second().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_secs(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn after_five_failures_a_host_is_passed_over_until_the_next_minute() {
        let hosts = Hosts::default();
        for _ in 0..4 {
            hosts.note("a.example", true, QUICK, at(61));
        }
        assert!(!hosts.is_passed_over("a.example", at(62)));
        hosts.note("a.example", true, QUICK, at(62));
        assert!(hosts.is_passed_over("a.example", at(119)) && !hosts.is_passed_over("b.example", at(119)));
        assert!(!hosts.is_passed_over("a.example", at(120)));
        hosts.note("a.example", true, QUICK, at(120));
        assert!(!hosts.is_passed_over("a.example", at(121)), "the failures of the last minute do not count");
    }

    #[test]
    fn a_slow_host_is_left_to_the_sweep_for_a_minute() {
        let hosts = Hosts::default();
        hosts.note("a.example", false, Duration::from_secs(3), at(10));
        assert!(!hosts.is_left_to_sweep("a.example", at(10)), "three seconds are not more than three seconds");
        hosts.note("a.example", false, Duration::from_millis(3_001), at(10));
        assert!(hosts.is_left_to_sweep("a.example", at(69)) && !hosts.is_left_to_sweep("b.example", at(69)));
        assert!(!hosts.is_left_to_sweep("a.example", at(70)));
    }

    #[test]
    fn one_host_is_called_four_times_at_once() {
        let hosts = Hosts::default();
        assert_eq!(hosts.calls("a.example").available_permits(), 4);
        let _one = hosts.calls("a.example").try_acquire_owned().unwrap();
        assert_eq!((hosts.calls("a.example").available_permits(), hosts.calls("b.example").available_permits()), (3, 4));
    }
}
