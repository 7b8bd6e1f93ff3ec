//! The way of an order: claim it, send it, write down what came of it.
//!
//! The claim is written before the order is sent, so that whatever breaks afterwards, the same key
//! never sends it again unless Front Payment is known to have created nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use uuid::{ContextV7, Uuid};

use crate::bridge::{Bridge, Deadline, backoff, within};
use crate::front_payment::{Answer, FrontPayment, Submission};
use crate::order::{AttemptResult, Claim, Created, Order, Record, Seen, Settled, Status, Validated, Violation};
use crate::secrets::Secret;
use crate::store::{OrderStore, Unavailable, WriteError};

/// The namespace of the order ids that are made from idempotency keys. Never to be changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f0c_31f4_7b0e_4d3f_9a66_0d1c_8f2b_7e55);

/// How long both submits together may take.
const MOST_FOR_SUBMITS: SignedDuration = SignedDuration::from_secs(20);
/// With less than this until the end of the Lambda nothing is sent.
const LEAST_TO_SEND: Duration = Duration::from_secs(8);
/// A submit is not begun with less than this: connecting alone may take as long.
const LEAST_FOR_A_SUBMIT: Duration = Duration::from_secs(3);
/// How long the store may take for a claim, repetitions included.
const MOST_FOR_A_CLAIM: Duration = Duration::from_secs(5);
/// How long a claim whose reply was lost is looked for.
const MOST_FOR_GIVING_UP: SignedDuration = SignedDuration::from_secs(3);

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

/// What the log says of Front Payment's part.
#[derive(Debug, Default, Clone, Copy)]
pub struct ProviderReport {
    /// Its HTTP status.
    pub http_status: Option<u16>,
    /// Milliseconds spent waiting for it.
    pub elapsed_ms: Option<u64>,
    /// What it left of its rate limit.
    pub rate_limit_remaining: Option<u32>,
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

impl Seen {
    /// The answer to a claim that meets this, unless it may go on.
    fn outcome(self, stored: &Record, warnings: Vec<Violation>) -> Option<Outcome> {
        match self {
            Self::Own | Self::Free => None,
            Self::Accepted => Accepted::of(stored).map(|accepted| Outcome::Accepted { accepted, replayed: true, warnings }),
            Self::OtherOrder => Some(Outcome::KeyReused),
            Self::InProgress => Some(Outcome::InProgress),
            Self::Unknown => Some(Outcome::EarlierUnknown),
            Self::OtherShop => {
                tracing::error!(orderId = %stored.order_id, "an item of another shop under this order's id");
                Some(Outcome::Internal)
            }
        }
    }
}

/// Submits an order, exactly once as far as Front Payment lets us.
pub async fn submit<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: Request<'_>) -> Submitted {
    let now = bridge.clock.now();
    let order_id = match request.idempotency_key {
        Some(key) => Uuid::new_v5(&NAMESPACE, format!("{}\0{key}", request.shop_id).as_bytes()),
        None => Uuid::new_v7(unix_time(now)),
    };
    let mut provider = ProviderReport::default();
    let Some(callback_token) = random_token() else {
        tracing::error!(orderId = %order_id, "the system gives no random numbers");
        return Submitted { order_id, outcome: Outcome::Internal, provider };
    };
    let Request { shop_id, idempotency_key, validated, callback_base, secret, deadline } = request;
    let Validated { order, against_fresh, warnings } = validated;
    let claim = Claim { order_id, attempt: Uuid::new_v4(), shop_id, callback_token, idempotency_key, now };
    let claim = Record::claim(&order, claim);

    let claimed = if against_fresh.is_empty() {
        make_claim(bridge, claim, warnings.clone(), deadline).await
    } else {
        Err(answer_without_sending(bridge, &claim, idempotency_key.is_some(), warnings.clone(), against_fresh, deadline).await)
    };
    let outcome = match claimed {
        Err(outcome) => outcome,
        Ok(claimed) => {
            let callback_url = format!("{callback_base}/callbacks/{order_id}/{}", claimed.callback_token);
            let answer = send(bridge, &order, &callback_url, &secret, deadline, order_id, &mut provider).await;
            write_down(bridge, claimed, answer, warnings, deadline).await
        }
    };
    Submitted { order_id, outcome, provider }
}

