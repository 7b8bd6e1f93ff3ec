//! What the shop was told, and what it is still to be told.
//!
//! Every change of an accepted order's status has a number. The shop is told the latest change only. An attempt to tell it
//! is written down before it is sent, and its result after, onto its own attempt only.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::StoredOrder;
use crate::order::Status;

/// The waits after the attempts, in minutes. After the last attempt the notification has failed.
const WAITS: [i64; 11] = [1, 5, 15, 30, 60, 120, 240, 480, 720, 1_440, 1_440];
/// How long an attempt whose worker was killed keeps others from telling the shop.
const ATTEMPT_LEASE: SignedDuration = SignedDuration::from_secs(60);
/// The longest `Retry-After` that is respected.
const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The notifications of an accepted order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notifications {
    /// The number of the latest change.
    pub change: u64,
    /// Since when the order has its status.
    pub changed_at: Timestamp,
    /// Since when the latest change is to be told: since it happened, or since the shop asked for it again.
    pub pending_since: Timestamp,
    /// Of the latest change.
    pub state: NotificationState,
    /// The status that was told last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// To tell the latest change.
    pub attempts: u32,
    /// When the next attempt is due, if the change is pending.
    pub next_at: Timestamp,
    /// Since when it was due, if its host has been passed over since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningAttempt>,
}

/// A notification attempt that was written down, and whose result was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunningAttempt {
    /// Random.
    pub id: Uuid,
    pub change: u64,
    pub status: Status,
    pub since: Timestamp,
}

/// Where the latest change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotificationState {
    /// It counts as told, because the shop is not notified.
    Off,
    Pending,
    Delivered,
    /// It is not told any more.
    Failed,
}

/// How a notification attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The shop answered with a 2xx.
    Delivered,
    Failed {
        /// What `lastError` says.
        error: String,
        retry_after: Option<Duration>,
        /// The shop said that it is gone for good.
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

    /// A change is to be told from now on. An attempt under way does not count for it.
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
            AttemptEnd::Failed { .. } if attempt.change != self.change => {} // the latest change is due by itself
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
    /// When the shop is to be told; `None` if nothing is to be told.
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

    /// Writes down an attempt before it is sent, if one is due. After the last attempt, the change has failed instead:
    /// then no attempt is running.
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

    /// Writes down how an attempt ended; `None` if it is not this attempt that is running. `jitter` is random.
    #[must_use]
    pub fn end_notification(&self, attempt: Uuid, end: AttemptEnd, now: Timestamp, jitter: u8) -> Option<Box<Self>> {
        self.notifications.as_ref()?.running.as_ref().filter(|running| running.id == attempt)?;
        Some(self.change_notifications(|notifications| {
            if let Some(running) = notifications.running.take() {
                notifications.end_attempt(&running, end, now, jitter);
            }
        }))
    }

    /// The latest change counts as told: its shop is not notified. `None` if nothing is due.
    #[must_use]
    pub fn skip_notification(&self, now: Timestamp) -> Option<Box<Self>> {
        let skip = |notifications: &mut Notifications| notifications.state = NotificationState::Off;
        self.is_notification_due(now).then(|| self.change_notifications(skip))
    }

    /// The latest change has failed without an attempt: the shop's URL cannot be called.
    #[must_use]
    pub fn refuse_notification(&self, error: &str) -> Box<Self> {
        self.change_notifications(|notifications| notifications.fail(error.to_owned()))
    }

    /// The shop's host fails too often. The latest change is due again after as long as it has been due, a minute at least and
    /// an hour at most. That is no attempt.
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

    /// The present status is to be told anew, as a change of its own. `None` if the order is not accepted.
    #[must_use]
    pub fn repeat_notification(&self, now: Timestamp) -> Option<Box<Self>> {
        self.order_uuid.as_ref()?;
        Some(self.next_quiet_version(|next| {
            let since = next.updated_at;
            next.notifications.get_or_insert_with(|| Notifications::first(since)).begin_change(now);
        }))
    }

    /// Numbers a change that the shop is to be told: of the status, of the uuid, or of the refunded amount.
    pub(super) fn note_change_since(&mut self, before: &Self, now: Timestamp) {
        let told = |order: &Self| (order.status, order.order_uuid.clone(), order.refunded_amount.clone());
        if self.order_uuid.is_some() && told(self) != told(before) {
            let notifications = self.notifications.get_or_insert_with(|| Notifications::first(now));
            notifications.changed_at = now;
            notifications.begin_change(now);
        }
    }

    /// The reply of the request itself told the shop.
    pub(super) fn count_change_as_told(&mut self, now: Timestamp) {
        let status = self.status;
        if let Some(notifications) = &mut self.notifications {
            notifications.tell(notifications.change, status, now);
        }
    }
}

/// ± 20 %, or as long as the shop asks for.
fn wait(minutes: i64, retry_after: Option<Duration>, jitter: u8) -> SignedDuration {
    let scheduled = SignedDuration::from_secs(minutes * 60 * (204 + i64::from(jitter) * 102 / 255) / 255);
    let asked = retry_after.map_or(SignedDuration::ZERO, |asked| asked.try_into().unwrap_or(MAX_RETRY_AFTER));
    scheduled.max(asked.min(MAX_RETRY_AFTER))
}
