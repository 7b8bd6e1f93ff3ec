//! `POST /orders/{orderId}/cancel`: a shop cancels an order.

use http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use super::orders::Orders;
use super::problem::{NextStep, Problem, Slug};
use super::request_log::HandlerResult;
use super::{ApiRequest, json, replies};
use crate::cancel::{CancelOutcome, CancelRequest, Cancellation, cancel};
use crate::front_payment::FrontPayment;
use crate::order::json::Json;
use crate::order::{Code, Status, StoredOrder, Violation};
use crate::store::OrderIndex;
use crate::telemetry::RequestReport;

const DEFAULT_NOTE: &str = "Cancelled by the shop";
const MAX_NOTE_CHARS: usize = 200;

const NOT_ACCEPTED: &str = "Front Payment does not have this order, so there is nothing to cancel.";
const IN_PROGRESS: &str =
    "The order is being submitted at this moment. Send the cancellation again after 30 seconds, then Front Payment may have it.";
const OUTCOME_UNKNOWN: &str = "Front Payment may or may not have this order, and has not named its uuid yet. Look for its \
    referenceNo in Front Payment's portal. If it is there, the operator of the bridge settles the order, and then it can be \
    cancelled here.";
const REFUSED: &str = "Front Payment does not cancel the order; errors has its reason. Read the order's status with \
    GET /orders/{orderId}.";
const FAILED: &str = "Front Payment rejects the bridge's token, so the order is not cancelled. The operator of the bridge finds \
    the reason in the log. Send the cancellation again then.";
const PROVIDER_UNAVAILABLE: &str = "Front Payment cannot be reached or takes no requests at the moment. Send the cancellation \
    again after Retry-After.";
const UNKNOWN: &str = "Front Payment may or may not have cancelled the order. Send the cancellation again: cancelling twice \
    does no harm.";
const STORE_UNAVAILABLE: &str = "The bridge cannot store the cancellation at the moment, so it was not sent. Send it again after \
    Retry-After.";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelView<'a> {
    order_id: Uuid,
    order_uuid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

/// The body of a cancellation.
#[derive(Debug, PartialEq, Eq, Default)]
struct Body {
    note: Option<String>,
    order_uuid: Option<String>,
}

impl<S: OrderIndex, F: FrontPayment> Orders<S, F> {
    pub(super) async fn post_cancel(&self, request: &ApiRequest<'_>, report: &mut RequestReport) -> HandlerResult {
        let (secret, order) = self.find(request, report).await?;
        let order_id = order.order_id;
        let body = read_body(request).map_err(|problem| problem.of(order_id))?;
        let Some(own_uuid) = order.order_uuid.clone() else { return Err(self.not_accepted(&order)) };
        let order_uuid = body.order_uuid.unwrap_or(own_uuid);
        if !order.knows_uuid(&order_uuid) {
            let detail = "is neither this order's orderUuid nor an otherOrderUuid of its history";
            let violation = Violation::new("/orderUuid", Code::NotAllowed, detail);
            return Err(invalid(vec![violation]).of(order_id));
        }
        report.order_uuid = Some(order_uuid.clone());
        let note = body.note.as_deref().unwrap_or(DEFAULT_NOTE);
        let cancellation = CancelRequest { order, order_uuid: &order_uuid, note, secret, deadline: request.deadline };
        let Cancellation { outcome, status, calls } = cancel(&self.bridge, &self.reads, cancellation).await;
        report.provider = calls;
        let done = |name, code| {
            let view = CancelView { order_id, order_uuid: &order_uuid, status };
            Ok((name, json(code, "application/json", Vec::new(), &view)))
        };
        let problem = |slug, detail| Err(Problem::new(slug, detail).of(order_id));
        match outcome {
            CancelOutcome::Cancelled => done("cancelled", StatusCode::OK),
            CancelOutcome::Requested => done("cancel-requested", StatusCode::ACCEPTED),
            CancelOutcome::Refused(sentences) => {
                Err(Problem::new(Slug::CannotBeCancelled, REFUSED).of(order_id).because(sentences))
            }
            CancelOutcome::Failed => problem(Slug::FrontPaymentFailed, FAILED),
            CancelOutcome::ProviderUnavailable => {
                let problem = Problem::new(Slug::FrontPaymentUnavailable, PROVIDER_UNAVAILABLE).of(order_id);
                Err(problem.retry_after(calls.retry_after))
            }
            CancelOutcome::Unknown => Err(Problem::new(Slug::OutcomeUnknown, UNKNOWN).of(order_id).next(NextStep::Retry)),
            CancelOutcome::StoreUnavailable => problem(Slug::StorageUnavailable, STORE_UNAVAILABLE),
            CancelOutcome::Gone => Err(super::orders::not_found()),
        }
    }

