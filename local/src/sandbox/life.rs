//! Status changes that only time causes. Front Payment's documentation gives no times, so these are the sandbox's own.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Sandbox, SandboxOrder, callbacks};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A status, the days after which it changes, and the next status.
const STEPS: [(&str, i32, &str); 3] = [("SENT", 14, "EXPIRED"), ("INVOICED", 14, "Purring"), ("Purring", 14, "Inkasso")];

/// Changes every order whose time has come, and sends the callbacks.
pub(super) async fn age(sandbox: &Arc<Sandbox>) {
    let now = Timestamp::now();
    let orders = sandbox.orders().unwrap_or_else(|error| {
        tracing::error!(error = %error, "the sandbox's database failed");
        Vec::new()
    });
    for order in orders {
        if let Some(next) = next_status(&order, now) {
            change(sandbox, order.uuid, &order.status, next).await;
        }
    }
}

/// Changes an order and sends the callback, if the order still has the status `from`.
pub(super) async fn change(sandbox: &Arc<Sandbox>, uuid: String, from: &str, to: &str) {
    match sandbox.set_status(uuid, Some(from.to_owned()), to.to_owned()).await {
        Ok(Some(changed)) => callbacks::announce(sandbox, &changed).await,
        Ok(None) => {}
        Err(error) => tracing::error!(error = %error, "the sandbox's database failed"),
    }
}

fn next_status(order: &SandboxOrder, now: Timestamp) -> Option<&'static str> {
    let (_, days, next) = STEPS.into_iter().find(|(status, ..)| *status == order.status)?;
    let since = order.aging_since()?;
    (now.duration_since(since) >= DAY * days).then_some(next)
}
