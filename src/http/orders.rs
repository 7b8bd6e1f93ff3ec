//! `POST /orders` and `GET /orders/{orderId}`.

use std::sync::Arc;

use http::StatusCode;
use http::header::{HeaderName, LOCATION};
use uuid::Uuid;

use super::problem::{Problem, Slug};
use super::summary::{Answer, summarized};
use super::view::{AcceptedView, OrderView};
use super::{Reply, Request, json};
use crate::bridge::{Bridge, Report, within};
use crate::front_payment::FrontPayment;
use crate::order::{self, Code, Invalid, Rules, Violation};
use crate::secrets::Secret;
use crate::store::OrderStore;
use crate::submit::{self, Outcome, Submitted};
use crate::telemetry;

const MAX_BODY_BYTES: usize = 256 * 1024;
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Answers one request of a shop.
pub async fn handle<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: Request<'_>) -> Reply {
    let route = match request.event.route_key.as_deref() {
        Some("POST /orders") => "POST /orders",
        Some("GET /orders/{orderId}") => "GET /orders/{orderId}",
        _ => "none",
    };
    summarized(request.request_id, route, async |report| match route {
        "POST /orders" => post(bridge, &request, report).await,
        "GET /orders/{orderId}" => get(bridge, &request, report).await,
        _ => Err(Problem::new(Slug::NotFound, "The API has POST /orders and GET /orders/{orderId}.")),
    })
    .await
}

async fn post<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: &Request<'_>, report: &mut Report) -> Answer {
    let Request { event, deadline, .. } = *request;
    let (secret, shop_id) = authorize(bridge, request).await?;
    report.shop_id = Some(shop_id.clone());

    let body = event.body().ok_or_else(|| Problem::new(Slug::MalformedJson, "The body is not the base64 that it says it is."))?;
    if body.len() > MAX_BODY_BYTES {
        return Err(Problem::new(Slug::PayloadTooLarge, format!("The body may have at most {MAX_BODY_BYTES} bytes.")));
    }
    let key = event.header("idempotency-key");
    let settings = &bridge.settings;
    let rules = Rules {
        now: bridge.clock.now(),
        tax_rates: &settings.allowed_tax_rates,
        enforce_advisories: settings.enforce_advisories,
    };
    let bad_key = key
        .filter(|key| !is_idempotency_key(key))
        .map(|_| Violation::new("", Code::InvalidFormat, "the header Idempotency-Key must be 1 to 255 visible ASCII characters"));
    let validated = match (order::validate(&body, &rules), bad_key) {
        (Ok(validated), None) => validated,
        (Ok(validated), Some(bad_key)) => {
            return Err(invalid([bad_key].into_iter().chain(validated.against_fresh).collect()));
        }
        (Err(Invalid::Violations(violations)), bad_key) => {
            return Err(invalid(bad_key.into_iter().chain(violations).collect()));
        }
        (Err(Invalid::Malformed(malformed)), _) => {
            return Err(Problem::new(
                Slug::MalformedJson,
                format!("The body cannot be read as JSON: {malformed}. Send the order as one JSON document in UTF-8."),
            ));
        }
    };

    let from_request = || event.public_base("/orders");
    let configured = settings.callback_base_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
    let callback_base = configured.or_else(from_request).ok_or_else(|| {
        tracing::error!("the request does not tell the API's public address; set CALLBACK_BASE_URL");
        Problem::internal()
    })?;

    let submitted = submit::submit(
        bridge,
        submit::Request { shop_id: &shop_id, idempotency_key: key, validated, callback_base: &callback_base, secret, deadline },
    )
    .await;
    report.provider = submitted.provider;
    if let Outcome::Accepted { accepted, .. } = &submitted.outcome {
        report.order_uuid = Some(accepted.order_uuid.clone());
    }
    reply(submitted)
}

async fn get<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: &Request<'_>, report: &mut Report) -> Answer {
    let (_, shop_id) = authorize(bridge, request).await?;
    report.shop_id = Some(shop_id.clone());
    let not_found = || Problem::new(Slug::NotFound, "There is no order with this id.");
    let order_id = request.event.path_parameter("orderId").and_then(parse_order_id).ok_or_else(not_found)?;
    telemetry::order_is(order_id);
    let left = bridge.clock.until(request.deadline.reply_by());
    let stored = within(left, bridge.store.load(order_id)).await.map_err(|error| {
        tracing::error!(error = %error, "an order cannot be read");
        Problem::new(Slug::StorageUnavailable, "The order cannot be read just now. Try again.").of(order_id)
    })?;
    // Another shop's order is as good as none.
    let record = stored.filter(|record| record.shop_id == shop_id).ok_or_else(not_found)?;
    Ok(("read", json(StatusCode::OK, "application/json", Vec::new(), &OrderView::new(&record, bridge.clock.now()))))
}

