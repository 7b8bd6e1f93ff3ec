//! Strict JSON: what serde_json reads, but with numbers digit for digit, no member name twice in an object, and bounded
//! nesting.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

/// The most arrays and objects inside one another.
pub const MAX_DEPTH: usize = 64;
/// The most characters of a repeated member's name that an error quotes.
const MAX_QUOTED_CHARS: usize = 40;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const GZIP: &[u8] = b"\x1f\x8b";

/// One JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    /// The digits as sent. An exponent has a sign.
    Number(String),
    /// Unescaped.
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(BTreeMap<Cow<'a, str>, Json<'a>>),
}

/// Why a document cannot be read as JSON. It says where, and quotes nothing but the name of a repeated member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it is empty")]
    Empty,
    #[error("it is a form")]
    Form,
    #[error("it is compressed with gzip")]
    Compressed,
    #[error("it is not UTF-8 (the first wrong byte is number {0})")]
    Encoding(usize),
    #[error("{reason} at line {line} column {column}")]
    Syntax {
        reason: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters. A byte order mark does not count.
        column: usize,
    },
}

impl<'a> Json<'a> {
    /// Reads one document. It may have white space around it and a byte order mark before it.
    ///
    /// ```
    /// use front_payment_bridge::order::json::Json;
    ///
    /// assert_eq!(Json::parse(b"40.00"), Ok(Json::Number("40.00".to_owned())));
    /// assert!(Json::parse(br#"{"a": 1, "a": 2}"#).is_err());
    /// ```
    pub fn parse(document: &'a [u8]) -> Result<Self, Malformed> {
        let document = document.strip_prefix(BYTE_ORDER_MARK).unwrap_or(document);
        let text = std::str::from_utf8(document).map_err(|error| Malformed::Encoding(error.valid_up_to() + 1));
        text.and_then(Self::read).map_err(|error| recognize(document).unwrap_or(error))
    }

    fn read(text: &'a str) -> Result<Self, Malformed> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = Levels(MAX_DEPTH).deserialize(&mut deserializer);
        let whole = value.and_then(|value| deserializer.end().map(|()| value.into()));
        whole.map_err(|error| syntax(text, &error))
    }

    /// The kind of value, for a sentence: "a string".
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

/// What a document that is not JSON is instead, as far as its first bytes tell.
fn recognize(document: &[u8]) -> Option<Malformed> {
    let start = document.trim_ascii_start();
    let is_of_a_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"%+._*-[]".contains(byte);
    let behind_name = start.iter().find(|byte| !is_of_a_name(byte));
    let is_form = behind_name == Some(&b'=') && !start.starts_with(b"=") && !start.starts_with(b"[");
    let is_multipart = || start.starts_with(b"--") && start.windows(8).any(|part| part.eq_ignore_ascii_case(b"content-"));
    if start.is_empty() {
        Some(Malformed::Empty)
    } else if document.starts_with(GZIP) {
        Some(Malformed::Compressed)
    } else {
        (is_form || is_multipart()).then_some(Malformed::Form)
    }
}

fn syntax(text: &str, error: &serde_json::Error) -> Malformed {
    let said = error.to_string();
    let reason = said.rsplit_once(" at line ").map_or(said.as_str(), |(reason, _)| reason).to_owned();
    // serde_json counts columns in bytes.
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default().as_bytes();
    let column = String::from_utf8_lossy(line.get(..error.column()).unwrap_or(line)).chars().count().max(1);
    Malformed::Syntax { reason, line: error.line(), column }
}

/// What serde_json hands over.
enum Part<'a> {
    Value(Json<'a>),
    /// The digits of a number with a fraction or beyond 64 bits. serde_json hands it over as an object with one member,
    /// which the document does not have.
    Digits(String),
}

impl<'a> From<Part<'a>> for Json<'a> {
    fn from(part: Part<'a>) -> Self {
        match part {
            Part::Value(value) => value,
            Part::Digits(digits) => Self::Number(digits),
        }
    }
}

/// The name of that member, from serde_json's feature `arbitrary_precision`.
const DIGITS: &str = "$serde_json::private::Number";

/// Reads a value with at most so many arrays and objects inside one another.
#[derive(Clone, Copy)]
struct Levels(usize);

impl Levels {
    fn inside<E: Error>(self) -> Result<Self, E> {
        let levels = self.0.checked_sub(1);
        levels.map(Self).ok_or_else(|| E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")))
    }
}

impl<'de> DeserializeSeed<'de> for Levels {
    type Value = Part<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Levels {
    type Value = Part<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Part<'de>, E> {
        Ok(Part::Value(Json::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Part<'de>, E> {
        Ok(Part::Value(Json::Bool(flag)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Part<'de>, E> {
        Ok(Part::Value(Json::Number(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Part<'de>, E> {
        Ok(Part::Value(Json::Number(number.to_string())))
    }

    /// Only those digits come as an owned text.
    fn visit_string<E>(self, digits: String) -> Result<Part<'de>, E> {
        Ok(Part::Digits(digits))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Part<'de>, E> {
        Ok(Part::Value(Json::String(text.into())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Part<'de>, E> {
        Ok(Part::Value(Json::String(text.to_owned().into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Part<'de>, A::Error> {
        let inside = self.inside()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inside)? {
            items.push(item.into());
        }
        Ok(Part::Value(Json::Array(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part<'de>, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = map.next_key_seed(Name)? {
            if members.contains_key(&name) {
                let quoted: String = name.chars().take(MAX_QUOTED_CHARS).collect();
                return Err(A::Error::custom(format_args!("repeated member {quoted:?}")));
            }
            // serde_json's object around a number does not count as a level.
            let inside = if name == DIGITS { Self(self.0.saturating_sub(1)) } else { self.inside()? };
            match map.next_value_seed(inside)? {
                Part::Value(value) => members.insert(name, value),
                Part::Digits(digits) => return Ok(Part::Value(Json::Number(digits))),
            };
        }
        self.inside()?; // an empty object counts as a level, too
        Ok(Part::Value(Json::Object(members)))
    }
}

/// Reads a member's name, borrowed if it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(name.into())
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(name.to_owned().into())
    }
}

#[cfg(test)]
mod tests;
