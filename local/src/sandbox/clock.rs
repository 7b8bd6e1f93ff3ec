//! `/front-payment/clock` shows and moves the clock.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use front_payment_bridge::store::StoreError;
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde_json::{Value, json};

use super::{Sandbox, api, life};
use crate::guard::own_referer;
use crate::store::database_error;

const MAX_STEP: SignedDuration = SignedDuration::from_hours(400 * 24);

/// A change of the clock.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    Forward(SignedDuration),
    Reset,
}

/// Shows the clock: how far it was moved, and as `now` the time that a clock that far ahead would show.
pub(super) async fn show(State(sandbox): State<Arc<Sandbox>>) -> Response {
    let ahead = sandbox.clock().ahead();
    let now = Timestamp::now().saturating_add(ahead).unwrap_or(Timestamp::MAX);
    Json(json!({ "now": now, "aheadSeconds": ahead.as_secs() })).into_response()
}

/// Moves the clock. Accepts `{"forward": "1h"}` with one or several numbers and `s`, `m`, `h` or `d`, or `{"reset": true}`;
/// both also as a form.
pub(super) async fn change(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let document = serde_json::from_slice(&body).ok();
    let Some(wanted) = document.as_ref().map_or_else(|| of_form(&body), of_document) else {
        let detail = r#"expected {"forward": "1h"}, with s, m, h or d, 400 days at most; or {"reset": true}"#;
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "detail": detail }))).into_response();
    };
    // Runs in tasks of its own, so that a move goes on even if its caller disconnects.
    let moving = {
        let sandbox = sandbox.clone();
        tokio::spawn(async move { make(&sandbox, wanted).await })
    };
    if let Err(error) = moving.await.unwrap_or_else(|error| Err(database_error(error))) {
        return api::broken(&error);
    }
    let aging = {
        let sandbox = sandbox.clone();
        tokio::spawn(async move {
            life::age(&sandbox).await;
            sandbox.frame.announce();
        })
    };
    if document.is_none() {
        // The page need not wait for the callbacks; it shows them when they come.
        return back(&headers, "/front-payment/portal");
    }
    match aging.await {
        Ok(()) => show(State(sandbox)).await,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn make(sandbox: &Sandbox, change: Change) -> Result<(), StoreError> {
    let step = match change {
        Change::Forward(by) => sandbox.clock().forward(by).await?,
        Change::Reset => sandbox.clock().reset().await?,
    };
    sandbox.move_times(step).await?;
    sandbox.clock().wake();
    sandbox.frame.announce();
    Ok(())
}

fn of_document(document: &Value) -> Option<Change> {
    match document.get("reset") {
        Some(reset) => (*reset == true).then_some(Change::Reset),
        None => forward(document.get("forward")?.as_str()?),
    }
}

fn of_form(body: &[u8]) -> Option<Change> {
    if form_value(body, "reset").is_some() { Some(Change::Reset) } else { forward(&form_value(body, "forward")?) }
}

fn forward(text: &str) -> Option<Change> {
    let by = text.parse::<Span>().ok()?.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (by.is_positive() && by <= MAX_STEP).then_some(Change::Forward(by))
}

pub(crate) fn form_value(body: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(body).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Redirects to the page that contained the form.
pub(super) fn back(headers: &HeaderMap, otherwise: &str) -> Response {
    Redirect::to(own_referer(headers).as_deref().unwrap_or(otherwise)).into_response()
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
            let expected = seconds.map(|seconds| Change::Forward(SignedDuration::from_secs(seconds)));
            assert_eq!(forward(text), expected, "{text}");
        }
    }
}
