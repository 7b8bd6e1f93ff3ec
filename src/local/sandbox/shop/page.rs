//! The shop's pages.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::html;

use super::notifications::listed;
use crate::local::sandbox::pages::{not_found, page};
use crate::local::sandbox::{Sandbox, api};

/// What the shop was told, the latest first.
pub(super) async fn notifications(State(sandbox): State<Arc<Sandbox>>) -> Response {
    let notifications = match listed(&sandbox) {
        Ok(notifications) => notifications,
        Err(error) => return api::broken(&error),
    };
    page(
        "The shop's notifications (sandbox)",
        &html! {
            @if notifications.is_empty() { p { "The shop was not notified yet." } }
            table {
                tr { th { "When" } th { "Order" } th { "Status" } th { "Format" } th { "Verified" } th { "Answer" } }
                @for told in &notifications {
                    tr {
                        td { (format!("{:.3}", told.at)) } td { (told.order_uuid) } td { (told.status) }
                        td { (<&str>::from(told.format)) }
                        td { @if let Some(reason) = &told.reason { "no: " (reason) } @else { "yes" } }
                        td { @if let Some(status) = told.answer { (status) } @else { "none" } }
                    }
                }
            }
            p { a href=(format!("{}/portal", sandbox.base)) { "Front Payment's portal" } }
        },
    )
}

/// Where customers come back to.
pub(super) async fn after_bank_id(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "success" => page("Thank you for your order", &html! { p { "The invoice is on its way." } }),
        "failure" => page("The order was not completed", &html! { p { "Nothing will be invoiced." } }),
        _ => not_found(),
    }
}
