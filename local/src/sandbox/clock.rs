//! `POST /front-payment/clock` moves the clock.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::REFERER;
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde_json::{Value, json};

use super::{Sandbox, api, life};

const MAX_STEP: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Takes `{"forward": "1h"}`, or a form's `forward=1h`: a number and `s`, `m`, `h` or `d`, or several of them.
pub(super) async fn forward(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let (step, is_form) = match serde_json::from_slice::<Value>(&body) {
        Ok(json) => (json.get("forward").and_then(Value::as_str).map(str::to_owned), false),
        Err(_) => (form_value(&body, "forward"), true),
    };
    let Some(by) = step.as_deref().and_then(duration) else {
        let detail = r#"expected {"forward": "1h"}: s, m, h or d, 400 days at most"#;
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "detail": detail }))).into_response();
    };
    if let Err(error) = sandbox.clock().forward(by).await {
        return api::broken(&error);
    }
    life::age(&sandbox).await;
    sandbox.clock().wake();
    sandbox.frame.announce();
    if is_form { back(&headers, "/front-payment/portal") } else { Json(json!({ "now": sandbox.clock().now() })).into_response() }
}

fn duration(text: &str) -> Option<SignedDuration> {
    let by = text.parse::<Span>().ok()?.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (by.is_positive() && by <= MAX_STEP).then_some(by)
}

pub(super) fn form_value(body: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(body).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Redirects to the page that the form was on.
pub(super) fn back(headers: &HeaderMap, otherwise: &str) -> Response {
    let referer = headers.get(REFERER).and_then(|value| value.to_str().ok());
    // Only the path, so that the redirect stays on this server.
    let path = referer.and_then(|referer| url::Url::parse(referer).ok()).map(|url| match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    });
    let path = path.filter(|path| !path.starts_with("//"));
    Redirect::to(path.as_deref().unwrap_or(otherwise)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_number_and_a_unit_and_only_forward() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("1m", Some(60)),
            ("2h 30m", Some(9_000)),
            ("30d", Some(2_592_000)),
            ("PT1H", Some(3_600)),
            ("0s", None),
            ("-1h", None),
            ("401d", None),
            ("1", None),
            ("", None),
            ("1mo", None),
        ] {
            assert_eq!(duration(text).map(|by| by.as_secs()), seconds, "{text}");
        }
    }
}
