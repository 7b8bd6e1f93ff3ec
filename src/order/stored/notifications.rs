//! What the shop was told, and what is still to be told.
//!
//! Every change of an accepted order's status has a number, and only the latest change is told. A notification attempt is
//! stored before it is sent. Its result is stored afterwards, but only if the stored attempt is still the same.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::StoredOrder;
use crate::order::Status;

/// How long to wait after each failed attempt, in minutes. After one more attempt, the notification has failed.
const WAITS: [i64; 11] = [1, 5, 15, 30, 60, 120, 240, 480, 720, 1_440, 1_440];
/// How long an attempt whose worker was killed prevents the next one.
const ATTEMPT_LEASE: SignedDuration = SignedDuration::from_secs(60);
/// A longer `Retry-After` is cut to this.
const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notifications {
    /// The number of the latest change.
    pub change: u64,
    /// When the order got its present status.
    pub changed_at: Timestamp,
    /// Since when the latest change waits to be told: since it happened, or since the shop asked to be told again.
    pub pending_since: Timestamp,
    /// The state of the latest change.
    pub state: NotificationState,
    /// The status that was told last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// The attempts to tell the latest change.
    pub attempts: u32,
    /// When the next attempt is due, if the change is pending.
    pub next_at: Timestamp,
    /// When the change became due, if its host has been passed over since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningAttempt>,
}

/// A notification attempt that was stored, and whose result was not stored yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunningAttempt {
    /// Random.
    pub id: Uuid,
    pub change: u64,
    pub status: Status,
    pub since: Timestamp,
}

/// The state of the latest change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotificationState {
    /// The change counts as told, because the shop is not notified.
    Off,
    Pending,
    Delivered,
    /// The change will not be told any more.
    Failed,
}

/// How a notification attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The shop answered with a 2xx.
    Delivered,
    Failed {
        /// The value of `lastError`.
        error: String,
        retry_after: Option<Duration>,
        /// The shop answered 410: it does not want to be called again.
        is_gone: bool,
    },
}

impl Notifications {
    fn first(now: Timestamp) -> Self {
        Self {
            change: 0,
            changed_at: now,
            pending_since: now,
            state: NotificationState::Pending,
            told_status: None,
            told_at: None,
            attempts: 0,
            next_at: now,
            due_since: None,
            last_error: None,
            running: None,
        }
    }

    /// A new change is to be told from now on. A running attempt does not count for it.
    fn begin_change(&mut self, now: Timestamp) {
        self.change += 1;
        self.pending_since = now;
        self.state = NotificationState::Pending;
        self.attempts = 0;
        self.next_at = now;
        self.due_since = None;
        self.last_error = None;
    }

    fn tell(&mut self, change: u64, status: Status, now: Timestamp) {
        self.told_status = Some(status);
        self.told_at = Some(now);
        if change == self.change {
            self.state = NotificationState::Delivered;
            self.last_error = None;
        }
    }

    fn fail(&mut self, error: String) {
        self.state = NotificationState::Failed;
        self.last_error = Some(error);
    }

    fn end_attempt(&mut self, attempt: &RunningAttempt, end: AttemptEnd, now: Timestamp, jitter: u8) {
        match end {
            AttemptEnd::Delivered => self.tell(attempt.change, attempt.status, now),
            AttemptEnd::Failed { .. } if attempt.change != self.change => {} // the latest change has its own time
            AttemptEnd::Failed { error, retry_after, is_gone } => {
                let attempts = usize::try_from(self.attempts).unwrap_or(usize::MAX);
                match WAITS.get(attempts.saturating_sub(1)) {
                    Some(minutes) if !is_gone => {
                        self.last_error = Some(error);
                        self.next_at = now.saturating_add(wait(*minutes, retry_after, jitter)).unwrap_or(now);
                    }
                    _ => self.fail(error),
                }
            }
        }
    }
}

impl StoredOrder {
    /// When the next notification attempt is due; `None` if nothing is to be told.
    #[must_use]
    pub fn notification_due_at(&self) -> Option<Timestamp> {
        let notifications = self.notifications.as_ref().filter(|all| all.state == NotificationState::Pending)?;
        let next_at = notifications.next_at;
        let running_until = notifications.running.as_ref().and_then(|running| running.since.checked_add(ATTEMPT_LEASE).ok());
        Some(running_until.map_or(next_at, |until| until.max(next_at)))
    }

    fn is_notification_due(&self, now: Timestamp) -> bool {
        self.notification_due_at().is_some_and(|due_at| due_at <= now)
    }

