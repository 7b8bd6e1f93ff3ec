//! Money and rates: exact decimals that remember how they were written.

use bigdecimal::BigDecimal;
use serde::{Serialize, Serializer};

pub(super) const MAX_DIGITS: usize = 28;
/// Counts zeros that do not change the value, too.
pub(super) const MAX_LENGTH: usize = 2_048;

/// An exact decimal: digits with at most one point among them. Nothing is ever rounded.
///
/// Equality is by value (`40` is `"40.00"`); [`Decimal::text`] is what was sent.
#[derive(Debug, Clone)]
pub struct Decimal {
    /// The value in the unit of its last place, without the zeros at its end: 4017.860 is 401786 with two places.
    digits: i128,
    places: u16,
    text: Box<str>,
    quoted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    #[error("not a plain decimal: digits with at most one point, no exponent, no spaces")]
    Format,
    #[error("more than {MAX_DIGITS} significant digits")]
    Digits,
    #[error("more than {MAX_LENGTH} characters")]
    Length,
}

impl Decimal {
    /// Reads a plain decimal: `-?[0-9]+(\.[0-9]+)?`.
    ///
    /// ```
    /// use front_payment_bridge::order::Decimal;
    ///
    /// let total = Decimal::parse("4017.860")?;
    /// assert_eq!(total.text(), "4017.860");
    /// assert_eq!(total, Decimal::parse("4017.86")?);
    /// assert!(Decimal::parse("1e3").is_err());
    /// # Ok::<(), front_payment_bridge::order::DecimalError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(w, f)| (w, Some(f)));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(whole) || !fraction.is_none_or(is_digits) {
            return Err(DecimalError::Format);
        }
        let significant = unsigned.bytes().filter(u8::is_ascii_digit).skip_while(|b| *b == b'0').count();
        if significant > MAX_DIGITS {
            return Err(DecimalError::Digits);
        }
        if text.len() > MAX_LENGTH {
            return Err(DecimalError::Length);
        }
        let fraction = fraction.unwrap_or_default().trim_end_matches('0');
        let digits = whole.bytes().chain(fraction.bytes()).fold(0, |digits, digit| digits * 10 + i128::from(digit - b'0'));
        let digits = if unsigned.len() < text.len() { -digits } else { digits };
        let places = u16::try_from(fraction.len()).map_err(|_| DecimalError::Length)?;
        Ok(Self { digits, places, text: text.into(), quoted: true })
    }

    /// The same figure, sent as a JSON number.
    #[must_use]
    pub fn unquoted(mut self) -> Self {
        self.quoted = false;
        self
    }

    /// The digits as they were sent.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it was sent as a string.
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }

    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.digits > 0
    }

    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.digits < 0
    }

    /// How many digits behind the point change the value.
    pub(super) fn places(&self) -> u16 {
        self.places
    }

    /// For computing.
    pub(super) fn value(&self) -> BigDecimal {
        BigDecimal::new(self.digits.into(), self.places.into())
    }
}

impl From<u8> for Decimal {
    /// A small number, as if it was sent without quotation marks.
    fn from(number: u8) -> Self {
        Self { digits: number.into(), places: 0, text: number.to_string().into(), quoted: false }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        (self.digits, self.places) == (other.digits, other.places)
    }
}

impl Eq for Decimal {}

