//! The `worker` function: notifies shops, makes status reads, and does what the operator decides.
//!
//! It stores no state of its own. What is to be done follows from each stored order, and the store's indexes find it. The
//! table's stream wakes the worker for a changed order; the sweep, once a minute, finds everything that is due.

mod backfill;
mod event;
mod sweep;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tracing::{Instrument, error_span, field};
use uuid::Uuid;

use crate::bridge::Bridge;
use crate::deadline::Deadline;
use crate::front_payment::FrontPayment;
use crate::notify::{Notifier, Occasion, PrivateHosts, Shops, TellOutcome};
use crate::operator;
use crate::order::StoredOrder;
use crate::secrets::Secret;
use crate::store::OrderIndex;
use crate::telemetry::error_chain;
use event::Event;

const MAX_STREAM: SignedDuration = SignedDuration::from_secs(20);
const MAX_SWEEP: SignedDuration = SignedDuration::from_secs(50);

pub struct Worker<S, F, C> {
    bridge: Arc<Bridge<S, F>>,
    notifier: Notifier<S, F, C>,
}

impl<S: OrderIndex, F: FrontPayment, C: Shops> Worker<S, F, C> {
    #[must_use]
    pub fn new(bridge: Arc<Bridge<S, F>>, shops: C, private_hosts: PrivateHosts) -> Self {
        Self { notifier: Notifier::new(bridge.clone(), shops, private_hosts), bridge }
    }

    /// Handles one event. It never fails: after an error, Lambda would repeat the event, and the sweep does what is left
    /// anyway.
    ///
    /// # Errors
    /// None.
    pub async fn invoke(&self, invocation: LambdaEvent<Box<RawValue>>) -> Result<Value, Error> {
        let LambdaEvent { payload, context } = invocation;
        let deadline = i64::try_from(context.deadline).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
        let (event, deadline) = (Event::read(payload.get()), Deadline(deadline.unwrap_or(Timestamp::MAX)));
        let limit = if matches!(event, Ok(Event::Stream(_))) { MAX_STREAM } else { MAX_SWEEP };
        let now = self.bridge.clock.now();
        let by = now.saturating_add(limit).unwrap_or(now).min(deadline.reply_by());
        let invocation = Invocation { request_id: context.request_id, by };
        let span = error_span!("request", requestId = invocation.request_id);
        // Boxed, because the future of a whole sweep is large.
        Ok(Box::pin(self.handle(event, &invocation)).instrument(span).await)
    }

    async fn handle(&self, event: Result<Event, String>, invocation: &Invocation) -> Value {
        match event {
            Ok(Event::Stream(order_ids)) => {
                self.tell_all(&order_ids, invocation).await;
                json!({ "batchItemFailures": [] })
            }
            Ok(Event::Sweep) => {
                self.sweep(invocation).await;
                json!({})
            }
            Ok(Event::Backfill { after, note }) => note.log(backfill::run(&self.bridge, after, invocation.by).await),
            Ok(Event::Operator(command, note)) => note.log(operator::run(&self.bridge, command, invocation.by).await),
            Err(reason) => {
                tracing::error!(reason, "an event cannot be read");
                operator::refusal(&reason)
            }
        }
    }

    /// Tells the shops of these orders, all at the same time, because a batch of the stream is small.
    async fn tell_all(&self, order_ids: &[Uuid], invocation: &Invocation) {
        let by = invocation.by;
        let Some(secret) = self.secret(by).await else { return };
        let telling = order_ids.iter().map(|id| self.tell(*id, &secret, by).instrument(invocation.order_span(*id)));
        futures_util::future::join_all(telling).await;
    }

    async fn tell(&self, order_id: Uuid, secret: &Secret, by: Timestamp) -> TellOutcome {
        let Some(order) = self.load(order_id, by).await else { return TellOutcome::NothingDue };
        self.tell_or_correct(order, secret, by, Occasion::Stream).await
    }

    async fn tell_or_correct(&self, order: StoredOrder, secret: &Secret, by: Timestamp, occasion: Occasion) -> TellOutcome {
        let outcome = self.notifier.tell(order.clone(), secret, by, occasion).await;
        if !outcome.has_written() {
            self.correct(order, by).await;
        }
        outcome
    }

    /// Corrects the derived attributes of an order.
    async fn correct(&self, order: StoredOrder, by: Timestamp) {
        if let Err(error) = self.bridge.correct(&order, by).await {
            tracing::warn!(error = error_chain(&error), "the order's place in an index is not corrected");
        }
    }

    /// Loads an order; `None` if its retention period has ended.
    async fn load(&self, order_id: Uuid, by: Timestamp) -> Option<StoredOrder> {
        let loaded = self.bridge.load(order_id, by).await;
        let loaded = loaded.inspect_err(|error| tracing::warn!(error = error_chain(error), "the order cannot be read")).ok()?;
        loaded.filter(|order| !order.is_past_retention(self.bridge.clock.now()))
    }

    async fn secret(&self, by: Timestamp) -> Option<Arc<Secret>> {
        let secret = self.bridge.secret(by).await;
        secret.inspect_err(|error| tracing::error!(error = error_chain(error), "no shop is told")).ok()
    }
}

/// An event while it is handled.
struct Invocation {
    /// Lambda's request id.
    request_id: String,
    by: Timestamp,
}

impl Invocation {
    /// Every log line about an order has its id.
    fn order_span(&self, order_id: Uuid) -> tracing::Span {
        error_span!("order", requestId = self.request_id, orderId = field::display(order_id))
    }
}
