//! API Gateway on localhost: makes an HTTP API event (payload 2.0) of a request, and a reply of the function's answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use front_payment_bridge::front_payment::Client;
use front_payment_bridge::http::callbacks::{self, Callbacks};
use front_payment_bridge::http::invoke;
use front_payment_bridge::http::orders::{self, Orders};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_runtime::LambdaEvent;
use percent_encoding::percent_decode_str;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::invocation::invocation;
use super::watched_store::WatchedStore;

/// The functions behind the routes.
pub(super) struct Functions {
    pub(super) orders: Orders<WatchedStore, Client>,
    pub(super) callbacks: Callbacks<WatchedStore, Client>,
}

/// API Gateway's limit.
const MAX_BODY_BYTES: usize = 10_000_000;
/// The timeout of the functions in template.yaml.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(29);

/// The routes in template.yaml.
fn routes_of_template() -> impl Iterator<Item = &'static str> {
    orders::ROUTES.into_iter().chain([callbacks::ROUTE])
}

pub(super) fn routes(functions: Arc<Functions>) -> Router {
    Router::new().fallback(call).with_state(functions)
}

async fn call(State(functions): State<Arc<Functions>>, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let Some((route_key, path_parameters)) = route(&parts.method, parts.uri.path()) else {
        return gateway_reply(StatusCode::NOT_FOUND, "Not Found");
    };
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return gateway_reply(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let now = Timestamp::now();
    let event = event(route_key, &path_parameters, &parts, &body, now);
    let Ok(invocation) = invocation(&event, now, TIMEOUT) else {
        return gateway_reply(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    // Runs in a task of its own, so that a function goes on even if its caller disconnects.
    let handled = tokio::spawn(async move { run(&functions, route_key, invocation).await }).await;
    match handled {
        Ok(Ok(answer)) => {
            log_violations(&answer);
            reply(answer)
        }
        _ => gateway_reply(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

async fn run(
    functions: &Functions,
    route_key: &str,
    invocation: LambdaEvent<Box<RawValue>>,
) -> Result<ApiGatewayV2httpResponse, lambda_runtime::Error> {
    if route_key.contains("/callbacks/") {
        invoke(&functions.callbacks, invocation).await
    } else {
        invoke(&functions.orders, invocation).await
    }
}

fn event(
    route_key: &str,
    path_parameters: &BTreeMap<&str, String>,
    parts: &http::request::Parts,
    body: &Bytes,
    now: Timestamp,
) -> serde_json::Value {
    let is_text = is_text(&parts.headers) && std::str::from_utf8(body).is_ok();
    let body = if is_text { String::from_utf8_lossy(body).into_owned() } else { BASE64_STANDARD.encode(body) };
    let path = decoded(parts.uri.path());
    json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers(&parts.headers),
        "pathParameters": path_parameters,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1"),
            "http": { "method": parts.method.as_str(), "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1" },
            "requestId": Uuid::new_v4(),
            "routeKey": route_key,
            "stage": "$default",
            "timeEpoch": now.as_millisecond(),
        },
        "body": body,
        "isBase64Encoded": !is_text,
    })
}

/// The route that a request matches, and the parameters in its path.
fn route(method: &Method, path: &str) -> Option<(&'static str, BTreeMap<&'static str, String>)> {
    routes_of_template().find_map(|route_key| {
        let (route_method, pattern) = route_key.split_once(' ')?;
        let (pattern, segments) = (pattern.split('/'), path.split('/'));
        if route_method != method.as_str() || pattern.clone().count() != segments.clone().count() {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (expected, segment) in pattern.zip(segments) {
            match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => drop(parameters.insert(name, decoded(segment))),
                None if expected == segment => {}
                None => return None,
            }
        }
        Some((route_key, parameters))
    })
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// API Gateway passes bodies of these types as text, and all others as base64.
fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("text/plain");
    ["text/", "application/json", "application/javascript", "application/xml"].iter().any(|text| content_type.starts_with(text))
}

fn headers(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let mut joined: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined.entry(name.as_str()).and_modify(|all| *all = format!("{all},{value}")).or_insert_with(|| value.into_owned());
    }
    joined
}

/// Logs violations for the terminal. The functions never log them, because the name of a member is the shop's own text.
fn log_violations(answer: &ApiGatewayV2httpResponse) {
    let body = answer.body.as_ref().and_then(|body| serde_json::from_slice::<serde_json::Value>(body).ok()).unwrap_or_default();
    for kind in ["errors", "warnings"] {
        for violation in body.get(kind).and_then(serde_json::Value::as_array).into_iter().flatten() {
            let text = |name: &str| violation.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
            let place = if text("pointer").is_empty() { text("parameter") } else { text("pointer") };
            tracing::info!(kind = kind.trim_end_matches('s'), place, code = text("code"), "violation");
        }
    }
}

fn reply(answer: ApiGatewayV2httpResponse) -> Response {
    let body = answer.body.map(|body| body.to_vec()).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = u16::try_from(answer.status_code)
        .ok()
        .and_then(|code| StatusCode::from_u16(code).ok())
        .unwrap_or(StatusCode::BAD_GATEWAY);
    *response.headers_mut() = answer.headers;
    response
}

fn gateway_reply(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message }))).into_response()
}
