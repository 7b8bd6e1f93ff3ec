//! Notifications as they arrived, for `listen`, which forwards them to another shop.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::verification::Told;
use crate::sandbox::Sandbox;

/// The headers that the signature needs, so that the next shop can verify the notification, too.
const HEADERS: [&str; 4] = ["content-type", "webhook-id", "webhook-timestamp", "webhook-signature"];

/// A notification as the shop received it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReceivedNotification {
    pub order_uuid: String,
    pub status: String,
    /// GET in the format `front-payment`, POST in `standard-webhooks`.
    pub method: String,
    /// Without the question mark.
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl ReceivedNotification {
    pub(super) fn new(told: &Told, method: &Method, query: String, headers: &HeaderMap, body: &[u8]) -> Self {
        let of = |name: &str| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.to_owned()));
        Self {
            order_uuid: told.order_uuid.clone(),
            status: told.status.clone(),
            method: method.to_string(),
            query,
            headers: HEADERS.into_iter().filter_map(of).collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }
}

/// The commands that listen at present.
pub struct Listeners(broadcast::Sender<ReceivedNotification>);

impl Default for Listeners {
    fn default() -> Self {
        Self(broadcast::channel(64).0)
    }
}

impl Listeners {
    pub(super) fn forward(&self, notification: ReceivedNotification) {
        // Fails only if nobody listens.
        drop(self.0.send(notification));
    }
}

/// Sends each notification from now on as a server-sent event, with [`ReceivedNotification`] as JSON.
pub(super) async fn events(State(sandbox): State<Arc<Sandbox>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = stream::unfold(sandbox.listeners.0.subscribe(), async |mut received| {
        let event = loop {
            match received.recv().await {
                Ok(notification) => break Event::default().json_data(notification).unwrap_or_default(),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        };
        Some((Ok(event), received))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
