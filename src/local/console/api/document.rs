//! `openapi.yaml`, with its members in the order in which they are written.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) const SOURCE: &str = include_str!("../../../../openapi.yaml");

/// The whole document.
pub(super) static DOCUMENT: LazyLock<Node> = LazyLock::new(|| {
    serde_saphyr::from_str(SOURCE).unwrap_or_else(|error| {
        tracing::error!(%error, "openapi.yaml cannot be read");
        Node::Leaf(Value::Null)
    })
});

static NOTHING: Node = Node::Leaf(Value::Null);

#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum Node {
    Object(IndexMap<String, Node>),
    Array(Vec<Node>),
    Leaf(Value),
}

impl Node {
    /// `null` if there is no such member.
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

    /// The last part of its `$ref`.
    pub(super) fn reference(&self) -> Option<&str> {
        self.get("$ref").text().rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// What its `$ref` means, or itself.
    pub(super) fn resolved(&'static self) -> &'static Self {
        match self.get("$ref").text().strip_prefix("#/") {
            Some(path) => path.split('/').fold(&DOCUMENT, Self::get),
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(node: &'static Node) -> Vec<&'static Node> {
        let below = node.members().map(|(_, node)| node).chain(node.items());
        below.flat_map(references).chain(node.has("$ref").then_some(node)).collect()
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let references = references(&DOCUMENT);
        assert!(references.len() > 100, "{}", references.len());
        for reference in references {
            assert!(matches!(reference.resolved(), Node::Object(_)), "{reference:?}");
        }
    }

    #[test]
    fn members_keep_their_order_and_texts_their_type() {
        let order = DOCUMENT.get("components").get("examples").get("PrivateOrder").get("value");
        assert_eq!(order.members().next().map(|(name, _)| name), Some("products"));
        let line = order.get("products").items().first();
        assert!(line.is_some_and(|line| line.get("quantity").text() == "2" && line.get("rate").text().is_empty()), "{line:?}");
    }
}
