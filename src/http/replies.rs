//! The reply to each outcome of a submit, with the texts for the shop's engineer.

use http::StatusCode;
use http::header::{HeaderName, LOCATION};
use serde::Serialize;
use uuid::Uuid;

use super::json;
use super::problem::{NextStep, Problem, Slug};
use super::request_log::HandlerResult;
use crate::order::{self, Status, StoredOrder, SubmitReply, Violation};
use crate::submit::{SubmitOutcome, Submitted};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const INVALID: &str =
    "Nothing was sent. Correct what errors lists and send the order again. The same Idempotency-Key may be used.";
const REJECTED: &str = "Front Payment refused the order and created nothing. Correct what errors lists and send the order again. \
    The same Idempotency-Key may be used.";
const KEY_REUSED: &str = "Front Payment already has an order under this Idempotency-Key, and the body just sent is not that \
    order. Nothing was sent. Read the order that is there with GET /orders/{orderId}. If it is the order that you mean, do not \
    send it again. A new Idempotency-Key makes a second invoice. If the cart has changed, cancel that order first. Use a new key \
    only once it is CANCELLED or EXPIRED, or if the customer is to get both.";
const IN_PROGRESS: &str = "Another request with this Idempotency-Key is submitting the order at this moment. Send the same \
    request again after Retry-After, with the same key.";
const UNKNOWN: &str = "Front Payment may or may not have the order, and the bridge does not send it again. A callback may \
    settle it in a few minutes, as GET /orders/{orderId} shows. If not, look for its referenceNo in Front Payment's portal. If \
    it is there, the operator of the bridge settles the order; do not send it. If it is not there ten minutes later, the \
    operator settles it as not created. Only then send it again, with the same Idempotency-Key.";
const FAILED: &str = "Front Payment did not take the order, and created nothing. The operator of the bridge finds the reason \
    in the log. Send the order again with the same Idempotency-Key once the reason is removed.";
const PROVIDER_UNAVAILABLE: &str = "Front Payment cannot be reached or takes no orders at the moment. Send the order again \
    after Retry-After, with the same Idempotency-Key.";
const NOT_ACCEPTING: &str = "The operator of the bridge has switched orders off for a while. Nothing was sent. Send the order \
    again after Retry-After, with the same Idempotency-Key.";
const STORE_UNAVAILABLE: &str = "The bridge cannot store the order at the moment, so it was not sent. Send it again after \
    Retry-After, with the same Idempotency-Key.";

pub(super) fn submitted(Submitted { order_id, outcome, unknown, calls }: Submitted, has_key: bool) -> HandlerResult {
    let problem = |slug, detail| Err(Problem::new(slug, detail).of(order_id));
    match outcome {
        SubmitOutcome::Accepted { order, is_replay, warnings } => Ok(accepted(&order, is_replay, &warnings)),
        SubmitOutcome::NotSendable(errors) => Err(invalid(errors).with_warnings(unknown)),
        SubmitOutcome::KeyReused => problem(Slug::IdempotencyKeyReused, KEY_REUSED),
        SubmitOutcome::InProgress => problem(Slug::SubmissionInProgress, IN_PROGRESS),
        SubmitOutcome::UnknownBefore => problem(Slug::OutcomeUnknownEarlier, UNKNOWN),
        SubmitOutcome::NotAccepted(reply) => match reply {
            SubmitReply::Rejected(sentences) => {
                let problem = Problem::new(Slug::RejectedByFrontPayment, REJECTED).of(order_id).because(sentences);
                Err(problem.with_warnings(unknown))
            }
            SubmitReply::Unauthorized | SubmitReply::Failed => problem(Slug::FrontPaymentFailed, FAILED),
            SubmitReply::Unavailable => {
                let problem = Problem::new(Slug::FrontPaymentUnavailable, PROVIDER_UNAVAILABLE).of(order_id);
                Err(problem.retry_after(calls.retry_after))
            }
            SubmitReply::Unknown | SubmitReply::Created(_) => problem(Slug::OutcomeUnknown, UNKNOWN),
        },
        SubmitOutcome::StoreUnavailable => problem(Slug::StorageUnavailable, STORE_UNAVAILABLE),
        SubmitOutcome::Internal => Err(internal(has_key).of(order_id)),
    }
}

/// A fault of the bridge during a submit. Without a key, the same request again could create a second order.
pub(super) fn internal(has_key: bool) -> Problem {
    let problem = Problem::internal();
    if has_key { problem } else { problem.next(NextStep::Look) }
}

/// The reply while the operator has switched orders off.
pub(super) fn not_accepting() -> Problem {
    Problem::new(Slug::FrontPaymentUnavailable, NOT_ACCEPTING)
}

pub(super) fn invalid(mut violations: Vec<Violation>) -> Problem {
    violations.truncate(order::MAX_ERRORS);
    Problem::new(Slug::ValidationFailed, INVALID).because(violations)
}

fn accepted(order: &StoredOrder, is_replay: bool, warnings: &[Violation]) -> (&'static str, super::Reply) {
    let mut headers = vec![(LOCATION, format!("/orders/{}", order.order_id))];
    if is_replay {
        headers.push((REPLAYED, "true".to_owned()));
    }
    let body = AcceptedView {
        order_id: order.order_id,
        status: order.status,
        order_uuid: order.order_uuid.as_deref(),
        customer_uuid: order.customer_uuid.as_deref(),
        bank_id_url: order.bank_id_url.as_deref(),
        warnings,
    };
    let outcome = if is_replay { "replayed" } else { "accepted" };
    (outcome, json(StatusCode::CREATED, "application/json", headers, &body))
}

/// The 201 of `POST /orders`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AcceptedView<'a> {
    order_id: Uuid,
    status: Status,
    order_uuid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_uuid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_id_url: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [Violation],
}
