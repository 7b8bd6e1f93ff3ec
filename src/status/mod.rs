//! Use case: Front Payment says something about an order.
//!
//! A verified callback raises the status of the stored order. An unverified callback to a valid URL is a reason to ask Front
//! Payment for the status. So is a verified one that does not make the status clear.

mod budget;
mod read;
mod verify;

pub use budget::ReadBudget;
pub use read::refresh;
pub(crate) use read::{ReadError, StatusReader, is_worth_reading};

use std::sync::Arc;

use jiff::SignedDuration;
use uuid::Uuid;

use crate::bridge::{Bridge, OnOutage, UpdateError, Updated, has_token};
use crate::deadline::Deadline;
use crate::front_payment::FrontPayment;
use crate::front_payment::callback::claimed_order_uuid;
use crate::order::{StatusCallback, StoredOrder};
use crate::secrets::Secret;
use crate::store::{OrderStore, StoreError};
use crate::telemetry::{RequestReport, error_chain};
use verify::Unverified;

/// How long a callback tries again after conflicts with other writers of its order.
const MAX_CONTENTION: SignedDuration = SignedDuration::from_secs(12);

/// A request to a callback URL.
pub struct CallbackRequest<'a> {
    /// From the path.
    pub order_id: Uuid,
    /// From the path.
    pub token: &'a str,
    /// As received, because sequence and escapes count for the checksum.
    pub raw_query: &'a str,
    pub secret: Arc<Secret>,
    pub deadline: Deadline,
}

/// The outcome, from which the reply to Front Payment follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// No such order, or the wrong token.
    NotFound,
    /// Verified, and applied to the order.
    Applied,
    /// Verified, and stored before.
    Duplicate,
    /// Verified, but only noted: the order has no uuid, and does not take that of a cancelled or expired one.
    Noted,
    /// Verified, but about another uuid than the stored one.
    OtherOrder,
    /// Unverified, so the status was read from Front Payment.
    StatusRead,
    /// Unverified, and there is no uuid whose status could be read.
    NotVerified,
    /// Unverified, and the status read failed.
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
    let mut handling = Handling { bridge, reader, request, report: RequestReport::default() };
    let outcome = handling.run().await.unwrap_or_else(Failure::into_outcome);
    let provider = handling.reader.calls;
    (outcome, RequestReport { provider, ..handling.report })
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

impl Failure {
    /// Logs the failure, and returns the outcome.
    fn into_outcome(self) -> CallbackOutcome {
        match self {
            // The order's retention period has ended, so the URL belongs to no order, or to another one.
            Self::Update(UpdateError::Deleted) => CallbackOutcome::NotFound,
            Self::Load(error) => {
                tracing::error!(error = error_chain(&error), "callback not stored");
                CallbackOutcome::StoreUnavailable
            }
            Self::Update(error) => {
                tracing::error!(error = error_chain(&error), "callback not stored");
                CallbackOutcome::StoreUnavailable
            }
            Self::NoStatus(error) => {
                tracing::warn!(error = error_chain(&error), "status read failed");
                CallbackOutcome::StatusUnavailable
            }
        }
    }
}

struct Handling<'b, S, F> {
    bridge: &'b Bridge<S, F>,
    reader: StatusReader<'b, S, F>,
    request: CallbackRequest<'b>,
    report: RequestReport,
}

impl<S: OrderStore, F: FrontPayment> Handling<'_, S, F> {
    async fn run(&mut self) -> Result<CallbackOutcome, Failure> {
        let CallbackRequest { order_id, token, raw_query, deadline, .. } = self.request;
        let stored = self.bridge.load(order_id, deadline.reply_by()).await.map_err(Failure::Load)?;
        let Some(order) = stored.filter(|order| has_token(order, token)) else { return Ok(CallbackOutcome::NotFound) };
        self.report.shop_id = Some(order.shop_id.clone());
        let verified = verify::verify(self.bridge, &self.request.secret, deadline, raw_query).await;
        match verified.and_then(|callback| verify::verify_amount(callback, &order)) {
            Ok(callback) => self.apply(order, callback).await,
            Err(reason) => self.read_instead(order, reason).await,
        }
    }

    async fn apply(&mut self, order: StoredOrder, callback: StatusCallback) -> Result<CallbackOutcome, Failure> {
        let now = self.bridge.clock.now();
        let by = now.saturating_add(MAX_CONTENTION).unwrap_or(now).min(self.request.deadline.reply_by());
        // After a conflict, the amount is checked against the newly stored order, too.
        let change = |order: &StoredOrder, now| {
            if order.has_total(&callback.amount) { order.apply_callback(&callback, now) } else { None }
        };
        let updated = self.bridge.update(order, by, OnOutage::GiveUp, change).await;
        let Updated { order, replaced } = updated.map_err(|failure| Failure::Update(failure.error))?;
        let callback = match verify::verify_amount(callback, &order) {
            Ok(callback) => callback,
            Err(reason) => return self.read_instead(order, reason).await,
        };
        // If this callback made the order take another uuid, the callback's uuid is the old one, and there is no duplicate
        // order.
        let was_stored = |replaced: &StoredOrder| replaced.is_order(&callback.order_uuid);
        if order.is_other_order(&callback.order_uuid) && !replaced.as_ref().is_some_and(was_stored) {
            log_duplicate_order(&order, &callback.order_uuid);
            return Ok(CallbackOutcome::OtherOrder);
        }
        if replaced.is_none() {
            return Ok(CallbackOutcome::Duplicate);
        }
        if order.order_uuid.is_none() {
            return Ok(CallbackOutcome::Noted);
        }
        self.report.first_callback_after = order.first_callback_after();
        if order.is_asked_because_of(&callback) {
            self.read_because_of(order, &callback).await?;
        }
        Ok(CallbackOutcome::Applied)
    }

    /// The callback is stored, so Front Payment need not repeat it, even if the status read fails.
    async fn read_because_of(&mut self, order: StoredOrder, callback: &StatusCallback) -> Result<(), Failure> {
        let word = callback.word.name();
        tracing::info!(word, "a callback leaves open what the status or the refund is; reading it");
        match self.reader.read_and_store(order).await.map_err(Failure::from) {
            Err(Failure::NoStatus(error)) => {
                tracing::warn!(error = error_chain(&error), "status read failed; the stored status stays");
                Ok(())
            }
            read => read.map(drop),
        }
    }

    async fn read_instead(&mut self, order: StoredOrder, reason: Unverified) -> Result<CallbackOutcome, Failure> {
        self.report.unverified = Some(reason.into());
        if order.order_uuid.is_some() {
            self.reader.read_and_store(order).await?;
            return Ok(CallbackOutcome::StatusRead);
        }
        let claimed = claimed_order_uuid(self.request.raw_query);
        tracing::error!(claimedOrderUuid = claimed, "unverified callback for an order without a uuid");
        Ok(CallbackOutcome::NotVerified)
    }
}

/// The customer may be billed twice, so an operator must cancel one of the two orders.
pub(crate) fn log_duplicate_order(stored: &StoredOrder, other_uuid: &str) {
    tracing::error!(
        orderUuid = stored.order_uuid,
        otherOrderUuid = other_uuid,
        "Front Payment has this order twice; cancel one of the two there"
    );
}
