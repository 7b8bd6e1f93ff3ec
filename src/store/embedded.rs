//! Orders in an embedded database: one file, ACID, or memory alone.

use std::path::Path;
use std::sync::Arc;

use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use uuid::Uuid;

use super::{OrderStore, Unavailable, WriteError};
use crate::order::Record;

const ORDERS: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("orders");

/// An embedded store.
#[derive(Clone)]
pub struct Embedded(Arc<Database>);

impl Embedded {
    /// Opens the database in a file, which is created where there is none.
    ///
    /// # Errors
    /// [`Unavailable`] where it cannot be opened: by another process that has it open, for one.
    pub fn open(file: &Path) -> Result<Self, Unavailable> {
        Self::with(Database::create(file).map_err(unavailable)?)
    }

    /// A database that ends with the process.
    ///
    /// # Errors
    /// [`Unavailable`], short of memory.
    pub fn in_memory() -> Result<Self, Unavailable> {
        Self::with(Database::builder().create_with_backend(InMemoryBackend::new()).map_err(unavailable)?)
    }

    fn with(database: Database) -> Result<Self, Unavailable> {
        let write = database.begin_write().map_err(unavailable)?;
        write.open_table(ORDERS).map_err(unavailable)?;
        write.commit().map_err(unavailable)?;
        Ok(Self(Arc::new(database)))
    }

    /// The database itself, for what else `local` keeps in it.
    #[must_use]
    pub fn database(&self) -> Arc<Database> {
        self.0.clone()
    }

    fn read(&self, order_id: Uuid) -> Result<Option<Record>, Unavailable> {
        let read = self.0.begin_read().map_err(unavailable)?;
        let orders = read.open_table(ORDERS).map_err(unavailable)?;
        let item = orders.get(order_id.as_u128()).map_err(unavailable)?;
        item.map(|item| serde_json::from_slice(item.value()).map_err(unavailable)).transpose()
    }

    fn write(&self, record: &Record, expected_version: Option<u64>) -> Result<(), WriteError> {
        let item = serde_json::to_vec(record).map_err(unavailable)?;
        let write = self.0.begin_write().map_err(unavailable)?;
        {
            let mut orders = write.open_table(ORDERS).map_err(unavailable)?;
            let stored: Option<Record> = {
                let stored = orders.get(record.order_id.as_u128()).map_err(unavailable)?;
                stored.map(|item| serde_json::from_slice(item.value())).transpose().map_err(unavailable)?
            };
            if stored.as_ref().map(|stored| stored.version) != expected_version {
                return Err(WriteError::Conflict(stored.map(Box::new)));
            }
            orders.insert(record.order_id.as_u128(), item.as_slice()).map_err(unavailable)?;
        }
        Ok(write.commit().map_err(unavailable)?)
    }

    /// The database blocks, so it is worked with beside the requests.
    async fn aside<T: Send + 'static, E: From<Unavailable> + Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let store = self.clone();
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(result) => result,
            Err(error) => Err(unavailable(error).into()),
        }
    }
}

impl OrderStore for Embedded {
    async fn create(&self, record: &Record) -> Result<(), WriteError> {
        let record = record.clone();
        self.aside(move |store| store.write(&record, None)).await
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<Record>, Unavailable> {
        self.aside(move |store| store.read(order_id)).await
    }

    async fn replace(&self, current: &Record, next: &Record) -> Result<(), WriteError> {
        let (next, version) = (next.clone(), current.version);
        self.aside(move |store| store.write(&next, Some(version))).await
    }
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
fn unavailable(error: impl std::fmt::Display) -> Unavailable {
    Unavailable(error.to_string())
}
