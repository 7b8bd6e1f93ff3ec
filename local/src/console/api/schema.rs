//! The schemas of the API's documents.

use maud::{Markup, html};

use super::document::{DOCUMENT, reference};
use super::markdown;
use crate::ordered_json::Node;
use crate::page::table;

/// Every schema, with its members.
pub(super) fn documents() -> Markup {
    html! {
        h2 #documents { "Documents" }
        @for (name, schema) in DOCUMENT.get("components").get("schemas").members() {
            h3 id=(name) { (name) }
            (markdown(schema.get("description")))
            @let members = members(schema);
            @if members.is_empty() { p { (kind(schema)) } }
            @else {
                @for base in schema.get("allOf").items().iter().filter(|base| base.has("$ref")) { p { "All of " (kind(base)) ", and:" } }
                (table(&format!("Members of {name}"), &["Member", "Type", "Meaning"], &members.iter().map(row).collect::<Vec<_>>()))
            }
        }
    }
}

fn row(member: &Member) -> Vec<Markup> {
    vec![
        html! { span { code { (member.name) } @if member.is_required { ", required" } } },
        html! { span { (kind(member.schema)) } },
        html! { div { (markdown(member.schema.get("description"))) } },
    ]
}

struct Member {
    name: &'static str,
    is_required: bool,
    schema: &'static Node,
}

/// The schema's own members, without those of the schemas that it refers to.
fn members(schema: &'static Node) -> Vec<Member> {
    let parts = std::iter::once(schema).chain(schema.get("allOf").items());
    parts
        .flat_map(|part| {
            let required = part.get("required").items();
            part.get("properties").members().map(|(name, schema)| Member {
                name,
                is_required: required.iter().any(|required| required.text() == name),
                schema,
            })
        })
        .collect()
}

/// The type in a few words, with a link to what it refers to.
pub(super) fn kind(schema: &'static Node) -> Markup {
    let alternatives = ["oneOf", "anyOf"].into_iter().find(|name| schema.has(name));
    html! {
        @if let Some(name) = reference(schema) { a href=(format!("#{name}")) { (name) } }
        @else if let Some(alternatives) = alternatives { (joined(schema.get(alternatives).items(), kind)) }
        @else if schema.has("const") { (literal(schema.get("const"))) }
        @else if schema.has("enum") { (joined(schema.get("enum").items(), literal)) }
        @else if schema.has("items") { "array of " (kind(schema.get("items"))) }
        @else {
            @match schema.get("type") {
                several @ Node::Array(_) => (joined(several.items(), |kind| html! { (kind.text()) })),
                one => (one.text()),
            }
            @if schema.has("format") { " (" (schema.get("format").text()) ")" }
            @if schema.has("pattern") { " " code { (schema.get("pattern").text()) } }
        }
    }
}

/// The value in JSON.
fn literal(value: &Node) -> Markup {
    html! { code { (serde_json::to_string(value).unwrap_or_default()) } }
}

fn joined<'n>(nodes: &'n [Node], shown: impl Fn(&'n Node) -> Markup) -> Markup {
    html! { @for (index, node) in nodes.iter().enumerate() { @if index > 0 { " or " } (shown(node)) } }
}
