//! Sends an order: from a form, from JSON, or with a word that makes something go wrong.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

use super::Console;
use crate::bridge_client::{BridgeClient, BridgeReply};
use crate::demo_secret::{API_KEY, WEBHOOKS_API_KEY};
use crate::example_order::order_of;
use crate::sandbox::{CancelMisbehaviour, Misbehaviour, ShopMisbehaviour};

/// The request that the page sends and shows.
struct Request {
    api_key: String,
    idempotency_key: String,
    body: String,
}

/// `?referenceNo=`, `?total=` and `?type=` fill in the form.
pub(super) async fn form(State(console): State<Arc<Console>>, Query(fields): Query<HashMap<String, String>>) -> Response {
    let request = Request::filled_in(&console, &fields);
    console.frame.page("Try an order", false, &content(&console, &request, &fields))
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
    let content = html! { (answer(&reply)) (content(&console, &request, &fields)) };
    console.frame.page("Try an order", false, &content)
}

impl Request {
    fn filled_in(console: &Console, fields: &HashMap<String, String>) -> Self {
        let field = |name: &str, otherwise: &str| {
            fields.get(name).filter(|value| !value.is_empty()).map_or(otherwise.to_owned(), Clone::clone)
        };
        let mut order = order_of(&console.frame.base, &field("referenceNo", "1001"), console.frame.clock.now());
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

fn content(console: &Console, request: &Request, fields: &HashMap<String, String>) -> Markup {
    let value = |name: &str, otherwise: &str| fields.get(name).cloned().unwrap_or_else(|| otherwise.to_owned());
    html! {
        h2 { "Something that goes wrong" }
        p { "Each button sends an order whose " code { "referenceNo" } " is the word." }
        (words("Front Payment", Misbehaviour::meanings()))
        (words("Front Payment, when the order is cancelled", CancelMisbehaviour::meanings()))
        (words("The shop, when it is notified", ShopMisbehaviour::meanings()))
        h2 { "The order as a form" }
        form {
            div.fields {
                label { "Reference" input name="referenceNo" value=(value("referenceNo", "1001")); }
                label { "Total in kroner" input name="total" inputmode="decimal" value=(value("total", "40")); }
                label { "Customer"
                    select name="type" {
                        @for kind in ["private", "corporate"] { option selected[value("type", "private") == kind] { (kind) } }
                    }
                }
            }
            button { "Write it as JSON" }
        }
        h2 { "The order as JSON" }
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
            button { "Send it" }
        }
        h2 { "The same from your code" }
        @for (name, code) in snippets(&console.frame.base, request) {
            details { summary { (name) } pre tabindex="0" { code { (code) } } }
        }
    }
}

fn words(who: &str, meanings: impl Iterator<Item = (&'static str, &'static str)>) -> Markup {
    html! {
        h3 { (who) }
        form.words method="post" action="/console" {
            @for (word, meaning) in meanings { div { button name="referenceNo" value=(word) { (word) } " " (meaning) } }
        }
    }
}

fn answer(reply: &Result<BridgeReply, String>) -> Markup {
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => return html! { section role="status" { h2 { "No answer" } p { (error) } } },
    };
    let text = |name: &str| reply.body.get(name).and_then(Value::as_str);
    let notes = |name: &str| reply.body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    html! {
        section role="status" {
            h2 { "The bridge answers " (reply.status) @if let Some(title) = text("title") { ": " (title) } }
            @if let Some(detail) = text("detail") { p { (detail) } }
            @if let Some(wait) = reply.headers.get("retry-after").and_then(|wait| wait.to_str().ok()) {
                p { "Send the same request again, with the same Idempotency-Key, after " (wait) " seconds." }
            }
            @for (name, list) in [("Errors", notes("errors")), ("Warnings", notes("warnings"))] {
                @if !list.is_empty() {
                    h3 { (name) }
                    ul { @for note in &list { li { code { (part(note, "pointer")) } " " (part(note, "code")) ": " (part(note, "detail")) } } }
                }
            }
            @if let Some(link) = text("bankIdUrl") { p { a href=(link) { "Sign it with BankID" } } }
            @if let Some(order_id) = text("orderId") { p { a href=(format!("/console/orders/{order_id}")) { "Watch the order" } } }
            details { summary { "The whole reply" } pre tabindex="0" { (serde_json::to_string_pretty(&reply.body).unwrap_or_default()) } }
        }
    }
}

fn part<'v>(note: &'v Value, name: &str) -> &'v str {
    note.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The request as code to copy.
fn snippets(base: &str, request: &Request) -> [(&'static str, String); 3] {
    let Request { api_key, idempotency_key, body } = request;
    [
        (
            "curl",
            format!(
                "curl {base}/orders \\\n  -H 'Authorization: Bearer {api_key}' -H 'Idempotency-Key: {idempotency_key}' \\\n  \
                 -d @- <<'ORDER'\n{body}\nORDER\n"
            ),
        ),
        (
            "PHP",
            format!(
                "<?php\n$order = <<<'ORDER'\n{body}\nORDER;\n$call = curl_init('{base}/orders');\ncurl_setopt_array($call, [\n    \
                 CURLOPT_POSTFIELDS => $order,\n    CURLOPT_HTTPHEADER => ['Authorization: Bearer {api_key}', \
                 'Idempotency-Key: {idempotency_key}'],\n    CURLOPT_RETURNTRANSFER => true,\n    CURLOPT_TIMEOUT => 35,\n]);\n\
                 $reply = json_decode(curl_exec($call), true);\n"
            ),
        ),
        (
            "Node.js",
            format!(
                "const order = {body};\nconst reply = await fetch('{base}/orders', {{\n  method: 'POST',\n  headers: {{ \
                 'Authorization': 'Bearer {api_key}', 'Idempotency-Key': '{idempotency_key}' }},\n  body: JSON.stringify(order),\n  \
                 signal: AbortSignal.timeout(35_000),\n}});\nconsole.log(reply.status, await reply.json());\n"
            ),
        ),
    ]
}
