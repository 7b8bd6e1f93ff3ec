//! `GET /callbacks/{orderId}/{token}`: Front Payment's status callback.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::problem::{Problem, Slug};
use super::request_log::{HandlerResult, logged};
use super::{ApiRequest, Function, Reply, parse_order_id};
use crate::bridge::Bridge;
use crate::front_payment::FrontPayment;
use crate::status::{self, CallbackOutcome, CallbackRequest, ReadBudget};
use crate::store::OrderStore;
use crate::telemetry::{self, RequestReport};

/// The route key, as in template.yaml.
pub const ROUTE: &str = "GET /callbacks/{orderId}/{token}";
/// Status reads that callbacks may cause in one process and minute.
const READS_PER_MINUTE: usize = 60;

/// The `callbacks` function.
pub struct Callbacks<S, F> {
    bridge: Arc<Bridge<S, F>>,
    budget: ReadBudget,
}

impl<S: OrderStore, F: FrontPayment> Callbacks<S, F> {
    #[must_use]
    pub fn new(bridge: Arc<Bridge<S, F>>) -> Self {
        Self { bridge, budget: ReadBudget::per_minute(READS_PER_MINUTE) }
    }

    async fn get(&self, request: &ApiRequest<'_>, report: &mut RequestReport) -> HandlerResult {
        let ApiRequest { event, deadline, .. } = *request;
        let order_id = event.path_parameter("orderId").and_then(parse_order_id).ok_or_else(not_found)?;
        telemetry::record_order_id(order_id);
        let token = event.path_parameter("token").ok_or_else(not_found)?;
        let secret = self
            .bridge
            .secret(deadline.reply_by())
            .await
            .map_err(|_| Problem::new(Slug::SecretUnavailable, "The bridge has no usable secret yet. Call again."))?;
        let callback = CallbackRequest { order_id, token, raw_query: event.raw_query(), secret, deadline };
        let (outcome, its_report) = status::apply_callback(&self.bridge, &self.budget, callback).await;
        *report = its_report;
        reply(outcome, report.provider.retry_after)
    }
}

impl<S: OrderStore, F: FrontPayment> Function for Callbacks<S, F> {
    const IS_FOR_SHOPS: bool = false;

    async fn handle(&self, request: ApiRequest<'_>) -> Reply {
        let is_routed = request.event.route_key.as_deref() == Some(ROUTE);
        let on_panic = || Problem::internal().of_no_shop();
        logged(request.request_id, if is_routed { ROUTE } else { "none" }, on_panic, async |report| {
            let handled = if is_routed { self.get(&request, report).await } else { Err(not_found()) };
            handled.map_err(Problem::of_no_shop)
        })
        .await
    }
}

fn reply(outcome: CallbackOutcome, retry_after: Option<Duration>) -> HandlerResult {
    match outcome {
        CallbackOutcome::Applied => Ok(("applied", ok())),
        CallbackOutcome::Noted => Ok(("noted", ok())),
        CallbackOutcome::Duplicate => Ok(("known", ok())),
        CallbackOutcome::OtherOrder => Ok(("twice", ok())),
        CallbackOutcome::StatusRead => Ok(("read-back", ok())),
        CallbackOutcome::NotFound => Err(not_found()),
        CallbackOutcome::NotVerified => {
            Err(Problem::new(Slug::CallbackNotVerified, "The checksum or a value of the callback is wrong."))
        }
        CallbackOutcome::StatusUnavailable => Err(Problem::new(
            Slug::FrontPaymentUnavailable,
            "The callback cannot be verified, and the order's status cannot be read at the moment. Call again.",
        )
        .retry_after(retry_after)),
        CallbackOutcome::StoreUnavailable => {
            Err(Problem::new(Slug::StorageUnavailable, "The status cannot be stored at the moment. Call again."))
        }
    }
}

fn not_found() -> Problem {
    Problem::new(Slug::NotFound, "There is no such callback.")
}

fn ok() -> Reply {
    let mut reply = Reply::new("OK".to_owned());
    *reply.status_mut() = StatusCode::OK;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    reply
}
