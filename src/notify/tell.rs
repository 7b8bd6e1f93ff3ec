//! Tells one shop about one order: stores the notification attempt, calls the shop, stores the result.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::hosts::Hosts;
use super::message::{Message, check_callback_url};
use super::{PrivateHosts, ShopCall, Shops};
use crate::bridge::{Bridge, OnOutage, Updated};
use crate::order::{AttemptEnd, NotificationState, StoredOrder};
use crate::secrets::{Notify, Secret};
use crate::store::{OrderStore, WriteError};
use crate::telemetry::error_chain;

/// How long a notification attempt may take, counted from when it was stored.
const MAX_ATTEMPT: SignedDuration = SignedDuration::from_secs(10);
/// How long the result of an attempt may take to be stored.
const MAX_RESULT: SignedDuration = SignedDuration::from_secs(5);
/// How long an order waits while others call the same host; longer would keep other shops waiting.
const MAX_WAIT_FOR_HOST: Duration = Duration::from_secs(2);
/// With less time left than this, no notification attempt begins.
const MIN_LEFT: Duration = Duration::from_secs(12);

/// Tells shops. There is one in a process, because it remembers which hosts do not answer.
pub struct Notifier<S, F, C> {
    bridge: Arc<Bridge<S, F>>,
    shops: C,
    private_hosts: PrivateHosts,
    hosts: Hosts,
}

/// What wakes the worker for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The order has changed. A host that is slow or fails is left to the sweep.
    Stream,
    /// The order is due. If its host fails, it is due again later.
    Sweep,
}

/// What was done for an order whose shop is to be told. The names are in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum TellOutcome {
    /// Nothing is due, or another worker has it.
    NothingDue,
    /// Too little time is left, or the host is busy or slow.
    Postponed,
    /// The shop is configured not to be notified.
    Off,
    /// The shop's URL cannot be called.
    NotNotifiable,
    /// The host fails too often in this minute.
    PassedOver,
    Delivered,
    /// The attempt failed; there will be another one.
    Undelivered,
    /// The last attempt failed.
    Failed,
    StoreUnavailable,
}

impl TellOutcome {
    /// Whether this has written a new version of the order.
    #[must_use]
    pub fn has_written(self) -> bool {
        !matches!(self, Self::NothingDue | Self::Postponed)
    }
}

impl<S: OrderStore, F: Send + Sync, C: Shops> Notifier<S, F, C> {
    pub fn new(bridge: Arc<Bridge<S, F>>, shops: C, private_hosts: PrivateHosts) -> Self {
        Self { bridge, shops, private_hosts, hosts: Hosts::default() }
    }

    /// Tells the shop of an order, if that is due. The order must have just been read. Logs one summary line about what was
    /// done.
    pub async fn tell(&self, order: StoredOrder, secret: &Secret, by: Timestamp, occasion: Occasion) -> TellOutcome {
        let now = self.bridge.clock.now();
        if order.notification_due_at().is_none_or(|due_at| due_at > now) {
            return TellOutcome::NothingDue;
        }
        // A shop that has left the secret is told when it comes back.
        if !secret.shops().any(|(shop_id, _)| *shop_id == order.shop_id) {
            return TellOutcome::NothingDue;
        }
        let started = Instant::now();
        let mut summary = Summary::of(&order, now);
        let outcome = match secret.notify_of(&order.shop_id) {
            None => self.skip(order, by).await,
            Some(notify) => self.tell_with(order, notify, by, occasion, &mut summary).await,
        };
        if outcome.has_written() && outcome != TellOutcome::PassedOver {
            summary.log(outcome, started.elapsed());
        }
        outcome
    }

    async fn skip(&self, order: StoredOrder, by: Timestamp) -> TellOutcome {
        match self.bridge.update(order, by, OnOutage::GiveUp, StoredOrder::skip_notification).await {
            Ok(_) => TellOutcome::Off,
            Err(failure) => {
                tracing::warn!(error = error_chain(&failure.error), "a notification is not stored");
                TellOutcome::StoreUnavailable
            }
        }
    }

