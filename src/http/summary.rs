//! The one line that is logged of every request, and the ids on all the others.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tracing::{Instrument, error_span, field};

use super::Reply;
use super::problem::Problem;
use crate::bridge::Report;

/// The name of what became of a request, and the reply; or a problem, which is both.
pub(super) type Answer = Result<(&'static str, Reply), Problem>;

/// Has a request answered. Every line that is logged meanwhile has its `requestId`, and its `orderId` from
/// where [`telemetry::order_is`](crate::telemetry::order_is) names it on; the last one sums it up.
pub(super) async fn summarized(request_id: &str, route: &'static str, answer: impl AsyncFnOnce(&mut Report) -> Answer) -> Reply {
    // Of the highest level, for a filter that leaves out a span leaves out its ids.
    let span = error_span!("request", requestId = request_id, orderId = field::Empty);
    let started = Instant::now();
    async {
        let mut report = Report::default();
        let answered = AssertUnwindSafe(answer(&mut report)).catch_unwind().await;
        let answer = answered.unwrap_or_else(|_| Err(Problem::internal()));
        let (outcome, reply) = answer.unwrap_or_else(|problem| (problem.slug.name(), problem.into()));
        log(route, outcome, &reply, &report, started.elapsed());
        reply
    }
    .instrument(span)
    .await
}

fn log(route: &str, outcome: &str, reply: &Reply, report: &Report, elapsed: Duration) {
    tracing::info!(
        route,
        shopId = report.shop_id,
        orderUuid = report.order_uuid,
        outcome,
        statusCode = reply.status().as_u16(),
        providerStatusCode = report.provider.http_status,
        providerMs = report.provider.elapsed_ms,
        providerRateLimitRemaining = report.provider.rate_limit_remaining,
        forged = report.is_forged.then_some(true),
        firstCallbackAfterMs = report.first_callback_after.map(|after| i64::try_from(after.as_millis()).unwrap_or(i64::MAX)),
        totalMs = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        "request"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_reply_that_gives_nothing_away() {
        let reply = pollster::block_on(summarized("request-1", "none", async |_| panic!("with a name in it")));
        assert_eq!(reply.status(), 500);
        assert!(reply.body().contains("urn:front-payment-bridge:internal") && !reply.body().contains("name"), "{}", reply.body());
    }
}
