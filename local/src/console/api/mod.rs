//! A page that shows `openapi.yaml`.

mod document;
mod schema;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use maud::{Markup, PreEscaped, html};
use pulldown_cmark::Parser;

use super::Console;
use crate::ordered_json::Node;
use crate::page::table;
use document::{DOCUMENT, SOURCE, resolved};

/// The document itself, for tools.
pub(super) async fn document() -> Response {
    ([(CONTENT_TYPE, "application/yaml")], SOURCE).into_response()
}

pub(super) async fn show(State(console): State<Arc<Console>>) -> Response {
    console.frame.page("/console/api", "The API", &content())
}

fn content() -> Markup {
    let operations = operations();
    html! {
        (markdown(DOCUMENT.get("info").get("description")))
        p { "The same for tools: " a href="/openapi.yaml" { "openapi.yaml" } " (OpenAPI 3.1)." }
        ul {
            @for operation in &operations {
                li { a href=(format!("#{}", operation.id())) { (operation.title) } ": " (operation.node.get("summary").text()) }
            }
            li { a href="#documents" { "Documents" } ": their members" }
        }
        @for tag in DOCUMENT.get("tags").items() {
            h2 { (tag.get("name").text()) }
            p { (tag.get("description").text()) }
            @for operation in operations.iter().filter(|operation| operation.tag() == tag.get("name").text()) { (operation.shown()) }
        }
        (schema::documents())
    }
}

/// An operation of the API.
struct Operation {
    /// `POST /orders`
    title: String,
    node: &'static Node,
    /// The parameters of the path, and the operation's own.
    parameters: Vec<&'static Node>,
}

fn operations() -> Vec<Operation> {
    let of = |called: &'static str, of_path: &'static Node| {
        let methods = of_path.members().filter(|(name, _)| *name != "parameters");
        methods.map(move |(method, node)| Operation {
            title: format!("{} {called}", method.to_uppercase()),
            node,
            parameters: of_path.get("parameters").items().iter().chain(node.get("parameters").items()).map(resolved).collect(),
        })
    };
    let paths = DOCUMENT.get("paths").members().flat_map(|(path, node)| of(path, node));
    let webhooks = DOCUMENT.get("webhooks").members().map(|(_, node)| node).flat_map(|node| of("callbackUrl", node));
    paths.chain(webhooks).collect()
}

impl Operation {
    fn id(&self) -> &'static str {
        self.node.get("operationId").text()
    }

    fn tag(&self) -> &'static str {
        self.node.get("tags").items().first().map_or("", Node::text)
    }

    fn parameter_rows(&self) -> Vec<Vec<Markup>> {
        let row = |parameter: &&'static Node| {
            vec![
                html! { code { (parameter.get("name").text()) } @if parameter.get("required").is_true() { ", required" } },
                html! { (parameter.get("in").text()) },
                schema::kind(parameter.get("schema")),
                html! { div { (markdown(parameter.get("description"))) } },
            ]
        };
        self.parameters.iter().map(row).collect()
    }

    fn reply_rows(&self) -> Vec<Vec<Markup>> {
        let row = |(code, reply): (&str, &'static Node)| {
            let reply = resolved(reply);
            vec![
                html! { (code) },
                html! { div { (markdown(reply.get("description"))) } },
                html! { span { @for (name, _) in reply.get("headers").members() { code { (name) } " " } } },
                html! { span { @for (_, media) in reply.get("content").members() { (schema::kind(media.get("schema"))) } } },
            ]
        };
        self.node.get("responses").members().map(row).collect()
    }

    fn shown(&self) -> Markup {
        let body = self.node.get("requestBody").get("content");
        html! {
            h3 #(self.id()) { (self.title) }
            p { strong { (self.node.get("summary").text()) } }
            (markdown(self.node.get("description")))
            @if !self.parameters.is_empty() {
                (table(&format!("Parameters of {}", self.id()), &["Parameter", "In", "Type", "Meaning"], &self.parameter_rows()))
            }
            @for (_, media) in body.members() {
                p { "Its body is " (schema::kind(media.get("schema"))) "." }
                (examples(media))
            }
            (table(&format!("Replies of {}", self.id()), &["Reply", "Meaning", "Headers", "Body"], &self.reply_rows()))
            @for (code, reply) in self.node.get("responses").members() {
                @for (_, media) in resolved(reply).get("content").members() {
                    @if media.has("examples") { h4 { (code) } (examples(media)) }
                }
            }
        }
    }
}

fn examples(media: &'static Node) -> Markup {
    html! {
        @for (_, example) in media.get("examples").members() {
            @let example = resolved(example);
            details {
                summary { "Example: " (example.get("summary").text()) }
                pre tabindex="0" { (serde_json::to_string_pretty(example.get("value")).unwrap_or_default()) }
            }
        }
    }
}

/// Renders Markdown. It need not be sanitised, because the texts are the project's own.
fn markdown(text: &Node) -> Markup {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, Parser::new(text.text()));
    PreEscaped(html)
}
