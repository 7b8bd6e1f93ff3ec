//! What shops call: `POST /orders`, `GET /orders/{orderId}` and `POST /orders/{orderId}/notifications`.

use std::sync::Arc;

use http::StatusCode;

use super::authorization::authorize;
use super::problem::{Problem, Slug};
use super::replies;
use super::request_log::{HandlerResult, logged};
use super::{ApiRequest, Function, Reply, json, parse_order_id};
use crate::bridge::Bridge;
use crate::config::Settings;
use crate::front_payment::FrontPayment;
use crate::order::{self, Code, Invalid, Rules, StoredOrder, Validated, Violation, unknown_fields_beside};
use crate::order_view::OrderView;
use crate::secrets::Secret;
use crate::status::{self, ReadBudget};
use crate::store::OrderStore;
use crate::submit::{self, SubmitOutcome, SubmitRequest};
use crate::telemetry::{self, RequestReport, error_chain};

const MAX_BODY_BYTES: usize = 256 * 1024;
/// A process reads at most so many statuses a minute for shops.
const REFRESHES_PER_MINUTE: usize = 10;

/// The `orders` function.
pub struct Orders<S, F> {
    pub(super) bridge: Arc<Bridge<S, F>>,
    pub(super) settings: Settings,
    budget: ReadBudget,
}

impl<S: OrderStore, F: FrontPayment> Orders<S, F> {
    #[must_use]
    pub fn new(bridge: Arc<Bridge<S, F>>, settings: Settings) -> Self {
        Self { bridge, settings, budget: ReadBudget::per_minute(REFRESHES_PER_MINUTE) }
    }

    async fn post(&self, request: &ApiRequest<'_>, report: &mut RequestReport) -> HandlerResult {
        let (secret, shop_id) = authorize(&self.bridge, request, report).await?;
        if !self.settings.accepts_orders {
            return Err(replies::not_accepting());
        }
        let idempotency_key = request.event.header("idempotency-key");
        let mut validated = self.validate(request, idempotency_key)?;
        self.warn_if_not_notifiable(&mut validated, &secret, &shop_id);
        let callback_base = self.callback_base(request)?;
        let submitted = submit::submit(
            &self.bridge,
            SubmitRequest {
                shop_id: &shop_id,
                idempotency_key,
                validated,
                callback_base: &callback_base,
                secret,
                deadline: request.deadline,
            },
        )
        .await;
        report.provider = submitted.calls;
        if let SubmitOutcome::Accepted { order, .. } = &submitted.outcome {
            report.order_uuid = Some(order.order_uuid.clone());
        }
        replies::submitted(submitted)
    }

    fn validate(&self, request: &ApiRequest<'_>, idempotency_key: Option<&str>) -> Result<Validated, Problem> {
        let body = request.event.body();
        let body =
            body.ok_or_else(|| Problem::new(Slug::MalformedJson, "The body is not valid base64, though the event says so."))?;
        if body.len() > MAX_BODY_BYTES {
            return Err(Problem::new(Slug::PayloadTooLarge, format!("The body may have at most {MAX_BODY_BYTES} bytes.")));
        }
        let rules = Rules {
            now: self.bridge.clock.now(),
            tax_rates: &self.settings.allowed_tax_rates,
            enforce_advisories: self.settings.enforce_advisories,
            has_idempotency_key: idempotency_key.is_some(),
        };
        let bad_key = idempotency_key.filter(|key| !is_idempotency_key(key)).map(|_| {
            let detail = "the header Idempotency-Key must be 1 to 255 visible ASCII characters";
            Violation::new("", Code::InvalidFormat, detail)
        });
        match (order::validate(&body, &rules), bad_key) {
            (Ok(validated), None) => Ok(validated),
            (Ok(validated), Some(bad_key)) => {
                let errors: Vec<_> = [bad_key].into_iter().chain(validated.fresh_only).collect();
                let warnings = unknown_fields_beside(&errors, &validated.warnings);
                Err(replies::invalid(errors).with_warnings(warnings))
            }
            (Err(Invalid::Violations { errors, warnings }), bad_key) => {
                Err(replies::invalid(bad_key.into_iter().chain(errors).collect()).with_warnings(warnings))
            }
            (Err(Invalid::Malformed(malformed)), _) => Err(Problem::new(
                Slug::MalformedJson,
                format!(
                    "The body cannot be read as JSON: {malformed}. Send the order as one JSON document, in UTF-8 and not compressed."
                ),
            )),
        }
    }

    /// The public base URL of this API, without a trailing slash.
    fn callback_base(&self, request: &ApiRequest<'_>) -> Result<String, Problem> {
        let configured = self.settings.callback_base_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
        configured.or_else(|| request.event.public_base("/orders")).ok_or_else(|| {
            tracing::error!("the request has no public address of this API; set CALLBACK_BASE_URL");
            Problem::internal()
        })
    }

    /// The shop of the request, and its order.
    pub(super) async fn find(
        &self,
        request: &ApiRequest<'_>,
        report: &mut RequestReport,
    ) -> Result<(Arc<Secret>, StoredOrder), Problem> {
        let (secret, shop_id) = authorize(&self.bridge, request, report).await?;
        let not_found = || Problem::new(Slug::NotFound, "There is no order with this id.");
        let order_id = request.event.path_parameter("orderId").and_then(parse_order_id).ok_or_else(not_found)?;
        telemetry::record_order_id(order_id);
        let stored = self.bridge.load(order_id, request.deadline.reply_by()).await.map_err(|error| {
            tracing::error!(error = error_chain(&error), "the order cannot be read");
            Problem::new(Slug::StorageUnavailable, "The order cannot be read at the moment. Try again.").of(order_id)
        })?;
        // Another shop's order must look like none.
        let order = stored.filter(|order| order.shop_id == shop_id).ok_or_else(not_found)?;
        Ok((secret, order))
    }

    async fn get(&self, request: &ApiRequest<'_>, report: &mut RequestReport) -> HandlerResult {
        let (secret, mut order) = self.find(request, report).await?;
        if request.event.has_query("refresh", "true") {
            (order, report.provider) = status::refresh(&self.bridge, &self.budget, order, secret, request.deadline).await;
        }
        let view = OrderView::new(&order, self.bridge.clock.now());
        Ok(("read", json(StatusCode::OK, "application/json", Vec::new(), &view)))
    }
}

impl<S: OrderStore, F: FrontPayment> Function for Orders<S, F> {
    async fn handle(&self, request: ApiRequest<'_>) -> Reply {
        let route = match request.event.route_key.as_deref() {
            Some("POST /orders") => "POST /orders",
            Some("GET /orders/{orderId}") => "GET /orders/{orderId}",
            Some("POST /orders/{orderId}/notifications") => "POST /orders/{orderId}/notifications",
            _ => "none",
        };
        logged(request.request_id, route, async |report| match route {
            "POST /orders" => self.post(&request, report).await,
            "GET /orders/{orderId}" => self.get(&request, report).await,
            "POST /orders/{orderId}/notifications" => self.post_notification(&request, report).await,
            _ => Err(Problem::new(
                Slug::NotFound,
                "The API has POST /orders, GET /orders/{orderId} and POST /orders/{orderId}/notifications.",
            )),
        })
        .await
    }
}

fn is_idempotency_key(key: &str) -> bool {
    (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotency_keys() {
        assert!(is_idempotency_key("!"));
        assert!(is_idempotency_key(&"~".repeat(255)));
        for key in ["", &"a".repeat(256), "a b", "a\t", "æ", "a\u{7f}", "a\0"] {
            assert!(!is_idempotency_key(key), "{key:?}");
        }
    }
}
