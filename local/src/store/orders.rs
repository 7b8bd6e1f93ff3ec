//! Orders in the embedded database.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use front_payment_bridge::order::{Queue, StoredOrder};
use front_payment_bridge::store::{Cursor, DueOrder, OrderQueue, OrderStore, Page, StoreError, WriteError};
use redb::{ReadableTable, TableDefinition};
use uuid::Uuid;

use super::{EmbeddedDatabase, OpenError, database_error};

const ORDERS: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("orders");
/// By queue, due time and order id: status and shop id.
const DUE: TableDefinition<'_, (&str, i64, u128), (&str, &str)> = TableDefinition::new("due");
/// Entries of a page.
const PAGE: usize = 1_000;

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
        let created = database.create_table(ORDERS).and_then(|()| database.create_table(DUE));
        created.map_err(|error| OpenError::Database(error.into()))?;
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
        let next = order.placed();
        let item = serde_json::to_vec(&next).map_err(|error| StoreError::Unwritable(error.into()))?;
        self.0
            .write(move |write| {
                let mut orders = write.open_table(ORDERS).map_err(database_error)?;
                let stored = orders.get(order_id).map_err(database_error)?.map(|item| read_item(item.value())).transpose()?;
                if stored.as_ref().map(|stored| stored.version) != expected_version {
                    return Err(WriteError::Conflict(stored.map(Box::new)));
                }
                let mut index = write.open_table(DUE).map_err(database_error)?;
                if let Some(place) = stored.as_ref().and_then(place) {
                    index.remove(place).map_err(database_error)?;
                }
                if let Some(place) = place(&next) {
                    index.insert(place, (next.status.name(), next.shop_id.as_str())).map_err(database_error)?;
                }
                orders.insert(order_id, item.as_slice()).map_err(database_error)?;
                Ok(())
            })
            .await
    }
}

/// Queue, due time, order id.
type Place = (&'static str, i64, u128);

fn place(order: &StoredOrder) -> Option<Place> {
    Some((order.queue?.into(), order.due_at?, order.order_id.as_u128()))
}

impl OrderQueue for EmbeddedStore {
    async fn due(&self, queue: Queue, until: i64, after: Option<Cursor>) -> Result<Page<DueOrder, Cursor>, StoreError> {
        let name: &'static str = queue.into();
        let begin = match after {
            Some(Cursor::Embedded(due_at, order_id)) => Bound::Excluded((name, due_at, order_id)),
            _ => Bound::Included((name, i64::MIN, 0)),
        };
        let read = move |database: &EmbeddedDatabase| {
            database.read(|read| {
                let index = read.open_table(DUE).map_err(database_error)?;
                let entries = index.range::<Place>((begin, Bound::Included((name, until, u128::MAX)))).map_err(database_error)?;
                entries
                    .take(PAGE)
                    .map(|entry| entry.map_err(database_error).and_then(|(key, value)| due_order(key.value(), value.value())))
                    .collect()
            })
        };
        let items: Vec<DueOrder> = self.blocking(read).await?;
        let next = items.last().filter(|_| items.len() == PAGE);
        let next = next.map(|last| Cursor::Embedded(last.due_at, last.order_id.as_u128()));
        Ok(Page { items, next })
    }

    async fn all_ids(&self, after: Option<Uuid>) -> Result<Page<Uuid, Uuid>, StoreError> {
        let begin = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.as_u128()));
        let read = move |database: &EmbeddedDatabase| {
            database.read(|read| {
                let orders = read.open_table(ORDERS).map_err(database_error)?;
                let items = orders.range::<u128>((begin, Bound::Unbounded)).map_err(database_error)?;
                items.take(PAGE).map(|item| Ok(Uuid::from_u128(item.map_err(database_error)?.0.value()))).collect()
            })
        };
        let items: Vec<Uuid> = self.blocking(read).await?;
        let next = items.last().filter(|_| items.len() == PAGE).copied();
        Ok(Page { items, next })
    }
}

fn due_order((_, due_at, order_id): (&str, i64, u128), (status, shop_id): (&str, &str)) -> Result<DueOrder, StoreError> {
    let status = status.parse().map_err(|error: strum::ParseError| StoreError::Unreadable(error.into()))?;
    Ok(DueOrder { order_id: Uuid::from_u128(order_id), status, shop_id: shop_id.to_owned(), due_at })
}

impl EmbeddedStore {
    /// The disk may be slow, so a blocking thread reads it.
    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&EmbeddedDatabase) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = self.database();
        tokio::task::spawn_blocking(move || read(&database)).await.map_err(database_error)?
    }
}

impl OrderStore for EmbeddedStore {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        self.write(order, None).await
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        let load = move |database: &EmbeddedDatabase| {
            database.read(|read| {
                let orders = read.open_table(ORDERS).map_err(database_error)?;
                let item = orders.get(order_id.as_u128()).map_err(database_error)?;
                item.map(|item| read_item(item.value())).transpose()
            })
        };
        self.blocking(load).await
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        self.write(next, Some(current.version)).await
    }
}

fn read_item(item: &[u8]) -> Result<StoredOrder, StoreError> {
    serde_json::from_slice(item).map_err(|error| StoreError::Unreadable(error.into()))
}
