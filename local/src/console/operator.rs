//! The operator's page: orders that wait for a person, and events for the worker.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::Console;
use super::answer::part;
use crate::page::table;
use crate::sandbox::form_value;

const FOUND: &str = "found";
const NOT_CREATED: &str = "not-created";
const TELL: &str = "tell";
const EVENT: &str = "event";

const EXAMPLE: &str = r#"{"waiting":{}}"#;

pub(super) async fn show(State(console): State<Arc<Console>>) -> Response {
    page(&console, &html! {}).await
}

/// Sends the event of a form to the worker.
pub(super) async fn decide(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    let answer = match event_of(&body) {
        Ok(event) => match console.worker.invoke(&event).await {
            Ok(answer) => answered(&event, &answer),
            Err(error) => failed(&error),
        },
        Err(error) => failed(error),
    };
    console.frame.announce();
    page(&console, &answer).await
}

/// Passes an event to the worker and returns its answer as JSON, for programs.
pub(super) async fn event(State(console): State<Arc<Console>>, body: Bytes) -> Response {
    let Ok(event) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "the event is not JSON" }))).into_response();
    };
    let answer = console.worker.invoke(&event).await;
    console.frame.announce();
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error }))).into_response(),
    }
}

/// The event that a form asks for.
fn event_of(body: &[u8]) -> Result<Value, &'static str> {
    let field = |name: &str| form_value(body, name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let fields =
        |names: &[&str]| names.iter().filter_map(|name| Some(((*name).to_owned(), field(name)?.into()))).collect::<Map<_, _>>();
    let mut event = Map::new();
    match field("decision").as_deref() {
        Some(FOUND) => event.insert("settle".to_owned(), fields(&["orderId", "orderUuid", "referenceNo"]).into()),
        Some(NOT_CREATED) => event.insert("settle".to_owned(), json!({ "orderId": field("orderId"), "created": false })),
        Some(TELL) => event.insert("tell".to_owned(), fields(&["shopId", "since"]).into()),
        Some(EVENT) => {
            let text = field("event").unwrap_or_default();
            return serde_json::from_str(&text).map_err(|_| "The event is not JSON.");
        }
        _ => return Err("The page has no such button."),
    };
    event.extend(fields(&["by", "reason"]));
    Ok(event.into())
}

async fn page(console: &Console, answer: &Markup) -> Response {
    let waiting = console.worker.invoke(&json!({ "waiting": {} })).await;
    let content = match &waiting {
        Ok(answer) => waiting_orders(answer),
        Err(error) => failed(error),
    };
    let fixed = html! {
        (answer)
        p {
            "Only a person can find out whether Front Payment has an order whose reply was lost. What is decided here goes to the \
             worker as an event, as the operator sends it on AWS with " code { "aws lambda invoke" } "."
        }
    };
    let content = html! { h2 { "Orders that wait for the operator" } (content) (other_events()) };
    console.frame.live_page("/console/operator", "Operator", &fixed, &content)
}

fn waiting_orders(answer: &Value) -> Markup {
    let waiting = answer.get("waiting").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let columns = ["Order", "Total", "Shop", "Sent (UTC)", "It is at Front Payment", "It is not"];
    let rows = waiting.iter().map(|order| {
        let (id, reference) = (part(order, "orderId"), part(order, "referenceNo"));
        vec![
            html! { a id=(id) href=(format!("/console/orders/{id}")) { (if reference.is_empty() { "without a reference" } else { reference }) } },
            html! { (part(order, "grandTotal")) " kr" },
            html! { (part(order, "shopId")) },
            html! { (part(order, "attemptedAt").get(..19).unwrap_or_default().replace('T', " ")) },
            html! {
                form.settle method="post" {
                    input type="hidden" name="orderId" value=(id);
                    input type="hidden" name="referenceNo" value=(reference);
                    input name="orderUuid" required placeholder="ODR…" aria-label=(format!("Uuid of {reference} in the portal"));
                    button.secondary name="decision" value=(FOUND) { "It is this one" }
                }
            },
            html! {
                form.settle method="post" {
                    input type="hidden" name="orderId" value=(id);
                    button.secondary name="decision" value=(NOT_CREATED) { "It was not created" }
                }
            },
        ]
    });
    let rows: Vec<_> = rows.collect();
    html! {
        @if rows.is_empty() {
            p { "None. An order whose reply was lost is here a minute after it was sent. The word " code { "lost-reply" }
                " makes one, and the clock can be moved." }
        }
        @else {
            p { "Look for the reference in " a href="/front-payment/portal" { "the portal" } ". An order counts as not created only \
                 if it is not there ten minutes after it was sent: the clock can be moved." }
            (table("Orders that wait for the operator", &columns, &rows))
            @if answer.get("next").is_some() { p { "These are the oldest. More wait behind them." } }
        }
    }
}

fn other_events() -> Markup {
    html! {
        h2 { "Other events" }
        details {
            summary { "Tell a shop again what it has missed" }
            form method="post" {
                div.fields {
                    label { "Shop" input name="shopId" value="demo-shop" required; }
                    label { "Changed since" input name="since" placeholder="2026-01-31T12:00:00Z" required; }
                    (log_fields())
                }
                button.secondary name="decision" value=(TELL) { "Tell it" }
            }
        }
        details {
            summary { "Any event" }
            form method="post" {
                label for="event" { "JSON, as docs/runbook.md has it" }
                textarea #event name="event" rows="4" spellcheck="false" { (EXAMPLE) }
                button.secondary name="decision" value=(EVENT) { "Send it" }
            }
        }
    }
}

/// The fields `by` and `reason`, which the log shows.
fn log_fields() -> Markup {
    html! {
        label { "By (a staff id)" input name="by" maxlength="200"; }
        label { "Reason" input name="reason" maxlength="200"; }
    }
}

fn answered(event: &Value, answer: &Value) -> Markup {
    let error = answer.get("error").and_then(Value::as_str);
    html! {
        section class=(if error.is_some() { "answer bad" } else { "answer good" }) role="status" {
            h2 { @if error.is_some() { "Nothing was changed" } @else { "Done" } }
            @if let Some(error) = error { p { (error) } }
            @if let Some(order_id) = answer.get("orderId").and_then(Value::as_str) {
                p { a href=(format!("/console/orders/{order_id}")) { "The order" } " is " (part(answer, "status")) "." }
            }
            details {
                summary { "Event and answer" }
                pre tabindex="0" { (event) "\n\n" (answer) }
            }
        }
    }
}

fn failed(error: &str) -> Markup {
    html! { section.answer.bad role="status" { h2 { "No answer" } p { (error) } } }
}
