//! Front Payment's API: cancelling an order.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use front_payment_bridge::store::StoreError;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{CancelMisbehaviour, Sandbox, SandboxOrder, api, callbacks};

pub(super) async fn cancel(
    State(sandbox): State<Arc<Sandbox>>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    api::limited(&sandbox, || async {
        if !api::is_authorized(&headers) {
            return api::unauthorized();
        }
        // Look up the order before validating the body, as Front Payment does.
        match sandbox.find(&uuid) {
            Ok(Some(order)) => answer(&sandbox, order, &body).await,
            Ok(None) => api::not_found(),
            Err(error) => api::broken(&error),
        }
    })
    .await
}

async fn answer(sandbox: &Arc<Sandbox>, order: SandboxOrder, body: &[u8]) -> Response {
    let began = Instant::now();
    let misbehaviour = CancelMisbehaviour::asked_by(&order.reference_no);
    let is_silent = matches!(misbehaviour, Some(CancelMisbehaviour::Lost | CancelMisbehaviour::Hangs));
    let order_id = order.bridge_id().map(str::to_owned);
    let reply = match misbehaviour {
        _ if !has_note(body) => api::refused(&json!(["The cancellation note field is required."])),
        Some(CancelMisbehaviour::Refused) => conflict("orderStatusAlreadyPaid"),
        Some(CancelMisbehaviour::Hangs) => {
            tracing::info!(orderId = order_id, "cancel");
            return pending().await; // until the bridge closes the connection
        }
        Some(CancelMisbehaviour::Lost) | None => decide(sandbox, order).await.unwrap_or_else(|error| api::broken(&error)),
    };
    let answered = (!is_silent).then(|| reply.status().as_u16());
    tracing::info!(orderId = order_id, answered, totalMs = callbacks::elapsed_ms(began), "cancel");
    if is_silent { api::lost_reply() } else { reply }
}

fn has_note(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body.get("cancellationNote").and_then(Value::as_str).is_some_and(|note| !note.trim().is_empty())
}

async fn decide(sandbox: &Arc<Sandbox>, mut order: SandboxOrder) -> Result<Response, StoreError> {
    loop {
        if let Some(word) = refusal(&order) {
            return Ok(conflict(word));
        }
        let cancelled = sandbox.set_status(order.uuid.clone(), Some(order.status), "CANCELLED".to_owned()).await?;
        if let Some(cancelled) = cancelled {
            call_back_later(sandbox.clone(), cancelled);
            let body = json!({"status_code": 202, "status_message": "OK", "message": "cancelledOrderSuccessfully", "is_data": false, "data": null});
            return Ok((StatusCode::ACCEPTED, axum::Json(body)).into_response());
        }
        // The status was changed by another request meanwhile.
        match sandbox.find(&order.uuid)? {
            Some(changed) => order = changed,
            None => return Ok(api::not_found()),
        }
    }
}

/// Why an order cannot be cancelled. Front Payment documents only the first of these words.
fn refusal(order: &SandboxOrder) -> Option<&'static str> {
    match order.status.as_str() {
        "CHARGED" | "CAPTURED" | "PAID" | "refund pending" | "PARTIAL REFUNDED" | "REFUNDED" => Some("orderStatusAlreadyPaid"),
        "CANCELLED" | "EXPIRED" => Some("orderStatusAlreadyCancelled"),
        _ => None,
    }
}

fn conflict(word: &str) -> Response {
    api::failure_reply(StatusCode::BAD_REQUEST, "Conflict of Business Logic", word, &Value::Null)
}

fn call_back_later(sandbox: Arc<Sandbox>, order: SandboxOrder) {
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        callbacks::announce(&sandbox, &order).await;
        sandbox.frame.announce();
    });
}
