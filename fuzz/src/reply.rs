//! What holds for every reply, by docs/api.md.

use http::HeaderMap;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::aws_lambda_events::encodings::Body;
use serde_json::Value;

use crate::heard::is_dead;
use crate::{ADVISORY, ERRORS, is_plain_decimal, is_pointer, is_provider_id, rank};

/// The id of every request.
pub const REQUEST_ID: &str = "0c6f2a52-93a5-4f0b-9b2f-0f3f7a6c1d11";

pub const POST: &str = "POST /orders";
pub const LIST: &str = "GET /orders";
pub const GET: &str = "GET /orders/{orderId}";
pub const CANCEL: &str = "POST /orders/{orderId}/cancel";
pub const NOTIFY: &str = "POST /orders/{orderId}/notifications";
pub const HEALTH: &str = "GET /health";

/// The two Lambdas behind the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lambda {
    Orders,
    Callbacks,
}

/// Every problem, with the Lambda that answers it and its HTTP status.
const PROBLEMS: [(&str, u16, Lambda); 24] = [
    ("malformed-json", 400, Lambda::Orders),
    ("unauthorized", 401, Lambda::Orders),
    ("not-found", 404, Lambda::Orders),
    ("payload-too-large", 413, Lambda::Orders),
    ("validation-failed", 422, Lambda::Orders),
    ("rejected-by-front-payment", 422, Lambda::Orders),
    ("idempotency-key-reused", 422, Lambda::Orders),
    ("submission-in-progress", 409, Lambda::Orders),
    ("outcome-unknown", 409, Lambda::Orders),
    ("nothing-to-notify", 409, Lambda::Orders),
    ("not-accepted", 409, Lambda::Orders),
    ("cannot-be-cancelled", 409, Lambda::Orders),
    ("outcome-unknown", 504, Lambda::Orders),
    ("front-payment-failed", 502, Lambda::Orders),
    ("front-payment-unavailable", 503, Lambda::Orders),
    ("storage-unavailable", 503, Lambda::Orders),
    ("unhealthy", 503, Lambda::Orders),
    // Only if nothing tells the bridge its own public address; the target knows when that is so.
    ("internal", 500, Lambda::Orders),
    ("malformed-json", 400, Lambda::Callbacks),
    ("not-found", 404, Lambda::Callbacks),
    ("callback-not-verified", 403, Lambda::Callbacks),
    ("front-payment-unavailable", 503, Lambda::Callbacks),
    ("storage-unavailable", 503, Lambda::Callbacks),
    ("secret-unavailable", 503, Lambda::Callbacks),
];

/// The values that `nextStep` may have.
fn next_steps(slug: &str, route: &str) -> &'static [&'static str] {
    match slug {
        "outcome-unknown" if route == CANCEL => &["retry"],
        "outcome-unknown" => &["look"],
        "internal" => &["look", "retry"],
        "not-accepted" => &["look", "retry", "correct"],
        "front-payment-failed" | "submission-in-progress" | "unhealthy" => &["retry"],
        "idempotency-key-reused" | "cannot-be-cancelled" | "nothing-to-notify" => &["read"],
        slug if slug.ends_with("-unavailable") => &["retry"],
        _ => &["correct"],
    }
}

