//! Sends an order: from a form, from JSON, or with a word that makes something go wrong.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

use super::{Console, answer};
use crate::bridge_client::BridgeClient;
use crate::demo_secret::{API_KEY, WEBHOOKS_API_KEY};
use crate::example_order::order_of;
use crate::sandbox::{WordGroup, word_groups};

/// The request that the page sends and shows.
struct Request {
    api_key: String,
    idempotency_key: String,
    body: String,
}

/// `?referenceNo=`, `?total=` and `?type=` fill in the form.
pub(super) async fn form(State(console): State<Arc<Console>>, Query(fields): Query<HashMap<String, String>>) -> Response {
    let request = Request::filled_in(&console, &fields);
    page(&console, &request, &fields, None)
}

pub(super) async fn submit(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    let fields: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let request = match fields.get("body") {
        Some(body) => Request { body: body.clone(), ..Request::filled_in(&console, &fields) },
        None => Request::filled_in(&console, &fields),
    };
    let bridge = BridgeClient { client: console.http.clone(), base: &console.frame.base, api_key: &request.api_key };
    let call = bridge.client.post(format!("{}/orders", bridge.base)).header("Idempotency-Key", &request.idempotency_key);
    let reply = bridge.send(call.header("Content-Type", "application/json").body(request.body.clone())).await;
    page(&console, &request, &fields, Some(&answer::explained(&reply)))
}

impl Request {
    fn filled_in(console: &Console, fields: &HashMap<String, String>) -> Self {
        let field = |name: &str, otherwise: &str| {
            fields.get(name).filter(|value| !value.is_empty()).map_or(otherwise.to_owned(), Clone::clone)
        };
        let mut order = order_of(&console.frame.base, &field("referenceNo", "1001"), Timestamp::now());
        if let Some(total) = fields.get("total").filter(|total| !total.is_empty()) {
            for pointer in ["/products/0/rate", "/products/0/amount", "/orderSummary/subTotal", "/orderSummary/grandTotal"] {
                if let Some(value) = order.pointer_mut(pointer) {
                    *value = Value::from(total.clone());
                }
            }
        }
        if field("type", "private") == "corporate"
            && let Some(customer) = order.get_mut("customerDetails").and_then(Value::as_object_mut)
        {
            customer.insert("type".to_owned(), "corporate".into());
            customer.insert("organizationId".to_owned(), "974760673".into());
            customer.remove("personalNumber");
        }
        Self {
            api_key: field("apiKey", API_KEY),
            idempotency_key: field("key", &Uuid::new_v4().to_string()),
            body: serde_json::to_string_pretty(&order).unwrap_or_default(),
        }
    }
}

fn page(console: &Console, request: &Request, fields: &HashMap<String, String>, answer: Option<&Markup>) -> Response {
    let content = html! {
        div.try.answered[answer.is_some()] {
            div {
                p { "Sends the example of Front Payment's page to the bridge: 40 kroner for Kari Nordmann, a private customer." }
                form method="post" action="/console" {
                    button.large.secondary[answer.is_some()] name="referenceNo" value="1001" { "Send the example order" }
                }
                h2 { "Or one that goes wrong" }
                p { small { "Each button sends the example with its word as the " code { "referenceNo" } "." } }
                @for (index, group) in word_groups().iter().enumerate() { (words(group, index == 0)) }
                h2 { "Or your own" }
                (own(console, request, fields))
            }
            div { @if let Some(answer) = answer { (answer) } @else { (nothing_sent()) } }
        }
    };
    console.frame.page("/console", "Try an order", &content)
}

fn nothing_sent() -> Markup {
    html! {
        section.answer {
            h2 { "The answer" }
            p { "It is explained here once an order is sent: what it means, and what a shop does next." }
        }
    }
}

fn words(group: &WordGroup, is_open: bool) -> Markup {
    html! {
        details open[is_open] {
            summary { (group.title) }
            form.words method="post" action="/console" {
                @for (word, meaning) in &group.words {
                    div { button.secondary.small name="referenceNo" value=(word) { (word) } " " small { (meaning) } }
                }
            }
        }
    }
}

fn own(console: &Console, request: &Request, fields: &HashMap<String, String>) -> Markup {
    let value = |name: &str, otherwise: &str| fields.get(name).cloned().unwrap_or_else(|| otherwise.to_owned());
    // Stays open after a change, because the user probably wants to change more.
    let is_changed = ["body", "total", "type"].iter().any(|name| fields.contains_key(*name));
    html! {
        details open[is_changed] {
            summary { "Change the order" }
            form action="/console" {
                div.fields {
                    label { "Reference" input name="referenceNo" value=(value("referenceNo", "1001")); }
                    label { "Total in kroner" input name="total" inputmode="decimal" value=(value("total", "40")); }
                    label { "Customer"
                        select name="type" {
                            @for kind in ["private", "corporate"] { option selected[value("type", "private") == kind] { (kind) } }
                        }
                    }
                    button.secondary { "Write it as JSON" }
                }
            }
            form method="post" action="/console" {
                div.fields {
                    label { "API key"
                        select name="apiKey" {
                            @for (key, format) in [(API_KEY, "front-payment"), (WEBHOOKS_API_KEY, "standard-webhooks")] {
                                option value=(key) selected[request.api_key == key] { (key) " (notified as " (format) ")" }
                            }
                        }
                    }
                    label { "Idempotency-Key" input name="key" value=(request.idempotency_key); }
                }
                label for="body" { "Body" }
                textarea #body name="body" rows="22" spellcheck="false" { (request.body) }
                button.secondary { "Send it" }
            }
        }
        @for (name, code) in snippets(&console.frame.base, request) {
            details { summary { "The same with " (name) } pre tabindex="0" { code { (code) } } }
        }
    }
}

/// The request as code to copy.
fn snippets(base: &str, request: &Request) -> [(&'static str, String); 3] {
    let body = &request.body;
    let headers = [format!("Authorization: Bearer {}", request.api_key), format!("Idempotency-Key: {}", request.idempotency_key)];
    let shell = headers.each_ref().map(|header| format!("'{}'", header.replace('\'', r"'\''")));
    let php = headers.each_ref().map(|header| format!("'{}'", header.replace('\\', r"\\").replace('\'', r"\'")));
    let json = |text: &str| Value::from(text).to_string();
    [
        ("curl", format!("curl {base}/orders \\\n  -H {} -H {} \\\n  -d @- <<'ORDER'\n{body}\nORDER\n", shell[0], shell[1])),
        (
            "PHP",
            format!(
                "<?php\n$order = <<<'ORDER'\n{body}\nORDER;\n$call = curl_init('{base}/orders');\ncurl_setopt_array($call, [\n    \
                 CURLOPT_POSTFIELDS => $order,\n    CURLOPT_HTTPHEADER => [{}],\n    CURLOPT_RETURNTRANSFER => true,\n    \
                 CURLOPT_TIMEOUT => 35,\n]);\n$reply = json_decode(curl_exec($call), true);\n",
                php.join(", "),
            ),
        ),
        (
            "Node.js",
            format!(
                "const order = {body};\nconst reply = await fetch('{base}/orders', {{\n  method: 'POST',\n  headers: {{ \
                 'Authorization': {}, 'Idempotency-Key': {} }},\n  body: JSON.stringify(order),\n  \
                 signal: AbortSignal.timeout(35_000),\n}});\nconsole.log(reply.status, await reply.json());\n",
                json(&format!("Bearer {}", request.api_key)),
                json(&request.idempotency_key),
            ),
        ),
    ]
}
