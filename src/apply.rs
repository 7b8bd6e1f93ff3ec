//! The way of a status: from a callback, believed or read back, onto the stored order.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use uuid::Uuid;

use crate::bridge::{Bridge, Deadline, backoff, within};
use crate::front_payment::callback::{SignedCallback, claimed_order_uuid};
use crate::front_payment::{FrontPayment, NoStatus};
use crate::order::{Record, StatusCallback, StatusWord};
use crate::secrets::{Redacted, Secret};
use crate::store::{OrderStore, Unavailable, WriteError};
use crate::submit::report_twice;

/// How long Front Payment may take to tell a status.
const MOST_FOR_A_STATUS: Duration = Duration::from_secs(10);
/// How long it is tried to get a status past other writers.
const MOST_FOR_CONFLICTS: SignedDuration = SignedDuration::from_secs(12);

/// A request to a callback URL.
pub struct Request<'a> {
    /// From the path.
    pub order_id: Uuid,
    /// From the path.
    pub token: &'a str,
    /// As received.
    pub raw_query: &'a str,
    /// The secret.
    pub secret: Arc<Secret>,
    /// When the Lambda is ended.
    pub deadline: Deadline,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// No such order, or another token.
    NotFound,
    /// Believed and written down.
    Applied,
    /// Believed, and known already.
    Known,
    /// Believed, and of an order that Front Payment has twice.
    Twice,
    /// Not believed; the status was read from Front Payment instead.
    ReadBack,
    /// Not believed, and there is no uuid to ask for.
    NotBelieved,
    /// Not believed, and Front Payment does not tell the status.
    NoStatus,
    /// The store did not take it.
    Storage,
}

/// Takes a status callback. Whatever it answers, a repetition loses nothing and doubles nothing.
pub async fn apply<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: Request<'_>) -> Applied {
    let order_id = request.order_id;
    let outcome = match take(bridge, request).await {
        Ok(outcome) => return outcome,
        Err(outcome) => outcome,
    };
    match outcome {
        Failure::Store(error) => {
            tracing::error!(orderId = %order_id, error = %error, "the store did not take a callback");
            Applied::Storage
        }
        Failure::NoStatus(error) => {
            tracing::warn!(orderId = %order_id, error = %error, "Front Payment does not tell the order's status");
            Applied::NoStatus
        }
    }
}

enum Failure {
    Store(Unavailable),
    NoStatus(NoStatus),
}

impl From<Unavailable> for Failure {
    fn from(error: Unavailable) -> Self {
        Self::Store(error)
    }
}

async fn take<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: Request<'_>) -> Result<Applied, Failure> {
    let Request { order_id, token, raw_query, secret, deadline } = request;
    let left = bridge.clock.until(deadline.reply_by());
    let stored = within(left, bridge.store.load(order_id)).await?;
    let Some(record) = stored.filter(|record| is_token(record, token)) else { return Ok(Applied::NotFound) };

    let signed = match SignedCallback::read(raw_query) {
        Some(signed) if is_signed(bridge, &signed, &secret).await => Some(signed.callback),
        _ => None,
    };
    match signed.filter(|callback| record.expects(&callback.amount)) {
        Some(callback) => believe(bridge, record, &callback, &secret, deadline).await,
        None if record.order_uuid.is_some() => read_back(bridge, record, &secret, deadline).await.map(|()| Applied::ReadBack),
        None => {
            let claimed = claimed_order_uuid(raw_query);
            tracing::error!(orderId = %order_id, claimedOrderUuid = claimed, "a callback that cannot be believed, for an order without a uuid");
            Ok(Applied::NotBelieved)
        }
    }
}

fn is_token(record: &Record, token: &str) -> bool {
    Redacted::new(record.callback_token.as_str()) == Redacted::new(token)
}

/// Signed with one of the known secretKeys, or with one that has come since they were read?
async fn is_signed<S, F>(bridge: &Bridge<S, F>, signed: &SignedCallback, secret: &Arc<Secret>) -> bool {
    let with_any_of = |secret: &Secret| secret.callback_secrets.iter().any(|key| signed.is_signed_with(key));
    with_any_of(secret) || bridge.secrets.newer_than(secret).await.is_some_and(|newer| with_any_of(&newer))
}

