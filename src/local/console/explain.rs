//! Why a callback or a notification is believed, or not.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use maud::html;
use url::Url;
use uuid::Uuid;

use super::Console;
use crate::local::explain::{self, Known};
use crate::store::OrderStore;

/// `?url=` is what was called.
pub(super) async fn show(State(console): State<Arc<Console>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let given = query.get("url").map(|url| url.trim()).unwrap_or_default();
    let lines = match Url::parse(given) {
        Ok(url) => explained(&console, &url).await,
        Err(_) if given.is_empty() => Vec::new(),
        Err(_) => vec!["This is not a whole URL, from http to the checksum.".to_owned()],
    };
    console.frame.page(
        "Explain a call",
        false,
        &html! {
            p { "Why does the bridge believe a callback of Front Payment's, or a shop a notification, or why not? The keys are \
                 the sandbox's. For others: " code { "cargo run -- explain URL --secret FILE" } "." }
            form {
                label for="url" { "The whole URL that was called" }
                textarea #url name="url" rows="4" spellcheck="false" { (given) }
                button { "Explain" }
            }
            @if !lines.is_empty() { section role="status" { ul { @for line in &lines { li { (line) } } } } }
        },
    )
}

async fn explained(console: &Console, url: &Url) -> Vec<String> {
    let order_id = explain::order_id(url);
    let stored = match order_id.as_deref().and_then(|id| Uuid::try_parse(id).ok()) {
        Some(order_id) => console.store.load(order_id).await.ok().flatten(),
        None => None,
    };
    let known = stored.map(|order| Known { order_uuid: order.order_uuid, grand_total: order.details.grand_total });
    explain::lines(url, &explain::sandbox_keys(order_id.is_some()), known.as_ref())
}
