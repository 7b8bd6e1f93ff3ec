//! Phone numbers that look as if they had too many digits in front, for example the country code again.

use super::texts;

/// Country codes, and the most digits of a national number that begins like the country code. Sources: the national
/// numbering plans (ITU-T E.129). Numbers of other countries are not checked by length.
const MOST_DIGITS: [(&str, usize); 19] = [
    ("+1", 10),
    ("+31", 9),
    ("+33", 9),
    ("+34", 9),
    ("+40", 9),
    ("+44", 10),
    ("+45", 8),
    ("+46", 9),
    ("+47", 8),
    ("+48", 9),
    ("+49", 11),
    ("+298", 6),
    ("+299", 6),
    ("+354", 9),
    ("+358", 10),
    ("+370", 8),
    ("+371", 8),
    ("+372", 8),
    ("+380", 9),
];
/// In Italy, the leading 0 is part of the number.
const ITALY: &str = "+39";

/// What looks wrong with a number, if anything does.
pub(super) fn doubt(country_code: &str, msisdn: &str) -> Option<&'static str> {
    let has_country_code = || {
        let (code, most) = MOST_DIGITS.iter().find(|(code, _)| *code == country_code)?;
        (msisdn.len() > *most && msisdn.starts_with(code.trim_start_matches('+'))).then_some(())
    };
    if msisdn.starts_with("00") {
        Some(texts::PHONE_INTERNATIONAL)
    } else if msisdn.starts_with('0') && country_code != ITALY {
        Some(texts::PHONE_TRUNK)
    } else {
        has_country_code().map(|()| texts::PHONE_COUNTRY_CODE)
    }
}
