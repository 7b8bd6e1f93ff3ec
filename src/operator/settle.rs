//! `{"settle": {...}}`: what an order is at Front Payment, or that it is not there.

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
    /// As the portal shows it.
    #[serde(default)]
    reference_no: Option<String>,
    /// An accepted order is this one instead.
    #[serde(default)]
    instead: bool,
}

/// The word `false`: nobody says with `created` that an order was created.
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
                // It may have been accepted meanwhile.
                order.settle_as_not_created(bridge.clock.now())?;
                order
            }
            Self::Order(found) => found.bind(bridge, order, by).await?,
        };
        Ok(answer(&order))
    }
}

impl Found {
    /// The status is read first: only an order that Front Payment has, with this amount, is bound.
    async fn bind<S: OrderIndex, F: FrontPayment>(
        &self,
        bridge: &Bridge<S, F>,
        order: StoredOrder,
        by: Timestamp,
    ) -> Result<StoredOrder, OperatorError> {
        let Self { order_uuid, instead, .. } = self;
        if order.reference_no.is_some() && order.reference_no != self.reference_no {
            return Err(OperatorError::OtherReference);
        }
        order.check_settlement(order_uuid, *instead, bridge.clock.now())?;
        if order.is_order(order_uuid) {
            return Ok(order);
        }
        let read = self.read(bridge, by).await?;
        if read.order_amount.as_ref().is_some_and(|amount| !order.has_total(amount)) {
            return Err(OperatorError::OtherAmount);
        }
        let change = |order: &StoredOrder, now| {
            order.check_settlement(order_uuid, *instead, now).ok()?;
            order.settle_as(order_uuid, &read, now)
        };
        let order = update(bridge, order, by, change).await?;
        order.check_settlement(order_uuid, *instead, bridge.clock.now())?;
        Ok(order)
    }

    async fn read<S: OrderIndex, F: FrontPayment>(
        &self,
        bridge: &Bridge<S, F>,
        by: Timestamp,
    ) -> Result<StatusRead, OperatorError> {
        if !crate::front_payment::is_provider_id(&self.order_uuid) {
            return Err(OperatorError::UnknownUuid);
        }
        let budget = ReadBudget::per_minute(2); // once more with a newer token
        let mut reader = StatusReader::new(bridge, &budget, secret(bridge, by).await?, Deadline::replying_by(by));
        reader.read(&self.order_uuid).await.map_err(|error| match error {
            ReadError::FrontPayment(StatusError::NotFound) => OperatorError::UnknownUuid,
            error => OperatorError::NoStatus(error.to_string()),
        })
    }
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
    let mut answer = json!({ "orderId": order.order_id, "status": order.status.name() });
    if let Some(order_uuid) = &order.order_uuid {
        answer["orderUuid"] = order_uuid.as_str().into();
    }
    answer
}
