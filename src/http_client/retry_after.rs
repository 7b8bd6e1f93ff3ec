//! The header `Retry-After` (RFC 9110, section 10.2.3).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// The three date formats of HTTP: the current one, RFC 850's and asctime's.
const DATES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Reads seconds, however large, or one of HTTP's three forms of a date; `None` if the date has passed.
pub(crate) fn parse(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    date(value)?.duration_since(now).try_into().ok()
}

fn date(value: &str) -> Option<Timestamp> {
    let time = DATES.iter().find_map(|format| strtime::parse(format, value).ok()?.to_datetime().ok())?;
    // Some servers send the end of the year 9999, which is later than a timestamp can be.
    Some(time.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |time| time.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_or_a_date() {
        let now: Timestamp = "2026-06-15T12:00:00Z".parse().unwrap();
        for (value, expected) in [
            ("120", Some(120)),
            (" 5 ", Some(5)),
            ("0", Some(0)),
            ("18446744073709551616", Some(u64::MAX)), // 2^64
            ("Mon, 15 Jun 2026 12:01:30 GMT", Some(90)),
            ("Mon, 15 Jun 2026 11:00:00 GMT", None),
            ("Monday, 15-Jun-26 12:01:30 GMT", Some(90)),
            ("Thursday, 15-Jun-00 12:01:30 GMT", None),
            ("Mon Jun 15 12:01:30 2026", Some(90)),
            ("Mon Jun  1 12:01:30 2026", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse(value, now), expected.map(Duration::from_secs), "{value}");
        }
        let thousands_of_years = parse("Fri, 31 Dec 9999 23:59:59 GMT", now).unwrap();
        assert!(thousands_of_years > Duration::from_secs(250_000_000_000));
    }
}
