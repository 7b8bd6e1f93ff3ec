//! The time of day. Deadlines use it, because a monotonic clock may stand still while Lambda freezes the process between two
//! requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

/// An instant as RFC 3339 writes it. jiff alone reads other forms of ISO 8601, too.
#[must_use]
pub(crate) fn parse_rfc_3339(text: &str) -> Option<Timestamp> {
    let (date_and_time, rest) = text.split_at_checked("0000-00-00T00:00:00".len())?;
    let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0").to_ascii_uppercase();
    let behind_fraction = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let fraction = rest.strip_suffix(behind_fraction)?;
    let is_written_so = shape(date_and_time) == "0000-00-00T00:00:00"
        && fraction != "."
        && matches!(shape(behind_fraction).as_str(), "Z" | "+00:00" | "-00:00");
    // jiff reads nanoseconds.
    let nanoseconds = fraction.get(..10).unwrap_or(fraction);
    is_written_so.then(|| format!("{date_and_time}{nanoseconds}{behind_fraction}").parse().ok()).flatten()
}

/// Precise to the millisecond.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    #[must_use]
    pub fn system() -> Self {
        Self::new(Timestamp::now)
    }

    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = (self.0)();
        now.round(TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Trunc)).unwrap_or(now)
    }

    /// How long until a moment; zero if it has passed.
    #[must_use]
    pub fn until(&self, moment: Timestamp) -> Duration {
        moment.duration_since(self.now()).try_into().unwrap_or_default()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_of_rfc_3339_and_no_others() {
        for text in [
            "2026-06-15T00:00:00Z",
            "2026-06-15t00:00:00z",
            "2026-06-15T02:00:00+02:00",
            "2026-06-14T19:00:00-05:00",
            "2026-06-15T00:00:00.0Z",
            "2026-06-15T00:00:00.0000000000Z",
        ] {
            assert_eq!(parse_rfc_3339(text).map(Timestamp::as_second), Some(1_781_481_600), "{text}");
        }
        for text in [
            "20260615T000000Z",
            "2026-06-15T00Z",
            "2026-06-15T00:00Z",
            "2026-06-15T00:00:00Z[Europe/Oslo]",
            "2026-06-15T02:00:00+02",
            "2026-06-15T00:00:00,5Z",
            "+002026-06-15T00:00:00Z",
            "2026-06-15T00:00:00",
            "2026-06-15T00:00:00.Z",
            "2026-13-15T00:00:00Z",
            "2026-06-15",
            "2026-06-15T00:00:0ø",
            "",
        ] {
            assert_eq!(parse_rfc_3339(text), None, "{text}");
        }
    }
}