/// A reply, parsed.
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

    /// Checks what holds for each reply of a Lambda. `asked` is the `Retry-After` of Front Payment, if it was called.
    pub fn is_lawful(&self, lambda: Lambda, route: &str, asked: Option<u64>) {
        assert_eq!(self.header("cache-control"), Some("no-store"));
        if self.status >= 400 {
            return self.is_problem(lambda, route, asked);
        }
        if lambda == Lambda::Callbacks {
            return assert_eq!((self.status, self.text.as_str()), (200, "OK"));
        }
        assert_eq!(self.header("content-type"), Some("application/json"));
        match (route, self.status) {
            (POST, 201) => self.is_accepted(),
            (LIST, 200) => self.is_list(),
            (GET, 200) => {
                is_order(&self.body, &["bankIdUrl", "history"]);
                assert!(self.body.get("bankIdUrl").is_none() || self.word("status") == "SENT", "{}", self.text);
                are_entries(&self.body["history"], &self.body["orderUuid"]);
            }
            (CANCEL, 200 | 202) => self.is_cancellation(),
            (NOTIFY, 202) => self.is_to_be_notified(),
            (HEALTH, 200) => assert_eq!(self.text, r#"{"status":"ok"}"#),
            (route, status) => panic!("{status} of {route}"),
        }
    }

    fn is_list(&self) {
        for order in self.orders() {
            is_order(order, &[]);
        }
        let names = self.members();
        assert!([&["orders"][..], &["next", "orders"], &["orders", "until"]].contains(&&names[..]), "{names:?}");
        assert!(self.body.get("next").is_none_or(Value::is_string), "{}", self.text);
        assert!(self.body.get("until").is_none_or(is_instant), "{}", self.text);
    }

    /// The orders of a list. Panics if the reply is not a list.
    pub fn orders(&self) -> &[Value] {
        self.body["orders"].as_array().unwrap_or_else(|| panic!("no list: {}", self.text))
    }

    pub fn orders_or_none(&self) -> &[Value] {
        if self.status == 200 { self.orders() } else { &[] }
    }

    fn is_cancellation(&self) {
        let mut names = self.members();
        names.retain(|name| *name != "status");
        assert_eq!(names, ["orderId", "orderUuid"]);
        assert!(is_order_id(self.word("orderId")) && is_provider_id(self.word("orderUuid")), "{}", self.text);
        let status = self.body.get("status").map(|_| self.word("status"));
        assert!(status.is_none_or(|status| rank(status) > 0), "{}", self.text);
        assert!(self.status == 202 || status.is_some_and(|status| is_dead(rank(status))), "{}", self.text);
    }

    fn is_accepted(&self) {
        assert_eq!(self.header("location").and_then(|place| place.strip_prefix("/orders/")), Some(self.word("orderId")));
        assert!(self.header("idempotency-replayed").is_none_or(|replayed| replayed == "true"));
        let mut names = self.members();
        names.retain(|name| !["customerUuid", "bankIdUrl", "warnings"].contains(name));
        assert_eq!(names, ["orderId", "orderUuid", "status"]);
        assert!(is_order_id(self.word("orderId")), "{}", self.text);
        assert!(rank(self.word("status")) > 0 && is_provider_id(self.word("orderUuid")), "{}", self.text);
        self.are_violations("warnings", 100, &[&ADVISORY[..], &["not_notifiable"]].concat(), "pointer");
    }

    fn is_to_be_notified(&self) {
        assert_eq!(self.members(), ["notified", "orderId"]);
        are_notifications(&self.body["notified"]);
        assert_eq!(self.body["notified"]["state"], "pending", "{}", self.text);
    }

    fn is_problem(&self, lambda: Lambda, route: &str, asked: Option<u64>) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["status"], self.status);
        assert_eq!(self.word("instance"), format!("urn:uuid:{REQUEST_ID}"));
        assert!(!self.word("title").is_empty() && !self.word("detail").is_empty());
        let slug = self.slug().unwrap_or_else(|| panic!("{}", self.text));
        assert!(PROBLEMS.contains(&(slug, self.status, lambda)), "{lambda:?}: {slug} {}", self.status);
        assert_eq!(self.header("www-authenticate"), (slug == "unauthorized").then_some("Bearer"));
        let retry_after = self.header("retry-after").map(|seconds| seconds.parse::<u64>().expect("seconds"));
        let passes = slug.ends_with("-unavailable") || ["submission-in-progress", "unhealthy"].contains(&slug);
        assert_eq!(retry_after.is_some(), passes, "{slug}");
        assert!(slug != "submission-in-progress" || retry_after == Some(2));
        match (slug, asked) {
            ("front-payment-unavailable", Some(asked)) => assert_eq!(retry_after, Some(asked.min(3_600))),
            _ => assert!(retry_after.is_none_or(|seconds| (1..=30).contains(&seconds)), "{retry_after:?}"),
        }
        let has_errors = ["validation-failed", "rejected-by-front-payment", "cannot-be-cancelled"].contains(&slug);
        assert_eq!(self.body.get("errors").is_some(), has_errors, "{slug}");
        let codes: &[&str] = if slug == "validation-failed" { &ERRORS } else { &["provider"] };
        self.are_violations("errors", 1_000, codes, if route == LIST { "parameter" } else { "pointer" });
        assert!(self.body.get("warnings").is_none() || (slug == "validation-failed" && route == POST), "{slug}");
        self.are_violations("warnings", 100, &["unknown_field"], "pointer");
        // A malformed event has no route. Its problem may have a `nextStep` even from `callbacks`.
        match self.body.get("nextStep").map(|_| self.word("nextStep")) {
            None => assert_eq!(lambda, Lambda::Callbacks),
            Some(step) => assert!(next_steps(slug, route).contains(&step) && (lambda == Lambda::Orders || self.status == 400)),
        }
        let mut names = self.members();
        names.retain(|name| !["errors", "nextStep", "orderId", "warnings"].contains(name));
        assert_eq!(names, ["detail", "instance", "status", "title", "type"]);
    }

    pub fn slug(&self) -> Option<&str> {
        self.body["type"].as_str()?.strip_prefix("urn:front-payment-bridge:")
    }

    fn are_violations(&self, member: &str, most: usize, codes: &[&str], place: &str) {
        let Some(violations) = self.body.get(member) else { return };
        let violations = violations.as_array().expect("an array");
        assert!((1..=most).contains(&violations.len()), "{} {member}", violations.len());
        for violation in violations {
            let [place_of, code, detail] = [place, "code", "detail"].map(|name| violation[name].as_str().expect("a text"));
            assert!(place == "parameter" || is_pointer(place_of), "{violation}");
            assert!(codes.contains(&code) && !detail.is_empty(), "{violation}");
        }
    }

    fn members(&self) -> Vec<&str> {
        self.body.as_object().unwrap_or_else(|| panic!("{}", self.text)).keys().map(String::as_str).collect()
    }

    pub fn word(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }
}

