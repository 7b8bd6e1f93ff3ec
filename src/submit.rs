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

use crate::bridge::{Bridge, Deadline, ProviderReport, backoff, within};
use crate::front_payment::{Answer, FrontPayment, Submission};
use crate::order::{AttemptResult, Claim, Created, Order, Record, Seen, Settled, Status, Validated, Violation};
use crate::secrets::{Redacted, Secret};
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

/// How often a claim is made anew because somebody else was faster.
const MOST_TURNS: usize = 10;

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
    let mut provider = ProviderReport::default();
    let Some(callback_token) = random_token() else {
        tracing::error!(orderId = %order_id, "the system gives no random numbers");
        return Submitted { order_id, outcome: Outcome::Internal, provider };
    };
    let Request { shop_id, idempotency_key, validated, callback_base, secret, deadline } = request;
    let Validated { order, against_fresh, warnings } = validated;
    let claim = Claim { order_id, attempt: Uuid::new_v4(), shop_id, callback_token, idempotency_key, now };
    let claim = Record::claim(&order, claim);

    let claimed = make_claim(bridge, claim, &warnings, against_fresh, deadline).await;
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

/// The first write: claims the order for this attempt, or says why not. An order that may not be sent
/// now still gets the answer of its key, if that was used.
async fn make_claim<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    first: Record,
    warnings: &[Violation],
    against_fresh: Vec<Violation>,
    deadline: Deadline,
) -> Result<Record, Outcome> {
    let limit = || MOST_FOR_A_CLAIM.min(bridge.clock.until(deadline.reply_by()));
    let mut claim = first.clone();
    let mut written = if against_fresh.is_empty() {
        within(limit(), bridge.store.create(&claim)).await
    } else if first.particulars.fingerprint.is_none() {
        return Err(Outcome::NotFresh(against_fresh)); // without a key there is nothing to look up
    } else {
        match within(limit(), bridge.store.load(first.order_id)).await {
            Ok(stored) => Err(WriteError::Conflict(stored.map(Box::new))),
            Err(error) => {
                tracing::error!(orderId = %first.order_id, error = %error, "the order cannot be looked up");
                return Err(Outcome::Storage);
            }
        }
    };
    // Each turn, somebody else has moved the order on; nobody can for long.
    for _ in 0..MOST_TURNS {
        let stored = match written {
            Ok(()) => return Ok(claim),
            Err(WriteError::Unavailable(error)) => {
                tracing::error!(orderId = %first.order_id, error = %error, "the order cannot be stored; nothing is sent");
                give_up(bridge, &claim, deadline).await;
                return Err(Outcome::Storage);
            }
            Err(WriteError::Conflict(stored)) => stored,
        };
        let seen = stored.as_ref().map_or(Seen::Free, |stored| stored.meets(&first));
        match (seen, stored) {
            (Seen::Own, Some(stored)) => return Ok(*stored),
            (Seen::Free, _) if !against_fresh.is_empty() => return Err(Outcome::NotFresh(against_fresh)),
            (Seen::Free, Some(stored)) => {
                claim = first.clone().as_attempt_of(&stored);
                written = within(limit(), bridge.store.replace(&stored, &claim)).await;
            }
            (Seen::Unknown, Some(stored)) => match stored.expire(bridge.clock.now()) {
                None => return Err(Outcome::EarlierUnknown),
                Some(expired) => {
                    written = within(limit(), bridge.store.replace(&stored, &expired)).await;
                    match &written {
                        Ok(()) => return Err(Outcome::EarlierUnknown),
                        Err(WriteError::Unavailable(error)) => {
                            tracing::warn!(orderId = %first.order_id, error = %error, "an order that ran out cannot be marked UNKNOWN");
                            return Err(Outcome::EarlierUnknown);
                        }
                        Err(WriteError::Conflict(_)) => {}
                    }
                }
            },
            (seen, Some(stored)) => return Err(answer(seen, &stored, warnings)),
            (_, None) => {
                claim = first.clone();
                written = within(limit(), bridge.store.create(&claim)).await;
            }
        }
    }
    if written.is_ok() { Ok(claim) } else { Err(Outcome::InProgress) }
}

/// The answer to a claim that may not go on.
fn answer(seen: Seen, stored: &Record, warnings: &[Violation]) -> Outcome {
    match (seen, Accepted::of(stored)) {
        (Seen::Accepted, Some(accepted)) => Outcome::Accepted { accepted, replayed: true, warnings: warnings.to_vec() },
        (Seen::OtherOrder, _) => Outcome::KeyReused,
        (Seen::InProgress, _) => Outcome::InProgress,
        (Seen::Unknown, _) => Outcome::EarlierUnknown,
        (Seen::OtherShop | Seen::Accepted | Seen::Own | Seen::Free, _) => {
            tracing::error!(orderId = %stored.order_id, "an item of another shop under this order's id");
            Outcome::Internal
        }
    }
}

