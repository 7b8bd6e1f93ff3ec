//! The sweep: everything that is due, for as long as an invocation may take.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
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
}

impl<S: OrderQueue, F: FrontPayment, C: Shops> Worker<S, F, C> {
    pub(super) async fn sweep(&self, invocation: &Invocation) {
        tokio::join!(reconcile::settle(&self.bridge, invocation.by), self.work_off(invocation));
    }

    async fn work_off(&self, invocation: &Invocation) {
        let by = invocation.by;
        let (Some(secret), Some(mut queues)) = (self.secret(by).await, self.due(by).await) else { return };
        let reconciler = Reconciler::new(self.bridge.clone());
        let (mut running, mut summary) = (FuturesUnordered::new(), Summary::default());
        loop {
            while running.len() < MAX_RUNNING
                && self.bridge.clock.until(by) >= MIN_LEFT
                && let Some(due) = queues.next()
            {
                let span = invocation.order_span(due.order_id);
                running.push(self.visit(due, &reconciler, &secret, by).instrument(span));
            }
            let Some((shop_id, visit)) = running.next().await else { break };
            queues.done(&shop_id);
            summary.add(&visit);
        }
        summary.log(queues.len());
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

    /// Does what is due about one order: first the shop, then Front Payment, then the shop again if there is news.
    async fn visit(&self, due: DueOrder, reconciler: &Reconciler<S, F>, secret: &Arc<Secret>, by: Timestamp) -> (String, Visit) {
        let mut visit = Visit::default();
        let Some(mut order) = self.load(due.order_id, by).await else { return (due.shop_id, visit) };
        let told = self.notifier.tell(order.clone(), secret, by).await;
        visit.outcomes.push(told);
        if told.has_written() {
            let Some(told) = self.load(due.order_id, by).await else { return (due.shop_id, visit) };
            order = told;
        }
        let change = change(&order);
        let order = self.corrected(reconciler.read(order, secret, by).await, by).await;
        if self::change(&order) != change {
            visit.outcomes.push(self.notifier.tell(order.clone(), secret, by).await);
        }
        visit.undelivered_since = undelivered_since(&order);
        visit.seen_at = Some(self.bridge.clock.now());
        (due.shop_id, visit)
    }

    /// The order with its place in the index corrected, if it is wrong.
    pub(super) async fn corrected(&self, order: StoredOrder, by: Timestamp) -> StoredOrder {
        let Some(next) = order.with_place_corrected() else { return order };
        match self.bridge.replace(&order, &next, by).await {
            Ok(()) => *next,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the order's place in the index is not corrected");
                order
            }
        }
    }
}

#[derive(Debug, Default)]
struct Visit {
    outcomes: Vec<TellOutcome>,
    undelivered_since: Option<Timestamp>,
    seen_at: Option<Timestamp>,
}

impl Summary {
    fn add(&mut self, visit: &Visit) {
        let count = |outcome| u64::from(visit.outcomes.contains(&outcome));
        self.visited += 1;
        self.delivered += count(TellOutcome::Delivered);
        self.passed_over += count(TellOutcome::PassedOver);
        if let (Some(since), Some(seen_at)) = (visit.undelivered_since, visit.seen_at) {
            self.oldest_undelivered = self.oldest_undelivered.max(seen_at.duration_since(since));
        }
    }

    fn log(&self, left: usize) {
        let Self { visited, delivered, passed_over, oldest_undelivered } = self;
        let oldest = oldest_undelivered.as_secs();
        tracing::info!(visited, delivered, passedOver = passed_over, left, oldestUndeliveredSeconds = oldest, "sweep");
    }
}

fn change(order: &StoredOrder) -> Option<u64> {
    order.notifications.as_ref().map(|notifications| notifications.change)
}

fn undelivered_since(order: &StoredOrder) -> Option<Timestamp> {
    let notifications = order.notifications.as_ref()?;
    (notifications.state() == NotificationState::Pending).then_some(notifications.pending_since)
}
