//! How much time a request has, and how long a retry waits.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// When Lambda ends the invocation.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Timestamp);

impl Deadline {
    /// The deadline of an invocation whose reply must be given at this moment.
    #[must_use]
    pub fn replying_by(by: Timestamp) -> Self {
        Self(by.saturating_add(SignedDuration::from_secs(2)).unwrap_or(by))
    }

    /// When the reply must be given: two seconds before the end.
    #[must_use]
    pub fn reply_by(self) -> Timestamp {
        self.minus(2)
    }

    /// When Front Payment must have answered: three seconds before the reply, which are kept for storing the result.
    #[must_use]
    pub fn send_by(self) -> Timestamp {
        self.minus(5)
    }

    fn minus(self, seconds: i64) -> Timestamp {
        self.0.saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(self.0)
    }
}

/// How long to wait before retry `n`, counted from 0: at random, half to all of 20 ms, which doubles with each retry up to
/// 640 ms.
pub(crate) fn backoff(n: u32) -> Duration {
    let longest = 20u64 << n.min(5);
    let mut random = [0u8];
    // If there is no randomness, every writer waits equally long, which is harmless.
    let part = getrandom::fill(&mut random).map_or(255, |()| u64::from(random[0]));
    Duration::from_millis(longest * (128 + part / 2) / 256)
}
