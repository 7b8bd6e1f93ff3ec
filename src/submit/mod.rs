//! Use case: an order comes in.
//!
//! The order is claimed in the store, sent to Front Payment, and its result is stored. The claim is written before the
//! order is sent. Whatever breaks afterwards, the same key does not send the order again, unless Front Payment is known
//! to have created nothing.

mod claim;
mod result;
mod send;

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use uuid::{ContextV7, Uuid};

use crate::bridge::Bridge;
use crate::deadline::Deadline;
use crate::front_payment::FrontPayment;
use crate::order::{CreatedOrder, NewAttempt, Status, StoredOrder, Validated, Violation};
use crate::secrets::Secret;
use crate::store::OrderStore;
use crate::telemetry::{self, ProviderCalls};

/// The namespace of order ids that derive from idempotency keys. Never change it: every key would become a new one.
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
    pub calls: ProviderCalls,
}

/// What the shop is answered.
pub enum SubmitOutcome {
    /// Front Payment has the order.
    Accepted {
        order: AcceptedOrder,
        /// Front Payment had the order before this request.
        is_replay: bool,
        /// About the body just sent.
        warnings: Vec<Violation>,
    },
    /// The order may not be sent today, or under this configuration.
    NotSendable { errors: Vec<Violation>, warnings: Vec<Violation> },
    /// The key belongs to another order, which is accepted.
    KeyReused,
    /// Another attempt with this key is running.
    InProgress,
    /// An earlier attempt with this key may have created the order.
    UnknownBefore,
    /// This attempt may have created the order.
    Unknown,
    /// Front Payment refused the order; nothing was created.
    Rejected(Vec<Violation>),
    /// Front Payment reports a failure.
    Failed {
        /// Front Payment says that it created nothing, but may have created the order.
        unproven: bool,
    },
    /// Front Payment cannot be reached, or asks to try later; nothing was created.
    ProviderUnavailable,
    /// The store did not answer, so nothing was sent.
    StoreUnavailable,
    /// A fault of the bridge.
    Internal,
}

/// An order that Front Payment has, as a shop is told of it.
pub struct AcceptedOrder {
    pub status: Status,
    pub order_uuid: String,
    pub customer_uuid: Option<String>,
    /// Where to send the customer. A login link for one person: never log it.
    pub bank_id_url: Option<String>,
}

impl AcceptedOrder {
    fn from_stored(order: &StoredOrder) -> Option<Self> {
        Some(Self {
            status: order.status,
            order_uuid: order.order_uuid.clone()?,
            customer_uuid: order.customer_uuid.clone(),
            bank_id_url: order.bank_id_url.clone(),
        })
    }
}

impl From<CreatedOrder> for AcceptedOrder {
    fn from(CreatedOrder { order_uuid, customer_uuid, bank_id_url, status, .. }: CreatedOrder) -> Self {
        Self { status, order_uuid, customer_uuid, bank_id_url }
    }
}

/// The id of the order that a shop sends with this key.
#[must_use]
pub fn order_id(shop_id: &str, idempotency_key: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{shop_id}\0{idempotency_key}").as_bytes())
}

/// Submits an order, exactly once as far as Front Payment makes that possible.
pub async fn submit<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: SubmitRequest<'_>) -> Submitted {
    let now = bridge.clock.now();
    let order_id = match request.idempotency_key {
        Some(key) => order_id(request.shop_id, key),
        None => Uuid::new_v7(unix_time(now)),
    };
    telemetry::record_order_id(order_id);
    let mut calls = ProviderCalls::default();
    let Some(callback_token) = random_token() else {
        tracing::error!("the system has no random numbers");
        return Submitted { order_id, outcome: SubmitOutcome::Internal, calls };
    };
    let SubmitRequest { shop_id, idempotency_key, validated, callback_base, secret, deadline } = request;
    let Validated { order, fresh_only, warnings } = validated;
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
    Submitted { order_id, outcome, calls }
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
