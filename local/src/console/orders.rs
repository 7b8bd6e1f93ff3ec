//! All orders of the bridge.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::order_view::OrderView;
use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::Value;

use super::Console;
use crate::page::{badge, table, time};

/// The most orders on the page.
const MAX_LISTED: usize = 200;

/// `?status=` selects a status; `?search=` finds a part of a status, reference, shop or id.
pub(super) async fn list(State(console): State<Arc<Console>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let field = |name: &str| query.get(name).map(|value| value.trim()).unwrap_or_default();
    let (status, search) = (field("status"), field("search").to_lowercase());
    let now = Timestamp::now();
    let mut all = match console.store.all() {
        Ok(all) => all,
        Err(error) => return console.frame.broken(&error),
    };
    all.sort_by_key(|order| std::cmp::Reverse(order.created_at));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for order in &all {
        *counts.entry(order.status_at(now).name()).or_default() += 1;
    }
    let is_wanted = |order: &&StoredOrder| {
        (status.is_empty() || order.status_at(now).name() == status)
            && texts(order).iter().any(|text| text.to_lowercase().contains(&search))
    };
    let found: Vec<_> = all.iter().filter(is_wanted).collect();
    let filters = html! {
        nav.filters aria-label="Statuses" {
            a href="/console/orders" aria-current=[status.is_empty().then_some("true")] { "All " (all.len()) }
            @for (name, count) in &counts {
                a href=(format!("/console/orders?status={name}")) aria-current=[(*name == status).then_some("true")] { (name) " " (count) }
            }
        }
        form.search role="search" {
            @if !status.is_empty() { input type="hidden" name="status" value=(status); }
            label for="search" { "Reference, shop or id" }
            input #search type="search" name="search" value=(search);
            button.secondary { "Search" }
        }
    };
    let content = html! {
        @if all.is_empty() {
            p { "There are no orders yet." }
            p { a.button href="/console" { "Try an order" } }
        } @else if found.is_empty() {
            p { "No order matches. " a href="/console/orders" { "Show all" } }
        } @else {
            (orders(&found, now))
            @if found.len() > MAX_LISTED { p { "The latest " (MAX_LISTED) " of " (found.len()) "." } }
        }
    };
    console.frame.live_page("/console/orders", "Orders", &filters, &content)
}

fn orders(found: &[&StoredOrder], now: Timestamp) -> Markup {
    let columns = ["Order", "Status", "Notified", "Total", "Shop", "Created (UTC)", "At Front Payment"];
    let rows = found.iter().take(MAX_LISTED).map(|order| {
        let read = serde_json::to_value(OrderView::new(order, now)).unwrap_or_default();
        let reference = order.reference_no.as_deref().unwrap_or("without a reference");
        vec![
            html! { a href=(format!("/console/orders/{}", order.order_id)) { (reference) } },
            badge(order.status_at(now).name()),
            notified(&read),
            html! { (order.grand_total) " kr" },
            html! { (order.shop_id) },
            time(order.created_at),
            match &order.order_uuid {
                Some(uuid) => html! { a href=(format!("/front-payment/portal/{uuid}")) { (uuid) } },
                None => html! { "–" },
            },
        ]
    });
    table("Orders", &columns, &rows.collect::<Vec<_>>())
}

/// The state of the latest notification.
pub(super) fn notified(read: &Value) -> Markup {
    match read.pointer("/notified/state").and_then(Value::as_str) {
        Some(state) => html! {
            (badge(state))
            @if let Some(error) = read.pointer("/notified/lastError").and_then(Value::as_str) { " " small { (error) } }
        },
        None => html! { "–" },
    }
}

fn texts(order: &StoredOrder) -> [String; 5] {
    [
        order.status.name().to_owned(),
        order.reference_no.clone().unwrap_or_default(),
        order.shop_id.clone(),
        order.order_id.to_string(),
        order.order_uuid.clone().unwrap_or_default(),
    ]
}
