//! Orders in an embedded database: one file, ACID, or memory alone.

use std::path::Path;
use std::sync::Arc;

use redb::{ReadableTable, TableDefinition};
use uuid::Uuid;

use super::{OrderStore, Redb, Unavailable, WriteError, unavailable};
use crate::order::Record;

const ORDERS: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("orders");

/// An embedded store.
#[derive(Clone)]
pub struct Embedded(Arc<Redb>);

impl Embedded {
    /// Opens the database in a file, which is created where there is none.
    ///
    /// # Errors
    /// [`Unavailable`] where it cannot be opened: by another process that has it open, for one.
    pub fn open(file: &Path) -> Result<Self, Unavailable> {
        Self::with(Redb::open(file)?)
    }

    /// A database that ends with the process.
    ///
    /// # Errors
    /// [`Unavailable`], short of memory.
    pub fn in_memory() -> Result<Self, Unavailable> {
        Self::with(Redb::in_memory()?)
    }

    fn with(database: Redb) -> Result<Self, Unavailable> {
        database.create_table(ORDERS)?;
        Ok(Self(Arc::new(database)))
    }

    /// The database itself, for what else `local` keeps in it.
    #[must_use]
    pub fn database(&self) -> Arc<Redb> {
        self.0.clone()
    }

    /// All that it has, for whoever wants to check it. It waits for the disk.
    ///
    /// # Errors
    /// [`Unavailable`] where the database, or an item of it, cannot be read.
    pub fn records(&self) -> Result<Vec<Record>, Unavailable> {
        self.0.read(|read| {
            let orders = read.open_table(ORDERS).map_err(unavailable)?;
            let items = orders.iter().map_err(unavailable)?;
            items.map(|item| record(item.map_err(unavailable)?.1.value())).collect()
        })
    }

    async fn write(&self, record: &Record, expected_version: Option<u64>) -> Result<(), WriteError> {
        let order_id = record.order_id.as_u128();
        let item = serde_json::to_vec(record).map_err(unavailable)?;
        self.0
            .write(move |write| {
                let mut orders = write.open_table(ORDERS).map_err(unavailable)?;
                let stored = orders.get(order_id).map_err(unavailable)?.map(|item| self::record(item.value())).transpose()?;
                if stored.as_ref().map(|stored| stored.version) != expected_version {
                    return Err(WriteError::Conflict(stored.map(Box::new)));
                }
                orders.insert(order_id, item.as_slice()).map_err(unavailable)?;
                Ok(())
            })
            .await
    }
}

impl OrderStore for Embedded {
    async fn create(&self, record: &Record) -> Result<(), WriteError> {
        self.write(record, None).await
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<Record>, Unavailable> {
        let database = self.database();
        let load = move || {
            database.read(|read| {
                let orders = read.open_table(ORDERS).map_err(unavailable)?;
                let item = orders.get(order_id.as_u128()).map_err(unavailable)?;
                item.map(|item| record(item.value())).transpose()
            })
        };
        // The disk may be slow, so it is read beside the requests.
        tokio::task::spawn_blocking(load).await.map_err(unavailable)?
    }

    async fn replace(&self, current: &Record, next: &Record) -> Result<(), WriteError> {
        self.write(next, Some(current.version)).await
    }
}

fn record(item: &[u8]) -> Result<Record, Unavailable> {
    serde_json::from_slice(item).map_err(unavailable)
}
