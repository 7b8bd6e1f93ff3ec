//! The shop's pages.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::html;

use super::notifications::listed;
use crate::page::{badge, table, time};
use crate::sandbox::Sandbox;
use crate::sandbox::pages::not_found;

/// The page with the notifications, latest first.
pub(super) async fn notifications(State(sandbox): State<Arc<Sandbox>>) -> Response {
    let notifications = match listed(&sandbox) {
        Ok(notifications) => notifications,
        Err(error) => return sandbox.frame.broken(&error),
    };
    let columns = ["Received (UTC)", "Order", "Status", "Format", "Verified", "Answer"];
    let rows = notifications.iter().map(|told| {
        vec![
            time(told.at),
            html! { (told.order_uuid) },
            badge(&told.status),
            html! { (<&str>::from(told.format)) },
            html! { @if let Some(reason) = &told.reason { span.badge.bad { "no" } " " (reason) } @else { span.badge.good { "yes" } } },
            html! { @if let Some(status) = told.answer { (status) } @else { "none" } },
        ]
    });
    let rows: Vec<_> = rows.collect();
    let content = html! {
        @if rows.is_empty() { p { "The shop was not notified yet." } }
        @else { (table("Notifications", &columns, &rows)) }
    };
    let intro = html! { p { "What the bridge told the demo shop, the latest first, and whether the shop could verify it." } };
    sandbox.frame.live_page("/front-payment/shop", "Shop", &intro, &content)
}

/// The page to which customers return.
pub(super) async fn after_bank_id(State(sandbox): State<Arc<Sandbox>>, Path(name): Path<String>) -> Response {
    let page = |title, text| sandbox.frame.customer_page(title, &html! { p { (text) } });
    match name.as_str() {
        "success" => page("Thank you for your order", "The invoice is on its way."),
        "failure" => page("The order was not completed", "Nothing will be invoiced."),
        _ => not_found(&sandbox),
    }
}
