//! Orders in the embedded database.

use std::path::Path;
use std::sync::Arc;

use redb::{ReadableTable, TableDefinition};
use uuid::Uuid;

use super::{EmbeddedDatabase, OpenError, OrderStore, StoreError, WriteError, database_error};
use crate::order::StoredOrder;

const ORDERS: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("orders");

#[derive(Clone)]
pub struct EmbeddedStore(Arc<EmbeddedDatabase>);

impl EmbeddedStore {
    /// Creates the file if there is none.
    ///
    /// # Errors
    /// [`OpenError`], for example where another process has the file open.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        Self::with(EmbeddedDatabase::open(file)?)
    }

    /// The orders end with the process.
    ///
    /// # Errors
    /// [`OpenError`] where memory is short.
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::with(EmbeddedDatabase::in_memory()?)
    }

    fn with(database: EmbeddedDatabase) -> Result<Self, OpenError> {
        database.create_table(ORDERS).map_err(|error| OpenError::Database(error.into()))?;
        Ok(Self(Arc::new(database)))
    }

    /// The database itself, for the other tables that `local` keeps in it.
    #[must_use]
    pub fn database(&self) -> Arc<EmbeddedDatabase> {
        self.0.clone()
    }

    /// Every stored order. Blocks while the disk is read.
    ///
    /// # Errors
    /// [`StoreError`] where the database or an item cannot be read.
    pub fn all(&self) -> Result<Vec<StoredOrder>, StoreError> {
        self.0.read(|read| {
            let orders = read.open_table(ORDERS).map_err(database_error)?;
            let items = orders.iter().map_err(database_error)?;
            items.map(|item| read_item(item.map_err(database_error)?.1.value())).collect()
        })
    }

    async fn write(&self, order: &StoredOrder, expected_version: Option<u64>) -> Result<(), WriteError> {
        let order_id = order.order_id.as_u128();
        let item = serde_json::to_vec(order).map_err(|error| StoreError::Unwritable(error.into()))?;
        self.0
            .write(move |write| {
                let mut orders = write.open_table(ORDERS).map_err(database_error)?;
                let stored = orders.get(order_id).map_err(database_error)?.map(|item| read_item(item.value())).transpose()?;
                if stored.as_ref().map(|stored| stored.version) != expected_version {
                    return Err(WriteError::Conflict(stored.map(Box::new)));
                }
                orders.insert(order_id, item.as_slice()).map_err(database_error)?;
                Ok(())
            })
            .await
    }
}

impl OrderStore for EmbeddedStore {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        self.write(order, None).await
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        let database = self.database();
        let load = move || {
            database.read(|read| {
                let orders = read.open_table(ORDERS).map_err(database_error)?;
                let item = orders.get(order_id.as_u128()).map_err(database_error)?;
                item.map(|item| read_item(item.value())).transpose()
            })
        };
        // The disk may be slow, so a blocking thread reads it.
        tokio::task::spawn_blocking(load).await.map_err(database_error)?
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        self.write(next, Some(current.version)).await
    }
}

fn read_item(item: &[u8]) -> Result<StoredOrder, StoreError> {
    serde_json::from_slice(item).map_err(|error| StoreError::Unreadable(error.into()))
}
