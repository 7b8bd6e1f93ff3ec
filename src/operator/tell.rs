//! `{"tell": {...}}`: notifies a shop again of what it was not told.

use std::time::Duration;

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{OperatorError, read_cursor, secret, write_cursor};
use crate::bridge::{Bridge, OnOutage, UpdateError};
use crate::clock::parse_rfc_3339;
use crate::order::{NotificationState, StoredOrder};
use crate::store::{Cursor, IndexQuery, OrderIndex, Partition};
use crate::telemetry::error_chain;

/// Orders that one event looks at.
const PAGE: u16 = 500;
/// With less time left than this, the answer says where to continue.
const MIN_LEFT: Duration = Duration::from_secs(5);

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tell {
    shop_id: String,
    #[serde(deserialize_with = "rfc_3339")]
    since: Timestamp,
    /// `next` of the answer before.
    #[serde(default)]
    after: Option<String>,
}

fn rfc_3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    parse_rfc_3339(&String::deserialize(deserializer)?).ok_or_else(|| Error::custom("it is not RFC 3339"))
}

impl Tell {
    pub(super) async fn run<S: OrderIndex, F>(&self, bridge: &Bridge<S, F>, by: Timestamp) -> Result<Value, OperatorError> {
        let after = self.after.as_deref().map(read_cursor).transpose()?;
        if secret(bridge, by).await?.notify_of(&self.shop_id).is_none() {
            return Err(OperatorError::NotNotified);
        }
        let until = bridge.clock.now().as_millisecond();
        let mut query = IndexQuery::until(Partition::Shop { shop_id: &self.shop_id }, until, PAGE);
        (query.later_than, query.after) = (Some(self.since.as_millisecond()), after);
        let page = bridge.list(&query, by).await?;
        let (mut told, mut done, mut next) = (0u64, after, page.next);
        for entry in page.items {
            let repeated = if bridge.clock.until(by) < MIN_LEFT {
                Err(OperatorError::Unusable("there is too little time left"))
            } else {
                self.repeat(bridge, entry.order_id, by).await
            };
            match repeated {
                Ok(is_told) => told += u64::from(is_told),
                // Only before the first order was done, the answer is an error, which says that nothing was changed. Later,
                // it says where to continue.
                Err(error) if done == after => return Err(error),
                Err(error) => {
                    tracing::warn!(error = error_chain(&error), "not every order is looked at");
                    next = done;
                    break;
                }
            }
            done = Some(Cursor { order_id: entry.order_id, at: entry.at });
        }
        Ok(match next {
            Some(next) => json!({ "told": told, "next": write_cursor(next) }),
            None => json!({ "told": told }),
        })
    }

    /// Whether the order was made due to be told again.
    async fn repeat<S: OrderIndex, F>(
        &self,
        bridge: &Bridge<S, F>,
        order_id: Uuid,
        by: Timestamp,
    ) -> Result<bool, OperatorError> {
        let is_wanted = |order: &StoredOrder| {
            let state = order.notifications.as_ref().map(|notifications| notifications.state);
            let is_untold = matches!(state, Some(NotificationState::Failed | NotificationState::Off));
            is_untold && order.shop_id == self.shop_id && order.updated_at > self.since
        };
        let order = bridge.load(order_id, by).await?;
        let Some(order) = order.filter(|order| !order.is_past_retention(bridge.clock.now())) else { return Ok(false) };
        let change = |order: &StoredOrder, now| is_wanted(order).then(|| order.repeat_notification(now)).flatten();
        match bridge.update(order, by, OnOutage::GiveUp, change).await {
            Ok(updated) => Ok(updated.replaced.is_some()),
            Err(failure) if matches!(failure.error, UpdateError::Deleted) => Ok(false),
            Err(failure) => Err(failure.error.into()),
        }
    }
}
