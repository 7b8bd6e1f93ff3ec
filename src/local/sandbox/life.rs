//! Statuses that change by time alone. Front Payment's documentation gives no times, so these are the sandbox's own.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Sandbox, SandboxOrder, callbacks};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A status, the days after which it changes, and the next status.
const STEPS: [(&str, i32, &str); 3] = [("SENT", 14, "EXPIRED"), ("INVOICED", 14, "PURRING"), ("PURRING", 14, "INKASSO")];

/// Changes every order whose time has come, and calls back.
pub(super) async fn age(sandbox: &Arc<Sandbox>) {
    let now = sandbox.clock().now();
    let orders = sandbox.orders().unwrap_or_else(|error| {
        tracing::error!(error = %error, "the sandbox's database failed");
        Vec::new()
    });
    for order in orders {
        let Some(next) = next_status(&order, now) else { continue };
        match sandbox.set_status(order.uuid.clone(), Some(order.status.clone()), next.to_owned()).await {
            Ok(Some(aged)) => callbacks::announce(sandbox, &aged).await,
            Ok(None) => {}
            Err(error) => tracing::error!(error = %error, "the sandbox's database failed"),
        }
    }
}

fn next_status(order: &SandboxOrder, now: Timestamp) -> Option<&'static str> {
    let (_, days, next) = STEPS.into_iter().find(|(status, ..)| *status == order.status)?;
    let since = Timestamp::from_second(order.status_since()).ok()?;
    (now.duration_since(since) >= DAY * days).then_some(next)
}
