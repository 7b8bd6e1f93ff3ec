//! Pages about the bridge: its API, try an order, list orders, follow one, explain a call.

mod api;
mod explain;
mod order;
mod orders;
mod timeline;
mod try_order;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use front_payment_bridge::store::StoreError;
use http::StatusCode;

use super::journal::Journal;
use super::page::Frame;
use crate::store::EmbeddedStore;

pub(super) struct Console {
    pub(super) frame: Arc<Frame>,
    pub(super) store: EmbeddedStore,
    pub(super) journal: Arc<Journal>,
    /// Calls the bridge as a shop does.
    pub(super) http: reqwest::Client,
}

pub(super) fn routes(console: Arc<Console>) -> Router {
    Router::new()
        .route("/console", get(try_order::form).post(try_order::submit))
        .route("/console/orders", get(orders::list))
        .route("/console/explain", get(explain::show))
        .route("/console/api", get(api::show))
        .route("/openapi.yaml", get(api::document))
        .route("/console/orders/{order_id}", get(order::show))
        .with_state(console)
}

fn broken(error: &StoreError) -> StatusCode {
    tracing::error!(error = %error, "the embedded database failed");
    StatusCode::INTERNAL_SERVER_ERROR
}
