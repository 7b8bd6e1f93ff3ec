//! Front Payment's portal: lists orders, sets their status, refunds them, and repeats or loses callbacks.

use std::cmp::Ordering;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use bigdecimal::{BigDecimal, Zero};
use front_payment_bridge::order::{Decimal, StatusWord};
use front_payment_bridge::store::StoreError;
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};

use super::{decide, lines, not_found, seller};
use crate::page::{badge, table, time};
use crate::sandbox::clock::{back, form_value};
use crate::sandbox::{Sandbox, SandboxOrder, callbacks};

/// Front Payment's status words, in its spelling.
const STATUSES: [&str; 13] = [
    "SENT",
    "RESEVRED",
    "EXPIRED",
    "INVOICED",
    "Purring",
    "Inkasso",
    "CHARGED",
    "CAPTURED",
    "PAID",
    "CANCELLED",
    "refund pending",
    "PARTIAL REFUNDED",
    "REFUNDED",
];
const PORTAL: &str = "/front-payment/portal";
/// What happens to the callback about a new status.
const CALLBACKS: [(&str, &str); 3] = [("once", "is sent"), ("twice", "is sent twice"), ("lost", "gets lost")];

pub(in crate::sandbox) async fn list(State(sandbox): State<Arc<Sandbox>>) -> Response {
    let mut orders = match sandbox.orders() {
        Ok(orders) => orders,
        Err(error) => return sandbox.frame.broken(&error),
    };
    orders.sort_by_key(|order| std::cmp::Reverse(order.created_at));
    let columns = ["Order", "Reference", "Status", "Total", "Since (UTC)", "Customer"];
    let rows = orders.iter().map(|order| {
        vec![
            html! { a href=(format!("{PORTAL}/{}", order.uuid)) { (order.uuid) } },
            html! { (order.reference_no) },
            badge(&order.status),
            html! { (order.grand_total) " kr" },
            order.aging_since().map(time).unwrap_or_default(),
            decide(order, true),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let content = html! {
        @if rows.is_empty() { p { "There are no orders yet." } }
        @else { (table("Orders at Front Payment", &columns, &rows)) }
    };
    let intro = html! { p { "Every order that Front Payment has. Open one to give it another status, or to refund it." } };
    sandbox.frame.live_page(PORTAL, "Portal", &intro, &content)
}

pub(in crate::sandbox) async fn show(State(sandbox): State<Arc<Sandbox>>, Path(uuid): Path<String>) -> Response {
    match sandbox.find(&uuid) {
        Ok(Some(order)) => sandbox.frame.live_page(PORTAL, &format!("Order {uuid}"), &html! {}, &details(&sandbox, &order)),
        Ok(None) => not_found(&sandbox),
        Err(error) => sandbox.frame.broken(&error),
    }
}

fn details(sandbox: &Sandbox, order: &SandboxOrder) -> Markup {
    let path = format!("{PORTAL}/{}", order.uuid);
    html! {
        dl.facts {
            div { dt { "Status" } dd { (badge(&order.status)) } }
            div { dt { "Reference" } dd { (order.reference_no) } }
            div { dt { "Sold by" } dd { (seller(order)) } }
            @if order.refunded_amount != "0" { div { dt { "Refunded" } dd { (order.refunded_amount) " kr" } } }
            @if sandbox.frame.has_bridge && let Some(order_id) = order.bridge_id() {
                div { dt { "In the bridge" } dd { a href=(format!("/console/orders/{order_id}")) { "The same order" } } }
            }
        }
        (lines(order))
        (decide(order, false))
        h2 { "What Front Payment does next" }
        form method="post" action=(format!("{path}/status")) {
            div.fields {
                label { "New status"
                    select name="status" {
                        @for status in STATUSES {
                            option selected[StatusWord::read(status) == StatusWord::read(&order.status)] { (status) }
                        }
                    }
                }
                (callback_field("Its callback"))
                button.secondary { "Set the status" }
            }
        }
        form method="post" action=(format!("{path}/refund")) {
            div.fields {
                label { "Refund in kroner" input name="amount" inputmode="decimal" required; }
                (callback_field("The callback of the refund"))
                button.secondary { "Refund" }
            }
        }
        form.actions method="post" action=(format!("{path}/callback")) { button.secondary { "Repeat the latest callback" } }
    }
}

fn callback_field(name: &str) -> Markup {
    html! {
        label { (name)
            select name="callback" { @for (value, name) in CALLBACKS { option value=(value) { (name) } } }
        }
    }
}

pub(in crate::sandbox) async fn set_status(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Accepts any spelling: `PARTIAL_REFUNDED` means `PARTIAL REFUNDED`.
    let wanted = form_value(&body, "status").map(|status| StatusWord::read(&status));
    let status = STATUSES.into_iter().find(|status| Some(StatusWord::read(status)) == wanted);
    let Some(status) = status.map(str::to_owned) else { return not_found(&sandbox) };
    let changed = sandbox.set_status(uuid.clone(), None, status).await;
    called(&sandbox, &headers, changed, callbacks_asked_for(&body)).await
}

/// Refunds a part of the total, or all that is left of it.
pub(in crate::sandbox) async fn refund(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let amount = form_value(&body, "amount").unwrap_or_default();
    match sandbox.find(&uuid) {
        Ok(Some(order)) if refunded(order.clone(), &amount).is_none() => return not_refundable(&sandbox, &order),
        _ => {}
    }
    let changed = sandbox.change(uuid, move |order| refunded(order, &amount)).await;
    called(&sandbox, &headers, changed, callbacks_asked_for(&body)).await
}

/// The order with a refund. `None` if `amount` is not a plain decimal above zero, or is more than is left.
fn refunded(order: SandboxOrder, amount: &str) -> Option<SandboxOrder> {
    let value = |text: &str| Decimal::parse(text).ok()?.text().parse::<BigDecimal>().ok();
    let amount = value(amount).filter(|amount| *amount > BigDecimal::zero())?;
    let (refunded, total) = (value(&order.refunded_amount)? + amount, value(&order.grand_total)?);
    let status = match refunded.cmp(&total) {
        Ordering::Less => "PARTIAL REFUNDED",
        Ordering::Equal => "REFUNDED",
        Ordering::Greater => return None,
    };
    Some(SandboxOrder { status: status.to_owned(), refunded_amount: refunded.normalized().to_plain_string(), ..order })
}

fn not_refundable(sandbox: &Sandbox, order: &SandboxOrder) -> Response {
    let SandboxOrder { grand_total, refunded_amount, .. } = order;
    let text = format!("A refund is an amount above 0, like 10.50. {refunded_amount} of {grand_total} kr are refunded already.");
    sandbox.frame.error(StatusCode::UNPROCESSABLE_ENTITY, "Not refunded", &text)
}

fn callbacks_asked_for(body: &[u8]) -> usize {
    match form_value(body, "callback").as_deref() {
        Some("lost") => 0,
        Some("twice") => 2,
        _ => 1,
    }
}

pub(in crate::sandbox) async fn repeat_callback(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
) -> Response {
    let order = sandbox.find(&uuid);
    called(&sandbox, &headers, order, 1).await
}

async fn called(
    sandbox: &Sandbox,
    headers: &HeaderMap,
    order: Result<Option<SandboxOrder>, StoreError>,
    callbacks: usize,
) -> Response {
    let order = match order {
        Ok(Some(order)) => order,
        Ok(None) => return not_found(sandbox),
        Err(error) => return sandbox.frame.broken(&error),
    };
    if callbacks == 0 {
        callbacks::lose(&order);
    }
    for _ in 0..callbacks {
        callbacks::send(sandbox, &order, &order.status).await;
    }
    sandbox.frame.announce();
    back(headers, &format!("{PORTAL}/{}", order.uuid))
}
