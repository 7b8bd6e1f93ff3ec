//! The sweep: does everything that is due, for as long as an invocation may take.
//!
//! Three things run at the same time, each with its own queues: telling shops, status reads, and ending stale submission
//! attempts. Of the first two, a sweep reads only as much as it can do in its time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tracing::Instrument;
use uuid::Uuid;

use super::{Invocation, Worker};
use crate::front_payment::FrontPayment;
use crate::notify::{MAX_CALLS_TO_A_HOST, Occasion, Shops, TellOutcome};
use crate::order::{NotificationState, StoredOrder};
use crate::reconcile::{self, Reconciler};
use crate::secrets::Secret;
use crate::store::{IndexQuery, OrderIndex, Partition};
use crate::telemetry::error_chain;

/// The most orders of one shop in a sweep.
const MAX_ORDERS_OF_A_SHOP: u16 = 500;
/// Orders that are handled at the same time. Shops get their turns in the sequence in which they ask.
const MAX_RUNNING: usize = 64;
/// With less time left than this, nothing new begins, because a call to a shop may take ten seconds.
const MIN_LEFT: Duration = Duration::from_secs(12);

/// What a sweep did for shops.
#[derive(Debug, Default)]
struct Summary {
    visited: u64,
    delivered: u64,
    passed_over: u64,
    /// The longest time that a change has waited which is still to be told.
    oldest_undelivered: SignedDuration,
    /// Due orders that were not handled because the time was over.
    left: u64,
}

impl<S: OrderIndex, F: FrontPayment, C: Shops> Worker<S, F, C> {
    pub(super) async fn sweep(&self, invocation: &Invocation) {
        let end_stale_attempts = reconcile::end_stale_attempts(&self.bridge, invocation.by);
        let work_off = async {
            let Some(secret) = self.secret(invocation.by).await else { return };
            let (mut summary, delivered) =
                tokio::join!(self.tell_all_shops(&secret, invocation), self.ask_front_payment(&secret, invocation));
            summary.delivered += delivered;
            summary.log();
        };
        tokio::join!(end_stale_attempts, work_off);
    }

    async fn tell_all_shops(&self, secret: &Secret, invocation: &Invocation) -> Summary {
        let turns = Semaphore::new(MAX_RUNNING);
        let shops = secret.shops().map(|(shop_id, _)| self.tell_shop(shop_id, secret, &turns, invocation));
        // Boxed, because there is one such future for each shop.
        let shops: Vec<_> = shops.map(Box::pin).collect();
        let summaries = futures_util::future::join_all(shops).await;
        summaries.into_iter().fold(Summary::default(), Summary::and)
    }

    /// Tells the shop about its due orders, the earliest first.
    async fn tell_shop(&self, shop_id: &str, secret: &Secret, turns: &Semaphore, invocation: &Invocation) -> Summary {
        let now = self.bridge.clock.now().as_second();
        let query = IndexQuery::until(Partition::Tell { shop_id }, now, MAX_ORDERS_OF_A_SHOP);
        let due = match self.bridge.list(&query, invocation.by).await {
            Ok(page) => page.items,
            Err(error) => {
                tracing::error!(shopId = shop_id, error = error_chain(&error), "what is due cannot be read");
                return Summary::default();
            }
        };
        let visits = stream::iter(due).map(async |entry| {
            let _turn = turns.acquire().await;
            if self.bridge.clock.until(invocation.by) < MIN_LEFT {
                return Summary { left: 1, ..Summary::default() };
            }
            self.visit(entry.order_id, secret, invocation.by).instrument(invocation.order_span(entry.order_id)).await
        });
        visits.buffer_unordered(MAX_CALLS_TO_A_HOST).fold(Summary::default(), async |sum, visit| sum.and(visit)).await
    }

    async fn visit(&self, order_id: Uuid, secret: &Secret, by: Timestamp) -> Summary {
        let Some(order) = self.load(order_id, by).await else { return Summary::default() };
        let pending_since = undelivered_since(&order);
        let outcome = self.tell_or_correct(order, secret, by, Occasion::Sweep).await;
        let is_over =
            matches!(outcome, TellOutcome::Delivered | TellOutcome::Off | TellOutcome::NotNotifiable | TellOutcome::Failed);
        let undelivered = pending_since.filter(|_| !is_over).map(|since| self.bridge.clock.now().duration_since(since));
        Summary {
            visited: 1,
            delivered: u64::from(outcome == TellOutcome::Delivered),
            passed_over: u64::from(outcome == TellOutcome::PassedOver),
            oldest_undelivered: undelivered.unwrap_or_default(),
            left: 0,
        }
    }

    /// Makes the status reads, one after the other. Returns how many shops were told of the news.
    async fn ask_front_payment(&self, secret: &Arc<Secret>, invocation: &Invocation) -> u64 {
        let by = invocation.by;
        let due = match reconcile::due(&self.bridge, by).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(error = error_chain(&error), "what is to be asked cannot be read");
                return 0;
            }
        };
        let (mut reconciler, mut delivered) = (Reconciler::new(&self.bridge), 0);
        for entry in due {
            if !reconciler.may_read(by) {
                break;
            }
            let outcome = async {
                let Some(order) = self.load(entry.order_id, by).await else { return TellOutcome::NothingDue };
                let Some(read) = reconciler.read(order.clone(), secret, by).await else {
                    self.correct(order, by).await;
                    return TellOutcome::NothingDue;
                };
                // What was to be told before is in the shop's queue. A slow shop must not hold up the other status reads.
                if latest_change(&read) == latest_change(&order) {
                    return TellOutcome::NothingDue;
                }
                self.notifier.tell(read, secret, by, Occasion::Sweep).await
            }
            .instrument(invocation.order_span(entry.order_id))
            .await;
            delivered += u64::from(outcome == TellOutcome::Delivered);
        }
        delivered
    }
}

impl Summary {
    fn and(self, other: Self) -> Self {
        Self {
            visited: self.visited + other.visited,
            delivered: self.delivered + other.delivered,
            passed_over: self.passed_over + other.passed_over,
            oldest_undelivered: self.oldest_undelivered.max(other.oldest_undelivered),
            left: self.left + other.left,
        }
    }

    fn log(&self) {
        let Self { visited, delivered, passed_over, oldest_undelivered, left } = self;
        let oldest = oldest_undelivered.as_secs();
        tracing::info!(visited, delivered, passedOver = passed_over, left, oldestUndeliveredSeconds = oldest, "sweep");
    }
}

fn latest_change(order: &StoredOrder) -> Option<u64> {
    order.notifications.as_ref().map(|notifications| notifications.change)
}

fn undelivered_since(order: &StoredOrder) -> Option<Timestamp> {
    let notifications = order.notifications.as_ref()?;
    (notifications.state == NotificationState::Pending).then_some(notifications.pending_since)
}
