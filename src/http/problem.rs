//! Problem documents (RFC 9457): what is wrong, and what the shop's engineer can do.

use std::time::Duration;

use http::StatusCode;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use uuid::Uuid;

use super::{Reply, json};
use crate::order::{Code, Violation};

/// A longer `Retry-After` of Front Payment is cut to this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::EnumIter))]
pub(super) enum Slug {
    MalformedJson,
    Unauthorized,
    CallbackNotVerified,
    NotFound,
    SubmissionInProgress,
    OutcomeUnknownEarlier,
    NothingToNotify,
    NotAccepted,
    CannotBeCancelled,
    PayloadTooLarge,
    ValidationFailed,
    IdempotencyKeyReused,
    RejectedByFrontPayment,
    Internal,
    FrontPaymentFailed,
    FrontPaymentUnavailable,
    StorageUnavailable,
    SecretUnavailable,
    Unhealthy,
    OutcomeUnknown,
}

/// What a shop's program does next. Programs rely on the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NextStep {
    /// This request created nothing. Change it; the same key may be used.
    Correct,
    /// Send the same request again, with the same key.
    Retry,
    /// Front Payment may have the order. A person checks there before anything is sent again.
    Look,
    /// The order exists: read it.
    Read,
}

/// What all problems with the same slug have in common.
struct Row {
    name: &'static str,
    status: StatusCode,
    title: &'static str,
    next_step: NextStep,
    /// Seconds, for problems that end by themselves.
    retry_after: Option<u64>,
}

impl Slug {
    fn row(self) -> Row {
        use {NextStep as N, StatusCode as S};
        let (name, status, next_step, retry_after, title) = match self {
            Self::MalformedJson => ("malformed-json", S::BAD_REQUEST, N::Correct, None, "The body is not JSON"),
            Self::Unauthorized => ("unauthorized", S::UNAUTHORIZED, N::Correct, None, "The API key is missing or unknown"),
            Self::CallbackNotVerified => {
                ("callback-not-verified", S::FORBIDDEN, N::Correct, None, "The callback cannot be verified")
            }
            Self::NotFound => ("not-found", S::NOT_FOUND, N::Correct, None, "Not found"),
            Self::SubmissionInProgress => {
                ("submission-in-progress", S::CONFLICT, N::Retry, Some(2), "The order is being submitted")
            }
            Self::OutcomeUnknownEarlier => {
                ("outcome-unknown", S::CONFLICT, N::Look, None, "The outcome of the submission is unknown")
            }
            Self::NothingToNotify => ("nothing-to-notify", S::CONFLICT, N::Read, None, "There is nothing to notify"),
            Self::NotAccepted => ("not-accepted", S::CONFLICT, N::Correct, None, "Front Payment does not have the order"),
            Self::CannotBeCancelled => {
                ("cannot-be-cancelled", S::CONFLICT, N::Read, None, "Front Payment does not cancel the order")
            }
            Self::PayloadTooLarge => ("payload-too-large", S::PAYLOAD_TOO_LARGE, N::Correct, None, "The body is too large"),
            Self::ValidationFailed => {
                ("validation-failed", S::UNPROCESSABLE_ENTITY, N::Correct, None, "The request is not valid")
            }
            Self::IdempotencyKeyReused => {
                ("idempotency-key-reused", S::UNPROCESSABLE_ENTITY, N::Read, None, "The Idempotency-Key belongs to another order")
            }
            Self::RejectedByFrontPayment => {
                ("rejected-by-front-payment", S::UNPROCESSABLE_ENTITY, N::Correct, None, "Front Payment refused the order")
            }
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR, N::Retry, None, "The bridge failed"),
            Self::FrontPaymentFailed => ("front-payment-failed", S::BAD_GATEWAY, N::Retry, None, "Front Payment failed"),
            Self::FrontPaymentUnavailable => (
                "front-payment-unavailable",
                S::SERVICE_UNAVAILABLE,
                N::Retry,
                Some(30), // Front Payment's rate limit counts by the minute
                "Front Payment is not available",
            ),
            Self::StorageUnavailable => {
                ("storage-unavailable", S::SERVICE_UNAVAILABLE, N::Retry, Some(5), "The bridge's storage is not available")
            }
            Self::SecretUnavailable => {
                ("secret-unavailable", S::SERVICE_UNAVAILABLE, N::Retry, Some(5), "The bridge is not set up yet")
            }
            Self::Unhealthy => ("unhealthy", S::SERVICE_UNAVAILABLE, N::Retry, Some(10), "The bridge is not healthy"),
            Self::OutcomeUnknown => ("outcome-unknown", S::GATEWAY_TIMEOUT, N::Look, None, "The outcome is unknown"),
        };
        Row { name, status, title, next_step, retry_after }
    }

    pub(super) fn name(self) -> &'static str {
        self.row().name
    }
}

