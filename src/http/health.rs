//! `GET /health`: whether there is a usable secret and the table answers.

use std::sync::Arc;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::json as value;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::json;
use super::problem::{Problem, Slug};
use super::request_log::HandlerResult;
use crate::bridge::Bridge;
use crate::store::OrderStore;
use crate::telemetry::error_chain;

/// Anybody may call this, so a process checks again only after this time.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// When this process checked last, and the result.
#[derive(Default)]
pub(super) struct Health(Mutex<Option<(Timestamp, bool)>>);

impl Health {
    pub(super) async fn get<S: OrderStore, F>(&self, bridge: &Arc<Bridge<S, F>>, by: Timestamp) -> HandlerResult {
        let mut found = self.0.lock().await;
        let now = bridge.clock.now();
        let is_healthy = match *found {
            Some((at, is_healthy)) if now.duration_since(at) < FRESH => is_healthy,
            _ => {
                let is_healthy = look(bridge, by).await;
                *found = Some((now, is_healthy));
                is_healthy
            }
        };
        if is_healthy {
            return Ok(("healthy", json(StatusCode::OK, "application/json", Vec::new(), &value!({ "status": "ok" }))));
        }
        Err(Problem::new(
            Slug::Unhealthy,
            "The bridge cannot do its work at the moment. Its operator finds the reason in the log.",
        ))
    }
}

async fn look<S: OrderStore, F>(bridge: &Bridge<S, F>, by: Timestamp) -> bool {
    let (secret, table) = tokio::join!(bridge.secret(by), bridge.load(Uuid::nil(), by));
    let secret = secret.map(drop).map_err(|error| error_chain(&error));
    let checks = [("secret", secret), ("table", table.map(drop).map_err(|error| error_chain(&error)))];
    let mut is_healthy = true;
    for (what, check) in checks {
        if let Err(error) = check {
            tracing::error!(what, error, "the health check fails");
            is_healthy = false;
        }
    }
    is_healthy
}
