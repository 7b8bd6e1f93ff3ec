//! The JSON that shops get of an order. No personal data.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::order::{EntrySource, Status, StoredOrder, Violation};
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
    created_at: Timestamp,
    updated_at: Timestamp,
    history: Vec<EntryView<'a>>,
}

#[derive(Serialize)]
struct EntryView<'a> {
    status: &'a str,
    at: Timestamp,
    source: EntrySource,
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
            created_at: order.created_at,
            updated_at: order.updated_at,
            history: order
                .history
                .iter()
                .map(|entry| EntryView { status: &entry.status, at: entry.at, source: entry.source })
                .collect(),
        }
    }
}
