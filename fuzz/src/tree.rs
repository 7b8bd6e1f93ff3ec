//! JSON in which every value keeps the text that it was written as.

use std::collections::BTreeMap;
use std::fmt;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// `null`, `true`, `false` or a number, as it is written.
    Bare(String),
    /// A string, unescaped.
    Text(String),
    Array(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

impl Tree {
    /// The value at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Option<&Self> {
        let mut names = names(pointer)?;
        names.try_fold(self, |place, name| match place {
            Self::Array(items) => items.get(name.parse::<usize>().ok()?),
            Self::Object(members) => members.get(&name),
            Self::Bare(_) | Self::Text(_) => None,
        })
    }

    pub fn at_mut(&mut self, pointer: &str) -> Option<&mut Self> {
        let mut names = names(pointer)?;
        names.try_fold(self, |place, name| match place {
            Self::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
            Self::Object(members) => members.get_mut(&name),
            Self::Bare(_) | Self::Text(_) => None,
        })
    }

    /// The value at a JSON pointer, unless it is `null` or `""`.
    pub fn given(&self, pointer: &str) -> Option<&Self> {
        self.at(pointer).filter(|value| !value.is_absent())
    }

    /// The text of a string or a figure at a JSON pointer, unless it is `null` or `""`.
    pub fn text_at(&self, pointer: &str) -> Option<&str> {
        self.given(pointer)?.text()
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
            Self::Object(members) => members.iter().for_each(|(name, value)| value.collect(&member(at, name), found)),
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

    /// The items of an array, or of an object with the member names 0 to n-1.
    pub fn items(&self) -> Option<Vec<&Self>> {
        match self {
            Self::Array(items) => Some(items.iter().collect()),
            Self::Object(members) if !members.is_empty() => (0..members.len()).map(|n| members.get(&n.to_string())).collect(),
            _ => None,
        }
    }
}

fn names(pointer: &str) -> Option<impl Iterator<Item = String>> {
    let mut names = pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
    names.next().filter(String::is_empty)?;
    Some(names)
}

/// The pointer of a member.
pub fn member(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Writes the value as JSON.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::to_string(text).map_err(|_| fmt::Error);
        match self {
            Self::Bare(text) => f.write_str(text),
            Self::Text(text) => f.write_str(&quoted(text)?),
            Self::Array(items) => {
                let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(","))
            }
            Self::Object(members) => {
                let members: Result<Vec<_>, _> =
                    members.iter().map(|(name, value)| Ok(format!("{}:{value}", quoted(name)?))).collect();
                write!(f, "{{{}}}", members?.join(","))
            }
        }
    }
}
