//! The way of a status: from a callback, believed or read back, onto the stored order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use uuid::Uuid;

use crate::bridge::{Bridge, Deadline, Report, backoff, report_twice, warn_if_not_noted, within};
use crate::front_payment::callback::{SignedCallback, claimed_order_uuid};
use crate::front_payment::{FrontPayment, NoStatus};
use crate::order::{Record, StatusCallback, StatusWord};
use crate::secrets::{Redacted, Secret};
use crate::store::{OrderStore, Unavailable, WriteError};

/// How long Front Payment may take to tell a status.
const MOST_FOR_A_STATUS: Duration = Duration::from_secs(10);
/// How long it is tried to get a status past other writers.
const MOST_FOR_CONFLICTS: SignedDuration = SignedDuration::from_secs(12);
/// How often a status is read anew because the order changed meanwhile.
const MOST_READINGS: u32 = 5;

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
pub struct Applied {
    /// The answer to Front Payment.
    pub outcome: Outcome,
    /// What the log says of it.
    pub report: Report,
}

/// The answer to Front Payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
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

/// Why a status did not get onto the order.
enum Failure {
    Store(Unavailable),
    NoStatus(NoStatus),
}

impl From<Unavailable> for Failure {
    fn from(error: Unavailable) -> Self {
        Self::Store(error)
    }
}

impl From<NoStatus> for Failure {
    fn from(error: NoStatus) -> Self {
        Self::NoStatus(error)
    }
}

/// Takes a status callback. Whatever it answers, a repetition loses nothing and doubles nothing.
pub async fn apply<S: OrderStore, F: FrontPayment>(bridge: &Bridge<S, F>, request: Request<'_>) -> Applied {
    let Request { secret, deadline, .. } = &request;
    let mut way = Way { bridge, secret: secret.clone(), deadline: *deadline, report: Report::default() };
    let outcome = match way.take(&request).await {
        Ok(outcome) => outcome,
        Err(Failure::Store(error)) => {
            tracing::error!(error = %error, "the store did not take a callback");
            Outcome::Storage
        }
        Err(Failure::NoStatus(error)) => {
            tracing::warn!(error = %error, "Front Payment does not tell the order's status");
            Outcome::NoStatus
        }
    };
    Applied { outcome, report: way.report }
}

/// One callback on its way.
struct Way<'b, S, F> {
    bridge: &'b Bridge<S, F>,
    secret: Arc<Secret>,
    deadline: Deadline,
    report: Report,
}

