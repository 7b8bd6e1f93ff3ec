//! The JSON of an order for its shop. It contains no personal data.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::order::{EntrySource, HistoryEntry, NotificationState, Notifications, Status, StoredOrder};

/// The 200 of `GET /orders/{orderId}`, an order of a list, and the data of a webhook.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView<'a> {
    order_id: Uuid,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_uuid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_uuid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_id_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_no: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_reference: Option<&'a str>,
    grand_total: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refunded_amount: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_requested_at: Option<Instant>,
    created_at: Instant,
    updated_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notified: Option<NotifiedView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<EntryView<'a>>>,
}

/// `notified`: what the shop was told, and what is still to be told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotifiedView<'a> {
    state: NotificationState,
    /// The status that was told last.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Instant>,
    /// The attempts to tell the latest change.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryView<'a> {
    status: &'a str,
    at: Instant,
    source: EntrySource,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_order_uuid: Option<&'a str>,
}

impl<'a> OrderView<'a> {
    #[must_use]
    pub fn new(order: &'a StoredOrder, now: Timestamp) -> Self {
        Self {
            bank_id_url: order.bank_id_url.as_deref(),
            history: Some(order.history.iter().map(|entry| EntryView::new(entry, order)).collect()),
            ..Self::of_list(order, now)
        }
    }

    /// An order in a list. It has neither the history nor the customer's link, which only a single order has.
    #[must_use]
    pub fn of_list(order: &'a StoredOrder, now: Timestamp) -> Self {
        Self {
            order_id: order.order_id,
            status: order.status_at(now),
            order_uuid: order.order_uuid.as_deref(),
            customer_uuid: order.customer_uuid.as_deref(),
            bank_id_url: None,
            reference_no: order.reference_no.as_deref(),
            customer_reference: order.customer_reference.as_deref(),
            grand_total: &order.grand_total,
            refunded_amount: order.refunded_amount.as_deref(),
            cancel_requested_at: order.cancel_requested_at.map(Instant),
            created_at: Instant(order.created_at),
            updated_at: Instant(order.updated_at),
            checked_at: order.checked_at.map(Instant),
            notified: NotifiedView::new(order),
            history: None,
        }
    }

    /// An order in a webhook. It also lacks `notified`, which changes while the shop is being told.
    #[must_use]
    pub fn for_webhook(order: &'a StoredOrder) -> Self {
        Self { notified: None, ..Self::of_list(order, order.updated_at) }
    }
}

impl<'a> NotifiedView<'a> {
    /// `None` for an order that is not accepted.
    #[must_use]
    pub fn new(order: &'a StoredOrder) -> Option<Self> {
        order.order_uuid.as_ref()?;
        order.notifications.as_ref().map(Self::of)
    }

    fn of(notifications: &'a Notifications) -> Self {
        let state = notifications.state;
        Self {
            state,
            status: notifications.told_status,
            at: notifications.told_at.map(Instant),
            attempts: (state != NotificationState::Off).then_some(notifications.attempts),
            next_at: (state == NotificationState::Pending).then_some(Instant(notifications.next_at)),
            last_error: notifications.last_error.as_deref(),
        }
    }
}

impl<'a> EntryView<'a> {
    fn new(entry: &'a HistoryEntry, order: &StoredOrder) -> Self {
        let other_order_uuid = entry.order_uuid.as_deref().filter(|_| entry.is_about_other_order(order));
        Self { status: &entry.status, at: Instant(entry.at), source: entry.source, other_order_uuid }
    }
}

/// RFC 3339 in UTC, always with milliseconds.
pub struct Instant(pub Timestamp);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_milliseconds() {
        let json = |text: &str| serde_json::to_string(&Instant(text.parse().unwrap())).unwrap();
        assert_eq!(json("2026-06-15T12:00:00Z"), r#""2026-06-15T12:00:00.000Z""#);
        assert_eq!(json("2026-06-15T12:00:00.07Z"), r#""2026-06-15T12:00:00.070Z""#);
    }
}