/// The first write: claims the order for this attempt, or says why not.
async fn make_claim<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    first: Record,
    warnings: Vec<Violation>,
    deadline: Deadline,
) -> Result<Record, Outcome> {
    let limit = || MOST_FOR_A_CLAIM.min(bridge.clock.until(deadline.reply_by()));
    let mut claim = first.clone();
    let mut written = within(limit(), bridge.store.create(&claim)).await;
    // Each turn, somebody else has moved the order on; nobody can for long.
    for _ in 0..10 {
        let stored = match written {
            Ok(()) => return Ok(claim),
            Err(WriteError::Unavailable(error)) => {
                tracing::error!(orderId = %first.order_id, error = %error, "the order cannot be stored; nothing is sent");
                give_up(bridge, &first, deadline).await;
                return Err(Outcome::Storage);
            }
            Err(WriteError::Conflict(None)) => {
                claim = first.clone();
                written = within(limit(), bridge.store.create(&claim)).await;
                continue;
            }
            Err(WriteError::Conflict(Some(stored))) => stored,
        };
        let seen = stored.meets(&first);
        if seen == Seen::Own {
            return Ok(*stored);
        }
        if let Some(expired) = stored.expire(bridge.clock.now()) {
            written = within(limit(), bridge.store.replace(&stored, &expired)).await;
            match written {
                Ok(()) => return Err(Outcome::EarlierUnknown),
                Err(WriteError::Unavailable(error)) => {
                    tracing::warn!(orderId = %first.order_id, error = %error, "an order that ran out cannot be marked UNKNOWN");
                    return Err(Outcome::EarlierUnknown);
                }
                Err(WriteError::Conflict(_)) => continue,
            }
        }
        if let Some(outcome) = seen.outcome(&stored, warnings.clone()) {
            return Err(outcome);
        }
        claim = first.clone().as_attempt_of(&stored);
        written = within(limit(), bridge.store.replace(&stored, &claim)).await;
    }
    Err(Outcome::InProgress)
}

/// An order that may not be sent now still gets the answer of its key, if that was used.
async fn answer_without_sending<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    claim: &Record,
    has_key: bool,
    warnings: Vec<Violation>,
    against_fresh: Vec<Violation>,
    deadline: Deadline,
) -> Outcome {
    if !has_key {
        return Outcome::NotFresh(against_fresh);
    }
    let limit = MOST_FOR_A_CLAIM.min(bridge.clock.until(deadline.reply_by()));
    match within(limit, bridge.store.load(claim.order_id)).await {
        Ok(Some(stored)) => stored.meets(claim).outcome(&stored, warnings).unwrap_or(Outcome::NotFresh(against_fresh)),
        Ok(None) => Outcome::NotFresh(against_fresh),
        Err(error) => {
            tracing::error!(orderId = %claim.order_id, error = %error, "the order cannot be looked up");
            Outcome::Storage
        }
    }
}

/// A claim whose reply was lost, and that was not sent, is marked FAILED if the store answers again.
async fn give_up<S: OrderStore, F>(bridge: &Bridge<S, F>, claim: &Record, deadline: Deadline) {
    let now = bridge.clock.now();
    let until = now.saturating_add(MOST_FOR_GIVING_UP).unwrap_or(now).min(deadline.reply_by());
    for repetition in 0.. {
        let left = bridge.clock.until(until);
        if left.is_zero() {
            return;
        }
        match within(left, bridge.store.load(claim.order_id)).await {
            Ok(Some(stored)) => match stored.settle(claim.attempt, &AttemptResult::Failed, bridge.clock.now()) {
                Settled::As(Some(failed)) => {
                    if within(left, bridge.store.replace(&stored, &failed)).await.is_ok() {
                        return;
                    }
                }
                _ => return,
            },
            Ok(None) => return,
            Err(_) => {}
        }
        tokio::time::sleep(backoff(repetition).min(bridge.clock.until(until))).await;
    }
}

/// The one call: sent once more only where Front Payment did not accept the token and there is a new one.
async fn send<S, F: FrontPayment>(
    bridge: &Bridge<S, F>,
    order: &Order,
    callback_url: &str,
    secret: &Arc<Secret>,
    deadline: Deadline,
    order_id: Uuid,
    provider: &mut ProviderReport,
) -> Answer {
    let clock = &bridge.clock;
    if clock.until(deadline.0) < LEAST_TO_SEND {
        tracing::warn!(orderId = %order_id, "too little time left; nothing is sent");
        return Answer::Unavailable;
    }
    let now = clock.now();
    let send_by = now.saturating_add(MOST_FOR_SUBMITS).unwrap_or(now).min(deadline.send_by());
    let started = Instant::now();
    let mut submission = bridge.front_payment.submit(order, callback_url, &secret.token, clock.until(send_by)).await;
    if matches!(submission.answer, Answer::Unauthorized) {
        let newer = bridge.secrets.newer_than(secret).await.filter(|newer| newer.token != secret.token);
        if let Some(newer) = newer
            && clock.until(send_by) >= LEAST_FOR_A_SUBMIT
        {
            submission = bridge.front_payment.submit(order, callback_url, &newer.token, clock.until(send_by)).await;
        }
    }
    let Submission { answer, http_status, rate_limit_remaining, reason } = submission;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).ok();
    *provider = ProviderReport { http_status, elapsed_ms, rate_limit_remaining };
    match answer {
        Answer::Created(_) | Answer::Refused(_) => {}
        Answer::Unknown => tracing::error!(orderId = %order_id, reason, "Front Payment may or may not have the order"),
        Answer::Unauthorized => tracing::error!(orderId = %order_id, reason, "Front Payment does not accept the token"),
        Answer::Unavailable | Answer::Failed { .. } => tracing::warn!(orderId = %order_id, reason, "Front Payment failed"),
    }
    answer
}

