//! Explains an answer of the bridge.

use maud::{Markup, html};
use serde_json::Value;

use crate::bridge_client::{self, BridgeReply};
use crate::page::badge;

/// What happened, why, and what to do next.
pub(super) fn explained(reply: &Result<BridgeReply, String>) -> Markup {
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => return html! { section.answer role="status" { h2 { "No answer" } p { (error) } } },
    };
    let text = |name: &str| reply.body.get(name).and_then(Value::as_str);
    let tone = if reply.status < 300 { "good" } else { "bad" };
    html! {
        section class=(format!("answer {tone}")) role="status" {
            h2 { "The bridge answers " (reply.status) @if let Some(title) = text("title") { ": " (title) } }
            @if let Some(status) = text("status") { p { "The order is " (badge(status)) } }
            @if let Some(detail) = text("detail") { p { (detail) } }
            @if let Some(step) = text("nextStep") { p { code { "nextStep: " (step) } " " (meaning_of(step)) } }
            @if let Some(wait) = reply.headers.get("retry-after").and_then(|wait| wait.to_str().ok()) {
                p { code { "Retry-After: " (wait) } }
            }
            @for name in ["errors", "warnings"] { (violations(name, reply.body.get(name))) }
            p.actions {
                @if let Some(link) = text("bankIdUrl") { a.button href=(link) { "Sign it with BankID" } }
                @if let Some(order_id) = text("orderId") {
                    a.button.secondary href=(format!("/console/orders/{order_id}")) { "Watch the order" }
                }
            }
            details {
                summary { "The whole reply" }
                pre tabindex="0" { (serde_json::to_string_pretty(&reply.body).unwrap_or_default()) }
            }
        }
    }
}

/// What `nextStep` means for a person.
fn meaning_of(step: &str) -> &'static str {
    match step {
        "correct" => "Nothing was created. Change the request; the same Idempotency-Key may be used.",
        "retry" => "Send the same request again, with the same Idempotency-Key.",
        "look" => "Front Payment may have the order. A person looks there before anything is sent again.",
        "read" => "The order exists. Read it by its orderId.",
        _ => "",
    }
}

fn violations(name: &str, list: Option<&Value>) -> Markup {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    html! {
        @if !list.is_empty() {
            h3 { (name) }
            ul { @for it in list { li { code { (place(it)) } " " (part(it, "code")) ": " (part(it, "detail")) } } }
        }
    }
}

/// The place of a violation: a pointer into the body, or a header or parameter.
fn place(violation: &Value) -> &str {
    let pointer = part(violation, "pointer");
    let named = if pointer.is_empty() { part(violation, "parameter") } else { pointer };
    bridge_client::place(named, part(violation, "code"))
}

pub(crate) fn part<'v>(violation: &'v Value, name: &str) -> &'v str {
    violation.get(name).and_then(Value::as_str).unwrap_or_default()
}