    fn not_accepted(&self, order: &StoredOrder) -> Problem {
        let (detail, next_step) = match order.status_at(self.bridge.clock.now()) {
            Status::Submitting => (IN_PROGRESS, NextStep::Retry),
            Status::Unknown => (OUTCOME_UNKNOWN, NextStep::Look),
            _ => (NOT_ACCEPTED, NextStep::Correct),
        };
        Problem::new(Slug::NotAccepted, detail).of(order.order_id).next(next_step)
    }
}

/// Reads the body: none, or an object. Unknown members are ignored.
fn read_body(request: &ApiRequest<'_>) -> Result<Body, Problem> {
    let malformed = |why: String| Problem::new(Slug::MalformedJson, format!("The body cannot be read as JSON: {why}."));
    let bytes = request.event.body().ok_or_else(|| malformed("it is not valid base64, though the event says so".to_owned()))?;
    if bytes.trim_ascii().is_empty() {
        return Ok(Body::default());
    }
    let too_large = || Problem::new(Slug::PayloadTooLarge, "The body may have at most 262144 bytes.");
    if bytes.len() > super::MAX_BODY_BYTES {
        return Err(too_large());
    }
    let json = Json::parse(&bytes).map_err(|error| malformed(error.to_string()))?;
    parse_body(&json).map_err(invalid)
}

fn parse_body(json: &Json<'_>) -> Result<Body, Vec<Violation>> {
    let Json::Object(members) = json else {
        return Err(vec![Violation::new("", Code::WrongType, format!("must be an object, not {}", json.kind()))]);
    };
    let mut errors = Vec::new();
    let mut text = |name: &str| match members.get(name) {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => Some(text.to_string()),
        Some(other) => {
            let detail = format!("must be a string, not {}", other.kind());
            errors.push(Violation::new(format!("/{name}"), Code::WrongType, detail));
            None
        }
    };
    let body = Body { note: text("note"), order_uuid: text("orderUuid") };
    if let Some(note) = &body.note {
        match note.chars().count() {
            0 => errors.push(Violation::new("/note", Code::Required, "must not be empty; leave it out instead")),
            1..=MAX_NOTE_CHARS => {}
            _ => errors.push(Violation::new("/note", Code::TooLong, "must have at most 200 characters")),
        }
    }
    if errors.is_empty() { Ok(body) } else { Err(errors) }
}

fn invalid(violations: Vec<Violation>) -> Problem {
    const WHAT: &str = "Nothing was sent. Correct what errors lists and send the cancellation again.";
    replies::invalid(violations).detail(WHAT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Body, Vec<(String, Code)>> {
        let body = parse_body(&Json::parse(text.as_bytes()).unwrap());
        body.map_err(|errors| errors.into_iter().map(|error| (error.pointer, error.code)).collect())
    }

    #[test]
    fn a_note_and_an_order_uuid_are_optional() {
        let body = |note: Option<&str>, uuid: Option<&str>| {
            Ok(Body { note: note.map(str::to_owned), order_uuid: uuid.map(str::to_owned) })
        };
        assert_eq!(parse("{}"), body(None, None));
        assert_eq!(parse(r#"{"note":null,"orderUuid":null,"other":5}"#), body(None, None));
        assert_eq!(parse(r#"{"note":"changed","orderUuid":"ODR1"}"#), body(Some("changed"), Some("ODR1")));
        assert!(parse(&format!(r#"{{"note":"{}"}}"#, "ø".repeat(200))).is_ok());
        let error = |pointer: &str, code| Err(vec![(pointer.to_owned(), code)]);
        assert_eq!(parse(&format!(r#"{{"note":"{}"}}"#, "ø".repeat(201))), error("/note", Code::TooLong));
        assert_eq!(parse(r#"{"note":""}"#), error("/note", Code::Required));
        assert_eq!(parse(r#"{"orderUuid":5}"#), error("/orderUuid", Code::WrongType));
        assert_eq!(parse("[]"), error("", Code::WrongType));
    }
}