pub(super) struct Problem {
    pub(super) slug: Slug,
    detail: String,
    order_id: Option<Uuid>,
    next_step: Option<NextStep>,
    errors: Vec<ErrorView>,
    warnings: Vec<Violation>,
    retry_after: Option<Duration>,
}

/// An error of a 422, or a sentence of Front Payment's.
#[derive(Serialize)]
#[serde(untagged)]
enum ErrorView {
    Document(Violation),
    /// About a parameter of the query or a header.
    Parameter {
        parameter: String,
        code: Code,
        detail: String,
    },
}

impl Problem {
    pub(super) fn new(slug: Slug, detail: impl Into<String>) -> Self {
        Self {
            slug,
            detail: detail.into(),
            order_id: None,
            next_step: Some(slug.row().next_step),
            errors: Vec::new(),
            warnings: Vec::new(),
            retry_after: None,
        }
    }

    /// A fault of the bridge. It reveals nothing.
    pub(super) fn internal() -> Self {
        Self::new(Slug::Internal, "The bridge failed. Its operator finds the reason in the log.")
    }

    pub(super) fn of(mut self, order_id: Uuid) -> Self {
        self.order_id = Some(order_id);
        self
    }

    pub(super) fn detail(mut self, detail: &str) -> Self {
        detail.clone_into(&mut self.detail);
        self
    }

    pub(super) fn next(mut self, next_step: NextStep) -> Self {
        self.next_step = Some(next_step);
        self
    }

    /// Removes the next step, because only a shop has one.
    pub(super) fn of_no_shop(mut self) -> Self {
        self.next_step = None;
        self
    }

    pub(super) fn because(mut self, errors: Vec<Violation>) -> Self {
        self.errors = errors.into_iter().map(ErrorView::Document).collect();
        self
    }

    /// An error about a parameter of the query or a header.
    pub(super) fn because_of_parameter(mut self, parameter: &str, code: Code, detail: impl Into<String>) -> Self {
        self.errors.push(ErrorView::Parameter { parameter: parameter.to_owned(), code, detail: detail.into() });
        self
    }

    pub(super) fn with_warnings(mut self, warnings: Vec<Violation>) -> Self {
        self.warnings = warnings;
        self
    }

    /// Sets the `Retry-After` of Front Payment's reply, if it had one.
    pub(super) fn retry_after(mut self, asked: Option<Duration>) -> Self {
        self.retry_after = asked;
        self
    }

    pub(super) fn into_reply(self, request_id: &str) -> Reply {
        let Row { name, status, title, retry_after, .. } = self.slug.row();
        let document = Document {
            r#type: format!("urn:front-payment-bridge:{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            instance: format!("urn:uuid:{request_id}"),
            order_id: self.order_id,
            next_step: self.next_step,
            errors: &self.errors,
            warnings: &self.warnings,
        };
        let seconds = retry_after.map(|own| self.retry_after.map_or(own, |asked| asked.min(MAX_RETRY_AFTER).as_secs()));
        let retry_after = seconds.map(|seconds| (RETRY_AFTER, seconds.to_string()));
        let challenge = (self.slug == Slug::Unauthorized).then(|| (WWW_AUTHENTICATE, "Bearer".to_owned()));
        json(status, "application/problem+json", retry_after.into_iter().chain(challenge).collect(), &document)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<NextStep>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ErrorView],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [Violation],
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn openapi_yaml_has_every_slug_and_no_other() {
        let described = include_str!("../../openapi.yaml");
        let found: BTreeSet<_> =
            described.split("urn:front-payment-bridge:").skip(1).map(first_word).filter(|slug| !slug.is_empty()).collect();
        let own: BTreeSet<_> = Slug::iter().map(|slug| slug.name()).collect();
        assert_eq!(found, own);
    }

    fn first_word(text: &str) -> &str {
        text.split(|c: char| !c.is_ascii_lowercase() && c != '-').next().unwrap_or_default()
    }
}
