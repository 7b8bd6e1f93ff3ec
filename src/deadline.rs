//! How much time a request has, and how long a retry waits.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// When Lambda ends the invocation.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Timestamp);

impl Deadline {
    /// The deadline whose reply must be given by a moment.
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

/// How long to wait before retry `n` (from 0): 20 ms, doubled up to 640 ms, of which a random half to whole.
pub(crate) fn backoff(n: u32) -> Duration {
    let longest = 20u64 << n.min(5);
    let mut random = [0u8];
    // Without randomness every writer waits equally long, which is harmless.
    let part = getrandom::fill(&mut random).map_or(255, |()| u64::from(random[0]));
    Duration::from_millis(longest * (128 + part / 2) / 256)
}