/// Raises the stored order to what a callback says.
async fn believe<S: OrderStore, F: FrontPayment>(
    bridge: &Bridge<S, F>,
    record: Record,
    callback: &StatusCallback,
    secret: &Arc<Secret>,
    deadline: Deadline,
) -> Result<Applied, Failure> {
    let (record, is_news) = write(bridge, record, deadline, |record| record.believe(callback, bridge.clock.now())).await?;
    if record.is_history_full() {
        tracing::warn!(orderId = %record.order_id, "the history is full; statuses are applied, but not noted any more");
    }
    if record.is_other_order(&callback.order_uuid) {
        report_twice(&record, &callback.order_uuid);
        return Ok(Applied::Twice);
    }
    if let StatusWord::Unknown(word) = &callback.word {
        tracing::warn!(orderId = %record.order_id, word, "a status word that is not known; Front Payment is asked");
        let order_id = record.order_id;
        match read_back(bridge, record, secret, deadline).await {
            Ok(()) => {}
            Err(Failure::NoStatus(error)) => tracing::warn!(orderId = %order_id, error = %error, "the status stays as it is"),
            Err(Failure::Store(error)) => tracing::warn!(orderId = %order_id, error = %error, "the status stays as it is"),
        }
    }
    Ok(if is_news { Applied::Applied } else { Applied::Known })
}

/// Asks Front Payment, and takes its word for the version of the order that it was asked for.
async fn read_back<S: OrderStore, F: FrontPayment>(
    bridge: &Bridge<S, F>,
    mut record: Record,
    secret: &Arc<Secret>,
    deadline: Deadline,
) -> Result<(), Failure> {
    for repetition in 0..5 {
        let status = match ask(bridge, &record, secret, deadline).await.map_err(Failure::NoStatus)? {
            StatusWord::Known(status) => status,
            StatusWord::Unknown(word) => {
                return Err(Failure::NoStatus(NoStatus::Other(format!("answered with the unknown status {word:?}"))));
            }
        };
        let Some(next) = record.take(status, bridge.clock.now()) else { return Ok(()) };
        let left = bridge.clock.until(deadline.reply_by());
        match within(left, bridge.store.replace(&record, &next)).await {
            Ok(()) => return Ok(()),
            Err(WriteError::Conflict(Some(stored))) => record = *stored,
            Err(WriteError::Conflict(None)) => return Err(Unavailable("the item is gone".to_owned()).into()),
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
        tokio::time::sleep(backoff(repetition)).await;
    }
    Err(Unavailable("the order changes faster than its status can be read".to_owned()).into())
}

async fn ask<S, F: FrontPayment>(
    bridge: &Bridge<S, F>,
    record: &Record,
    secret: &Arc<Secret>,
    deadline: Deadline,
) -> Result<StatusWord, NoStatus> {
    let order_uuid = record.order_uuid.as_deref().ok_or_else(|| NoStatus::Other("there is no uuid to ask for".to_owned()))?;
    let ask = async |token: &Redacted| {
        let left = bridge.clock.until(deadline.send_by()).min(MOST_FOR_A_STATUS);
        bridge.front_payment.status(order_uuid, token, left).await
    };
    match ask(&secret.token).await {
        Err(NoStatus::Unauthorized) => {
            let newer = bridge.secrets.newer_than(secret).await.filter(|newer| newer.token != secret.token);
            match newer {
                Some(newer) => ask(&newer.token).await,
                None => Err(NoStatus::Unauthorized),
            }
        }
        answer => answer,
    }
}

/// Writes a change over whatever is stored by then. The record as it then stands, and whether it was news.
async fn write<S: OrderStore, F>(
    bridge: &Bridge<S, F>,
    mut record: Record,
    deadline: Deadline,
    change: impl Fn(&Record) -> Option<Box<Record>>,
) -> Result<(Record, bool), Unavailable> {
    let now = bridge.clock.now();
    let until = now.saturating_add(MOST_FOR_CONFLICTS).unwrap_or(now).min(deadline.reply_by());
    for repetition in 0.. {
        let Some(next) = change(&record) else { return Ok((record, false)) };
        match within(bridge.clock.until(until), bridge.store.replace(&record, &next)).await {
            Ok(()) => return Ok((*next, true)),
            Err(WriteError::Conflict(Some(stored))) => record = *stored,
            Err(WriteError::Conflict(None)) => return Err(Unavailable("the item is gone".to_owned())),
            Err(WriteError::Unavailable(error)) => return Err(error),
        }
        tokio::time::sleep(backoff(repetition).min(bridge.clock.until(until))).await;
    }
    Err(Unavailable("other writers were always faster".to_owned()))
}
