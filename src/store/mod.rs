//! Where orders are stored: the port, DynamoDB, and an embedded database for `local` and tests.

mod database;
mod dynamodb;
mod embedded;
mod item_update;

pub(crate) use database::database_error;
pub use database::{EmbeddedDatabase, OpenError};
pub use dynamodb::DynamoDbStore;
pub use embedded::EmbeddedStore;

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use uuid::Uuid;

use crate::order::StoredOrder;

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
    /// With what the SDK says about it.
    #[error("{0}")]
    DynamoDb(String),
    #[error("the embedded database failed")]
    Database(#[source] BoxError),
    #[error("the embedded database did not commit")]
    NotCommitted,
    #[error("a stored item cannot be read")]
    Unreadable(#[source] BoxError),
    #[error("an order cannot be turned into an item")]
    Unwritable(#[source] BoxError),
}

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;
