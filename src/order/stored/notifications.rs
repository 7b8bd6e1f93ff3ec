//! What the shop was told, and what it is still to be told.
//!
//! Every change of an accepted order's status has a number. The shop is told the latest change only. An attempt to tell it
//! is written down before it is sent, and its result after, onto its own attempt only.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EntrySource, HistoryEntry, StoredOrder};
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
    /// The number of the latest change that was told, or that counts as told.
    pub told_change: u64,
    /// The status that was told last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// The latest change counts as told, because the shop is not notified.
    #[serde(default, skip_serializing_if = "is_no")]
    pub is_off: bool,
    /// The latest change is not told any more.
    #[serde(default, skip_serializing_if = "is_no")]
    pub has_failed: bool,
    /// To tell the latest change.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// When the next attempt is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningAttempt>,
}

/// An attempt that was written down, and whose result was not.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NotificationState {
    Off,
    Pending,
    Delivered,
    Failed,
}

/// How an attempt ended.
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
            told_change: 0,
            told_status: None,
            told_at: None,
            is_off: false,
            has_failed: false,
            attempts: 0,
            next_at: None,
            last_error: None,
            running: None,
        }
    }

    #[must_use]
    pub fn state(&self) -> NotificationState {
        if self.told_change == self.change {
            if self.is_off { NotificationState::Off } else { NotificationState::Delivered }
        } else if self.has_failed {
            NotificationState::Failed
        } else {
            NotificationState::Pending
        }
    }

    /// A change is to be told from now on. An attempt under way does not count for it.
    fn begin_change(&mut self, now: Timestamp) {
        self.change += 1;
        self.pending_since = now;
        self.is_off = false;
        self.has_failed = false;
        self.attempts = 0;
        self.next_at = Some(now);
        self.last_error = None;
    }

    fn tell(&mut self, change: u64, status: Status, now: Timestamp) {
        self.told_change = change;
        self.told_status = Some(status);
        self.told_at = Some(now);
        if change == self.change {
            self.next_at = None;
            self.last_error = None;
        }
    }

    fn fail(&mut self, error: String) {
        self.has_failed = true;
        self.next_at = None;
        self.last_error = Some(error);
    }

    fn end_attempt(&mut self, attempt: &RunningAttempt, end: AttemptEnd, now: Timestamp, jitter: u8) {
        match end {
            AttemptEnd::Delivered => self.tell(attempt.change, attempt.status, now),
            _ if attempt.change != self.change => {} // the latest change is due by itself
            AttemptEnd::Failed { error, retry_after, is_gone } => {
                let attempts = usize::try_from(self.attempts).unwrap_or(usize::MAX);
                match WAITS.get(attempts.saturating_sub(1)) {
                    Some(minutes) if !is_gone => {
                        self.last_error = Some(error);
                        self.next_at = Some(now.saturating_add(wait(*minutes, retry_after, jitter)).unwrap_or(now));
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
        let notifications = self.notifications.as_ref().filter(|all| all.state() == NotificationState::Pending)?;
        let next_at = notifications.next_at.unwrap_or(notifications.changed_at);
        let running_until = notifications.running.as_ref().and_then(|running| running.since.checked_add(ATTEMPT_LEASE).ok());
        Some(running_until.map_or(next_at, |until| until.max(next_at)))
    }

    /// Writes down an attempt before it is sent, if one is due. After the last attempt, the change has failed instead:
    /// then no attempt is running.
    #[must_use]
    pub fn begin_notification(&self, attempt: Uuid, now: Timestamp) -> Option<Box<Self>> {
        self.notification_due_at().filter(|due_at| *due_at <= now)?;
        self.next_quiet_version(|next| {
            let status = next.status;
            let Some(notifications) = &mut next.notifications else { return };
            notifications.running = None;
            if usize::try_from(notifications.attempts).is_ok_and(|attempts| attempts > WAITS.len()) {
                return notifications.fail(notifications.last_error.clone().unwrap_or_else(|| "timeout".to_owned()));
            }
            notifications.attempts += 1;
            notifications.running = Some(RunningAttempt { id: attempt, change: notifications.change, status, since: now });
        })
    }

    /// Writes down how an attempt ended; `None` if it is not this attempt that is running. `jitter` is random.
    #[must_use]
    pub fn end_notification(&self, attempt: Uuid, end: AttemptEnd, now: Timestamp, jitter: u8) -> Option<Box<Self>> {
        self.notifications.as_ref()?.running.as_ref().filter(|running| running.id == attempt)?;
        self.next_quiet_version(|next| {
            if let Some(notifications) = &mut next.notifications
                && let Some(running) = notifications.running.take()
            {
                notifications.end_attempt(&running, end, now, jitter);
            }
        })
    }

    /// The latest change counts as told: its shop is not notified.
    #[must_use]
    pub fn skip_notification(&self) -> Option<Box<Self>> {
        self.next_quiet_version(|next| {
            if let Some(notifications) = &mut next.notifications {
                notifications.told_change = notifications.change;
                notifications.is_off = true;
                notifications.next_at = None;
            }
        })
    }

    /// The latest change has failed without an attempt: the shop's URL cannot be called.
    #[must_use]
    pub fn refuse_notification(&self, error: &str) -> Option<Box<Self>> {
        self.next_quiet_version(|next| {
            if let Some(notifications) = &mut next.notifications {
                notifications.fail(error.to_owned());
            }
        })
    }

    /// The present status is to be told anew, as a change of its own. `None` if the order is not accepted.
    #[must_use]
    pub fn repeat_notification(&self, now: Timestamp) -> Option<Box<Self>> {
        self.order_uuid.as_ref()?;
        self.next_quiet_version(|next| {
            let since = next.updated_at;
            next.notifications.get_or_insert_with(|| Notifications::first(since)).begin_change(now);
        })
    }

    /// Numbers a change of the status, so that the shop is told of it.
    pub(super) fn note_change_since(&mut self, before: &Self, now: Timestamp) {
        let is_change = self.status != before.status || before.order_uuid.is_none();
        if self.order_uuid.is_some() && is_change {
            let notifications = self.notifications.get_or_insert_with(|| Notifications::first(now));
            notifications.changed_at = now;
            notifications.begin_change(now);
        }
    }

    /// Whether an operator's command has bound the order to its uuid, and the shop is not told yet. Such a command sets the
    /// uuid and SENT and nothing else, so no entry of the history says why the order is accepted.
    pub(super) fn is_bound_by_operator(&self) -> bool {
        let explains = |entry: &HistoryEntry| {
            // A callback also with an unknown word.
            let is_accepting = entry.source == EntrySource::Callback || entry.is_of_accepted_order();
            is_accepting && !entry.is_about_other_order(self)
        };
        let is_untold = self.order_uuid.is_some() && self.status == Status::Sent && self.notifications.is_none();
        is_untold && !self.history.iter().any(explains)
    }

    /// Counts an operator's binding as a change to tell from `due_at` on; with `None`, as told.
    pub(super) fn note_operator_binding(&mut self, due_at: Option<Timestamp>) {
        let notifications = self.notifications.insert(Notifications::first(self.updated_at));
        match due_at {
            Some(now) => notifications.begin_change(now),
            None => notifications.is_off = true,
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

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde wants
fn is_no(flag: &bool) -> bool {
    !*flag
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde wants
fn is_zero(number: &u32) -> bool {
    *number == 0
}
