//! Where orders are stored: the port, and DynamoDB.

mod dynamodb;
mod item_update;

pub use dynamodb::DynamoDbStore;

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use serde::Deserialize;
use uuid::Uuid;

use crate::order::{Queue, Status, StoredOrder};

/// What the bridge needs of a store: an accepted write is durable, and every read sees all accepted writes.
pub trait OrderStore: Send + Sync {
    /// Writes an order whose id is not stored yet.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] with the stored one.
    fn create(&self, order: &StoredOrder) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// # Errors
    /// [`StoreError`] where the store does not answer, or the item is unreadable.
    fn load(&self, order_id: Uuid) -> impl Future<Output = Result<Option<StoredOrder>, StoreError>> + Send;

    /// Writes `next` over `current`, which must be the stored version.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] with what is stored instead, or `None` if the order is gone.
    fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> impl Future<Output = Result<(), WriteError>> + Send;
}

/// The index over what is to be done, and a walk over all orders.
pub trait OrderQueue: OrderStore {
    /// Orders of a queue that are due by a moment in Unix seconds, the earliest first. The index may lag behind the
    /// orders, so whoever acts reads the order first.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not answer.
    fn due(
        &self,
        queue: Queue,
        until: i64,
        after: Option<Cursor>,
    ) -> impl Future<Output = Result<Page<DueOrder, Cursor>, StoreError>> + Send;

    /// The ids of all orders, in an order of the store's own.
    ///
    /// # Errors
    /// [`StoreError`] where the store does not answer.
    fn all_ids(&self, after: Option<Uuid>) -> impl Future<Output = Result<Page<Uuid, Uuid>, StoreError>> + Send;
}

/// What the index has of an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueOrder {
    pub order_id: Uuid,
    pub status: Status,
    pub shop_id: String,
    /// In Unix seconds.
    pub due_at: i64,
}

pub struct Page<T, C> {
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<C>,
}

/// A place in an index.
#[derive(Debug, Clone)]
pub enum Cursor {
    DynamoDb(item_update::Item),
    Embedded(i64, u128),
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Nothing was written.
    #[error("another version is stored")]
    Conflict(Option<Box<StoredOrder>>),
    /// It may have been written or not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store did not do its part. No text contains anything of an order.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error(transparent)]
    Failed(BoxError),
    #[error("a stored item cannot be read")]
    Unreadable(#[source] BoxError),
    #[error("an order cannot be turned into an item")]
    Unwritable(#[source] BoxError),
}

pub type BoxError = Box<dyn Error + Send + Sync>;

impl StoreError {
    /// A store's own failure. Its text contains nothing of an order.
    pub fn failed(error: impl Into<BoxError>) -> Self {
        Self::Failed(error.into())
    }
}
