//! The JSON that shops get of an order. No personal data.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::order::{EntrySource, HistoryEntry, Status, StoredOrder, Violation};
use crate::submit::AcceptedOrder;

/// The 201 of `POST /orders`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AcceptedView<'a> {
    order_id: Uuid,
    status: Status,
    order_uuid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_uuid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_id_url: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [Violation],
}

impl<'a> AcceptedView<'a> {
    pub(super) fn new(order_id: Uuid, order: &'a AcceptedOrder, warnings: &'a [Violation]) -> Self {
        Self {
            order_id,
            status: order.status,
            order_uuid: &order.order_uuid,
            customer_uuid: order.customer_uuid.as_deref(),
            bank_id_url: order.bank_id_url.as_deref(),
            warnings,
        }
    }
}

/// The 200 of `GET /orders/{orderId}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderView<'a> {
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
    created_at: Instant,
    updated_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_at: Option<Instant>,
    history: Vec<EntryView<'a>>,
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
    pub(super) fn new(order: &'a StoredOrder, now: Timestamp) -> Self {
        Self {
            order_id: order.order_id,
            status: order.status_at(now),
            order_uuid: order.order_uuid.as_deref(),
            customer_uuid: order.customer_uuid.as_deref(),
            bank_id_url: order.bank_id_url.as_deref(),
            reference_no: order.details.reference_no.as_deref(),
            customer_reference: order.details.customer_reference.as_deref(),
            grand_total: &order.details.grand_total,
            created_at: Instant(order.created_at),
            updated_at: Instant(order.updated_at),
            checked_at: order.checked_at.map(Instant),
            history: order.history.iter().map(|entry| EntryView::new(entry, order)).collect(),
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
struct Instant(Timestamp);

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
