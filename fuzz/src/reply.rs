//! Replies, and what the contract says of every one of them.

use http::HeaderMap;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::aws_lambda_events::encodings::Body;
use serde_json::Value;

use crate::{ADVISORY, CODES, is_pointer, is_uuid, rank};

/// The two Lambdas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lambda {
    Orders,
    Callbacks,
}

/// Every problem: which Lambda answers it, with which HTTP status.
const PROBLEMS: [(&str, u16, Lambda); 20] = [
    ("malformed-json", 400, Lambda::Orders),
    ("unauthorized", 401, Lambda::Orders),
    ("not-found", 404, Lambda::Orders),
    ("payload-too-large", 413, Lambda::Orders),
    ("validation-failed", 422, Lambda::Orders),
    ("rejected-by-front-payment", 422, Lambda::Orders),
    ("idempotency-key-reused", 422, Lambda::Orders),
    ("submission-in-progress", 409, Lambda::Orders),
    ("outcome-unknown", 409, Lambda::Orders),
    ("outcome-unknown", 504, Lambda::Orders),
    ("front-payment-failed", 502, Lambda::Orders),
    ("front-payment-unavailable", 503, Lambda::Orders),
    ("storage-unavailable", 503, Lambda::Orders),
    // Only where nothing tells the public address of the API; the target knows when that is.
    ("internal", 500, Lambda::Orders),
    ("malformed-json", 400, Lambda::Callbacks),
    ("not-found", 404, Lambda::Callbacks),
    ("callback-not-believed", 403, Lambda::Callbacks),
    ("front-payment-unavailable", 503, Lambda::Callbacks),
    ("storage-unavailable", 503, Lambda::Callbacks),
    ("secret-unavailable", 503, Lambda::Callbacks),
];

/// A reply, read.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Reply {
    pub fn read(response: ApiGatewayV2httpResponse) -> Self {
        let Some(Body::Text(text)) = response.body else { panic!("a reply without a text") };
        assert!(!response.is_base64_encoded && response.multi_value_headers.is_empty() && response.cookies.is_empty());
        let body = serde_json::from_str(&text).unwrap_or_default();
        let status = u16::try_from(response.status_code).expect("an HTTP status");
        Self { status, headers: response.headers, text, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header is ASCII"))
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What holds for each reply of a Lambda.
    pub fn is_lawful(&self, lambda: Lambda) {
        match (lambda, self.status) {
            (Lambda::Orders, 200) => self.is_order(),
            (Lambda::Orders, 201) => self.is_accepted(),
            (Lambda::Callbacks, 200) => assert_eq!(self.text, "OK"),
            _ => self.is_problem(lambda),
        }
    }

    fn is_order(&self) {
        assert_eq!(self.header("content-type"), Some("application/json"));
        let mut names = self.members();
        names.retain(|name| !["orderUuid", "customerUuid", "bankIdUrl", "referenceNo", "customerReference"].contains(name));
        assert_eq!(names, ["createdAt", "grandTotal", "history", "orderId", "status", "updatedAt"]);
        assert_eq!(rank(self.word("status")) > 0, self.body.get("orderUuid").is_some(), "{}", self.text);
        assert!(self.body.get("bankIdUrl").is_none() || self.word("status") == "SENT", "{}", self.text);
        for entry in self.body["history"].as_array().expect("a history") {
            assert!(entry.as_object().is_some_and(|entry| entry.keys().eq(["at", "source", "status"])), "{entry}");
        }
    }

    fn is_accepted(&self) {
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("location").and_then(|place| place.strip_prefix("/orders/")), Some(self.word("orderId")));
        assert!(self.header("idempotency-replayed").is_none_or(|replayed| replayed == "true"));
        let mut names = self.members();
        names.retain(|name| !["customerUuid", "bankIdUrl", "warnings"].contains(name));
        assert_eq!(names, ["orderId", "orderUuid", "status"]);
        assert!(rank(self.word("status")) > 0 && is_uuid(self.word("orderUuid")), "{}", self.text);
        self.are_violations("warnings", 100, &ADVISORY);
    }

    fn is_problem(&self, lambda: Lambda) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["status"], self.status);
        assert!(!self.word("title").is_empty() && !self.word("detail").is_empty());
        let slug = self.slug().unwrap_or_else(|| panic!("{}", self.text));
        assert!(PROBLEMS.contains(&(slug, self.status, lambda)), "{lambda:?}: {slug} {}", self.status);
        assert_eq!(self.header("www-authenticate"), (slug == "unauthorized").then_some("Bearer"));
        let retry_after = self.header("retry-after").map(|seconds| seconds.parse::<u32>().expect("seconds"));
        assert_eq!(retry_after.is_some(), slug.ends_with("-unavailable") || slug == "submission-in-progress", "{slug}");
        let has_errors = ["validation-failed", "rejected-by-front-payment"].contains(&slug);
        assert_eq!(self.body.get("errors").is_some(), has_errors, "{slug}");
        self.are_violations("errors", 1_000, &CODES);
        let mut names = self.members();
        names.retain(|name| !["errors", "orderId"].contains(name));
        assert_eq!(names, ["detail", "status", "title", "type"]);
    }

    /// The kind of problem.
    pub fn slug(&self) -> Option<&str> {
        self.body["type"].as_str()?.strip_prefix("urn:front-payment-bridge:")
    }

    fn are_violations(&self, member: &str, most: usize, codes: &[&str]) {
        let Some(violations) = self.body.get(member) else { return };
        let violations = violations.as_array().expect("an array");
        assert!((1..=most).contains(&violations.len()), "{} {member}", violations.len());
        for violation in violations {
            let [pointer, code, detail] = ["pointer", "code", "detail"].map(|name| violation[name].as_str().expect("a text"));
            assert!(is_pointer(pointer) && codes.contains(&code) && !detail.is_empty(), "{violation}");
        }
    }

    fn members(&self) -> Vec<&str> {
        self.body.as_object().unwrap_or_else(|| panic!("{}", self.text)).keys().map(String::as_str).collect()
    }

    fn word(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }
}
