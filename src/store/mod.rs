//! The interface of the stores, and DynamoDB behind it.

mod dynamodb;
mod item_update;

pub use dynamodb::DynamoDbStore;

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use uuid::Uuid;

use crate::order::{AskQueue, Status, StoredOrder};

/// What the bridge needs from a store: an accepted write is durable, and every read sees all accepted writes.
pub trait OrderStore: Send + Sync {
    /// Writes an order whose id is not stored yet.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] with the stored one.
    fn create(&self, order: &StoredOrder) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// # Errors
    /// [`StoreError`] if the store does not answer, or the item is unreadable.
    fn load(&self, order_id: Uuid) -> impl Future<Output = Result<Option<StoredOrder>, StoreError>> + Send;

    /// Writes `next` over `current`, which must be the stored version. A store may write only what differs. So `current`
    /// must be exactly what is stored, and both must be [derived](StoredOrder::derive).
    ///
    /// # Errors
    /// [`WriteError::Conflict`] with what is stored instead, or `None` if the order is gone.
    fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> impl Future<Output = Result<(), WriteError>> + Send;
}

/// The indexes over the orders.
pub trait OrderIndex: OrderStore {
    /// One page of a list. An index may lag behind the orders, so a caller reads the order itself before it acts.
    ///
    /// # Errors
    /// [`StoreError`] if the store does not answer.
    fn list(&self, query: &IndexQuery<'_>) -> impl Future<Output = Result<Page<IndexEntry>, StoreError>> + Send;

    /// The ids of all orders after the given one, in the store's own sequence.
    ///
    /// # Errors
    /// [`StoreError`] if the store does not answer.
    fn all_ids(&self, after: Option<Uuid>) -> impl Future<Output = Result<Vec<Uuid>, StoreError>> + Send;
}

/// A partition of an index: orders, sorted by a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition<'a> {
    /// The orders of which a shop is to be told, by the time when they are due (Unix seconds).
    Tell { shop_id: &'a str },
    /// The orders whose status is to be read, or whose outcome is unknown, by the time when they are due (Unix seconds).
    Ask(AskQueue),
    /// All orders of a shop, by their last change (Unix milliseconds).
    Shop { shop_id: &'a str },
}

/// Which entries of a partition to list, in the unit of its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexQuery<'a> {
    pub partition: Partition<'a>,
    /// Only entries after this time.
    pub later_than: Option<i64>,
    /// Only entries at this time or before.
    pub until: i64,
    pub after: Option<Cursor>,
    /// The most entries of a page. A page may be shorter although there are more.
    pub limit: u16,
    /// Lists the latest entries first.
    pub is_descending: bool,
}

/// What an index contains of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    pub order_id: Uuid,
    /// The time by which the index is sorted.
    pub at: i64,
    /// Only the index `ask` has it.
    pub status: Option<Status>,
}

/// The entry after which the next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub order_id: Uuid,
    pub at: i64,
}

pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
}

impl<'a> IndexQuery<'a> {
    /// The entries of a partition up to a time, earliest first.
    #[must_use]
    pub fn until(partition: Partition<'a>, until: i64, limit: u16) -> Self {
        Self { partition, later_than: None, until, after: None, limit, is_descending: false }
    }
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

/// The store failed. No text contains anything of an order.
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
    /// A failure of a particular store. Its text must not contain anything of an order.
    pub fn failed(error: impl Into<BoxError>) -> Self {
        Self::Failed(error.into())
    }
}
