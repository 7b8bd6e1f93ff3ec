//! All orders of the bridge.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use front_payment_bridge::order::StoredOrder;
use maud::html;

use super::{Console, broken};

/// Orders on the page.
const MAX_LISTED: usize = 200;

/// `?search=` finds a part of a status, a reference, a shop or an id.
pub(super) async fn list(State(console): State<Arc<Console>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let search = query.get("search").map(|search| search.trim().to_lowercase()).unwrap_or_default();
    let mut orders = match console.store.all() {
        Ok(orders) => orders,
        Err(error) => return broken(&error).into_response(),
    };
    orders.retain(|order| texts(order).iter().any(|text| text.to_lowercase().contains(&search)));
    orders.sort_by_key(|order| std::cmp::Reverse(order.created_at));
    let now = console.frame.clock.now();
    console.frame.page(
        "Orders",
        true,
        &html! {
            form role="search" {
                label for="search" { "Status, reference, shop or id" } " "
                input #search type="search" name="search" value=(search);
                button { "Search" }
            }
            @if orders.is_empty() { p { "There is no such order." } }
            @else {
                div.wide tabindex="0" role="region" aria-label="Orders" { table {
                    tr { @for name in ["Created", "Status", "Reference", "Total", "Shop", "At Front Payment"] { th scope="col" { (name) } } }
                    @for order in orders.iter().take(MAX_LISTED) {
                        tr {
                            td { a href=(format!("/console/orders/{}", order.order_id)) { (order.created_at.strftime("%Y-%m-%d %H:%M:%S")) } }
                            td { (order.status_at(now).name()) }
                            td { (order.reference_no.as_deref().unwrap_or_default()) }
                            td { (order.grand_total) }
                            td { (order.shop_id) }
                            td { (order.order_uuid.as_deref().unwrap_or_default()) }
                        }
                    }
                } }
                @if orders.len() > MAX_LISTED { p { "The latest " (MAX_LISTED) " of " (orders.len()) "." } }
            }
        },
    )
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
