//! JSON whose every value keeps the text that it came as.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep arrays and objects may stand inside one another.
const MAX_DEPTH: usize = 64;

/// A document.
#[derive(Debug, PartialEq)]
pub enum Tree {
    /// `null`, `true`, `false` or a number, as it is written.
    Bare(String),
    /// A string, unescaped.
    Text(String),
    /// An array.
    Array(Vec<Tree>),
    /// An object.
    Object(BTreeMap<String, Tree>),
}

struct Members(BTreeMap<String, Box<RawValue>>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("twice"));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

impl Tree {
    /// Reads a document; `None` where it is none that the contract takes: no JSON, a name twice, nested too deep.
    pub fn read(document: &[u8]) -> Option<Self> {
        let raw: Box<RawValue> = serde_json::from_slice(document).ok()?;
        Self::of(&raw, MAX_DEPTH)
    }

    fn of(raw: &RawValue, levels: usize) -> Option<Self> {
        let text = raw.get();
        match text.as_bytes().first()? {
            b'"' => serde_json::from_str(text).ok().map(Self::Text),
            b'[' => {
                let levels = levels.checked_sub(1)?;
                let items: Vec<Box<RawValue>> = serde_json::from_str(text).ok()?;
                items.iter().map(|item| Self::of(item, levels)).collect::<Option<_>>().map(Self::Array)
            }
            b'{' => {
                let levels = levels.checked_sub(1)?;
                let Members(members) = serde_json::from_str(text).ok()?;
                let members = members.into_iter().map(|(name, value)| Some((name, Self::of(&value, levels)?)));
                members.collect::<Option<_>>().map(Self::Object)
            }
            _ => Some(Self::Bare(text.to_owned())),
        }
    }

    /// What stands at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Option<&Self> {
        let mut names = pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
        names.next().filter(String::is_empty)?;
        names.try_fold(self, |place, name| match place {
            Self::Array(items) => items.get(name.parse::<usize>().ok()?),
            Self::Object(members) => members.get(&name),
            Self::Bare(_) | Self::Text(_) => None,
        })
    }

    /// Every value that is no array or object, with its pointer.
    pub fn leaves(&self) -> Vec<(String, &Self)> {
        let mut found = Vec::new();
        self.collect("", &mut found);
        found
    }

    fn collect<'t>(&'t self, at: &str, found: &mut Vec<(String, &'t Self)>) {
        match self {
            Self::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| item.collect(&format!("{at}/{index}"), found))
            }
            Self::Object(members) => members
                .iter()
                .for_each(|(name, value)| value.collect(&format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found)),
            Self::Bare(_) | Self::Text(_) => found.push((at.to_owned(), self)),
        }
    }

    /// The text of a string or a figure.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Bare(text) | Self::Text(text) => Some(text),
            Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// `null` and `""` mean that an optional member is absent.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Bare(text) => text == "null",
            Self::Text(text) => text.is_empty(),
            Self::Array(_) | Self::Object(_) => false,
        }
    }
}
