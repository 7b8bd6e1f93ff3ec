//! The page of one order: its actions, its calls, and what its shop reads.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::order_view::OrderView;
use front_payment_bridge::store::OrderStore;
use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::Value;
use uuid::Uuid;

use super::orders::notified;
use super::{Console, answer, timeline};
use crate::bridge_client::{BridgeClient, BridgeReply};
use crate::demo_secret::api_key_of;
use crate::page::{badge, time};
use crate::sandbox::form_value;

const NOTIFY: &str = "notify";
const CANCEL: &str = "cancel";
const REFRESH: &str = "refresh";

pub(super) async fn show(State(console): State<Arc<Console>>, Path(order_id): Path<String>) -> Response {
    match find(&console, &order_id).await {
        Ok(order) => page(&console, &order, &html! {}),
        Err(response) => response,
    }
}

/// Does what a button says, with the API key of the order's shop.
pub(super) async fn act(State(console): State<Arc<Console>>, Path(order_id): Path<String>, body: Bytes) -> Response {
    let order = match find(&console, &order_id).await {
        Ok(order) => order,
        Err(response) => return response,
    };
    let reply = call(&console, &order, &form_value(&body, "action").unwrap_or_default()).await;
    // Reads the order again, because the call has changed it.
    match find(&console, &order_id).await {
        Ok(order) => page(&console, &order, &answer::explained(&reply)),
        Err(response) => response,
    }
}

async fn call(console: &Console, order: &StoredOrder, action: &str) -> Result<BridgeReply, String> {
    let api_key = api_key_of(&order.shop_id).ok_or_else(|| format!("{} is no shop of this sandbox", order.shop_id))?;
    let shop = BridgeClient { client: console.http.clone(), base: &console.frame.base, api_key };
    let url = format!("{}/orders/{}", shop.base, order.order_id);
    let request = match action {
        NOTIFY => shop.client.post(format!("{url}/notifications")),
        CANCEL => shop.client.post(format!("{url}/cancel")),
        REFRESH => shop.client.get(format!("{url}?refresh=true")),
        _ => return Err("The page has no such button.".to_owned()),
    };
    shop.send(request).await
}

async fn find(console: &Console, order_id: &str) -> Result<StoredOrder, Response> {
    let Ok(order_id) = order_id.parse::<Uuid>() else { return Err(not_found(console)) };
    match console.store.load(order_id).await {
        Ok(Some(order)) => Ok(order),
        Ok(None) => Err(not_found(console)),
        Err(error) => Err(console.frame.broken(&error)),
    }
}

fn not_found(console: &Console) -> Response {
    let text = "The bridge has no order with this id. The page Orders lists all of them.";
    console.frame.error(http::StatusCode::NOT_FOUND, "No such order", text)
}

fn page(console: &Console, order: &StoredOrder, answer: &Markup) -> Response {
    let title = order.reference_no.as_ref().map_or("Order".to_owned(), |reference| format!("Order {reference}"));
    console.frame.live_page("/console/orders", &title, answer, &content(console, order))
}

fn content(console: &Console, order: &StoredOrder) -> Markup {
    let view = OrderView::new(order, Timestamp::now());
    let read = serde_json::to_value(&view).unwrap_or_default();
    html! {
        (facts(order, &read))
        (actions(order, &read))
        h2 { "What happened" }
        (timeline::of(&console.journal.of_order(order.order_id)))
        h2 { "What the shop reads" }
        p { code { "GET /orders/" (order.order_id) } }
        pre tabindex="0" { (serde_json::to_string_pretty(&view).unwrap_or_default()) }
    }
}

fn facts(order: &StoredOrder, read: &Value) -> Markup {
    let text = |name: &str| read.get(name).and_then(Value::as_str);
    // The times when it is due, from the indexes, in Unix seconds.
    let stored = serde_json::to_value(order).unwrap_or_default();
    let due = |name: &str| Timestamp::from_second(stored.get(name)?.as_i64()?).ok();
    html! {
        dl.facts {
            div { dt { "Status" } dd { (badge(text("status").unwrap_or_default())) } }
            div { dt { "Notified" } dd { (notified(read)) } }
            div { dt { "Total" } dd { (order.grand_total) " kr" } }
            @if let Some(refunded) = text("refundedAmount") { div { dt { "Refunded" } dd { (refunded) " kr" } } }
            @if text("cancelRequestedAt").is_some() { div { dt { "Cancellation" } dd { "asked for" } } }
            div { dt { "Shop" } dd { (order.shop_id) } }
            div { dt { "Created (UTC)" } dd { (time(order.created_at)) } }
            @if let Some(uuid) = &order.order_uuid {
                div { dt { "At Front Payment" } dd { a href=(format!("/front-payment/portal/{uuid}")) { (uuid) } } }
            }
            @if let Some(at) = due("tellAt") { div { dt { "Shop told next (UTC)" } dd { (time(at)) } } }
            @if let Some(at) = due("askAt") { div { dt { "Front Payment asked next (UTC)" } dd { (time(at)) } } }
        }
    }
}

/// The buttons. The usual next action is highlighted.
fn actions(order: &StoredOrder, read: &Value) -> Markup {
    let status = read.get("status").and_then(Value::as_str).unwrap_or_default();
    let button = |action: &str, name: &str| html! { button.secondary name="action" value=(action) { (name) } };
    html! {
        @if status == "UNKNOWN" { (unknown(order)) }
        form.actions method="post" {
            @if let Some(link) = &order.bank_id_url { a.button href=(link) { "Sign with BankID" } }
            @if let Some(uuid) = &order.order_uuid {
                a.button.secondary href=(format!("/front-payment/portal/{uuid}")) { "Change it at Front Payment" }
                (button(REFRESH, "Ask Front Payment"))
                (button(NOTIFY, "Notify again"))
                (button(CANCEL, "Cancel"))
            }
        }
    }
}

fn unknown(order: &StoredOrder) -> Markup {
    html! {
        section.answer.bad {
            h2 { "What UNKNOWN means" }
            p { "Front Payment may have this order, or not: its reply was lost, or did not say. The bridge does not send it again." }
            ol {
                li {
                    "Look for the reference " strong { (order.reference_no.as_deref().unwrap_or("(it has none)")) }
                    " in " a href="/front-payment/portal" { "the portal" } "."
                }
                li { "It is there: the operator settles the order as that one. Its next callback does the same." }
                li { "It is not there ten minutes later: the operator settles it as not created. The shop sends it again, with the same key." }
            }
            p { a.button href=(format!("/console/operator#{}", order.order_id)) { "Settle it as the operator" } }
        }
    }
}
