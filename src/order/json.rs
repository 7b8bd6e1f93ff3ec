//! Strict JSON: what serde_json reads, but with numbers kept digit for digit, a
//! member name twice in an object refused, and nesting bounded.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// How many arrays and objects may stand inside one another.
pub const MAX_DEPTH: usize = 64;

/// One JSON value. Numbers are the text they came as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, its digits as sent.
    Number(&'a str),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object; each name stands once.
    Object(BTreeMap<Cow<'a, str>, Json<'a>>),
}

/// Why a document is no JSON that the bridge reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not UTF-8; the first bad byte's place.
    #[error("not UTF-8 at byte {0}")]
    Encoding(usize),
    /// Not JSON, or a member name twice. Says where, never what: the text is a person's data.
    #[error("{0}")]
    Syntax(String),
    /// More than [`MAX_DEPTH`] levels.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    Depth,
}

impl<'a> Json<'a> {
    /// Reads one document, nothing before or after it but white space.
    ///
    /// ```
    /// use front_payment_bridge::order::json::Json;
    ///
    /// assert_eq!(Json::parse(b"40.00"), Ok(Json::Number("40.00")));
    /// assert!(Json::parse(br#"{"a": 1, "a": 2}"#).is_err());
    /// ```
    ///
    /// # Errors
    /// [`Malformed`] says why.
    pub fn parse(document: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(document).map_err(|e| Malformed::Encoding(e.valid_up_to()))?;
        // One pass that finds every syntax error with its place in the whole document.
        let raw: &RawValue = serde_json::from_str(text).map_err(syntax)?;
        Self::read(raw, MAX_DEPTH)
    }

    fn read(raw: &'a RawValue, levels: usize) -> Result<Self, Malformed> {
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::String(serde_json::from_str::<Text>(text).map_err(syntax)?.0),
            Some(b'[') => {
                let levels = levels.checked_sub(1).ok_or(Malformed::Depth)?;
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(syntax)?;
                Self::Array(items.into_iter().map(|item| Self::read(item, levels)).collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let levels = levels.checked_sub(1).ok_or(Malformed::Depth)?;
                let Members(members) = serde_json::from_str(text).map_err(syntax)?;
                Self::Object(
                    members.into_iter().map(|(name, value)| Ok((name, Self::read(value, levels)?))).collect::<Result<_, _>>()?,
                )
            }
            _ => Self::Number(text),
        })
    }

    /// What kind of value this is, for a sentence: "a string".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// serde_json's own sentences for syntax errors name a kind and a place, no text of the document.
#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
fn syntax(error: serde_json::Error) -> Malformed {
    Malformed::Syntax(error.to_string())
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// An object's members, each name once.
struct Members<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("the same member name twice in one object"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_keep_their_digits() {
        for digits in ["0", "-0", "40.00", "1e3", "12345678901234567890.123456789", "0.1"] {
            assert_eq!(Json::parse(digits.as_bytes()), Ok(Json::Number(digits)));
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":}",
            "NaN",
            "Infinity",
            "01",
            "+1",
            ".5",
            "1.",
            "'a'",
            "\"a",
            "\"\u{1}\"",
            "\"\\ud800\"",
            "{} {}",
            "tru",
            "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"\\u0061\":2}",
            "[{\"x\":{\"b\":1,\"b\":1}}]",
        ] {
            assert!(Json::parse(text.as_bytes()).is_err(), "{text:?} was taken");
        }
        assert_eq!(Json::parse(b"{\"a\": \"\xff\"}"), Err(Malformed::Encoding(7)));
        assert!(Json::parse(b"\xef\xbb\xbf{}").is_err(), "a byte order mark is no JSON");
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Json::parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(Json::parse(nested(MAX_DEPTH + 1).as_bytes()), Err(Malformed::Depth));
        assert!(Json::parse(nested(100_000).as_bytes()).is_err());
    }

    #[test]
    fn escapes_are_read() {
        assert_eq!(Json::parse(br#""\u00e6 \"b\"""#), Ok(Json::String("æ \"b\"".into())));
    }

    proptest! {
        #[test]
        fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _answered = Json::parse(&bytes);
        }

        #[test]
        fn any_nearly_json_gets_an_answer(text in r#"[\[\]{}",:0-9eE.+\-a-z\\ ]{0,80}"#) {
            let _answered = Json::parse(text.as_bytes());
        }
    }
}
