//! What a shop is shown of an order.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::order::{Record, Source, Status, Violation};
use crate::submit::Accepted;

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
    pub(super) fn new(order_id: Uuid, accepted: &'a Accepted, warnings: &'a [Violation]) -> Self {
        Self {
            order_id,
            status: accepted.status,
            order_uuid: &accepted.order_uuid,
            customer_uuid: accepted.customer_uuid.as_deref(),
            bank_id_url: accepted.bank_id_url.as_deref(),
            warnings,
        }
    }
}

/// The 200 of `GET /orders/{orderId}`. No personal data.
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
    source: Source,
}

impl<'a> OrderView<'a> {
    pub(super) fn new(record: &'a Record, now: Timestamp) -> Self {
        Self {
            order_id: record.order_id,
            status: record.status_at(now),
            order_uuid: record.order_uuid.as_deref(),
            customer_uuid: record.customer_uuid.as_deref(),
            bank_id_url: record.bank_id_url.as_deref(),
            reference_no: record.particulars.reference_no.as_deref(),
            customer_reference: record.particulars.customer_reference.as_deref(),
            grand_total: &record.particulars.grand_total,
            created_at: record.created_at,
            updated_at: record.updated_at,
            history: record
                .history
                .iter()
                .map(|entry| EntryView { status: &entry.status, at: entry.at, source: entry.source })
                .collect(),
        }
    }
}
