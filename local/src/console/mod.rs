//! Pages about the bridge: its API, try an order, list orders, one order, decide as the operator, explain a call.

mod answer;
mod api;
mod explain;
mod operator;
mod order;
mod orders;
mod timeline;
mod try_order;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::journal::Journal;
use super::page::Frame;
use super::worker::SharedWorker;
use crate::store::EmbeddedStore;

pub(super) struct Console {
    pub(super) frame: Arc<Frame>,
    pub(super) store: EmbeddedStore,
    pub(super) journal: Arc<Journal>,
    /// Calls the bridge as a shop does.
    pub(super) http: reqwest::Client,
    pub(super) worker: Arc<SharedWorker>,
}

/// The routes below `/console`.
pub(super) fn routes(console: Arc<Console>) -> Router {
    let frame = console.frame.clone();
    Router::new()
        .route("/", get(try_order::form).post(try_order::submit))
        .route("/orders", get(orders::list))
        .route("/orders/{order_id}", get(order::show).post(order::act))
        .route("/operator", get(operator::show).post(operator::decide))
        .route("/operator/events", post(operator::event))
        .route("/explain", get(explain::show))
        .route("/api", get(api::show))
        .fallback(move || async move { frame.not_found() })
        .with_state(console)
}

/// The document of the API, for tools.
pub(super) fn document() -> Router {
    Router::new().route("/openapi.yaml", get(api::document))
}
