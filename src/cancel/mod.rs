//! Use case: a shop cancels an order.
//!
//! The request is stored before it is sent, so that the worker reads the status even if this process dies. After the call, a
//! status read shows whether the order is cancelled. Cancelling twice does no harm, so a shop repeats the request until the
//! outcome is clear.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::bridge::{Bridge, OnOutage, UpdateError, Updated};
use crate::deadline::Deadline;
use crate::front_payment::{CancelCall, CancelReply, FrontPayment};
use crate::order::{Status, StatusRead, StoredOrder, Violation};
use crate::secrets::{Redacted, Secret};
use crate::status::{ReadBudget, ReadError, StatusReader};
use crate::store::OrderStore;
use crate::submit::{MAX_SENDING, MIN_LEFT, MIN_LEFT_FOR_A_CALL};
use crate::telemetry::{ProviderCalls, error_chain};

pub struct CancelRequest<'a> {
    /// The order as stored; it was read just before.
    pub order: StoredOrder,
    /// The uuid to cancel: the order's own, or another one in its history.
    pub order_uuid: &'a str,
    /// The text for Front Payment, 1 to 200 characters.
    pub note: &'a str,
    pub secret: Arc<Secret>,
    pub deadline: Deadline,
}

/// The outcome, from which the reply to the shop follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The order is CANCELLED or EXPIRED.
    Cancelled,
    /// Front Payment accepts the request. `status` says whether the order is cancelled already.
    Requested,
    /// Front Payment refuses to cancel the order, and says why.
    Refused(Vec<Violation>),
    /// Front Payment rejects the token.
    Failed,
    /// Front Payment cannot be reached, or asks to try later.
    ProviderUnavailable,
    /// The order may or may not be cancelled.
    Unknown,
    /// The store did not answer, so nothing was sent.
    StoreUnavailable,
    /// The order's retention period has ended.
    Gone,
}

pub struct Cancellation {
    pub outcome: CancelOutcome,
    /// The status of the uuid to cancel, if it is known.
    pub status: Option<Status>,
    pub calls: ProviderCalls,
}

/// Cancels an accepted order at Front Payment.
pub async fn cancel<S: OrderStore, F: FrontPayment>(
    bridge: &Bridge<S, F>,
    budget: &ReadBudget,
    request: CancelRequest<'_>,
) -> Cancellation {
    let CancelRequest { order, order_uuid, note, secret, deadline } = request;
    let reader = StatusReader::new(bridge, budget, secret.clone(), deadline);
    let status = order.is_order(order_uuid).then_some(order.status);
    let mut cancelling = Cancelling { bridge, reader, order, order_uuid, note, secret, deadline, requested_at: None, status };
    let outcome = cancelling.run().await.unwrap_or_else(|early| early);
    Cancellation { outcome, status: cancelling.status, calls: cancelling.reader.calls }
}

struct Cancelling<'r, S, F> {
    bridge: &'r Bridge<S, F>,
    reader: StatusReader<'r, S, F>,
    order: StoredOrder,
    order_uuid: &'r str,
    note: &'r str,
    secret: Arc<Secret>,
    deadline: Deadline,
    /// When this request was stored.
    requested_at: Option<Timestamp>,
    status: Option<Status>,
}

