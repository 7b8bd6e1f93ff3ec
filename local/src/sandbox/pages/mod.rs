//! Front Payment's own pages.

pub(super) mod bank_id;
pub(super) mod portal;

use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};

use super::{Sandbox, SandboxOrder};

pub(super) fn not_found(sandbox: &Sandbox) -> Response {
    sandbox.frame.error(StatusCode::NOT_FOUND, "Page not found", "The sandbox has no page at this link.")
}

/// The buttons of an order that waits for its customer.
fn decide(sandbox: &Sandbox, order: &SandboxOrder) -> Markup {
    let Some(link) = order.link.as_ref().filter(|_| order.status == "SENT") else { return html! {} };
    let base = &sandbox.base;
    html! {
        form method="post" {
            button formaction=(format!("{base}/bankid/{link}/sign")) { "Sign" }
            button formaction=(format!("{base}/bankid/{link}/decline")) { "Decline" }
        }
    }
}

/// What is bought.
fn lines(order: &SandboxOrder) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="What is bought" { table {
            tr { th scope="col" { "What" } th scope="col" { "Quantity" } th scope="col" { "Amount" } }
            @for line in &order.lines { tr { td { (line.name) } td { (line.quantity) } td { (line.amount) } } }
            tr { th scope="row" colspan="2" { "Total" } td { strong { (order.grand_total) " kr" } } }
        } }
    }
}

/// An order does not name its seller, so this is the host of the shop's success page.
fn seller(order: &SandboxOrder) -> String {
    let url = url::Url::parse(&order.success).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
