//! Use case: a shop submits an order.
//!
//! The order is claimed in the store, then sent to Front Payment, then its result is stored. Because the claim is written
//! before the order is sent, the same key sends the order again only if Front Payment has created nothing, whatever fails in
//! between.

mod claim;
mod result;
mod send;

pub(crate) use send::{MAX_SENDING, MIN_LEFT, MIN_LEFT_FOR_A_CALL};

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use uuid::{ContextV7, Uuid};

use crate::bridge::Bridge;
use crate::deadline::Deadline;
use crate::front_payment::FrontPayment;
use crate::order::{NewAttempt, StoredOrder, SubmitReply, Validated, Violation};
use crate::secrets::Secret;
use crate::store::OrderStore;
use crate::telemetry::{self, ProviderCalls};

/// The namespace of order ids that derive from idempotency keys. It must never change, or every key would become a new one.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f0c_31f4_7b0e_4d3f_9a66_0d1c_8f2b_7e55);

/// A valid order of an authorized shop.
pub struct SubmitRequest<'a> {
    pub shop_id: &'a str,
    pub idempotency_key: Option<&'a str>,
    pub validated: Validated,
    /// The public base URL of this API, without a trailing slash.
    pub callback_base: &'a str,
    /// The secret that authorized the shop.
    pub secret: Arc<Secret>,
    pub deadline: Deadline,
}

pub struct Submitted {
    /// The bridge's id of the order.
    pub order_id: Uuid,
    pub outcome: SubmitOutcome,
    /// The unknown members of the body just sent, which a refusal lists, too.
    pub unknown: Vec<Violation>,
    pub calls: ProviderCalls,
}

/// The outcome, from which the reply to the shop follows.
pub enum SubmitOutcome {
    /// Front Payment has the order.
    Accepted {
        /// As it is stored, or as it would be stored if the store answered.
        order: Box<StoredOrder>,
        /// Front Payment had the order before this request.
        is_replay: bool,
        /// The warnings about the body of this request.
        warnings: Vec<Violation>,
    },
    /// The order may not be sent now, because of the day or the configuration.
    NotSendable(Vec<Violation>),
    /// The key belongs to another order, which is accepted.
    KeyReused,
    /// Another submission attempt with this key is running.
    InProgress,
    /// An earlier submission attempt with this key may have created the order.
    UnknownBefore,
    /// The order is not accepted, because Front Payment did not answer with a 201.
    NotAccepted(SubmitReply),
    /// The store did not answer, so nothing was sent.
    StoreUnavailable,
    /// A fault of the bridge.
    Internal,
}

/// The id of the order that a shop sends with this key.
#[must_use]
pub fn order_id(shop_id: &str, idempotency_key: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{shop_id}\0{idempotency_key}").as_bytes())
}

/// Submits an order, exactly once as far as Front Payment makes that possible.
pub async fn submit<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: SubmitRequest<'_>) -> Submitted {
    let SubmitRequest { shop_id, idempotency_key, validated, callback_base, secret, deadline } = request;
    let Validated { order, fresh_only, warnings, unknown } = validated;
    let now = bridge.clock.now();
    let order_id = match idempotency_key {
        Some(key) => order_id(shop_id, key),
        None => Uuid::new_v7(unix_time(now)),
    };
    telemetry::record_order_id(order_id);
    let mut calls = ProviderCalls::default();
    let Some(callback_token) = random_token() else {
        tracing::error!("the system has no random numbers");
        return Submitted { order_id, outcome: SubmitOutcome::Internal, unknown, calls };
    };
    let attempt = NewAttempt { order_id, attempt: Uuid::new_v4(), shop_id, callback_token, idempotency_key, now };
    let claim = StoredOrder::claim(&order, attempt);

    let outcome = match claim::write(bridge, claim, &warnings, fresh_only, deadline).await {
        Err(outcome) => outcome,
        Ok(claimed) => {
            let callback_url = format!("{callback_base}/callbacks/{order_id}/{}", claimed.callback_token);
            let reply = send::send(bridge, &order, &callback_url, &secret, deadline, &mut calls).await;
            result::store(bridge, claimed, reply, warnings, deadline).await
        }
    };
    Submitted { order_id, outcome, unknown, calls }
}

/// 192 random bits, URL-safe.
fn random_token() -> Option<String> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).ok()?;
    Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

fn unix_time(now: jiff::Timestamp) -> uuid::Timestamp {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    uuid::Timestamp::from_unix(ContextV7::new(), seconds, nanos)
}
