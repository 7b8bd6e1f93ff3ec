//! Strict JSON: what serde_json reads, but with numbers kept digit for digit, a
//! member name twice in an object refused, and nesting bounded.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
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
        let valid: &RawValue = serde_json::from_str(text).map_err(syntax)?;
        Reader(valid.get()).value(MAX_DEPTH)
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

/// The rest of a text that is known to be JSON. serde_json would read it once for each level of nesting, or read its
/// numbers as numbers.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn value(&mut self, levels: usize) -> Result<Json<'a>, Malformed> {
        Ok(match self.next() {
            Some(b'"') => Json::String(self.string()?),
            Some(b'[') => {
                let levels = levels.checked_sub(1).ok_or(Malformed::Depth)?;
                let mut items = Vec::new();
                self.members(|reader| {
                    items.push(reader.value(levels)?);
                    Ok(())
                })?;
                Json::Array(items)
            }
            Some(b'{') => {
                let levels = levels.checked_sub(1).ok_or(Malformed::Depth)?;
                let mut members = BTreeMap::new();
                self.members(|reader| {
                    let name = reader.string()?;
                    reader.next();
                    reader.skip(1); // the colon
                    match members.insert(name, reader.value(levels)?) {
                        None => Ok(()),
                        Some(_) => Err(Malformed::Syntax("the same member name twice in one object".to_owned())),
                    }
                })?;
                Json::Object(members)
            }
            _ => match self.token() {
                "null" => Json::Null,
                "true" => Json::Bool(true),
                "false" => Json::Bool(false),
                digits => Json::Number(digits),
            },
        })
    }

    /// What stands between two brackets, with commas.
    fn members(&mut self, mut member: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        self.skip(1);
        while let Some(byte) = self.next().filter(|byte| !matches!(byte, b']' | b'}')) {
            if byte == b',' { self.skip(1) } else { member(self)? }
        }
        self.skip(1);
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let (mut is_escaped, mut has_escapes) = (false, false);
        let end = self.0.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            has_escapes |= is_escaped;
            is_end
        });
        let text = self.take(end.map_or(self.0.len(), |end| end + 2));
        if has_escapes {
            return Ok(serde_json::from_str::<Text>(text).map_err(syntax)?.0);
        }
        Ok(text.trim_matches('"').into())
    }

    fn token(&mut self) -> &'a str {
        let is_over = |byte: u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
        self.take(self.0.bytes().position(is_over).unwrap_or(self.0.len()))
    }

    /// The first byte behind white space.
    fn next(&mut self) -> Option<u8> {
        self.0 = self.0.trim_ascii_start();
        self.0.bytes().next()
    }

    fn skip(&mut self, bytes: usize) {
        self.take(bytes);
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.0.split_at_checked(bytes).unwrap_or((self.0, ""));
        self.0 = rest;
        taken
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
            "{\"a\":\"\\udc00\"}",
            "[1 2]",
            "{\"a\" 1}",
            "[]]",
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
    fn the_second_reading_ends_where_the_first_did() {
        let document = b" { \"a\" : [ 1 , -2.50,\"x\",[ ], { } ,null ] ,\n\t\"b\\\"]}\":true , \"\": \"\" ,\"c\":\"\\\\\"\r}  ";
        let text = |text: &'static str| Json::String(text.into());
        let items =
            [Json::Number("1"), Json::Number("-2.50"), text("x"), Json::Array(vec![]), Json::Object([].into()), Json::Null];
        let members = [("a", Json::Array(items.into())), ("b\"]}", Json::Bool(true)), ("", text("")), ("c", text("\\"))];
        assert_eq!(Json::parse(document), Ok(Json::Object(members.map(|(name, value)| (name.into(), value)).into())));
    }

    /// What serde_json makes of the same text, its numbers aside.
    fn is_as_serde_json_has_it(json: &Json<'_>, value: &serde_json::Value) -> bool {
        use serde_json::Value;
        match (json, value) {
            (Json::Null, Value::Null) => true,
            (Json::Bool(mine), Value::Bool(its)) => mine == its,
            (Json::Number(mine), Value::Number(its)) => mine.parse().ok() == its.as_i64(),
            (Json::String(mine), Value::String(its)) => mine == its,
            (Json::Array(mine), Value::Array(its)) => {
                mine.len() == its.len() && mine.iter().zip(its).all(|(mine, its)| is_as_serde_json_has_it(mine, its))
            }
            (Json::Object(mine), Value::Object(its)) => {
                let is_same = |(name, mine): (&Cow<'_, str>, &Json<'_>)| is_as_serde_json_has_it(mine, &its[name.as_ref()]);
                mine.len() == its.len() && mine.iter().all(is_same)
            }
            _ => false,
        }
    }

    fn any_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn escapes_are_read() {
        assert_eq!(Json::parse(br#""\u00e6 \"b\"""#), Ok(Json::String("æ \"b\"".into())));
    }

    proptest! {
        #[test]
        fn both_readings_agree(value in any_value(), is_pretty in any::<bool>()) {
            let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let json = Json::parse(text.as_bytes()).unwrap();
            prop_assert!(is_as_serde_json_has_it(&json, &value), "{}", text);
        }

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
