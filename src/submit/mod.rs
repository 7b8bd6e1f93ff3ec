//! The way of an order: claim it, send it, write down what came of it.
//!
//! The claim is written before the order is sent, so that whatever breaks afterwards, the same key
//! never sends it again unless Front Payment is known to have created nothing.

mod claim;
mod result;

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use uuid::{ContextV7, Uuid};

use crate::bridge::{Bridge, Deadline, ProviderReport};
use crate::front_payment::{Answer, FrontPayment, Submission};
use crate::order::{Claim, Created, Order, Record, Status, Validated, Violation};
use crate::secrets::{Redacted, Secret};
use crate::store::OrderStore;
use crate::telemetry;

/// The namespace of the order ids that are made from idempotency keys. Never to be changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f0c_31f4_7b0e_4d3f_9a66_0d1c_8f2b_7e55);

/// How long both submits together may take.
const MOST_FOR_SUBMITS: SignedDuration = SignedDuration::from_secs(20);
/// With less than this until the end of the Lambda nothing is sent.
const LEAST_TO_SEND: Duration = Duration::from_secs(8);
/// A submit is not begun with less than this: connecting alone may take as long.
const LEAST_FOR_A_SUBMIT: Duration = Duration::from_secs(3);

/// A valid order of an authorized shop.
pub struct Request<'a> {
    /// The shop.
    pub shop_id: &'a str,
    /// Its key, if it sent one.
    pub idempotency_key: Option<&'a str>,
    /// The order, and what speaks against sending it now.
    pub validated: Validated,
    /// The public base of our API, without a slash at its end.
    pub callback_base: &'a str,
    /// The secret that the shop was authorized with.
    pub secret: Arc<Secret>,
    /// When the Lambda is ended.
    pub deadline: Deadline,
}

/// What became of it.
pub struct Submitted {
    /// The bridge's id of the order.
    pub order_id: Uuid,
    /// The answer to the shop.
    pub outcome: Outcome,
    /// What the log says of Front Payment.
    pub provider: ProviderReport,
}

/// The answer to the shop.
pub enum Outcome {
    /// Front Payment has the order.
    Accepted {
        /// As it is now.
        accepted: Accepted,
        /// It had it before this request.
        replayed: bool,
        /// Advisory findings in the body just sent.
        warnings: Vec<Violation>,
    },
    /// The order may not be sent today, or under this configuration.
    NotFresh(Vec<Violation>),
    /// The key belongs to another order.
    KeyReused,
    /// Another attempt with this key is on its way.
    InProgress,
    /// An earlier attempt with this key may have created the order.
    EarlierUnknown,
    /// This attempt may have created the order.
    Unknown,
    /// Front Payment refused the order.
    Refused(Vec<Violation>),
    /// Front Payment failed; nothing was created, by its word alone where `its_word` says so.
    Failed {
        /// It is but its word.
        its_word: bool,
    },
    /// Front Payment could not be reached, or asked to come again later; nothing was created.
    Unavailable,
    /// The store did not answer, so nothing was sent.
    Storage,
    /// A fault of the bridge's own.
    Internal,
}

/// What a shop is told of an order that Front Payment has.
pub struct Accepted {
    /// Where it stands.
    pub status: Status,
    /// Front Payment's id of the order.
    pub order_uuid: String,
    /// Front Payment's id of the customer.
    pub customer_uuid: Option<String>,
    /// Where to send the customer.
    pub bank_id_url: Option<String>,
}

impl Accepted {
    fn of(record: &Record) -> Option<Self> {
        Some(Self {
            status: record.status,
            order_uuid: record.order_uuid.clone()?,
            customer_uuid: record.customer_uuid.clone(),
            bank_id_url: record.bank_id_url.clone(),
        })
    }
}

impl From<Created> for Accepted {
    fn from(Created { order_uuid, customer_uuid, bank_id_url, status }: Created) -> Self {
        Self { status, order_uuid, customer_uuid, bank_id_url }
    }
}

/// Submits an order, exactly once as far as Front Payment lets us.
pub async fn submit<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: Request<'_>) -> Submitted {
    let now = bridge.clock.now();
    let order_id = match request.idempotency_key {
        Some(key) => Uuid::new_v5(&NAMESPACE, format!("{}\0{key}", request.shop_id).as_bytes()),
        None => Uuid::new_v7(unix_time(now)),
    };
    telemetry::order_is(order_id);
    let mut provider = ProviderReport::default();
    let Some(callback_token) = random_token() else {
        tracing::error!("the system gives no random numbers");
        return Submitted { order_id, outcome: Outcome::Internal, provider };
    };
    let Request { shop_id, idempotency_key, validated, callback_base, secret, deadline } = request;
    let Validated { order, against_fresh, warnings } = validated;
    let claim = Claim { order_id, attempt: Uuid::new_v4(), shop_id, callback_token, idempotency_key, now };
    let claim = Record::claim(&order, claim);

    let claimed = claim::make(bridge, claim, &warnings, against_fresh, deadline).await;
    let outcome = match claimed {
        Err(outcome) => outcome,
        Ok(claimed) => {
            let callback_url = format!("{callback_base}/callbacks/{order_id}/{}", claimed.callback_token);
            let answer = send(bridge, &order, &callback_url, &secret, deadline, &mut provider).await;
            result::write_down(bridge, claimed, answer, warnings, deadline).await
        }
    };
    Submitted { order_id, outcome, provider }
}

/// The one call: sent once more only where Front Payment did not accept the token and there is a new one.
async fn send<S, F: FrontPayment>(
    bridge: &Bridge<S, F>,
    order: &Order,
    callback_url: &str,
    secret: &Arc<Secret>,
    deadline: Deadline,
    provider: &mut ProviderReport,
) -> Answer {
    let clock = &bridge.clock;
    if clock.until(deadline.0) < LEAST_TO_SEND {
        tracing::warn!("too little time left; nothing is sent");
        return Answer::Unavailable;
    }
    let now = clock.now();
    let send_by = now.saturating_add(MOST_FOR_SUBMITS).unwrap_or(now).min(deadline.send_by());
    let mut submit = async |token: &Redacted| {
        let started = Instant::now();
        let submission = bridge.front_payment.submit(order, callback_url, token, clock.until(send_by)).await;
        provider.add(started.elapsed(), submission.http_status, submission.rate_limit_remaining);
        submission
    };
    let mut submission = submit(&secret.token).await;
    if matches!(submission.answer, Answer::Unauthorized) {
        let newer = bridge.newer_secret(secret, send_by).await.filter(|newer| newer.token != secret.token);
        if let Some(newer) = newer
            && clock.until(send_by) >= LEAST_FOR_A_SUBMIT
        {
            submission = submit(&newer.token).await;
        }
    }
    let Submission { answer, reason, .. } = submission;
    match answer {
        Answer::Created(_) | Answer::Refused(_) => {}
        Answer::Unknown => tracing::error!(reason, "Front Payment may or may not have the order"),
        Answer::Unauthorized => tracing::error!(reason, "Front Payment does not accept the token"),
        Answer::Unavailable | Answer::Failed { .. } => tracing::warn!(reason, "Front Payment failed"),
    }
    answer
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