impl<S: OrderStore, F: FrontPayment> Way<'_, S, F> {
    async fn take(&mut self, request: &Request<'_>) -> Result<Outcome, Failure> {
        let order_id = request.order_id;
        let left = self.bridge.clock.until(self.deadline.reply_by());
        let stored = within(left, self.bridge.store.load(order_id)).await?;
        let Some(record) = stored.filter(|record| is_token(record, request.token)) else { return Ok(Outcome::NotFound) };
        self.report.shop_id = Some(record.shop_id.clone());

        let signed = match SignedCallback::read(request.raw_query) {
            Some(signed) if self.is_signed(&signed).await => Some(signed.callback),
            _ => None,
        };
        let believed = signed.filter(|callback| record.expects(&callback.amount));
        // Without a query it claims nothing: so an operator has a status read.
        self.report.is_forged = believed.is_none() && !request.raw_query.is_empty();
        match believed {
            Some(callback) => self.believe(record, &callback).await,
            None if record.order_uuid.is_some() => self.read_back(record).await.map(|()| Outcome::ReadBack),
            None => {
                let claimed = claimed_order_uuid(request.raw_query);
                tracing::error!(claimedOrderUuid = claimed, "a callback that cannot be believed, for an order without a uuid");
                Ok(Outcome::NotBelieved)
            }
        }
    }

    /// Signed with one of the known secretKeys, or with one that has come since they were read?
    async fn is_signed(&self, signed: &SignedCallback) -> bool {
        let with_any_of = |secret: &Secret| secret.callback_secrets.iter().any(|key| signed.is_signed_with(key));
        if with_any_of(&self.secret) {
            return true;
        }
        let newer = self.bridge.newer_secret(&self.secret, self.deadline.send_by()).await;
        newer.is_some_and(|newer| with_any_of(&newer))
    }

    /// Raises the stored order to what a callback says.
    async fn believe(&mut self, record: Record, callback: &StatusCallback) -> Result<Outcome, Failure> {
        let (record, is_news) = self.write(record, |record, now| record.believe(callback, now)).await?;
        if record.is_other_order(&callback.order_uuid) {
            report_twice(&record, &callback.order_uuid);
            return Ok(Outcome::Twice);
        }
        if is_news {
            self.report.first_callback_after = record.first_callback_after();
        }
        if let StatusWord::Unknown(word) = &callback.word {
            tracing::warn!(word, "a status word that is not known; Front Payment is asked");
            match self.read_back(record).await {
                Err(Failure::NoStatus(error)) => {
                    tracing::warn!(error = %error, "Front Payment does not tell it; the status stays as it is");
                }
                read => read?,
            }
        }
        Ok(if is_news { Outcome::Applied } else { Outcome::Known })
    }

    /// Writes a change over whatever is stored by then. The record as it then stands, and whether it was news.
    async fn write(
        &self,
        mut record: Record,
        change: impl Fn(&Record, jiff::Timestamp) -> Option<Box<Record>>,
    ) -> Result<(Record, bool), Unavailable> {
        let clock = &self.bridge.clock;
        let now = clock.now();
        let until = now.saturating_add(MOST_FOR_CONFLICTS).unwrap_or(now).min(self.deadline.reply_by());
        for repetition in 0u32.. {
            let Some(next) = change(&record, clock.now()) else { return Ok((record, false)) };
            if clock.until(until).is_zero() {
                break;
            }
            match self.replace(&record, &next, clock.until(until)).await? {
                None => return Ok((*next, true)),
                Some(stored) => record = stored,
            }
            // What is stored now is known: at once is the best moment to try again. Only who fails then, too,
            // steps aside for a while; what it knows is old by the time it comes back.
            if !repetition.is_multiple_of(2) {
                tokio::time::sleep(backoff((repetition / 2).min(3)).min(clock.until(until))).await;
            }
        }
        Err(Unavailable("other writers were always faster".to_owned()))
    }

    /// Asks Front Payment, and takes its word for the version of the order that it was asked for.
    async fn read_back(&mut self, mut record: Record) -> Result<(), Failure> {
        for _ in 0..MOST_READINGS {
            let status = match self.ask(&record).await? {
                StatusWord::Known(status) => status,
                StatusWord::Unknown(word) => {
                    tracing::warn!(word, "Front Payment tells a status that is not known; the stored one stays");
                    return Ok(());
                }
            };
            let Some(next) = record.take(status, self.bridge.clock.now()) else { return Ok(()) };
            let left = self.bridge.clock.until(self.deadline.reply_by());
            match self.replace(&record, &next, left).await? {
                None => return Ok(()),
                Some(stored) => record = stored,
            }
        }
        Err(Unavailable("the order changes faster than its status can be read".to_owned()).into())
    }

    async fn ask(&mut self, record: &Record) -> Result<StatusWord, NoStatus> {
        let order_uuid = record.order_uuid.as_deref().ok_or_else(|| NoStatus::Other("there is no uuid to ask for".to_owned()))?;
        let secret = self.secret.clone();
        match self.ask_with(&secret.token, order_uuid).await {
            Err(NoStatus::Unauthorized) => {
                let newer = self.bridge.newer_secret(&secret, self.deadline.send_by()).await;
                match newer.filter(|newer| newer.token != secret.token) {
                    Some(newer) => self.ask_with(&newer.token, order_uuid).await,
                    None => Err(NoStatus::Unauthorized),
                }
            }
            answer => answer,
        }
    }

    async fn ask_with(&mut self, token: &Redacted, order_uuid: &str) -> Result<StatusWord, NoStatus> {
        if !self.bridge.readings.take(self.bridge.clock.now()) {
            return Err(NoStatus::Other("too many statuses were read in the last minute".to_owned()));
        }
        let left = self.bridge.clock.until(self.deadline.send_by()).min(MOST_FOR_A_STATUS);
        let started = Instant::now();
        let reading = self.bridge.front_payment.status(order_uuid, token, left).await;
        self.report.provider.add(started.elapsed(), reading.http_status, reading.rate_limit_remaining);
        reading.status
    }

    /// One conditional write: nothing, or what is stored instead.
    async fn replace(&self, record: &Record, next: &Record, left: Duration) -> Result<Option<Record>, Unavailable> {
        match within(left, self.bridge.store.replace(record, next)).await {
            Ok(()) => {
                warn_if_not_noted(record, next);
                Ok(None)
            }
            Err(WriteError::Conflict(Some(stored))) => Ok(Some(*stored)),
            Err(WriteError::Conflict(None)) => Err(Unavailable("the item is gone".to_owned())),
            Err(WriteError::Unavailable(error)) => Err(error),
        }
    }
}

fn is_token(record: &Record, token: &str) -> bool {
    Redacted::new(record.callback_token.as_str()) == Redacted::new(token)
}
