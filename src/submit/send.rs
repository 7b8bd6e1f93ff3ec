//! The call to Front Payment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::bridge::{Bridge, TokenCall};
use crate::deadline::Deadline;
use crate::front_payment::{FrontPayment, SubmitCall, SubmitReply};
use crate::order::Order;
use crate::secrets::{Redacted, Secret};
use crate::store::OrderStore;
use crate::telemetry::ProviderCalls;

/// How long both calls together may take.
const MAX_SENDING: SignedDuration = SignedDuration::from_secs(20);
/// With less than this until the end of the invocation, nothing is sent.
const MIN_LEFT: Duration = Duration::from_secs(8);
/// With less than this, no second call begins: connecting alone may take as long.
const MIN_LEFT_FOR_A_CALL: Duration = Duration::from_secs(3);

/// Sends the order once. Sends it once more only where Front Payment rejects the token and there is a newer one.
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
        return SubmitReply::Unavailable { may_exist: false };
    }
    let now = clock.now();
    let send_by = now.saturating_add(MAX_SENDING).unwrap_or(now).min(deadline.send_by());
    let call = SendOrder { bridge, order, callback_url, send_by, calls };
    let SubmitCall { reply, reason, .. } = bridge.call_with_token(call, secret, send_by, MIN_LEFT_FOR_A_CALL).await;
    match &reply {
        SubmitReply::Created(created) if created.has_unusable_link => {
            tracing::error!(orderUuid = created.order_uuid, "the BankID link cannot be given out; the customer cannot sign");
        }
        SubmitReply::Created(_) | SubmitReply::Rejected(_) => {}
        SubmitReply::Unknown => tracing::error!(reason, "Front Payment may or may not have the order"),
        SubmitReply::Unauthorized => tracing::error!(reason, "Front Payment rejects the token"),
        SubmitReply::Unavailable { .. } | SubmitReply::Failed { .. } => tracing::warn!(reason, "Front Payment failed"),
    }
    reply
}

struct SendOrder<'a, S, F> {
    bridge: &'a Bridge<S, F>,
    order: &'a Order,
    callback_url: &'a str,
    send_by: Timestamp,
    calls: &'a mut ProviderCalls,
}

impl<S: OrderStore, F: FrontPayment> TokenCall for SendOrder<'_, S, F> {
    type Reply = SubmitCall;

    async fn call(&mut self, token: &Redacted) -> SubmitCall {
        let limit = self.bridge.clock.until(self.send_by);
        let started = Instant::now();
        let call = self.bridge.front_payment.submit(self.order, self.callback_url, token, limit).await;
        self.calls.add(started.elapsed(), &call.head);
        call
    }

    fn is_unauthorized(call: &SubmitCall) -> bool {
        matches!(call.reply, SubmitReply::Unauthorized)
    }
}