/// A claim whose reply was lost, and that was not sent, is marked FAILED if the store answers again.
/// Also where it is not seen there: it may still be on its way, and must not come to stand after all.
async fn give_up<S: OrderStore, F>(bridge: &Bridge<S, F>, claim: &Record, deadline: Deadline) {
    let now = bridge.clock.now();
    let until = now.saturating_add(MOST_FOR_GIVING_UP).unwrap_or(now).min(deadline.reply_by());
    for repetition in 0.. {
        if bridge.clock.until(until).is_zero() {
            return;
        }
        if within(bridge.clock.until(until), mark_failed(bridge, claim)).await.is_ok() {
            return;
        }
        tokio::time::sleep(backoff(repetition).min(bridge.clock.until(until))).await;
    }
}

async fn mark_failed<S: OrderStore, F>(bridge: &Bridge<S, F>, claim: &Record) -> Result<(), WriteError> {
    let now = bridge.clock.now();
    match bridge.store.load(claim.order_id).await? {
        None => bridge.store.create(&claim.clone().given_up(now)).await,
        Some(stored) if stored.attempt == claim.attempt => match stored.settle(claim.attempt, &AttemptResult::Failed, now) {
            Settled::As(Some(failed)) => bridge.store.replace(&stored, &failed).await,
            _ => Ok(()),
        },
        Some(stored) if stored.meets(claim) == Seen::Free => {
            bridge.store.replace(&stored, &claim.clone().as_attempt_of(&stored).given_up(now)).await
        }
        Some(_) => Ok(()),
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
    let (stored, failure) = store_result(bridge, claimed, &result, deadline).await;
    if let Some(failure) = &failure {
        let (outcome, order_uuid) = match &result {
            AttemptResult::Created(created) => (created.status.name(), Some(created.order_uuid.as_str())),
            AttemptResult::Rejected => (Status::Rejected.name(), None),
            AttemptResult::Failed => (Status::Failed.name(), None),
            AttemptResult::Unknown => (Status::Unknown.name(), None),
        };
        tracing::error!(orderId = %stored.order_id, outcome, orderUuid = order_uuid, error = %failure, "the result cannot be stored");
    }
    if let AttemptResult::Created(created) = &result
        && stored.is_other_order(&created.order_uuid)
    {
        report_twice(&stored, &created.order_uuid);
    }
    // Where a callback has accepted the order, that is what the shop is told.
    match (Accepted::of(&stored), answer) {
        (Some(accepted), _) => Outcome::Accepted { accepted, replayed: false, warnings },
        (None, Answer::Created(created)) => Outcome::Accepted { accepted: created.into(), replayed: false, warnings },
        (None, Answer::Refused(violations)) => Outcome::Refused(violations),
        (None, Answer::Unauthorized) => Outcome::Failed { its_word: false },
        (None, Answer::Failed { its_word }) => Outcome::Failed { its_word },
        (None, Answer::Unavailable) => Outcome::Unavailable,
        (None, Answer::Unknown) => Outcome::Unknown,
    }
}

/// Writes a result down, again and again within the time left. The record as it is last known to stand,
/// and why the result is not in it, if it is not.
async fn store_result<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    claimed: Record,
    result: &AttemptResult,
    deadline: Deadline,
) -> (Record, Option<Unavailable>) {
    let attempt = claimed.attempt;
    let mut current = claimed;
    let mut failure = None;
    for repetition in 0.. {
        let next = match current.settle(attempt, result, bridge.clock.now()) {
            Settled::As(None) | Settled::Twice(None) => return (current, None),
            Settled::As(Some(next)) | Settled::Twice(Some(next)) => next,
            Settled::NotOurs => return (current, Some(Unavailable("another attempt has taken over the order".to_owned()))),
        };
        let left = bridge.clock.until(deadline.reply_by());
        if left.is_zero() {
            return (current, failure.or_else(|| Some(Unavailable("no time left".to_owned()))));
        }
        match within(left, bridge.store.replace(&current, &next)).await {
            Ok(()) => return (*next, None),
            Err(WriteError::Conflict(Some(stored))) => current = *stored,
            Err(WriteError::Conflict(None)) => return (current, Some(Unavailable("the item is gone".to_owned()))),
            Err(WriteError::Unavailable(error)) => {
                failure = Some(error);
                tokio::time::sleep(backoff(repetition).min(bridge.clock.until(deadline.reply_by()))).await;
            }
        }
    }
    (current, failure)
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