    async fn tell_with(
        &self,
        order: StoredOrder,
        notify: &Notify,
        by: Timestamp,
        occasion: Occasion,
        summary: &mut Summary,
    ) -> TellOutcome {
        let clock = &self.bridge.clock;
        let target = match check_callback_url(&order.shop_callback_url, notify, &self.private_hosts) {
            Ok(target) => target,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the shop's callbackUrl cannot be called");
                let refused = order.refuse_notification("address");
                return self.replace(&order, refused, by).await.map_or_else(|kept| kept, |_| TellOutcome::NotNotifiable);
            }
        };
        let host = target.url().host_str().unwrap_or_default().to_owned();
        if occasion == Occasion::Stream && self.hosts.is_left_to_sweep(&host, clock.now()) {
            return TellOutcome::Postponed;
        }
        let calls = self.hosts.calls(&host);
        let Ok(Ok(_call)) = tokio::time::timeout(MAX_WAIT_FOR_HOST, calls.acquire()).await else {
            return TellOutcome::Postponed;
        };
        if clock.until(by) < MIN_LEFT {
            return TellOutcome::Postponed;
        }
        if self.hosts.is_passed_over(&host, clock.now()) {
            return self.pass_over(&order, by, occasion).await;
        }
        let (attempt, begun_at) = (Uuid::new_v4(), clock.now());
        let begin = |order: &StoredOrder, now| order.begin_notification(attempt, now);
        let begun = match self.bridge.update(order, by, OnOutage::GiveUp, begin).await {
            Ok(Updated { replaced: None, .. }) => return TellOutcome::NothingDue, // another worker was faster
            Ok(Updated { order, .. }) if has_failed(&order) => return TellOutcome::Failed, // killed in the last attempt
            Ok(Updated { order, .. }) => order,
            Err(failure) => {
                tracing::warn!(error = error_chain(&failure.error), "a notification is not stored");
                return TellOutcome::StoreUnavailable;
            }
        };
        let until = begun_at.saturating_add(MAX_ATTEMPT).unwrap_or(begun_at);
        let message = Message::new(&begun, notify, target, begun_at);
        let called = Instant::now();
        let call = self.shops.call(&message, clock.until(until)).await;
        summary.note(&begun, &call);
        self.hosts.note(&host, call.is_host_failing(), call.took(called.elapsed()), clock.now());
        self.store_end(begun, attempt, call.end(), until).await
    }

    /// The host fails too often in this minute. A sweep makes the order due later.
    async fn pass_over(&self, order: &StoredOrder, by: Timestamp, occasion: Occasion) -> TellOutcome {
        if occasion == Occasion::Stream {
            return TellOutcome::Postponed;
        }
        match order.pass_over_notification(self.bridge.clock.now()) {
            Some(later) => self.replace(order, later, by).await.map_or_else(|kept| kept, |_| TellOutcome::PassedOver),
            None => TellOutcome::NothingDue,
        }
    }

    /// Stores the result of the attempt, with retries: without a stored result, the attempt is repeated after its lease.
    async fn store_end(&self, begun: StoredOrder, attempt: Uuid, end: AttemptEnd, until: Timestamp) -> TellOutcome {
        let by = until.saturating_add(MAX_RESULT).unwrap_or(until);
        let is_delivered = end == AttemptEnd::Delivered;
        let jitter = jitter();
        let change = |order: &StoredOrder, now| order.end_notification(attempt, end.clone(), now, jitter);
        match self.bridge.update(begun, by, OnOutage::Retry, change).await {
            Ok(_) if is_delivered => TellOutcome::Delivered,
            Ok(Updated { order, .. }) if has_failed(&order) => TellOutcome::Failed,
            Ok(_) => TellOutcome::Undelivered,
            Err(failure) => {
                tracing::warn!(error = error_chain(&failure.error), "the result of a notification is not stored");
                TellOutcome::StoreUnavailable
            }
        }
    }

    /// Writes the version, and returns it; or the outcome, if it was not written.
    async fn replace(&self, order: &StoredOrder, next: Box<StoredOrder>, by: Timestamp) -> Result<StoredOrder, TellOutcome> {
        self.bridge.replace(order, next, by).await.map_err(|error| match error {
            // Another worker was faster, or a callback changed the order. The stream wakes a worker for that write.
            WriteError::Conflict(_) => TellOutcome::NothingDue,
            WriteError::Store(error) => {
                tracing::warn!(error = error_chain(&error), "a notification is not stored");
                TellOutcome::StoreUnavailable
            }
        })
    }
}

fn has_failed(order: &StoredOrder) -> bool {
    order.notifications.as_ref().is_some_and(|notifications| notifications.state == NotificationState::Failed)
}

fn jitter() -> u8 {
    let mut random = [0];
    // If there is no randomness, all attempts of a change wait equally long, which is harmless.
    getrandom::fill(&mut random).map_or(128, |()| random[0])
}

/// The summary line of a notification.
struct Summary {
    shop_id: String,
    order_uuid: Option<String>,
    status: &'static str,
    /// How long the change has waited to be told.
    age: SignedDuration,
    attempts: u32,
    shop_status: Option<u16>,
    error: Option<String>,
}

impl Summary {
    fn of(order: &StoredOrder, now: Timestamp) -> Self {
        let notifications = order.notifications.as_ref();
        Self {
            shop_id: order.shop_id.clone(),
            order_uuid: order.order_uuid.clone(),
            status: order.status.name(),
            age: notifications.map(|all| now.duration_since(all.pending_since)).unwrap_or_default(),
            attempts: notifications.map_or(0, |all| all.attempts),
            shop_status: None,
            error: None,
        }
    }

    fn note(&mut self, begun: &StoredOrder, call: &ShopCall) {
        self.attempts = begun.notifications.as_ref().map_or(0, |notifications| notifications.attempts);
        self.shop_status = call.http_status();
        self.error = call.error();
    }

    fn log(&self, outcome: TellOutcome, elapsed: Duration) {
        let Self { shop_id, order_uuid, status, age, attempts, shop_status, error } = self;
        tracing::info!(
            route = "notification",
            shopId = shop_id,
            orderUuid = order_uuid,
            status,
            outcome = <&str>::from(outcome),
            attempts,
            shopStatusCode = shop_status,
            shopError = error,
            ageMs = i64::try_from(age.as_millis()).unwrap_or(i64::MAX),
            totalMs = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "notification"
        );
        if outcome == TellOutcome::Failed {
            tracing::error!(
                shopId = shop_id,
                orderUuid = order_uuid,
                status,
                shopStatusCode = shop_status,
                shopError = error,
                "the shop was not told, and no attempt is left"
            );
        }
    }
}
