//! Orders in DynamoDB: one item each, every write conditional on the version that was read.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::SignedDuration;
use uuid::Uuid;

use super::change::Change;
use super::{OrderStore, Unavailable, WriteError};
use crate::order::Record;
use crate::sdk;

type Item = HashMap<String, AttributeValue>;

/// A table whose partition key is `orderId` (S), without a sort key. Its time to live is `expiresAt`.
pub struct DynamoDb {
    client: aws_sdk_dynamodb::Client,
    table: String,
    kept_for: Option<SignedDuration>,
}

impl DynamoDb {
    /// A store in a table, whose orders are kept so long after their last change, or for ever. Time limits
    /// and retries are the client's.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: String, kept_for: Option<SignedDuration>) -> Self {
        Self { client, table, kept_for }
    }
}

impl OrderStore for DynamoDb {
    async fn create(&self, record: &Record) -> Result<(), WriteError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(self.item(record)?));
        let put = put.condition_expression("attribute_not_exists(orderId)");
        let sent = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld).send().await;
        match sent.map_err(|error| (unavailable(&error), error.into_service_error())) {
            Ok(_) => Ok(()),
            Err((_, PutItemError::ConditionalCheckFailedException(failed))) => {
                Err(self.conflict(record.order_id, failed.item).await)
            }
            Err((error, _)) => Err(error.into()),
        }
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<Record>, Unavailable> {
        let get = self.client.get_item().table_name(&self.table).key("orderId", AttributeValue::S(order_id.to_string()));
        let found = get.consistent_read(true).send().await.map_err(|error| unavailable(&error))?;
        found.item.map(record).transpose()
    }

    async fn replace(&self, current: &Record, next: &Record) -> Result<(), WriteError> {
        let change = Change::between(current, next, self.expiry(next))?;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("orderId", AttributeValue::S(next.order_id.to_string()))
            .update_expression(change.expression())
            .condition_expression("#version = :current")
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values));
        let sent = update.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld).send().await;
        match sent.map_err(|error| (unavailable(&error), error.into_service_error())) {
            Ok(_) => Ok(()),
            Err((_, UpdateItemError::ConditionalCheckFailedException(failed))) => {
                Err(self.conflict(next.order_id, failed.item).await)
            }
            Err((error, _)) => Err(error.into()),
        }
    }
}

impl DynamoDb {
    /// A record as it is to be written.
    fn item(&self, record: &Record) -> Result<Item, Unavailable> {
        let mut item: Item = serde_dynamo::to_item(record).map_err(|error| Unavailable(error.to_string()))?;
        if let Some(at) = self.expiry(record) {
            item.insert("expiresAt".to_owned(), AttributeValue::N(at.to_string()));
        }
        Ok(item)
    }

    fn expiry(&self, record: &Record) -> Option<i64> {
        record.expiry(self.kept_for?)
    }

    /// What stands in the way of a write. DynamoDB sends it along; a stand-in that does not is asked.
    async fn conflict(&self, order_id: Uuid, sent_along: Option<Item>) -> WriteError {
        let stored = match sent_along.filter(|item| !item.is_empty()) {
            Some(item) => record(item).map(Some),
            None => self.load(order_id).await,
        };
        match stored {
            Ok(stored) => WriteError::Conflict(stored.map(Box::new)),
            Err(error) => error.into(),
        }
    }
}

fn record(item: Item) -> Result<Record, Unavailable> {
    serde_dynamo::from_item(item).map_err(|error| Unavailable(format!("an item that cannot be read: {error}")))
}

fn unavailable<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Unavailable {
    Unavailable(sdk::error_line("DynamoDB", error))
}
