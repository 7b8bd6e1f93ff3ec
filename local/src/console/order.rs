//! The page of one order: its calls, and what its shop reads.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::order_view::OrderView;
use front_payment_bridge::store::OrderStore;
use http::StatusCode;
use maud::{Markup, html};
use uuid::Uuid;

use super::{Console, broken, timeline};

pub(super) async fn show(State(console): State<Arc<Console>>, Path(order_id): Path<Uuid>) -> Response {
    let order = match console.store.load(order_id).await {
        Ok(Some(order)) => order,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => return broken(&error).into_response(),
    };
    let title = order.reference_no.as_ref().map_or("Order".to_owned(), |reference| format!("Order {reference}"));
    console.frame.page(&title, true, &content(&console, &order))
}

fn content(console: &Console, order: &StoredOrder) -> Markup {
    let now = console.frame.clock.now();
    let read = serde_json::to_string_pretty(&OrderView::new(order, now)).unwrap_or_default();
    let due = order.tell_at.into_iter().chain(order.ask_at).min().and_then(|due_at| jiff::Timestamp::from_second(due_at).ok());
    html! {
        p {
            "Status: " strong { (order.status_at(now).name()) } ", " (order.grand_total) " kr, shop " (order.shop_id)
            @if let Some(uuid) = &order.order_uuid {
                ", at Front Payment " a href=(format!("/front-payment/portal/{uuid}")) { (uuid) }
            }
            @if let Some(link) = &order.bank_id_url { ". " a href=(link) { "Sign with BankID" } }
        }
        @if let Some(due) = due { p { "The worker looks at it next at " (due.strftime("%Y-%m-%d %H:%M:%S")) " UTC." } }
        h2 { "What happened" }
        (timeline::of(&console.journal.of_order(order.order_id)))
        h2 { "What the shop reads" }
        p { code { "GET /orders/" (order.order_id) } }
        pre tabindex="0" { (read) }
    }
}
