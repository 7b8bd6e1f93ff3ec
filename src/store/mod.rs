//! Where orders are kept: the port, DynamoDB, and an embedded database for `local` and tests.

mod change;
mod database;
mod dynamodb;
mod embedded;

pub use database::Redb;
pub(crate) use database::unavailable;
pub use dynamodb::DynamoDb;
pub use embedded::Embedded;

use std::future::Future;

use uuid::Uuid;

use crate::order::Record;

/// What the bridge asks of a store. A write that is not refused is there for good, and every read
/// sees all writes before it.
pub trait OrderStore: Send + Sync {
    /// Writes a record where there is none with its id.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] with the one that is there.
    fn create(&self, record: &Record) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Reads a record.
    ///
    /// # Errors
    /// [`Unavailable`] where the store does not answer, or the item cannot be read.
    fn load(&self, order_id: Uuid) -> impl Future<Output = Result<Option<Record>, Unavailable>> + Send;

    /// Writes `next` over `current`, which must be the version that is stored.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] with what is stored instead.
    fn replace(&self, current: &Record, next: &Record) -> impl Future<Output = Result<(), WriteError>> + Send;
}

/// A write that did not happen, or of which nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another version is there (or, at a replace, none); nothing was written.
    #[error("another version is stored")]
    Conflict(Option<Box<Record>>),
    /// It may have been written or not.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The store did not answer, or not so that it can be used. The text is for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);
