//! `openapi.yaml`, with its members in the sequence of the file.

use std::sync::LazyLock;

use serde_json::Value;

use crate::ordered_json::Node;

pub(super) const SOURCE: &str = include_str!("../../../../openapi.yaml");

/// The whole document.
pub(super) static DOCUMENT: LazyLock<Node> = LazyLock::new(|| {
    serde_saphyr::from_str(SOURCE).unwrap_or_else(|error| {
        tracing::error!(%error, "openapi.yaml cannot be read");
        Node::Leaf(Value::Null)
    })
});

/// The last part of its `$ref`.
pub(super) fn reference(node: &Node) -> Option<&str> {
    node.get("$ref").text().rsplit('/').next().filter(|name| !name.is_empty())
}

/// The node that `$ref` points to, or the node itself.
pub(super) fn resolved(node: &'static Node) -> &'static Node {
    match node.get("$ref").text().strip_prefix("#/") {
        Some(path) => path.split('/').fold(&DOCUMENT, Node::get),
        None => node,
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
            assert!(matches!(resolved(reference), Node::Object(_)), "{reference:?}");
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
