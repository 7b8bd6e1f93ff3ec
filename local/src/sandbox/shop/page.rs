//! The shop's pages.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::html;

use super::notifications::listed;
use crate::sandbox::pages::not_found;
use crate::sandbox::{Sandbox, api};

/// What the shop was told, the latest first.
pub(super) async fn notifications(State(sandbox): State<Arc<Sandbox>>) -> Response {
    let notifications = match listed(&sandbox) {
        Ok(notifications) => notifications,
        Err(error) => return api::broken(&error),
    };
    sandbox.frame.page(
        "The shop",
        true,
        &html! {
            p { "What the bridge told the shop, the latest first, and whether the shop could verify it." }
            @if notifications.is_empty() { p { "The shop was not notified yet." } }
            div.wide tabindex="0" role="region" aria-label="Notifications" { table {
                tr { @for name in ["When", "Order", "Status", "Format", "Verified", "Answer"] { th scope="col" { (name) } } }
                @for told in &notifications {
                    tr {
                        td { (format!("{:.3}", told.at)) } td { (told.order_uuid) } td { (told.status) }
                        td { (<&str>::from(told.format)) }
                        td { @if let Some(reason) = &told.reason { "no: " (reason) } @else { "yes" } }
                        td { @if let Some(status) = told.answer { (status) } @else { "none" } }
                    }
                }
            } }
        },
    )
}

/// Where customers come back to.
pub(super) async fn after_bank_id(State(sandbox): State<Arc<Sandbox>>, Path(name): Path<String>) -> Response {
    let page = |title, text| sandbox.frame.page(title, false, &html! { p { (text) } });
    match name.as_str() {
        "success" => page("Thank you for your order", "The invoice is on its way."),
        "failure" => page("The order was not completed", "Nothing will be invoiced."),
        _ => not_found(&sandbox),
    }
}