    /// Stores a notification attempt before it is sent, if one is due. If all attempts were made, marks the change as failed
    /// instead, and no attempt is running then.
    #[must_use]
    pub fn begin_notification(&self, attempt: Uuid, now: Timestamp) -> Option<Box<Self>> {
        self.is_notification_due(now).then(|| {
            self.change_notifications(|notifications| {
                notifications.running = None;
                if usize::try_from(notifications.attempts).is_ok_and(|attempts| attempts > WAITS.len()) {
                    return notifications.fail(notifications.last_error.clone().unwrap_or_else(|| "timeout".to_owned()));
                }
                notifications.attempts += 1;
                notifications.due_since = None;
                let (change, status) = (notifications.change, self.status);
                notifications.running = Some(RunningAttempt { id: attempt, change, status, since: now });
            })
        })
    }

    /// Stores how an attempt ended; `None` if another attempt, or none, is running. `jitter` is random.
    #[must_use]
    pub fn end_notification(&self, attempt: Uuid, end: AttemptEnd, now: Timestamp, jitter: u8) -> Option<Box<Self>> {
        self.notifications.as_ref()?.running.as_ref().filter(|running| running.id == attempt)?;
        Some(self.change_notifications(|notifications| {
            if let Some(running) = notifications.running.take() {
                notifications.end_attempt(&running, end, now, jitter);
            }
        }))
    }

    /// Marks the latest change as told, because its shop is not notified. `None` if nothing is due.
    #[must_use]
    pub fn skip_notification(&self, now: Timestamp) -> Option<Box<Self>> {
        let skip = |notifications: &mut Notifications| notifications.state = NotificationState::Off;
        self.is_notification_due(now).then(|| self.change_notifications(skip))
    }

    /// Marks the latest change as failed without an attempt, because the shop's URL cannot be called.
    #[must_use]
    pub fn refuse_notification(&self, error: &str) -> Box<Self> {
        self.change_notifications(|notifications| notifications.fail(error.to_owned()))
    }

    /// Makes the latest change due later, because its host fails too often: after as long as it has been due, at least a
    /// minute and at most an hour. This does not count as an attempt.
    #[must_use]
    pub fn pass_over_notification(&self, now: Timestamp) -> Option<Box<Self>> {
        let due_at = self.notification_due_at().filter(|due_at| *due_at <= now)?;
        Some(self.change_notifications(|notifications| {
            let since = *notifications.due_since.get_or_insert(due_at);
            let wait = now.duration_since(since).clamp(SignedDuration::from_mins(1), SignedDuration::from_hours(1));
            notifications.next_at = now.saturating_add(wait).unwrap_or(now);
        }))
    }

    fn change_notifications(&self, change: impl FnOnce(&mut Notifications)) -> Box<Self> {
        self.next_quiet_version(|next| {
            if let Some(notifications) = &mut next.notifications {
                change(notifications);
            }
        })
    }

    /// Makes the present status a new change, so that it is told again. `None` if the order is not accepted.
    #[must_use]
    pub fn repeat_notification(&self, now: Timestamp) -> Option<Box<Self>> {
        self.order_uuid.as_ref()?;
        Some(self.next_quiet_version(|next| {
            let since = next.updated_at;
            next.notifications.get_or_insert_with(|| Notifications::first(since)).begin_change(now);
        }))
    }

    /// Counts a new change if the status, the uuid or the refunded amount differ from `before`.
    pub(super) fn note_change_since(&mut self, before: &Self, now: Timestamp) {
        let told = |order: &Self| (order.status, order.order_uuid.clone(), order.refunded_amount.clone());
        if self.order_uuid.is_some() && told(self) != told(before) {
            let notifications = self.notifications.get_or_insert_with(|| Notifications::first(now));
            notifications.changed_at = now;
            notifications.begin_change(now);
        }
    }

    /// Marks the change as told, because the reply to the request itself tells it.
    pub(super) fn count_change_as_told(&mut self, now: Timestamp) {
        let status = self.status;
        if let Some(notifications) = &mut self.notifications {
            notifications.tell(notifications.change, status, now);
        }
    }
}

/// The scheduled wait ± 20 %, or the shop's `Retry-After` if that is longer.
fn wait(minutes: i64, retry_after: Option<Duration>, jitter: u8) -> SignedDuration {
    let scheduled = SignedDuration::from_secs(minutes * 60 * (204 + i64::from(jitter) * 102 / 255) / 255);
    let asked = retry_after.map_or(SignedDuration::ZERO, |asked| asked.try_into().unwrap_or(MAX_RETRY_AFTER));
    scheduled.max(asked.min(MAX_RETRY_AFTER))
}
