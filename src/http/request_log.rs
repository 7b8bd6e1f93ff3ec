//! Logs one summary line for every request, and adds the request's ids to all other lines.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, HeaderValue};
use tracing::{Instrument, error_span, field};

use super::Reply;
use super::problem::Problem;
use crate::telemetry::RequestReport;

/// The outcome's name for the log, and the reply. A problem contains both.
pub(super) type HandlerResult = Result<(&'static str, Reply), Problem>;

/// Runs a handler and logs its summary line. Every line meanwhile has the `requestId`, and the `orderId` after
/// [`record_order_id`](crate::telemetry::record_order_id) has set it. If the handler panics, the reply is the problem that
/// `on_panic` makes.
pub(super) async fn logged(
    request_id: &str,
    route: &'static str,
    on_panic: impl FnOnce() -> Problem,
    handler: impl AsyncFnOnce(&mut RequestReport) -> HandlerResult,
) -> Reply {
    // An ERROR span, because a log filter that drops a span would drop its ids from all lines.
    let span = error_span!("request", requestId = request_id, orderId = field::Empty);
    let started = Instant::now();
    async {
        let mut report = RequestReport::default();
        // Boxed, because the future of a whole request is large, and each future around it would copy it.
        let handled = AssertUnwindSafe(Box::pin(handler(&mut report))).catch_unwind().await;
        let result = handled.unwrap_or_else(|_| Err(on_panic()));
        let (outcome, mut reply) = result.unwrap_or_else(|problem| (problem.slug.name(), problem.into_reply(request_id)));
        reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        log(route, outcome, &reply, &report, started.elapsed());
        reply
    }
    .instrument(span)
    .await
}

fn log(route: &str, outcome: &str, reply: &Reply, report: &RequestReport, elapsed: Duration) {
    tracing::info!(
        route,
        shopId = report.shop_id,
        apiKey = report.api_key,
        orderUuid = report.order_uuid,
        outcome,
        statusCode = reply.status().as_u16(),
        providerStatusCode = report.provider.http_status,
        providerMs = report.provider.elapsed_ms,
        providerRateLimitRemaining = report.provider.rate_limit_remaining,
        unverified = report.unverified,
        firstCallbackAfterMs = report.first_callback_after.map(|after| i64::try_from(after.as_millis()).unwrap_or(i64::MAX)),
        totalMs = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        "request"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_reply_without_its_message() {
        let reply = pollster::block_on(logged("request-1", "none", Problem::internal, async |_| panic!("with a name in it")));
        assert_eq!(reply.status(), 500);
        assert!(reply.body().contains("urn:front-payment-bridge:internal") && !reply.body().contains("name"), "{}", reply.body());
    }
}