/// The canonical form, which all spellings of a value share.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let places = usize::from(self.places);
        let sign = if self.is_negative() { "-" } else { "" };
        let mut text = format!("{sign}{:0width$}", self.digits.unsigned_abs(), width = places + 1);
        if places > 0 {
            text.insert(text.len() - places, '.');
        }
        serializer.serialize_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn plain_decimals_are_taken_as_they_stand() {
        for text in ["0", "-0", "40", "4017.86", "0.00", "007", "-12.50", "12345678901234567890"] {
            assert_eq!(decimal(text).text(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "-", "+1", " 1", "1 ", "1e3", "1E3", ".5", "5.", "1.2.3", "1,5", "0x10", "NaN", "١", "--1", "1_0"] {
            assert_eq!(Decimal::parse(text), Err(DecimalError::Format), "{text:?}");
        }
    }

    #[test]
    fn twenty_eight_digits_are_kept_and_not_one_more() {
        let most = "1234567890123456789012345.678";
        assert_eq!(decimal(most).text(), most);
        assert_eq!(Decimal::parse("1234567890123456789012345.6789"), Err(DecimalError::Digits));
        assert_eq!(Decimal::parse("10000000000000000000000000000"), Err(DecimalError::Digits));
        assert!(Decimal::parse("0.00000000000000000000000000000000000001").is_ok(), "one significant digit");
        assert!(Decimal::parse(&"0".repeat(2_048)).is_ok());
        assert_eq!(Decimal::parse(&"0".repeat(2_049)), Err(DecimalError::Length));
    }

    #[test]
    fn equality_is_by_value() {
        assert_eq!(decimal("40"), decimal("40.00"));
        assert_eq!(decimal("-0"), decimal("0.000"));
        assert_eq!(decimal("40"), Decimal::from(40));
        assert_ne!(decimal("0.1"), decimal("0.10000000000000001"));
    }

    #[test]
    fn the_canonical_form_is_shared_by_all_spellings() {
        let canonical = |text| serde_json::to_string(&decimal(text)).unwrap();
        assert_eq!(canonical("4017.860"), "\"4017.86\"");
        assert_eq!(canonical("0400"), "\"400\"");
        assert_eq!(canonical("-0.0"), "\"0\"");
        assert_eq!(canonical("0.0000000000001"), "\"0.0000000000001\"");
        assert_eq!(canonical("-00.500"), "\"-0.5\"");
        assert_eq!(canonical("1200"), "\"1200\"");
        assert_eq!(canonical("1234567890123456789012345.678"), "\"1234567890123456789012345.678\"");
        let tiny = format!("0.{}1", "0".repeat(2_045));
        assert_eq!(canonical(&tiny), format!("\"{tiny}\""));
    }

    proptest! {
        #[test]
        fn all_spellings_of_a_value_are_equal_and_others_are_not(
            whole in 0..10_000u32, cents in 0..100u8, zeros in "0{0,4}", more in "0{0,4}", is_negative in any::<bool>(),
        ) {
            let sign = if is_negative { "-" } else { "" };
            let (short, long) = (format!("{sign}{whole}.{cents:02}"), format!("{sign}{zeros}{whole}.{cents:02}{more}"));
            let canonical = |text: &str| serde_json::to_string(&decimal(text)).unwrap();
            prop_assert_eq!(decimal(&short), decimal(&long));
            prop_assert_eq!(canonical(&short), canonical(&long));
            let other = format!("{long}1");
            prop_assert!(decimal(&short) != decimal(&other) && canonical(&short) != canonical(&other));
            let is_zero = whole == 0 && cents == 0;
            prop_assert_eq!((decimal(&long).is_negative(), decimal(&long).is_positive()), (is_negative && !is_zero, !is_negative && !is_zero));
        }

        #[test]
        fn it_computes_with_what_the_text_says(text in r"-?0{0,40}[0-9]{1,18}(\.0{0,2}[0-9]{1,8}0{0,40})?") {
            if let Ok(taken) = Decimal::parse(&text) {
                prop_assert_eq!(taken.value(), text.parse::<BigDecimal>().unwrap());
            }
        }

        #[test]
        fn any_text_gets_an_answer(text in ".{0,60}") {
            let _answered = Decimal::parse(&text);
        }

        #[test]
        fn what_is_taken_is_kept_digit_for_digit(text in r"-?[0-9]{1,14}(\.[0-9]{1,14})?") {
            let taken = decimal(&text);
            prop_assert_eq!(taken.text(), text.as_str());
        }
    }
}
