//! Problem documents (RFC 9457): what is wrong, and what the shop's engineer can do.

use std::time::Duration;

use http::StatusCode;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use uuid::Uuid;

use super::{Reply, json};
use crate::order::Violation;

/// The longest `Retry-After` of Front Payment's that is passed on.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::EnumIter))]
pub(super) enum Slug {
    MalformedJson,
    Unauthorized,
    CallbackNotBelieved,
    NotFound,
    SubmissionInProgress,
    OutcomeUnknownEarlier,
    NothingToNotify,
    PayloadTooLarge,
    ValidationFailed,
    IdempotencyKeyReused,
    RejectedByFrontPayment,
    Internal,
    FrontPaymentFailed,
    FrontPaymentUnavailable,
    StorageUnavailable,
    SecretUnavailable,
    OutcomeUnknown,
}

impl Slug {
    /// Name, HTTP status and title.
    fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedJson => ("malformed-json", S::BAD_REQUEST, "The body is not JSON"),
            Self::Unauthorized => ("unauthorized", S::UNAUTHORIZED, "The API key is missing or unknown"),
            Self::CallbackNotBelieved => ("callback-not-believed", S::FORBIDDEN, "The callback cannot be verified"),
            Self::NotFound => ("not-found", S::NOT_FOUND, "Not found"),
            Self::SubmissionInProgress => ("submission-in-progress", S::CONFLICT, "The order is being submitted"),
            Self::OutcomeUnknownEarlier => ("outcome-unknown", S::CONFLICT, "The outcome of the submission is unknown"),
            Self::NothingToNotify => ("nothing-to-notify", S::CONFLICT, "There is nothing to notify"),
            Self::PayloadTooLarge => ("payload-too-large", S::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::ValidationFailed => ("validation-failed", S::UNPROCESSABLE_ENTITY, "The order is not valid"),
            Self::IdempotencyKeyReused => {
                ("idempotency-key-reused", S::UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another order")
            }
            Self::RejectedByFrontPayment => {
                ("rejected-by-front-payment", S::UNPROCESSABLE_ENTITY, "Front Payment refused the order")
            }
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR, "The bridge failed"),
            Self::FrontPaymentFailed => ("front-payment-failed", S::BAD_GATEWAY, "Front Payment failed"),
            Self::FrontPaymentUnavailable => {
                ("front-payment-unavailable", S::SERVICE_UNAVAILABLE, "Front Payment is not available")
            }
            Self::StorageUnavailable => ("storage-unavailable", S::SERVICE_UNAVAILABLE, "The bridge's storage is not available"),
            Self::SecretUnavailable => ("secret-unavailable", S::SERVICE_UNAVAILABLE, "The bridge is not set up yet"),
            Self::OutcomeUnknown => ("outcome-unknown", S::GATEWAY_TIMEOUT, "The outcome of the submission is unknown"),
        }
    }

    pub(super) fn name(self) -> &'static str {
        self.row().0
    }

    /// For problems that pass by themselves.
    fn retry_after(self) -> Option<Duration> {
        match self {
            Self::SubmissionInProgress | Self::StorageUnavailable | Self::SecretUnavailable => Some(Duration::from_secs(5)),
            // Front Payment's rate limit counts by the minute.
            Self::FrontPaymentUnavailable => Some(Duration::from_secs(30)),
            _ => None,
        }
    }
}

pub(super) struct Problem {
    pub(super) slug: Slug,
    detail: String,
    order_id: Option<Uuid>,
    errors: Vec<Violation>,
    warnings: Vec<Violation>,
    retry_after: Option<Duration>,
}

impl Problem {
    pub(super) fn new(slug: Slug, detail: impl Into<String>) -> Self {
        Self { slug, detail: detail.into(), order_id: None, errors: Vec::new(), warnings: Vec::new(), retry_after: None }
    }

    /// A fault of the bridge. It reveals nothing.
    pub(super) fn internal() -> Self {
        Self::new(Slug::Internal, "The bridge failed. Its operator finds the reason in the log.")
    }

    pub(super) fn of(mut self, order_id: Uuid) -> Self {
        self.order_id = Some(order_id);
        self
    }

    pub(super) fn because(mut self, errors: Vec<Violation>) -> Self {
        self.errors = errors;
        self
    }

    pub(super) fn with_warnings(mut self, warnings: Vec<Violation>) -> Self {
        self.warnings = warnings;
        self
    }

    /// What Front Payment asked for in `Retry-After`, if it did.
    pub(super) fn retry_after(mut self, asked: Option<Duration>) -> Self {
        self.retry_after = asked;
        self
    }

    pub(super) fn into_reply(self, request_id: &str) -> Reply {
        let (name, status, title) = self.slug.row();
        let document = Document {
            r#type: format!("urn:front-payment-bridge:{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            instance: format!("urn:uuid:{request_id}"),
            order_id: self.order_id,
            errors: &self.errors,
            warnings: &self.warnings,
        };
        let default = self.slug.retry_after();
        let seconds = default.map(|default| self.retry_after.map_or(default, |asked| asked.min(MAX_RETRY_AFTER)).as_secs());
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
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Violation],
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