/// The shop whose API key stands in `Authorization`, and the secret that says so.
async fn authorize<S, F>(bridge: &Bridge<S, F>, request: &Request<'_>) -> Result<(Arc<Secret>, String), Problem> {
    let reply_by = request.deadline.reply_by();
    let secret = bridge.secret(reply_by).await.map_err(|_| {
        Problem::new(
            Slug::SecretUnavailable,
            "The bridge has no usable secret yet. Try again; its operator finds the reason in the log.",
        )
    })?;
    let unauthorized = || {
        Problem::new(
            Slug::Unauthorized,
            "The API key is missing, is not sent as a bearer token, or belongs to no shop. Send Authorization: Bearer <key>.",
        )
    };
    let key = request.event.header("authorization").and_then(bearer).ok_or_else(unauthorized)?;
    if let Some(shop_id) = secret.shop_of(key) {
        let shop_id = shop_id.to_owned();
        return Ok((secret, shop_id));
    }
    // A key that was issued a moment ago.
    let newer = bridge.newer_secret(&secret, reply_by).await.ok_or_else(unauthorized)?;
    let shop_id = newer.shop_of(key).ok_or_else(unauthorized)?.to_owned();
    Ok((newer, shop_id))
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, key) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim()).filter(|key| !key.is_empty())
}

fn is_idempotency_key(key: &str) -> bool {
    (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An order id in the one form that the bridge gives out.
pub(super) fn parse_order_id(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text).ok().filter(|id| id.to_string() == text)
}

fn invalid(mut violations: Vec<Violation>) -> Problem {
    violations.truncate(order::MAX_ERRORS);
    Problem::new(Slug::ValidationFailed, "Nothing was sent. Correct what errors lists and send the order again.")
        .because(violations)
}

const LOOK_IT_UP: &str = "It is not known whether Front Payment has the order, and the bridge will not send it again under this \
    key. Look for its referenceNo in Front Payment's portal. If it is there, the operator of the bridge settles the order; if it \
    is not, submit it with a new Idempotency-Key. A callback of Front Payment's settles it too: GET /orders/{orderId} shows it.";

/// The one mapping of what became of an order to HTTP.
fn reply(Submitted { order_id, outcome, .. }: Submitted) -> Answer {
    let problem = |slug, detail: &str| Err(Problem::new(slug, detail).of(order_id));
    match outcome {
        Outcome::Accepted { accepted, replayed, warnings } => {
            let mut headers = vec![(LOCATION, format!("/orders/{order_id}"))];
            if replayed {
                headers.push((REPLAYED, "true".to_owned()));
            }
            let body = AcceptedView::new(order_id, &accepted, &warnings);
            let outcome = if replayed { "replayed" } else { "accepted" };
            Ok((outcome, json(StatusCode::CREATED, "application/json", headers, &body)))
        }
        Outcome::NotFresh(violations) => Err(invalid(violations)),
        Outcome::Refused(violations) => {
            Err(Problem::new(Slug::RejectedByFrontPayment, "Front Payment created nothing. Correct what errors lists and send the order again; the same Idempotency-Key may be used.")
                .of(order_id)
                .because(violations))
        }
        Outcome::KeyReused => problem(Slug::IdempotencyKeyReused, "This Idempotency-Key was used for another order, which Front Payment has. Use a key of its own for each order."),
        Outcome::InProgress => problem(Slug::SubmissionInProgress, "Another request with this Idempotency-Key is submitting the order. Ask again with the same key."),
        Outcome::EarlierUnknown => problem(Slug::OutcomeUnknownEarlier, LOOK_IT_UP),
        Outcome::Unknown => problem(Slug::OutcomeUnknown, LOOK_IT_UP),
        Outcome::Failed { its_word: true } => problem(Slug::FrontPaymentFailed, "Front Payment answered that it failed. By its word nothing was created, which is no proof: look for the referenceNo in its portal before you send the order again. The same Idempotency-Key may be used."),
        Outcome::Failed { its_word: false } => problem(Slug::FrontPaymentFailed, "Front Payment did not take the order, and nothing was created. The operator of the bridge finds the reason in the log. The same Idempotency-Key may be used again."),
        Outcome::Unavailable => problem(Slug::FrontPaymentUnavailable, "Front Payment cannot be reached or takes no orders just now, and nothing was created. Send the order again later; the same Idempotency-Key may be used."),
        Outcome::Storage => problem(Slug::StorageUnavailable, "The order cannot be stored just now, so it was not sent. Send it again later; the same Idempotency-Key may be used."),
        Outcome::Internal => Err(Problem::internal().of(order_id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authorization_of_any_shape() {
        for (header, key) in [
            ("Bearer k", Some("k")),
            ("bearer k", Some("k")),
            ("BEARER  k ", Some("k")),
            ("Bearer a b", Some("a b")),
            ("Bearer", None),
            ("Bearer ", None),
            ("", None),
            ("k", None),
            ("Basic k", None),
            ("Bearerk", None),
            ("Bearer\tk", None),
        ] {
            assert_eq!(bearer(header), key, "{header:?}");
        }
    }

    #[test]
    fn idempotency_keys() {
        assert!(is_idempotency_key("!"));
        assert!(is_idempotency_key(&"~".repeat(255)));
        for key in ["", &"a".repeat(256), "a b", "a\t", "æ", "a\u{7f}", "a\0"] {
            assert!(!is_idempotency_key(key), "{key:?}");
        }
    }

    #[test]
    fn an_order_id_has_one_form() {
        let id = "0198c2f0-7e4a-7000-8000-000000000001";
        assert!(parse_order_id(id).is_some());
        for other in ["", "x", &id.to_uppercase(), &id.replace('-', ""), &format!("{{{id}}}"), &format!("urn:uuid:{id}"), "%00"] {
            assert_eq!(parse_order_id(other), None, "{other}");
        }
    }
}
