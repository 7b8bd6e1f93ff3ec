//! `GET /callbacks/{orderId}/{token}`: Front Payment's status callback.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::orders::parse_order_id;
use super::problem::{Problem, Slug};
use super::summary::{Answer, summarized};
use super::{Reply, Request};
use crate::apply::{self, Outcome};
use crate::bridge::{Bridge, Report};
use crate::front_payment::FrontPayment;
use crate::store::OrderStore;
use crate::telemetry;

const ROUTE: &str = "GET /callbacks/{orderId}/{token}";

/// Answers one callback.
pub async fn handle<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: Request<'_>) -> Reply {
    let is_routed = request.event.route_key.as_deref() == Some(ROUTE);
    summarized(request.request_id, if is_routed { ROUTE } else { "none" }, async |report| {
        if is_routed { get(bridge, &request, report).await } else { Err(not_found()) }
    })
    .await
}

async fn get<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: &Request<'_>, report: &mut Report) -> Answer {
    let Request { event, deadline, .. } = *request;
    let order_id = event.path_parameter("orderId").and_then(parse_order_id).ok_or_else(not_found)?;
    telemetry::order_is(order_id);
    let token = event.path_parameter("token").ok_or_else(not_found)?;
    let secret = bridge
        .secret(deadline.reply_by())
        .await
        .map_err(|_| Problem::new(Slug::SecretUnavailable, "The bridge has no usable secret yet. Call again."))?;
    let raw_query = event.raw_query();
    let applied = apply::apply(bridge, apply::Request { order_id, token, raw_query, secret, deadline }).await;
    *report = applied.report;
    match applied.outcome {
        Outcome::Applied => Ok(("applied", ok())),
        Outcome::Known => Ok(("known", ok())),
        Outcome::Twice => Ok(("twice", ok())),
        Outcome::ReadBack => Ok(("read-back", ok())),
        Outcome::NotFound => Err(not_found()),
        Outcome::NotBelieved => Err(Problem::new(Slug::CallbackNotBelieved, "The checksum or a value is not as it should be.")),
        Outcome::NoStatus => Err(Problem::new(
            Slug::FrontPaymentUnavailable,
            "The callback is not believed, and the order's status cannot be read just now. Call again.",
        )),
        Outcome::Storage => Err(Problem::new(Slug::StorageUnavailable, "The status cannot be stored just now. Call again.")),
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
