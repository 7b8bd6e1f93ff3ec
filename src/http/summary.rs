//! The one line that is logged of every request.

use std::time::Instant;

use uuid::Uuid;

use super::Reply;
use crate::bridge::ProviderReport;

/// What is known of a request while it is handled.
pub(super) struct Summary<'a> {
    request_id: &'a str,
    route: &'static str,
    started: Instant,
    pub(super) shop_id: Option<String>,
    pub(super) order_id: Option<Uuid>,
    pub(super) provider: ProviderReport,
}

impl<'a> Summary<'a> {
    pub(super) fn begin(request_id: &'a str, route: &'static str) -> Self {
        Self { request_id, route, started: Instant::now(), shop_id: None, order_id: None, provider: ProviderReport::default() }
    }

    pub(super) fn end(self, outcome: &'static str, reply: &Reply) {
        tracing::info!(
            requestId = self.request_id,
            route = self.route,
            shopId = self.shop_id,
            orderId = self.order_id.map(tracing::field::display),
            outcome,
            statusCode = reply.status().as_u16(),
            providerStatusCode = self.provider.http_status,
            providerMs = self.provider.elapsed_ms,
            providerRateLimitRemaining = self.provider.rate_limit_remaining,
            totalMs = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "request"
        );
    }
}
