//! Front Payment's API: submit and status, and what all replies have in common.

use std::future::ready;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use front_payment_bridge::store::StoreError;
use futures_util::stream;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::{Instrument, info_span};
use uuid::Uuid;

use super::{Line, Misbehaviour, Sandbox, SandboxOrder, TOKEN, bridge_id, callbacks, checks, life};

pub(super) async fn submit(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: Bytes) -> Response {
    limited(&sandbox, || async {
        if !is_authorized(&headers) {
            return unauthorized();
        }
        let order: Value = serde_json::from_slice(&body).unwrap_or_default();
        let began = Instant::now();
        let misbehaviour = order.get("referenceNo").and_then(Value::as_str).and_then(Misbehaviour::asked_by);
        let reply = decide(&sandbox, &order, misbehaviour).await;
        let is_lost = matches!(misbehaviour, Some(Misbehaviour::LostReply | Misbehaviour::LostRequest));
        let (callback_url, answered) = (text_at(&order, "/callback/callbackUrl"), (!is_lost).then(|| reply.status().as_u16()));
        tracing::info!(orderId = bridge_id(&callback_url), answered, totalMs = callbacks::elapsed_ms(began), "submit");
        reply
    })
    .await
}

async fn decide(sandbox: &Arc<Sandbox>, order: &Value, misbehaviour: Option<Misbehaviour>) -> Response {
    if let Some(failure) = misbehaviour.and_then(failure) {
        return failure;
    }
    let refusals = checks::refusals(order, Timestamp::now());
    if !refusals.is_empty() {
        return refused(&json!(refusals));
    }
    create(sandbox, order, misbehaviour).await.unwrap_or_else(|error| broken(&error))
}

async fn create(sandbox: &Arc<Sandbox>, order: &Value, misbehaviour: Option<Misbehaviour>) -> Result<Response, StoreError> {
    let (now, text) = (Timestamp::now(), |pointer| text_at(order, pointer));
    let callback_url = text("/callback/callbackUrl");
    let own_path = callback_url.strip_prefix(&sandbox.frame.base).filter(|path| path.starts_with('/'));
    // A private customer signs with BankID. A company's order, and an order with `early-callback`, is INVOICED at once.
    let signs = text("/customerDetails/type") == "private" && misbehaviour != Some(Misbehaviour::EarlyCallback);
    let mut created = SandboxOrder {
        uuid: String::new(),
        customer_uuid: format!("CSRT{}", ten_digits()),
        reference_no: text("/referenceNo"),
        status: if signs { "SENT" } else { "INVOICED" }.to_owned(),
        grand_total: text("/orderSummary/grandTotal"),
        refunded_amount: "0".to_owned(),
        link: None,
        callback_path: own_path.map(str::to_owned),
        callback_url,
        success: text("/callback/success"),
        failure: text("/callback/failure"),
        lines: lines(order),
        created_at: now.as_second(),
        status_at: None,
        ages_since: Some(now),
        misbehaviour,
        first_notified_at: None,
    };
    loop {
        created.uuid = format!("ODR{}", ten_digits());
        created.link = signs.then(|| format!("{}-{}", created.uuid, Uuid::new_v4()));
        if sandbox.create(created.clone()).await? {
            break;
        }
    }
    let mut data = json!({"orderUuid": created.uuid, "customerUuid": created.customer_uuid});
    if let (Some(link), Some(data)) = (&created.link, data.as_object_mut()) {
        data.insert("bankIdUrl".to_owned(), format!("{}/bankid/{link}", sandbox.base).into());
    }
    if !signs && !matches!(misbehaviour, Some(Misbehaviour::EarlyCallback | Misbehaviour::LostCallback)) {
        let (sandbox, created) = (sandbox.clone(), created.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            callbacks::send(&sandbox, &created, "INVOICED").await;
        });
    }
    if signs && misbehaviour == Some(Misbehaviour::Expired) {
        let (sandbox, uuid) = (sandbox.clone(), created.uuid.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            life::change(&sandbox, uuid, "SENT", "EXPIRED").await;
        });
    }
    match misbehaviour {
        Some(Misbehaviour::Slow) => tokio::time::sleep(Duration::from_secs(8)).await,
        Some(Misbehaviour::EarlyCallback) => callbacks::send(sandbox, &created, "INVOICED").await,
        Some(Misbehaviour::LostReply) => return Ok(lost_reply()),
        Some(Misbehaviour::Error500Created) => return Ok(internal_error()),
        _ => {}
    }
    let body =
        json!({"status_code": 201, "status_message": "OK", "message": "orderCreatedSuccessfully", "is_data": true, "data": data});
    Ok((StatusCode::CREATED, axum::Json(body)).into_response())
}

fn lines(order: &Value) -> Vec<Line> {
    let lines = order.get("products").and_then(Value::as_array).into_iter().flatten();
    let line =
        |line| Line { name: text_at(line, "/name"), quantity: text_at(line, "/quantity"), amount: text_at(line, "/amount") };
    lines.map(line).collect()
}

