//! The one mapping of the outcome of a submit to HTTP, with the texts for the shop's engineer.

use http::StatusCode;
use http::header::{HeaderName, LOCATION};

use super::json;
use super::problem::{Problem, Slug};
use super::request_log::HandlerResult;
use super::views::AcceptedView;
use crate::order::{self, Violation};
use crate::submit::{SubmitOutcome, Submitted};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const INVALID: &str = "Nothing was sent. Correct what errors lists and send the order again.";
const REJECTED: &str = "Front Payment created nothing. Correct what errors lists and send the order again; the same \
    Idempotency-Key may be used.";
const KEY_REUSED: &str = "This Idempotency-Key was used for another order, which Front Payment has. Use a key of its own for \
    each order.";
const IN_PROGRESS: &str = "Another request with this Idempotency-Key is submitting the order. Ask again with the same key.";
const UNKNOWN: &str = "It is not known whether Front Payment has the order, and the bridge will not send it again under this \
    key. Look for its referenceNo in Front Payment's portal. If it is there, the operator of the bridge settles the order; if it \
    is not, submit it with a new Idempotency-Key. A callback of Front Payment's settles it too: GET /orders/{orderId} shows it.";
const FAILED: &str = "Front Payment did not take the order, and nothing was created. The operator of the bridge finds the reason \
    in the log. The same Idempotency-Key may be used again.";
const FAILED_UNPROVEN: &str = "Front Payment answered that it failed and says that nothing was created, which is no proof: look \
    for the referenceNo in its portal before you send the order again. The same Idempotency-Key may be used.";
const PROVIDER_UNAVAILABLE: &str = "Front Payment cannot be reached or takes no orders at the moment, and nothing was created. \
    Send the order again later; the same Idempotency-Key may be used.";
const STORE_UNAVAILABLE: &str = "The order cannot be stored at the moment, so it was not sent. Send it again later; the same \
    Idempotency-Key may be used.";

pub(super) fn submitted(Submitted { order_id, outcome, .. }: Submitted) -> HandlerResult {
    let problem = |slug, detail| Err(Problem::new(slug, detail).of(order_id));
    match outcome {
        SubmitOutcome::Accepted { order, is_replay, warnings } => {
            let mut headers = vec![(LOCATION, format!("/orders/{order_id}"))];
            if is_replay {
                headers.push((REPLAYED, "true".to_owned()));
            }
            let body = AcceptedView::new(order_id, &order, &warnings);
            let outcome = if is_replay { "replayed" } else { "accepted" };
            Ok((outcome, json(StatusCode::CREATED, "application/json", headers, &body)))
        }
        SubmitOutcome::NotSendable(violations) => Err(invalid(violations)),
        SubmitOutcome::Rejected(violations) => {
            Err(Problem::new(Slug::RejectedByFrontPayment, REJECTED).of(order_id).because(violations))
        }
        SubmitOutcome::KeyReused => problem(Slug::IdempotencyKeyReused, KEY_REUSED),
        SubmitOutcome::InProgress => problem(Slug::SubmissionInProgress, IN_PROGRESS),
        SubmitOutcome::UnknownBefore => problem(Slug::OutcomeUnknownEarlier, UNKNOWN),
        SubmitOutcome::Unknown => problem(Slug::OutcomeUnknown, UNKNOWN),
        SubmitOutcome::Failed { unproven: true } => problem(Slug::FrontPaymentFailed, FAILED_UNPROVEN),
        SubmitOutcome::Failed { unproven: false } => problem(Slug::FrontPaymentFailed, FAILED),
        SubmitOutcome::ProviderUnavailable => problem(Slug::FrontPaymentUnavailable, PROVIDER_UNAVAILABLE),
        SubmitOutcome::StoreUnavailable => problem(Slug::StorageUnavailable, STORE_UNAVAILABLE),
        SubmitOutcome::Internal => Err(Problem::internal().of(order_id)),
    }
}

pub(super) fn invalid(mut violations: Vec<Violation>) -> Problem {
    violations.truncate(order::MAX_ERRORS);
    Problem::new(Slug::ValidationFailed, INVALID).because(violations)
}
