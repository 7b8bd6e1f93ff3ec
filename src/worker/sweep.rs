//! The sweep: everything that is due, for as long as an invocation may take.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tracing::Instrument;

use super::shops::ShopQueues;
use super::{Invocation, Worker};
use crate::front_payment::FrontPayment;
use crate::notify::{Shops, TellOutcome};
use crate::order::{NotificationState, Queue, StoredOrder};
use crate::reconcile::{self, Reconciler};
use crate::secrets::Secret;
use crate::store::{DueOrder, OrderQueue};
use crate::telemetry::error_chain;

/// Orders that are worked on at once.
const MAX_RUNNING: usize = 32;
/// More due orders than a sweep can work off; the rest is due in the next one.
const MAX_DUE: usize = 50_000;
/// With less than this, nothing more begins: a call to a shop may take ten seconds.
const MIN_LEFT: Duration = Duration::from_secs(12);

/// What a sweep did, for its summary line.
#[derive(Debug, Default)]
struct Summary {
    visited: u64,
    delivered: u64,
    passed_over: u64,
    /// Of what is still to be told.
    oldest_undelivered: SignedDuration,
    /// Orders that the time did not suffice for.
    left: usize,
}

impl<S: OrderQueue, F: FrontPayment, C: Shops> Worker<S, F, C> {
    pub(super) async fn sweep(&self, invocation: &Invocation) {
        tokio::join!(reconcile::settle(&self.bridge, invocation.by), self.work_off(invocation));
    }

    /// Shops are told side by side. Front Payment is asked beside that, one order after the other, so that a slow answer
    /// keeps no shop waiting.
    async fn work_off(&self, invocation: &Invocation) {
        let by = invocation.by;
        let (Some(secret), Some(queues)) = (self.secret(by).await, self.due(by).await) else { return };
        let (to_read, silent) = mpsc::unbounded_channel();
        let (summary, delivered) =
            tokio::join!(self.tell_due(queues, to_read, &secret, invocation), self.read_silent(silent, &secret, invocation),);
        summary.log(delivered);
    }

    async fn tell_due(
        &self,
        mut queues: ShopQueues,
        to_read: UnboundedSender<StoredOrder>,
        secret: &Secret,
        invocation: &Invocation,
    ) -> Summary {
        let (mut running, mut summary) = (FuturesUnordered::new(), Summary::default());
        loop {
            while running.len() < MAX_RUNNING
                && self.bridge.clock.until(invocation.by) >= MIN_LEFT
                && let Some(due) = queues.next()
            {
                let span = invocation.order_span(due.order_id);
                running.push(self.visit(due, &to_read, secret, invocation.by).instrument(span));
            }
            let Some((shop_id, visit)) = running.next().await else { break };
            queues.done(&shop_id);
            summary.add(visit);
        }
        summary.left = queues.len();
        summary
    }

    /// Returns how many shops were told of the news.
    async fn read_silent(
        &self,
        mut silent: UnboundedReceiver<StoredOrder>,
        secret: &Arc<Secret>,
        invocation: &Invocation,
    ) -> u64 {
        let mut reconciler = Reconciler::new(&self.bridge);
        let mut delivered = 0;
        while let Some(order) = silent.recv().await {
            let span = invocation.order_span(order.order_id);
            let read_and_tell = async {
                let order = reconciler.read(order, secret, invocation.by).await;
                self.notifier.tell(order, secret, invocation.by).await
            };
            delivered += u64::from(read_and_tell.instrument(span).await == TellOutcome::Delivered);
        }
        delivered
    }

    async fn due(&self, by: Timestamp) -> Option<ShopQueues> {
        let (now, mut after) = (self.bridge.clock.now().as_second(), None);
        let mut queues = ShopQueues::default();
        loop {
            let page = match self.bridge.due(Queue::Due, now, after, by).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(error = error_chain(&error), "what is due cannot be read");
                    return None;
                }
            };
            page.items.into_iter().for_each(|order| queues.push(order));
            after = page.next;
            if after.is_none() || queues.len() >= MAX_DUE {
                return Some(queues);
            }
        }
    }

    /// Tells the shop of one order, and hands the order on if Front Payment is to be asked.
    async fn visit(
        &self,
        due: DueOrder,
        to_read: &UnboundedSender<StoredOrder>,
        secret: &Secret,
        by: Timestamp,
    ) -> (String, Option<Visit>) {
        let Some(order) = self.load(due.order_id, by).await else { return (due.shop_id, None) };
        let outcome = self.notifier.tell(order.clone(), secret, by).await;
        let order = if outcome.has_written() { self.load(due.order_id, by).await } else { Some(self.corrected(order, by).await) };
        let now = self.bridge.clock.now();
        let undelivered = order.as_ref().and_then(undelivered_since).map(|since| now.duration_since(since));
        if let Some(order) = order.filter(|order| order.reading_due_at().is_some_and(|due_at| due_at <= now)) {
            // The receiver is gone only where the sweep is.
            drop(to_read.send(order));
        }
        (due.shop_id, Some(Visit { outcome, undelivered: undelivered.unwrap_or_default() }))
    }

    /// Completes what an operator's command did not set.
    pub(super) async fn corrected(&self, order: StoredOrder, by: Timestamp) -> StoredOrder {
        let Some(next) = order.corrected(self.bridge.clock.now()) else { return order };
        match self.bridge.replace(&order, &next, by).await {
            Ok(()) => *next,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the order's place in the index is not corrected");
                order
            }
        }
    }
}

struct Visit {
    outcome: TellOutcome,
    /// For how long the latest change has been undelivered.
    undelivered: SignedDuration,
}

impl Summary {
    fn add(&mut self, visit: Option<Visit>) {
        let Some(Visit { outcome, undelivered }) = visit else { return };
        self.visited += 1;
        self.delivered += u64::from(outcome == TellOutcome::Delivered);
        self.passed_over += u64::from(outcome == TellOutcome::PassedOver);
        self.oldest_undelivered = self.oldest_undelivered.max(undelivered);
    }

    fn log(&self, delivered_of_news: u64) {
        let Self { visited, delivered, passed_over, oldest_undelivered, left } = self;
        let (delivered, oldest) = (delivered + delivered_of_news, oldest_undelivered.as_secs());
        tracing::info!(visited, delivered, passedOver = passed_over, left, oldestUndeliveredSeconds = oldest, "sweep");
    }
}

fn undelivered_since(order: &StoredOrder) -> Option<Timestamp> {
    let notifications = order.notifications.as_ref()?;
    (notifications.state() == NotificationState::Pending).then_some(notifications.pending_since)
}