fn text_at(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

pub(super) async fn status(State(sandbox): State<Arc<Sandbox>>, Path(uuid): Path<String>, headers: HeaderMap) -> Response {
    limited(&sandbox, || async {
        if !is_authorized(&headers) {
            return unauthorized();
        }
        let order = match sandbox.find(&uuid) {
            Ok(Some(order)) => order,
            Ok(None) => return not_found(),
            Err(error) => return broken(&error),
        };
        tracing::info!(orderId = order.bridge_id(), answered = 200, "status");
        let body = json!({
            "status_code": 200, "status_message": "OK", "message": "Order Status Retrieved Successfully", "is_data": true,
            "data": {
                "uuid": order.uuid, "status": order.status,
                "orderAmount": figure(&order.grand_total), "refundedAmount": figure(&order.refunded_amount),
            },
        });
        axum::Json(body).into_response()
    })
    .await
}

/// Every reply says how many requests are left in this minute. What is logged meanwhile belongs to one span.
pub(super) async fn limited<F: Future<Output = Response>>(sandbox: &Sandbox, answer: impl FnOnce() -> F) -> Response {
    let left = sandbox.count_request();
    let mut reply = match left {
        Some(_) => answer().instrument(info_span!("call")).await,
        None => (StatusCode::TOO_MANY_REQUESTS, axum::Json(json!({"message": "Too Many Attempts."}))).into_response(),
    };
    reply.headers_mut().insert("x-ratelimit-limit", HeaderValue::from(sandbox.settings.rate_limit));
    reply.headers_mut().insert("x-ratelimit-remaining", HeaderValue::from(left.unwrap_or_default()));
    reply
}

pub(super) fn is_authorized(headers: &HeaderMap) -> bool {
    headers.get(AUTHORIZATION).is_some_and(|value| value == format!("Bearer {TOKEN}").as_str())
}

pub(super) fn unauthorized() -> Response {
    let body = json!({"status_code": 401, "status_message": "Unauthorized", "message": "Unauthenticated.", "is_error": true});
    (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response()
}

pub(super) fn not_found() -> Response {
    let body =
        json!({"status_code": 404, "status_message": "Client Error", "message": "orderNotFound", "is_data": false, "data": null});
    (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
}

/// A JSON number with exactly these digits.
fn figure(digits: &str) -> Value {
    digits.parse().map_or_else(|_| digits.into(), Value::Number)
}

/// The reply of those misbehaviours that create nothing.
fn failure(misbehaviour: Misbehaviour) -> Option<Response> {
    match misbehaviour {
        Misbehaviour::LostRequest => Some(lost_reply()),
        Misbehaviour::Error500 => Some(internal_error()),
        Misbehaviour::Error510 => Some(failure_reply(
            StatusCode::NOT_EXTENDED,
            "Execution Exception Occurred",
            "Something Went Wrong",
            &json!("Undefined index"),
        )),
        Misbehaviour::RateLimited => {
            Some((StatusCode::TOO_MANY_REQUESTS, axum::Json(json!({"message": "Too Many Attempts."}))).into_response())
        }
        Misbehaviour::Rejected => Some(refused(&json!(["The customer details.msisdn field format is invalid."]))),
        Misbehaviour::Unavailable => {
            Some((StatusCode::SERVICE_UNAVAILABLE, "<html>503 Service Temporarily Unavailable</html>").into_response())
        }
        _ => None,
    }
}

pub(super) fn refused(errors: &Value) -> Response {
    let body = json!({"status_code": 417, "status_message": "Client Error", "message": "payloadValidationErrors", "is_error": true, "errors": errors});
    (StatusCode::EXPECTATION_FAILED, axum::Json(body)).into_response()
}

fn internal_error() -> Response {
    let errors = json!({"happenedAt": "InvoiceService", "internalErrorDetails": []});
    let message = "Internal Error Occurred Please Try Again Later";
    failure_reply(StatusCode::INTERNAL_SERVER_ERROR, "Internal Dependency Error", message, &errors)
}

/// A failure in Front Payment's own JSON form.
pub(super) fn failure_reply(status: StatusCode, status_message: &str, message: &str, errors: &Value) -> Response {
    let body = json!({"status_code": status.as_u16(), "status_message": status_message, "message": message, "is_error": true, "errors": errors});
    (status, axum::Json(body)).into_response()
}

/// The reply after a failure of the database. A 502 that is not in Front Payment's form leaves open whether the order
/// exists.
pub(super) fn broken(error: &StoreError) -> Response {
    tracing::error!(error = %error, "the sandbox's database failed");
    StatusCode::BAD_GATEWAY.into_response()
}

/// A reply that ends before its announced length.
pub(super) fn lost_reply() -> Response {
    let broken: io::Result<Bytes> = Err(io::Error::other("the sandbox was asked to lose its reply"));
    let body = Body::from_stream(stream::once(ready(broken)));
    (StatusCode::CREATED, [("content-length", "1000")], body).into_response()
}

fn ten_digits() -> u64 {
    1_000_000_000 + u64::try_from(Uuid::new_v4().as_u128() % 9_000_000_000).unwrap_or_default()
}
