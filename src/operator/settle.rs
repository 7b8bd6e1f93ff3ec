//! `{"settle": {...}}`: which order of Front Payment's an order is, or that it was not created.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{OperatorError, secret};
use crate::bridge::{Bridge, OnOutage, Updated};
use crate::deadline::Deadline;
use crate::front_payment::{FrontPayment, StatusError};
use crate::order::{StatusRead, StoredOrder};
use crate::status::{ReadBudget, ReadError, StatusReader};
use crate::store::OrderIndex;

/// Status reads to settle one order. The status is read again if the order changes meanwhile, and once more with a newer
/// token.
const MAX_READS: usize = 10;

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Settle {
    NotCreated(NotCreated),
    Order(Found),
}

/// The portal does not have the order.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NotCreated {
    order_id: Uuid,
    created: False,
}

/// The portal has the order.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Found {
    order_id: Uuid,
    order_uuid: String,
    /// The `referenceNo` as the portal shows it.
    #[serde(default)]
    reference_no: Option<String>,
    /// Whether an accepted order gets this uuid instead of its own.
    #[serde(default)]
    instead: bool,
}

/// Accepts the word `false` only: an order that was created is settled with its `orderUuid`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "bool")]
struct False;

impl TryFrom<bool> for False {
    type Error = &'static str;

    fn try_from(value: bool) -> Result<Self, Self::Error> {
        if value { Err("created is false, or left out") } else { Ok(Self) }
    }
}

impl Settle {
    pub(super) async fn run<S: OrderIndex, F: FrontPayment>(
        &self,
        bridge: &Bridge<S, F>,
        by: Timestamp,
    ) -> Result<Value, OperatorError> {
        let (Self::NotCreated(NotCreated { order_id, .. }) | Self::Order(Found { order_id, .. })) = self;
        let order = bridge.load(*order_id, by).await?.filter(|order| !order.is_past_retention(bridge.clock.now()));
        let order = order.ok_or(OperatorError::NoSuchOrder)?;
        let order = match self {
            Self::NotCreated(_) => {
                order.settle_as_not_created(bridge.clock.now())?;
                let change = |order: &StoredOrder, now| order.settle_as_not_created(now).ok().flatten();
                let order = update(bridge, order, by, change).await?;
                // The order may have been accepted meanwhile.
                order.settle_as_not_created(bridge.clock.now())?;
                order
            }
            Self::Order(found) => found.bind(bridge, order, by).await?,
        };
        Ok(answer(&order))
    }
}

impl Found {
    /// Reads the status first, because only an order that Front Payment has, with the right amount, may be bound.
    async fn bind<S: OrderIndex, F: FrontPayment>(
        &self,
        bridge: &Bridge<S, F>,
        order: StoredOrder,
        by: Timestamp,
    ) -> Result<StoredOrder, OperatorError> {
        self.check(&order, bridge.clock.now())?;
        if order.is_order(&self.order_uuid) {
            return Ok(order);
        }
        if !crate::front_payment::is_provider_id(&self.order_uuid) {
            return Err(OperatorError::UnknownUuid);
        }
        let budget = ReadBudget::per_minute(MAX_READS);
        let mut reader = StatusReader::new(bridge, &budget, secret(bridge, by).await?, Deadline::replying_by(by));
        // If the order has changed, everything is checked again.
        let apply = |order: &StoredOrder, read: &StatusRead, now| {
            self.check(order, now).and_then(|()| check_amount(order, read)).ok()?;
            order.settle_as(&self.order_uuid, read, now)
        };
        let bound = reader.read_other_and_apply(order, &self.order_uuid, apply).await;
        let (order, read) = bound.map_err(|error| match error {
            ReadError::FrontPayment(StatusError::NotFound) => OperatorError::UnknownUuid,
            ReadError::Update(error) => error.into(),
            error => OperatorError::NoStatus(error.to_string()),
        })?;
        self.check(&order, bridge.clock.now())?;
        check_amount(&order, &read)?;
        Ok(order)
    }

    fn check(&self, order: &StoredOrder, now: Timestamp) -> Result<(), OperatorError> {
        if order.reference_no.is_some() && order.reference_no != self.reference_no {
            return Err(OperatorError::OtherReference);
        }
        Ok(order.check_settlement(&self.order_uuid, self.instead, now)?)
    }
}

fn check_amount(order: &StoredOrder, read: &StatusRead) -> Result<(), OperatorError> {
    let is_other = read.order_amount.as_ref().is_some_and(|amount| !order.has_total(amount));
    if is_other { Err(OperatorError::OtherAmount) } else { Ok(()) }
}

async fn update<S: OrderIndex, F>(
    bridge: &Bridge<S, F>,
    order: StoredOrder,
    by: Timestamp,
    change: impl Fn(&StoredOrder, Timestamp) -> Option<Box<StoredOrder>>,
) -> Result<StoredOrder, OperatorError> {
    let updated = bridge.update(order, by, OnOutage::Retry, change).await;
    let Updated { order, .. } = updated.map_err(|failure| failure.error)?;
    Ok(order)
}

fn answer(order: &StoredOrder) -> Value {
    let (order_id, status) = (order.order_id, order.status.name());
    match &order.order_uuid {
        Some(order_uuid) => json!({ "orderId": order_id, "status": status, "orderUuid": order_uuid }),
        None => json!({ "orderId": order_id, "status": status }),
    }
}
