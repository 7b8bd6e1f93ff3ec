//! A document whose members keep the sequence in which they are written.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

static NOTHING: Node = Node::Leaf(Value::Null);

/// A node of a JSON or YAML document. From JSON, leaves can only be texts, booleans and null.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum Node {
    Object(IndexMap<String, Node>),
    Array(Vec<Node>),
    Leaf(Value),
}

impl Node {
    /// The member; `null` if there is no such member.
    pub(super) fn get(&self, name: &str) -> &Self {
        match self {
            Self::Object(members) => members.get(name).unwrap_or(&NOTHING),
            _ => &NOTHING,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        matches!(self, Self::Object(members) if members.contains_key(name))
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Leaf(Value::String(text)) => text,
            _ => "",
        }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &Self)> {
        let members = match self {
            Self::Object(members) => Some(members),
            _ => None,
        };
        members.into_iter().flatten().map(|(name, node)| (name.as_str(), node))
    }

    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    pub(super) fn is_true(&self) -> bool {
        matches!(self, Self::Leaf(Value::Bool(true)))
    }
}