/// Checks an order. `more` are further members that it may have.
fn is_order(order: &Value, more: &[&str]) {
    let optional = [
        "orderUuid",
        "customerUuid",
        "referenceNo",
        "customerReference",
        "refundedAmount",
        "cancelRequestedAt",
        "checkedAt",
        "notified",
    ];
    let mut names: Vec<&str> = order.as_object().expect("an order").keys().map(String::as_str).collect();
    names.retain(|name| !optional.contains(name) && !more.contains(name));
    assert_eq!(names, ["createdAt", "grandTotal", "orderId", "status", "updatedAt"]);
    let word = |name: &str| order[name].as_str().unwrap_or_else(|| panic!("{name} of {order}"));
    assert!(is_order_id(word("orderId")), "{order}");
    let is_accepted = order.get("orderUuid").is_some();
    assert_eq!(rank(word("status")) > 0, is_accepted, "{order}");
    assert_eq!(order.get("notified").is_some(), is_accepted, "{order}");
    order.get("notified").into_iter().for_each(are_notifications);
    for name in ["createdAt", "updatedAt", "checkedAt", "cancelRequestedAt"] {
        assert!(order.get(name).is_none_or(is_instant), "{name} of {order}");
    }
    assert!(order.get("refundedAmount").is_none_or(|_| is_plain_decimal(word("refundedAmount"))), "{order}");
}

fn are_entries(history: &Value, own_uuid: &Value) {
    for entry in history.as_array().expect("a history") {
        let mut names: Vec<_> = entry.as_object().expect("an entry").keys().collect();
        names.retain(|name| *name != "otherOrderUuid");
        assert_eq!(names, ["at", "source", "status"], "{entry}");
        assert!(is_instant(&entry["at"]), "{entry}");
        let source = entry["source"].as_str().unwrap_or_default();
        assert!(["submit", "callback", "provider", "shop", "operator"].contains(&source), "{entry}");
        assert!(entry.get("otherOrderUuid").is_none_or(|other| other != own_uuid), "its own uuid: {entry}");
    }
}

fn are_notifications(notified: &Value) {
    let members = notified.as_object().expect("an object");
    let known = ["state", "status", "at", "attempts", "nextAt", "lastError"];
    assert!(members.keys().all(|name| known.contains(&name.as_str())), "{notified}");
    assert!(["off", "pending", "delivered", "failed"].contains(&notified["state"].as_str().unwrap_or_default()), "{notified}");
    assert!(["at", "nextAt"].iter().all(|name| notified.get(*name).is_none_or(is_instant)), "{notified}");
    assert!(notified.get("status").is_none_or(|status| status.as_str().is_some_and(|status| rank(status) > 0)), "{notified}");
}

/// A UUID in lower case.
fn is_order_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-')
}

/// RFC 3339 in UTC with milliseconds, like `2026-06-15T00:00:00.000Z`.
fn is_instant(value: &Value) -> bool {
    const SHAPE: &str = "0000-00-00T00:00:00.000Z";
    let fits = |(byte, shape): (u8, u8)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    value.as_str().is_some_and(|text| text.len() == SHAPE.len() && text.bytes().zip(SHAPE.bytes()).all(fits))
}
