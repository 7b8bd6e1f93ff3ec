//! A shop that the bridge notifies. It verifies notifications, remembers them, and misbehaves on demand.

mod forwarding;
mod notifications;
mod page;
mod verification;

pub use forwarding::{Listeners, ReceivedNotification};
pub(super) use notifications::NOTIFICATIONS;
pub use notifications::ShopNotification;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::LOCATION;
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;

use super::{Sandbox, api};
use verification::Told;

/// The delay of `shop-slow`.
const SLOW_ANSWER: Duration = Duration::from_secs(8);
/// The target of `shop-redirect`: where cloud providers serve a machine's credentials.
const PRIVATE_URL: &str = "http://169.254.169.254/latest/meta-data/";

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/shop", get(page::notifications))
        .route("/shop/notifications", get(notifications::list))
        .route("/shop/events", get(forwarding::events))
        .route("/shop/status", get(receive_front_payment).post(receive_webhook))
        .route("/shop/{page}", get(page::after_bank_id))
}

/// Receives a notification in the format `front-payment`.
async fn receive_front_payment(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    let told = verification::front_payment(&query);
    sandbox.listeners.forward(ReceivedNotification::new(&told, &Method::GET, query, &headers, &[]));
    receive(&sandbox, told).await
}

/// Receives a notification in the format `standard-webhooks`.
async fn receive_webhook(
    State(sandbox): State<Arc<Sandbox>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let told = verification::standard_webhooks(&headers, &body, Timestamp::now());
    sandbox.listeners.forward(ReceivedNotification::new(&told, &Method::POST, query.unwrap_or_default(), &headers, &body));
    receive(&sandbox, told).await
}

async fn receive(sandbox: &Sandbox, told: Told) -> Response {
    let (answer, is_slow) = match sandbox.remember(told, Timestamp::now()).await {
        Ok(decided) => decided,
        Err(error) => return api::broken(&error),
    };
    sandbox.frame.announce();
    if is_slow {
        tokio::time::sleep(SLOW_ANSWER).await;
    }
    match answer {
        None => pending().await, // until the bridge closes the connection
        Some(StatusCode::FOUND) => (StatusCode::FOUND, [(LOCATION, PRIVATE_URL)]).into_response(),
        Some(status) => status.into_response(),
    }
}
