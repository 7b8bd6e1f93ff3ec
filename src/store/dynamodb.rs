//! Orders in DynamoDB: one item each. Every write is conditional on the version that was read.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use uuid::Uuid;

use super::item_update::ItemUpdate;
use super::{Cursor, IndexEntry, IndexQuery, OrderIndex, OrderStore, Page, Partition, StoreError, WriteError};
use crate::aws;
use crate::order::StoredOrder;

type Item = HashMap<String, AttributeValue>;

/// A table with the partition key `orderId` (S), no sort key, and the indexes `ask`, `tell` and `shop`. Its time-to-live
/// attribute is `expiresAt`.
pub struct DynamoDbStore {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl DynamoDbStore {
    /// The client must set the time limits and retries.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: String) -> Self {
        Self { client, table }
    }

    /// The conflict that prevents a write. DynamoDB returns the stored item with the error; some compatible servers do not,
    /// so the item is read.
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

impl OrderStore for DynamoDbStore {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        let item = serde_dynamo::to_item(order).map_err(|error| StoreError::Unwritable(error.into()))?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
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
        let get = self.client.get_item().table_name(&self.table).key("orderId", id_value(order_id));
        let found = get.consistent_read(true).send().await.map_err(|error| dynamodb_error(&error))?;
        found.item.map(read_item).transpose()
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        let update = ItemUpdate::between(current, next)?;
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("orderId", id_value(next.order_id))
            .update_expression(update.expression())
            .condition_expression("version = :current")
            .set_expression_attribute_names(Some(update.names).filter(|names| !names.is_empty()))
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

impl OrderIndex for DynamoDbStore {
    async fn list(&self, query: &IndexQuery<'_>) -> Result<Page<IndexEntry>, StoreError> {
        let index = Index::of(query.partition);
        let start = query.after.map(|cursor| index.key_of(cursor));
        // Both bounds of `#at` are in one condition, because a key condition may name an attribute only once.
        let (condition, from) = match query.later_than {
            Some(time) => ("#of = :of AND #at BETWEEN :from AND :until", Some(time.saturating_add(1))),
            None => ("#of = :of AND #at <= :until", None),
        };
        if from.is_some_and(|from| from > query.until) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index.name)
            .key_condition_expression(condition)
            .expression_attribute_names("#of", index.partition_name)
            .expression_attribute_names("#at", index.time_name)
            .expression_attribute_values(":of", AttributeValue::S(index.partition.to_owned()))
            .expression_attribute_values(":until", AttributeValue::N(query.until.to_string()))
            .scan_index_forward(!query.is_descending)
            .limit(query.limit.into())
            .set_exclusive_start_key(start);
        let request = match from {
            Some(from) => request.expression_attribute_values(":from", AttributeValue::N(from.to_string())),
            None => request,
        };
        let found = request.send().await.map_err(|error| dynamodb_error(&error))?;
        let items = found.items.unwrap_or_default().iter().map(|item| index.entry(item)).collect::<Result<Vec<_>, _>>()?;
        let next = found.last_evaluated_key.map(|key| index.entry(&key)).transpose()?;
        Ok(Page { items, next: next.map(|IndexEntry { order_id, at, .. }| Cursor { order_id, at }) })
    }

    async fn all_ids(&self, after: Option<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        let after = after.map(|after| Item::from([("orderId".to_owned(), id_value(after))]));
        let scan = self.client.scan().table_name(&self.table).projection_expression("orderId");
        let found = scan.set_exclusive_start_key(after).send().await.map_err(|error| dynamodb_error(&error))?;
        found.items.unwrap_or_default().iter().map(order_id).collect()
    }
}

/// An index, with its names in DynamoDB.
struct Index<'a> {
    name: &'static str,
    partition_name: &'static str,
    partition: &'a str,
    time_name: &'static str,
}

impl<'a> Index<'a> {
    fn of(partition: Partition<'a>) -> Self {
        let (name, partition_name, partition, time_name) = match partition {
            Partition::Tell { shop_id } => ("tell", "tellQueue", shop_id, "tellAt"),
            Partition::Ask(queue) => ("ask", "askQueue", queue.into(), "askAt"),
            Partition::Shop { shop_id } => ("shop", "shopId", shop_id, "changedAt"),
        };
        Self { name, partition_name, partition, time_name }
    }

    fn key_of(&self, Cursor { order_id, at }: Cursor) -> Item {
        Item::from([
            ("orderId".to_owned(), id_value(order_id)),
            (self.partition_name.to_owned(), AttributeValue::S(self.partition.to_owned())),
            (self.time_name.to_owned(), AttributeValue::N(at.to_string())),
        ])
    }

    fn entry(&self, item: &Item) -> Result<IndexEntry, StoreError> {
        let at = item.get(self.time_name).and_then(|at| at.as_n().ok()?.parse().ok());
        let at = at.ok_or_else(|| StoreError::Unreadable("an entry of an index has no time".into()))?;
        let status = item.get("status").and_then(|status| status.as_s().ok()?.parse().ok());
        Ok(IndexEntry { order_id: order_id(item)?, at, status })
    }
}

fn id_value(order_id: Uuid) -> AttributeValue {
    AttributeValue::S(order_id.to_string())
}

fn order_id(item: &Item) -> Result<Uuid, StoreError> {
    let id = item.get("orderId").and_then(|id| id.as_s().ok()?.parse().ok());
    id.ok_or_else(|| StoreError::Unreadable("an item has no orderId".into()))
}

fn read_item(item: Item) -> Result<StoredOrder, StoreError> {
    serde_dynamo::from_item(item).map_err(|error| StoreError::Unreadable(error.into()))
}

fn dynamodb_error<E: ProvideErrorMetadata>(error: &SdkError<E>) -> StoreError {
    StoreError::failed(aws::error_line("DynamoDB", error))
}
