//! The BankID page: the customer signs an order, or declines.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::{decide, lines, not_found, seller};
use crate::sandbox::{Sandbox, SandboxOrder, callbacks};
use crate::store::database_error;

pub(in crate::sandbox) async fn show(State(sandbox): State<Arc<Sandbox>>, Path(link): Path<String>) -> Response {
    let order = match sandbox.find_link(&link) {
        Ok(Some(order)) => order,
        Ok(None) => return not_found(&sandbox),
        Err(error) => return sandbox.frame.broken(&error),
    };
    sandbox.frame.customer_page(
        "BankID",
        &html! {
            p { "You buy this from " strong { (seller(&order)) } " and get an invoice. Reference: " (order.reference_no) }
            (lines(&order))
            @if order.status == "SENT" { (decide(&order, false)) }
            @else { p { "There is nothing to sign: the order is " strong { (order.status) } "." } }
            p { small { "A sandbox: nobody is identified, and nothing is invoiced." } }
        },
    )
}

pub(in crate::sandbox) async fn sign(State(sandbox): State<Arc<Sandbox>>, Path(link): Path<String>) -> Response {
    decided(sandbox, link, "INVOICED").await
}

pub(in crate::sandbox) async fn decline(State(sandbox): State<Arc<Sandbox>>, Path(link): Path<String>) -> Response {
    decided(sandbox, link, "CANCELLED").await
}

async fn decided(sandbox: Arc<Sandbox>, link: String, status: &'static str) -> Response {
    // Runs in a task of its own, so that the callback is sent even if the browser disconnects.
    let deciding = {
        let sandbox = sandbox.clone();
        tokio::spawn(async move {
            let Some(order) = sandbox.find_link(&link)? else { return Ok(None) };
            // Only the first decision counts.
            let changed = sandbox.set_status(order.uuid.clone(), Some("SENT".to_owned()), status.to_owned()).await?;
            if let Some(changed) = &changed {
                callbacks::announce(&sandbox, changed).await;
                sandbox.frame.announce();
            }
            Ok(changed.or(sandbox.find(&order.uuid)?))
        })
    };
    match deciding.await.unwrap_or_else(|error| Err(database_error(error))) {
        Ok(Some(order)) => Redirect::to(back_to_shop(&order)).into_response(),
        Ok(None) => not_found(&sandbox),
        Err(error) => sandbox.frame.broken(&error),
    }
}

fn back_to_shop(order: &SandboxOrder) -> &str {
    if order.status == "INVOICED" { &order.success } else { &order.failure }
}