/// The last write: the result, over whatever a callback has made of the order meanwhile.
async fn write_down<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    claimed: Record,
    answer: Answer,
    warnings: Vec<Violation>,
    deadline: Deadline,
) -> Outcome {
    let result = match &answer {
        Answer::Created(created) => AttemptResult::Created(created.clone()),
        Answer::Refused(_) => AttemptResult::Rejected,
        Answer::Unauthorized | Answer::Unavailable | Answer::Failed { .. } => AttemptResult::Failed,
        Answer::Unknown => AttemptResult::Unknown,
    };
    let order_id = claimed.order_id;
    let stored = match store_result(bridge, claimed, &result, deadline).await {
        Ok(stored) => Some(stored),
        Err(error) => {
            let (outcome, order_uuid) = match &result {
                AttemptResult::Created(created) => (created.status.name(), Some(created.order_uuid.as_str())),
                AttemptResult::Rejected => (Status::Rejected.name(), None),
                AttemptResult::Failed => (Status::Failed.name(), None),
                AttemptResult::Unknown => (Status::Unknown.name(), None),
            };
            tracing::error!(orderId = %order_id, outcome, orderUuid = order_uuid, error = %error, "the result cannot be stored");
            None
        }
    };
    // Where a callback has accepted the order, that is what the shop is told.
    let accepted = stored.as_ref().and_then(Accepted::of);
    match (accepted, answer) {
        (Some(accepted), _) => Outcome::Accepted { accepted, replayed: false, warnings },
        (None, Answer::Created(created)) => Outcome::Accepted { accepted: created.into(), replayed: false, warnings },
        (None, Answer::Refused(violations)) => Outcome::Refused(violations),
        (None, Answer::Unauthorized) => Outcome::Failed { its_word: false },
        (None, Answer::Failed { its_word }) => Outcome::Failed { its_word },
        (None, Answer::Unavailable) => Outcome::Unavailable,
        (None, Answer::Unknown) => Outcome::Unknown,
    }
}

/// Writes a result down, again and again within the time left. The record as it then stands.
async fn store_result<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    claimed: Record,
    result: &AttemptResult,
    deadline: Deadline,
) -> Result<Record, Unavailable> {
    let attempt = claimed.attempt;
    let mut current = claimed;
    let mut failure = Unavailable("no time left".to_owned());
    for repetition in 0.. {
        let next = match current.settle(attempt, result, bridge.clock.now()) {
            Settled::As(next) => next,
            Settled::Twice(next) => {
                if let AttemptResult::Created(created) = result {
                    report_twice(&current, &created.order_uuid);
                }
                next
            }
            Settled::NotOurs => return Err(Unavailable("another attempt has taken over the order".to_owned())),
        };
        let Some(next) = next else { return Ok(current) };
        let left = bridge.clock.until(deadline.reply_by());
        if left.is_zero() {
            return Err(failure);
        }
        match within(left, bridge.store.replace(&current, &next)).await {
            Ok(()) => return Ok(*next),
            Err(WriteError::Conflict(Some(stored))) => current = *stored,
            Err(WriteError::Conflict(None)) => return Err(Unavailable("the item is gone".to_owned())),
            Err(WriteError::Unavailable(error)) => {
                failure = error;
                tokio::time::sleep(backoff(repetition).min(bridge.clock.until(deadline.reply_by()))).await;
            }
        }
    }
    Err(failure)
}

/// Somebody must act: a customer may be billed twice.
pub(crate) fn report_twice(stored: &Record, other: &str) {
    tracing::error!(
        orderId = %stored.order_id,
        orderUuid = stored.order_uuid,
        otherOrderUuid = other,
        "Front Payment has the order twice; cancel one of the two there"
    );
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
