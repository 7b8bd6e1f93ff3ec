//! Orders in DynamoDB: one item each, every write conditional on the version that was read.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jiff::SignedDuration;
use serde::Deserialize;
use uuid::Uuid;

use super::item_update::{Item, ItemUpdate};
use super::{Cursor, DueOrder, OrderQueue, OrderStore, Page, StoreError, WriteError};
use crate::aws;
use crate::order::{Queue, StoredOrder};

/// A table with the partition key `orderId` (S) and no sort key. Its time-to-live attribute is `expiresAt`.
pub struct DynamoDbStore {
    client: aws_sdk_dynamodb::Client,
    table: String,
    retention: Option<SignedDuration>,
}

impl DynamoDbStore {
    /// Orders are kept for `retention` after their last change, or for ever. Time limits and retries are the client's.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: String, retention: Option<SignedDuration>) -> Self {
        Self { client, table, retention }
    }
}

impl OrderStore for DynamoDbStore {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(self.item(order)?));
        let put = put.condition_expression("attribute_not_exists(orderId)");
        let sent = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld).send().await;
        match sent.map_err(|error| (dynamodb_error(&error), error.into_service_error())) {
            Ok(_) => Ok(()),
            Err((_, PutItemError::ConditionalCheckFailedException(failed))) => {
                Err(self.conflict(order.order_id, failed.item).await)
            }
            Err((error, _)) => Err(error.into()),
        }
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key("orderId", AttributeValue::S(order_id.to_string()));
        let found = get.consistent_read(true).send().await.map_err(|error| dynamodb_error(&error))?;
        found.item.map(read_item).transpose()
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        let update = ItemUpdate::between(item(current)?, self.item(next)?);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("orderId", AttributeValue::S(next.order_id.to_string()))
            .update_expression(update.expression())
            .condition_expression("#version = :current")
            .set_expression_attribute_names(Some(update.names))
            .set_expression_attribute_values(Some(update.values));
        let sent = request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld).send().await;
        match sent.map_err(|error| (dynamodb_error(&error), error.into_service_error())) {
            Ok(_) => Ok(()),
            Err((_, UpdateItemError::ConditionalCheckFailedException(failed))) => {
                Err(self.conflict(next.order_id, failed.item).await)
            }
            Err((error, _)) => Err(error.into()),
        }
    }
}

impl OrderQueue for DynamoDbStore {
    async fn due(&self, queue: Queue, until: i64, after: Option<Cursor>) -> Result<Page<DueOrder, Cursor>, StoreError> {
        let (name, until) = (<&str>::from(queue).to_owned(), until.to_string());
        let query = self.client.query().table_name(&self.table).index_name("due");
        let query = query.key_condition_expression("queue = :queue AND dueAt <= :until");
        let query =
            query.projection_expression("orderId, #status, shopId, dueAt").expression_attribute_names("#status", "status");
        let query = query.expression_attribute_values(":queue", AttributeValue::S(name));
        let query = query.expression_attribute_values(":until", AttributeValue::N(until));
        let found = query.set_exclusive_start_key(key(after)).send().await.map_err(|error| dynamodb_error(&error))?;
        let items = found.items.unwrap_or_default().into_iter().map(read_due).collect::<Result<_, _>>()?;
        Ok(Page { items, next: found.last_evaluated_key.map(Cursor::DynamoDb) })
    }

    async fn all_ids(&self, after: Option<Uuid>) -> Result<Page<Uuid, Uuid>, StoreError> {
        let after = after.map(|after| Item::from([("orderId".to_owned(), AttributeValue::S(after.to_string()))]));
        let scan = self.client.scan().table_name(&self.table).projection_expression("orderId");
        let found = scan.set_exclusive_start_key(after).send().await.map_err(|error| dynamodb_error(&error))?;
        let items = found.items.unwrap_or_default().into_iter().map(read_id).collect::<Result<_, _>>()?;
        Ok(Page { items, next: found.last_evaluated_key.map(read_id).transpose()? })
    }
}

fn read_id(item: Item) -> Result<Uuid, StoreError> {
    let id: Id = serde_dynamo::from_item(item).map_err(|error| StoreError::Unreadable(error.into()))?;
    Ok(id.order_id)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Id {
    order_id: Uuid,
}

fn key(cursor: Option<Cursor>) -> Option<Item> {
    match cursor {
        Some(Cursor::DynamoDb(key)) => Some(key),
        _ => None,
    }
}

fn read_due(item: Item) -> Result<DueOrder, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::Unreadable(error.into()))
}

impl DynamoDbStore {
    /// The item to write.
    fn item(&self, order: &StoredOrder) -> Result<Item, StoreError> {
        let mut order = order.placed();
        order.expires_at = self.retention.and_then(|retention| order.retained_until(retention));
        item(&order)
    }

    /// What prevents a write. DynamoDB sends it along; some compatible servers do not, so it is read.
    async fn conflict(&self, order_id: Uuid, sent_along: Option<Item>) -> WriteError {
        let stored = match sent_along.filter(|item| !item.is_empty()) {
            Some(item) => read_item(item).map(Some),
            None => self.load(order_id).await,
        };
        match stored {
            Ok(stored) => WriteError::Conflict(stored.map(Box::new)),
            Err(error) => error.into(),
        }
    }
}

fn item(order: &StoredOrder) -> Result<Item, StoreError> {
    serde_dynamo::to_item(order).map_err(|error| StoreError::Unwritable(error.into()))
}

fn read_item(item: Item) -> Result<StoredOrder, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::Unreadable(error.into()))
}

fn dynamodb_error<E: ProvideErrorMetadata>(error: &SdkError<E>) -> StoreError {
    StoreError::failed(aws::error_line("DynamoDB", error))
}
