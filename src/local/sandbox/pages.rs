//! The pages of BankID and of the portal.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use super::{Sandbox, api, callbacks};
use crate::store::database_error;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem}\
    button{font:inherit;padding:.5rem 1.5rem;margin-right:1rem}td,th{text-align:left;padding:.25rem 1rem .25rem 0}";

pub(super) fn page(title: &str, content: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (title) } style { (STYLE) } }
            body { h1 { (title) } (content) }
        }
    };
    Html(page.into_string()).into_response()
}

pub(super) fn not_found() -> Response {
    let mut reply = page("Page not found", &html! { p { "The sandbox has no page at this link." } });
    *reply.status_mut() = StatusCode::NOT_FOUND;
    reply
}

/// BankID: an order to sign or to decline.
pub(super) async fn bank_id(State(sandbox): State<Arc<Sandbox>>, Path(link): Path<String>) -> Response {
    let order = match sandbox.find_link(&link) {
        Ok(Some(order)) => order,
        Ok(None) => return not_found(),
        Err(error) => return api::broken(&error),
    };
    page(
        "BankID (sandbox)",
        &html! {
            p { "Order " (order.uuid) ", reference " (order.reference_no) ": " strong { (order.grand_total) " kr" } }
            @if order.status == "SENT" {
                (decide(&sandbox.base, &link))
            } @else {
                p { "Its status is " (order.status) "." }
            }
        },
    )
}

fn decide(base: &str, link: &str) -> Markup {
    html! {
        form method="post" {
            button formaction=(format!("{base}/bankid/{link}/sign")) { "Sign" }
            button formaction=(format!("{base}/bankid/{link}/decline")) { "Decline" }
        }
    }
}

pub(super) async fn sign(State(sandbox): State<Arc<Sandbox>>, Path(link): Path<String>) -> Response {
    decided(sandbox, link, "INVOICED").await
}

pub(super) async fn decline(State(sandbox): State<Arc<Sandbox>>, Path(link): Path<String>) -> Response {
    decided(sandbox, link, "CANCELLED").await
}

async fn decided(sandbox: Arc<Sandbox>, link: String, status: &'static str) -> Response {
    // In a task of its own: the callback is sent even if the browser disconnects.
    let deciding = tokio::spawn(async move {
        let decided = sandbox.decide(link, status).await?;
        if let Some((order, true)) = &decided {
            callbacks::announce(&sandbox, order).await;
        }
        Ok(decided)
    });
    let order = match deciding.await.unwrap_or_else(|error| Err(database_error(error))) {
        Ok(Some((order, _))) => order,
        Ok(None) => return not_found(),
        Err(error) => return api::broken(&error),
    };
    Redirect::to(if order.status == "INVOICED" { &order.success } else { &order.failure }).into_response()
}

/// Front Payment's portal: every order, with its reference.
pub(super) async fn portal(State(sandbox): State<Arc<Sandbox>>) -> Response {
    let mut orders = match sandbox.orders() {
        Ok(orders) => orders,
        Err(error) => return api::broken(&error),
    };
    orders.sort_by_key(|order| std::cmp::Reverse(order.created_at));
    page(
        "Front Payment's portal (sandbox)",
        &html! {
            @if orders.is_empty() { p { "There are no orders yet." } }
            table {
                tr { th { "Order" } th { "Reference" } th { "Total" } th { "Status" } th {} }
                @for order in &orders {
                    tr {
                        td { (order.uuid) } td { (order.reference_no) } td { (order.grand_total) } td { (order.status) }
                        td { @if let (Some(link), "SENT") = (&order.link, order.status.as_str()) { (decide(&sandbox.base, link)) } }
                    }
                }
            }
            p { a href=(format!("{}/shop", sandbox.base)) { "The shop's notifications" } }
        },
    )
}
