//! Front Payment's own pages.

pub(super) mod bank_id;
pub(super) mod portal;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::{Sandbox, SandboxOrder};

pub(super) async fn no_page(State(sandbox): State<Arc<Sandbox>>) -> Response {
    not_found(&sandbox)
}

pub(super) fn not_found(sandbox: &Sandbox) -> Response {
    sandbox.frame.not_found()
}

/// The buttons for an order that waits for the customer's signature.
fn decide(order: &SandboxOrder, is_secondary: bool) -> Markup {
    let Some(link) = order.link.as_ref().filter(|_| order.status == "SENT") else { return html! {} };
    let path = format!("/front-payment/bankid/{link}");
    html! {
        form.actions method="post" {
            button.secondary[is_secondary] formaction=(format!("{path}/sign")) { "Sign" }
            button.secondary formaction=(format!("{path}/decline")) { "Decline" }
        }
    }
}

/// The order lines.
fn lines(order: &SandboxOrder) -> Markup {
    html! {
        table.lines aria-label="What is bought" {
            tr { th scope="col" { "What" } th scope="col" { "Quantity" } th scope="col" { "Amount" } }
            @for line in &order.lines { tr { td { (line.name) } td { (line.quantity) } td { (line.amount) } } }
            tr { th scope="row" colspan="2" { "Total" } td { strong { (order.grand_total) " kr" } } }
        }
    }
}

/// The host of the shop's success page, because an order does not name its seller.
fn seller(order: &SandboxOrder) -> String {
    let url = url::Url::parse(&order.success).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