impl<S: OrderStore, F: FrontPayment> Cancelling<'_, S, F> {
    /// Runs all steps. An early end is an `Err`.
    async fn run(&mut self) -> Result<CancelOutcome, CancelOutcome> {
        if self.is_cancelled() {
            return Ok(CancelOutcome::Cancelled);
        }
        if self.bridge.clock.until(self.deadline.0) < MIN_LEFT {
            tracing::warn!("too little time left; nothing is sent");
            return Err(CancelOutcome::ProviderUnavailable);
        }
        if self.order.is_order(self.order_uuid) {
            self.write_down().await?;
        }
        match self.send().await {
            CancelReply::Accepted => {
                self.read_status().await;
                Ok(CancelOutcome::Requested)
            }
            CancelReply::Refused(sentences) => {
                self.read_status().await;
                if !self.is_cancelled() {
                    self.withdraw().await;
                }
                Ok(if self.is_cancelled() { CancelOutcome::Cancelled } else { CancelOutcome::Refused(sentences) })
            }
            CancelReply::Unauthorized => Ok(CancelOutcome::Failed),
            CancelReply::Unavailable => Ok(CancelOutcome::ProviderUnavailable),
            CancelReply::Unknown => Ok(CancelOutcome::Unknown),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.status.is_some_and(Status::is_dead)
    }

    /// Stores the request before the call. If an earlier request is stored, its call may have been made; a status read shows
    /// that.
    async fn write_down(&mut self) -> Result<(), CancelOutcome> {
        if self.order.cancel_requested_at.is_some() {
            self.read_status().await;
        }
        let order_uuid = self.order_uuid;
        let change = |order: &StoredOrder, now| {
            let is_open = order.is_order(order_uuid) && !order.status.is_dead();
            is_open.then(|| order.request_cancellation(now)).flatten()
        };
        self.update(change).await?;
        self.requested_at = self.order.cancel_requested_at;
        if self.is_cancelled() { Err(CancelOutcome::Cancelled) } else { Ok(()) }
    }

    /// Removes the request from the order, because Front Payment has refused it.
    async fn withdraw(&mut self) {
        let (order_uuid, requested_at) = (self.order_uuid, self.requested_at);
        let change =
            |order: &StoredOrder, now| order.is_order(order_uuid).then(|| order.refuse_cancellation(requested_at, now)).flatten();
        // If this is not stored, a repetition by the shop removes the request.
        drop(self.update(change).await);
    }

    async fn update(
        &mut self,
        change: impl Fn(&StoredOrder, Timestamp) -> Option<Box<StoredOrder>>,
    ) -> Result<(), CancelOutcome> {
        let updated = self.bridge.update(self.order.clone(), self.deadline.reply_by(), OnOutage::GiveUp, change).await;
        let Updated { order, .. } = updated.map_err(|failure| {
            tracing::error!(error = error_chain(&failure.error), "the cancellation is not stored");
            match failure.error {
                UpdateError::Deleted => CancelOutcome::Gone,
                _ => CancelOutcome::StoreUnavailable,
            }
        })?;
        self.take(order);
        Ok(())
    }

    fn take(&mut self, order: StoredOrder) {
        if order.is_order(self.order_uuid) {
            self.status = Some(order.status);
        }
        self.order = order;
    }

    async fn send(&mut self) -> CancelReply {
        let (bridge, clock) = (self.bridge, &self.bridge.clock);
        let now = clock.now();
        let send_by = now.saturating_add(MAX_SENDING).unwrap_or(now).min(self.deadline.send_by());
        let (order_uuid, note, calls) = (self.order_uuid, self.note, &mut self.reader.calls);
        let mut send_once = async |token: &Redacted| {
            let started = Instant::now();
            let call = bridge.front_payment.cancel(order_uuid, note, token, clock.until(send_by)).await;
            calls.add(started.elapsed(), &call.head);
            call
        };
        let mut call = send_once(&self.secret.token).await;
        if call.reply == CancelReply::Unauthorized
            && let Some(newer) = bridge.newer_token(&self.secret, send_by).await
            && clock.until(send_by) >= MIN_LEFT_FOR_A_CALL
        {
            call = send_once(&newer.token).await;
            self.reader.use_secret(newer);
        }
        let CancelCall { reply, reason, .. } = call;
        match reply {
            CancelReply::Accepted | CancelReply::Refused(_) => {}
            CancelReply::Unauthorized => tracing::error!(reason, "Front Payment rejects the token"),
            CancelReply::Unavailable => tracing::warn!(reason, "Front Payment failed"),
            CancelReply::Unknown => tracing::warn!(reason, "Front Payment may or may not cancel the order"),
        }
        reply
    }

    /// Reads the status and stores it. If Front Payment does not tell it, the stored status stays.
    async fn read_status(&mut self) {
        let read = if self.order.is_order(self.order_uuid) {
            self.reader.read_and_store(self.order.clone()).await.map(|order| self.take(order))
        } else {
            self.read_other().await
        };
        if let Err(error) = read {
            tracing::warn!(error = error_chain(&error), "status read failed; the stored status stays");
        }
    }

    /// Reads the status of another uuid than the order's own. It is only noted in the history, unless the order takes that
    /// uuid meanwhile.
    async fn read_other(&mut self) -> Result<(), ReadError> {
        let order_uuid = self.order_uuid;
        let note = |order: &StoredOrder, read: &StatusRead, now| order.note_other_status(order_uuid, &read.word, now);
        let (order, read) = self.reader.read_other_and_apply(self.order.clone(), order_uuid, note).await?;
        if order.is_order(order_uuid) {
            return self.reader.read_and_store(order).await.map(|order| self.take(order));
        }
        self.status = read.word.known();
        self.order = order;
        Ok(())
    }
}
