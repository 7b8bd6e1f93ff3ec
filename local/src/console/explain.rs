//! Whether a callback or a notification is verified, and why.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use front_payment_bridge::store::OrderStore;
use jiff::Timestamp;
use maud::{Markup, html};
use uuid::Uuid;

use super::Console;
use crate::commands::explain::{Called, Explanation, Known, Verdict, sandbox_keys};

/// Explains the URL or webhook in `?call=`.
pub(super) async fn show(State(console): State<Arc<Console>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let given = query.get("call").map(|call| call.trim()).unwrap_or_default();
    let answer = match Called::read(given) {
        Some(called) => verdict(&explained(&console, &called).await),
        None if given.is_empty() => html! {},
        None => html! {
            section.answer.bad role="status" {
                h2 { "There is nothing to explain" }
                p { "This is neither a whole URL, from http to the checksum, nor the headers and the body of a webhook." }
            }
        },
    };
    console.frame.page(
        "/console/explain",
        "Explain a call",
        &html! {
            p { "Is a callback to the bridge, or a notification to a shop, verified, and why? The keys are the sandbox's. \
                 For others: " code { "cargo run -- explain URL --secret FILE" } "." }
            (answer)
            form {
                label for="call" { "The whole URL that was called; or a webhook's headers, an empty line, and its body" }
                textarea #call name="call" rows="6" spellcheck="false" { (given) }
                button { "Explain" }
            }
        },
    )
}

fn verdict(explanation: &Explanation) -> Markup {
    let tone = match explanation.verdict {
        Verdict::Verified => "good",
        Verdict::Depends => "open",
        Verdict::Unverified => "bad",
    };
    html! {
        section class=(format!("answer {tone}")) role="status" {
            h2 { (explanation.conclusion) }
            ul { @for reason in &explanation.reasons { li { (reason) } } }
        }
    }
}

async fn explained(console: &Console, called: &Called<'_>) -> Explanation {
    let order_id = called.order_id();
    let stored = match order_id.as_deref().and_then(|id| Uuid::try_parse(id).ok()) {
        Some(order_id) => console.store.load(order_id).await.ok().flatten(),
        None => None,
    };
    let known = stored.map(|order| Known { order_uuid: order.order_uuid, grand_total: order.grand_total });
    called.explained(&sandbox_keys(order_id.is_some()), known.as_ref(), Timestamp::now())
}
