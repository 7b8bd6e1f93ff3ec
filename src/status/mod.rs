//! Use case: Front Payment says something about an order.
//!
//! A verified callback raises the status of the stored order. Any other callback to a valid URL is a reason to ask Front
//! Payment for the status.

mod budget;
mod read;

pub use budget::ReadBudget;

use std::sync::Arc;

use jiff::SignedDuration;
use uuid::Uuid;

use crate::bridge::{Bridge, OnOutage, UpdateError};
use crate::deadline::Deadline;
use crate::front_payment::FrontPayment;
use crate::front_payment::callback::{SignedCallback, claimed_order_uuid};
use crate::order::{StatusCallback, StatusWord, StoredOrder};
use crate::secrets::{Redacted, Secret};
use crate::store::{OrderStore, StoreError};
use crate::telemetry::{RequestReport, error_chain};
use read::{ReadError, StatusReader};

/// How long a callback competes with other writers of its order.
const MAX_CONTENTION: SignedDuration = SignedDuration::from_secs(12);

/// A request to a callback URL.
pub struct CallbackRequest<'a> {
    /// From the path.
    pub order_id: Uuid,
    /// From the path.
    pub token: &'a str,
    /// As received: its order and its escapes count for the checksum.
    pub raw_query: &'a str,
    pub secret: Arc<Secret>,
    pub deadline: Deadline,
}

/// What Front Payment is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// No such order, or the wrong token.
    NotFound,
    /// Verified, and stored.
    Applied,
    /// Verified, and stored before.
    Duplicate,
    /// Verified, and about another order of Front Payment's than the stored one.
    OtherOrder,
    /// Unverified; the status was read from Front Payment instead.
    StatusRead,
    /// Unverified, and there is no uuid to ask Front Payment about.
    NotVerified,
    /// Unverified, and Front Payment did not tell the status.
    StatusUnavailable,
    /// The store did not answer.
    StoreUnavailable,
}

/// Handles a status callback. Front Payment may repeat it after any answer: nothing is lost and nothing is stored twice.
pub async fn apply_callback<S: OrderStore, F: FrontPayment>(
    bridge: &Bridge<S, F>,
    budget: &ReadBudget,
    request: CallbackRequest<'_>,
) -> (CallbackOutcome, RequestReport) {
    let reader = StatusReader::new(bridge, budget, request.secret.clone(), request.deadline);
    let mut callback = Callback { bridge, reader, deadline: request.deadline, report: RequestReport::default() };
    let outcome = match callback.handle(&request).await {
        Ok(outcome) => outcome,
        Err(Failure::Load(error)) => {
            tracing::error!(error = error_chain(&error), "callback not stored");
            CallbackOutcome::StoreUnavailable
        }
        Err(Failure::Update(error)) => {
            tracing::error!(error = error_chain(&error), "callback not stored");
            CallbackOutcome::StoreUnavailable
        }
        Err(Failure::NoStatus(error)) => {
            tracing::warn!(error = error_chain(&error), "status read failed");
            CallbackOutcome::StatusUnavailable
        }
    };
    let provider = callback.reader.calls;
    (outcome, RequestReport { provider, ..callback.report })
}

/// Why a callback could not be handled.
enum Failure {
    Load(StoreError),
    Update(UpdateError),
    NoStatus(ReadError),
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Update(error) => Self::Update(error),
            error => Self::NoStatus(error),
        }
    }
}

struct Callback<'b, S, F> {
    bridge: &'b Bridge<S, F>,
    reader: StatusReader<'b, S, F>,
    deadline: Deadline,
    report: RequestReport,
}

impl<S: OrderStore, F: FrontPayment> Callback<'_, S, F> {
    async fn handle(&mut self, request: &CallbackRequest<'_>) -> Result<CallbackOutcome, Failure> {
        let stored = self.bridge.load(request.order_id, self.deadline.reply_by()).await.map_err(Failure::Load)?;
        let Some(order) = stored.filter(|order| has_token(order, request.token)) else {
            return Ok(CallbackOutcome::NotFound);
        };
        self.report.shop_id = Some(order.shop_id.clone());

        let verified = self.verify(request, &order).await;
        // A request without a query claims nothing. Operators send one to have a status read.
        self.report.is_forged = verified.is_none() && !request.raw_query.is_empty();
        match verified {
            Some(callback) => self.apply(order, &callback).await,
            None if order.order_uuid.is_some() => {
                self.reader.read_and_store(order).await?;
                Ok(CallbackOutcome::StatusRead)
            }
            None => {
                let claimed = claimed_order_uuid(request.raw_query);
                tracing::error!(claimedOrderUuid = claimed, "unverified callback for an order without a uuid");
                Ok(CallbackOutcome::NotVerified)
            }
        }
    }

    /// The callback, if its shape, its checksum and its amount are right.
    async fn verify(&self, request: &CallbackRequest<'_>, order: &StoredOrder) -> Option<StatusCallback> {
        let signed = SignedCallback::read(request.raw_query)?;
        let is_signed_with = |secret: &Secret| secret.callback_secrets.iter().any(|key| signed.is_signed_with(key));
        if !is_signed_with(&request.secret) {
            // Front Payment may sign with a key that was added a moment ago.
            let newer = self.bridge.newer_secret(&request.secret, self.deadline.send_by()).await?;
            if !is_signed_with(&newer) {
                return None;
            }
        }
        Some(signed.callback).filter(|callback| order.has_attempt_of(&callback.amount))
    }

    async fn apply(&mut self, order: StoredOrder, callback: &StatusCallback) -> Result<CallbackOutcome, Failure> {
        let now = self.bridge.clock.now();
        let by = now.saturating_add(MAX_CONTENTION).unwrap_or(now).min(self.deadline.reply_by());
        let change = |order: &StoredOrder, now| order.apply_callback(callback, now);
        let updated = self.bridge.update(order, by, OnOutage::GiveUp, change).await;
        let (order, is_new) = updated.map_err(|failure| Failure::Update(failure.error))?;
        if order.is_other_order(&callback.order_uuid) {
            log_duplicate_order(&order, &callback.order_uuid);
            return Ok(CallbackOutcome::OtherOrder);
        }
        if is_new {
            self.report.first_callback_after = order.first_callback_after();
        }
        if let StatusWord::Unknown(word) = &callback.word {
            tracing::warn!(word, "unknown status word in a callback; reading the status");
            match self.reader.read_and_store(order).await.map_err(Failure::from) {
                Err(Failure::NoStatus(error)) => {
                    tracing::warn!(error = error_chain(&error), "status read failed; the stored status stays");
                }
                read => drop(read?),
            }
        }
        Ok(if is_new { CallbackOutcome::Applied } else { CallbackOutcome::Duplicate })
    }
}

/// A customer may be billed twice: an operator must cancel one of the two.
pub(crate) fn log_duplicate_order(stored: &StoredOrder, other_uuid: &str) {
    tracing::error!(
        orderUuid = stored.order_uuid,
        otherOrderUuid = other_uuid,
        "Front Payment has this order twice; cancel one of the two there"
    );
}

fn has_token(order: &StoredOrder, token: &str) -> bool {
    Redacted::new(order.callback_token.as_str()) == Redacted::new(token)
}
