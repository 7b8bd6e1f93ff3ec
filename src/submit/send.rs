//! Sends the order to Front Payment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use crate::bridge::Bridge;
use crate::deadline::Deadline;
use crate::front_payment::{FrontPayment, SubmitCall};
use crate::order::{Order, SubmitReply};
use crate::secrets::{Redacted, Secret};
use crate::store::OrderStore;
use crate::telemetry::ProviderCalls;

/// How long both calls together may take: the first, and a second with a newer token.
pub(crate) const MAX_SENDING: SignedDuration = SignedDuration::from_secs(20);
/// With less time than this until the end of the invocation, nothing is sent.
pub(crate) const MIN_LEFT: Duration = Duration::from_secs(8);
/// With less time left than this, no second call begins, because connecting alone may take that long.
pub(crate) const MIN_LEFT_FOR_A_CALL: Duration = Duration::from_secs(3);

/// Sends the order once. Sends it a second time only if Front Payment rejects the token and there is a newer one.
pub(super) async fn send<S: OrderStore, F: FrontPayment>(
    bridge: &Bridge<S, F>,
    order: &Order,
    callback_url: &str,
    secret: &Arc<Secret>,
    deadline: Deadline,
    calls: &mut ProviderCalls,
) -> SubmitReply {
    let clock = &bridge.clock;
    if clock.until(deadline.0) < MIN_LEFT {
        tracing::warn!("too little time left; nothing is sent");
        return SubmitReply::Unavailable;
    }
    let now = clock.now();
    let send_by = now.saturating_add(MAX_SENDING).unwrap_or(now).min(deadline.send_by());
    let mut send_once = async |token: &Redacted| {
        let started = Instant::now();
        let call = bridge.front_payment.submit(order, callback_url, token, clock.until(send_by)).await;
        calls.add(started.elapsed(), &call.head);
        call
    };
    let mut call = send_once(&secret.token).await;
    if call.reply == SubmitReply::Unauthorized
        && let Some(newer) = bridge.newer_token(secret, send_by).await
        && clock.until(send_by) >= MIN_LEFT_FOR_A_CALL
    {
        call = send_once(&newer.token).await;
    }
    log(&call);
    call.reply
}

fn log(SubmitCall { reply, reason, .. }: &SubmitCall) {
    match reply {
        SubmitReply::Created(created) if created.has_unusable_link => {
            tracing::error!(orderUuid = created.order_uuid, "the BankID link cannot be given out; the customer cannot sign");
        }
        SubmitReply::Created(_) | SubmitReply::Rejected(_) => {}
        SubmitReply::Unknown => tracing::error!(reason, "Front Payment may or may not have the order"),
        SubmitReply::Unauthorized => tracing::error!(reason, "Front Payment rejects the token"),
        SubmitReply::Unavailable | SubmitReply::Failed => tracing::warn!(reason, "Front Payment failed"),
    }
}
