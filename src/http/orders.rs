//! The routes of the function `orders`, which shops call.

use std::sync::Arc;

use http::StatusCode;

use super::authorization::authorize;
use super::health::Health;
use super::problem::{Problem, Slug};
use super::replies;
use super::request_log::{HandlerResult, logged};
use super::{ApiRequest, Function, MAX_BODY_BYTES, Reply, idempotency_key, json, parse_order_id};
use crate::bridge::Bridge;
use crate::config::Settings;
use crate::front_payment::FrontPayment;
use crate::order::{self, Code, Invalid, Rules, StoredOrder, Validated, Violation};
use crate::order_view::OrderView;
use crate::secrets::Secret;
use crate::status::{self, ReadBudget};
use crate::store::{OrderIndex, StoreError};
use crate::submit::{self, SubmitOutcome, SubmitRequest};
use crate::telemetry::{self, RequestReport, error_chain};

/// Status reads in one process and minute.
const READS_PER_MINUTE: usize = 60;
/// Of these, the status reads with `?refresh=true`.
const REFRESHES_PER_MINUTE: usize = 10;

/// The route keys, as in template.yaml.
pub const ROUTES: [&str; 6] = [
    "POST /orders",
    "GET /orders",
    "GET /orders/{orderId}",
    "POST /orders/{orderId}/cancel",
    "POST /orders/{orderId}/notifications",
    "GET /health",
];

/// The `orders` function.
pub struct Orders<S, F> {
    pub(super) bridge: Arc<Bridge<S, F>>,
    pub(super) settings: Settings,
    pub(super) reads: ReadBudget,
    refreshes: ReadBudget,
    health: Health,
}

impl<S: OrderIndex, F: FrontPayment> Orders<S, F> {
    #[must_use]
    pub fn new(bridge: Arc<Bridge<S, F>>, settings: Settings) -> Self {
        let (reads, refreshes) = (ReadBudget::per_minute(READS_PER_MINUTE), ReadBudget::per_minute(REFRESHES_PER_MINUTE));
        Self { bridge, settings, reads, refreshes, health: Health::default() }
    }

    async fn post(&self, request: &ApiRequest<'_>, report: &mut RequestReport) -> HandlerResult {
        let (secret, shop_id) = authorize(&self.bridge, request, report).await?;
        if !self.settings.accepts_orders {
            return Err(replies::not_accepting());
        }
        let idempotency_key = idempotency_key::read(request.event);
        let mut validated = self.validate(request, idempotency_key.is_err(), idempotency_key != Ok(None))?;
        let idempotency_key = idempotency_key.unwrap_or_default();
        self.warn_if_not_notifiable(&mut validated, &secret, &shop_id);
        let callback_base = self.callback_base(request, idempotency_key.is_some())?;
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
            report.order_uuid.clone_from(&order.order_uuid);
        }
        replies::submitted(submitted, idempotency_key.is_some())
    }

    fn validate(&self, request: &ApiRequest<'_>, is_key_bad: bool, has_key: bool) -> Result<Validated, Problem> {
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
            has_idempotency_key: has_key,
        };
        let bad_key = is_key_bad.then(|| Violation::new("", Code::InvalidFormat, idempotency_key::EXPECTED));
        match (order::validate(&body, &rules), bad_key) {
            (Ok(validated), None) => Ok(validated),
            (Ok(validated), Some(bad_key)) => {
                let errors = [bad_key].into_iter().chain(validated.fresh_only).collect();
                Err(replies::invalid(errors).with_warnings(validated.unknown))
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
    fn callback_base(&self, request: &ApiRequest<'_>, has_key: bool) -> Result<String, Problem> {
        let configured = self.settings.callback_base_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
        configured.or_else(|| request.event.public_base("/orders")).ok_or_else(|| {
            tracing::error!("the request has no public address of this API; set CALLBACK_BASE_URL");
            replies::internal(has_key)
        })
    }

    /// Authorizes the shop and loads its order.
    pub(super) async fn find(
        &self,
        request: &ApiRequest<'_>,
        report: &mut RequestReport,
    ) -> Result<(Arc<Secret>, StoredOrder), Problem> {
        let (secret, shop_id) = authorize(&self.bridge, request, report).await?;
        let order_id = request.event.path_parameter("orderId").and_then(parse_order_id).ok_or_else(not_found)?;
        telemetry::record_order_id(order_id);
        let stored = self.bridge.load(order_id, request.deadline.reply_by()).await;
        let stored = stored.map_err(|error| cannot_read(&error).of(order_id))?;
        // Another shop's order must look like one that does not exist.
        let now = self.bridge.clock.now();
        let order = stored.filter(|order| order.shop_id == shop_id && !order.is_past_retention(now)).ok_or_else(not_found)?;
        Ok((secret, order))
    }

    async fn get(&self, request: &ApiRequest<'_>, report: &mut RequestReport) -> HandlerResult {
        let (secret, mut order) = self.find(request, report).await?;
        if request.event.has_query("refresh", "true") && self.may_refresh(&order) {
            (order, report.provider) = status::refresh(&self.bridge, &self.reads, order, secret, request.deadline).await;
        }
        let view = OrderView::new(&order, self.bridge.clock.now());
        Ok(("read", json(StatusCode::OK, "application/json", Vec::new(), &view)))
    }

    fn may_refresh(&self, order: &StoredOrder) -> bool {
        let now = self.bridge.clock.now();
        status::is_worth_reading(order, now) && self.refreshes.try_read(now)
    }
}

pub(super) fn not_found() -> Problem {
    Problem::new(Slug::NotFound, "There is no order with this id.")
}

pub(super) fn cannot_read(error: &StoreError) -> Problem {
    tracing::error!(error = error_chain(error), "the order cannot be read");
    Problem::new(Slug::StorageUnavailable, "The order cannot be read at the moment. Try again.")
}

impl<S: OrderIndex, F: FrontPayment> Function for Orders<S, F> {
    const IS_FOR_SHOPS: bool = true;

    async fn handle(&self, request: ApiRequest<'_>) -> Reply {
        let asked = request.event.route_key.as_deref().unwrap_or_default();
        let route = ROUTES.into_iter().find(|route| *route == asked).unwrap_or("none");
        let is_repeatable = route != "POST /orders" || request.event.header("idempotency-key").is_some();
        logged(
            request.request_id,
            route,
            || replies::internal(is_repeatable),
            async |report| match route {
                "POST /orders" => self.post(&request, report).await,
                "GET /orders" => self.list(&request, report).await,
                "GET /orders/{orderId}" => self.get(&request, report).await,
                "POST /orders/{orderId}/cancel" => self.post_cancel(&request, report).await,
                "POST /orders/{orderId}/notifications" => self.post_notification(&request, report).await,
                "GET /health" => self.health.get(&self.bridge, request.deadline.reply_by()).await,
                _ => Err(Problem::new(Slug::NotFound, format!("The API has {}.", ROUTES.join(", ")))),
            },
        )
        .await
    }
}
