//! Orders in the embedded database.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::store::{
    Cursor, IndexEntry, IndexQuery, OrderIndex, OrderStore, Page, Partition, StoreError, WriteError,
};
use redb::{ReadableTable, Table, TableDefinition};
use uuid::Uuid;

use super::{EmbeddedDatabase, OpenError, database_error};

const ORDERS: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("orders");
/// The status of each order, by index, partition, time and order id.
const INDEX: TableDefinition<'_, Place<'static>, &str> = TableDefinition::new("index");
/// Ids of a page.
const PAGE: usize = 1_000;

/// The key of an entry: index, partition, time, order id.
type Place<'a> = (&'a str, &'a str, i64, u128);

#[derive(Clone)]
pub struct EmbeddedStore(Arc<EmbeddedDatabase>);

impl EmbeddedStore {
    /// Opens the file, and creates it if there is none.
    ///
    /// # Errors
    /// [`OpenError`], for example where another process has the file open.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        Self::with(EmbeddedDatabase::open(file)?)
    }

    /// A store in memory. The orders are lost when the process ends.
    ///
    /// # Errors
    /// [`OpenError`] where memory is short.
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::with(EmbeddedDatabase::in_memory()?)
    }

    fn with(database: EmbeddedDatabase) -> Result<Self, OpenError> {
        let created = database.create_table(ORDERS).and_then(|()| database.create_table(INDEX));
        created.map_err(|error| OpenError::Database(error.into()))?;
        Ok(Self(Arc::new(database)))
    }

    /// The database, for the other tables that `local` keeps in it.
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
        let (order_id, next) = (order.order_id.as_u128(), order.clone());
        let item = serde_json::to_vec(&next).map_err(|error| StoreError::Unwritable(error.into()))?;
        self.0
            .write(move |write| {
                let mut orders = write.open_table(ORDERS).map_err(database_error)?;
                let stored = orders.get(order_id).map_err(database_error)?.map(|item| read_item(item.value())).transpose()?;
                if stored.as_ref().map(|stored| stored.version) != expected_version {
                    return Err(WriteError::Conflict(stored.map(Box::new)));
                }
                let mut index = write.open_table(INDEX).map_err(database_error)?;
                move_entries(&mut index, stored.as_ref(), &next)?;
                orders.insert(order_id, item.as_slice()).map_err(database_error)?;
                Ok(())
            })
            .await
    }
}

fn move_entries(
    index: &mut Table<'_, Place<'static>, &str>,
    stored: Option<&StoredOrder>,
    next: &StoredOrder,
) -> Result<(), StoreError> {
    for place in stored.map(places).into_iter().flatten().flatten() {
        index.remove(place).map_err(database_error)?;
    }
    for place in places(next).into_iter().flatten() {
        index.insert(place, next.status.name()).map_err(database_error)?;
    }
    Ok(())
}

/// The places of an order in the indexes.
fn places(order: &StoredOrder) -> [Option<Place<'_>>; 3] {
    let id = order.order_id.as_u128();
    let tell = order.tell_queue.as_deref().zip(order.tell_at).map(|(shop_id, at)| ("tell", shop_id, at, id));
    let ask = order.ask_queue.zip(order.ask_at).map(|(queue, at)| ("ask", queue.into(), at, id));
    [tell, ask, Some(("shop", order.shop_id.as_str(), order.changed_at, id))]
}

impl OrderIndex for EmbeddedStore {
    async fn list(&self, query: &IndexQuery<'_>) -> Result<Page<IndexEntry>, StoreError> {
        let (index, partition) = match query.partition {
            Partition::Tell { shop_id } => ("tell", shop_id.to_owned()),
            Partition::Ask(queue) => ("ask", <&str>::from(queue).to_owned()),
            Partition::Shop { shop_id } => ("shop", shop_id.to_owned()),
        };
        let (limit, is_descending) = (usize::from(query.limit), query.is_descending);
        let mut begin = query.later_than.map_or(Bound::Included((i64::MIN, 0)), |time| Bound::Excluded((time, u128::MAX)));
        let mut end = Bound::Included((query.until, u128::MAX));
        if let Some(Cursor { order_id, at }) = query.after {
            *(if is_descending { &mut end } else { &mut begin }) = Bound::Excluded((at, order_id.as_u128()));
        }
        let items = self.blocking(move |database| {
            database.read(|read| {
                let place = |(at, id): (i64, u128)| (index, partition.as_str(), at, id);
                let table = read.open_table(INDEX).map_err(database_error)?;
                let entries = table.range::<Place<'_>>((begin.map(place), end.map(place))).map_err(database_error)?;
                let entry = |entry: Result<(redb::AccessGuard<'_, Place<'static>>, redb::AccessGuard<'_, &str>), _>| {
                    entry.map_err(database_error).map(|(place, status)| {
                        let (index, _, at, id) = place.value();
                        let status = status.value().parse().ok().filter(|_| index == "ask");
                        IndexEntry { order_id: Uuid::from_u128(id), at, status }
                    })
                };
                if is_descending {
                    entries.rev().take(limit).map(entry).collect()
                } else {
                    entries.take(limit).map(entry).collect::<Result<Vec<_>, _>>()
                }
            })
        });
        let items = items.await?;
        let next = items.last().filter(|_| items.len() == limit).map(|last| Cursor { order_id: last.order_id, at: last.at });
        Ok(Page { items, next })
    }

    async fn all_ids(&self, after: Option<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        let begin = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.as_u128()));
        let read = move |database: &EmbeddedDatabase| {
            database.read(|read| {
                let orders = read.open_table(ORDERS).map_err(database_error)?;
                let items = orders.range::<u128>((begin, Bound::Unbounded)).map_err(database_error)?;
                items.take(PAGE).map(|item| Ok(Uuid::from_u128(item.map_err(database_error)?.0.value()))).collect()
            })
        };
        self.blocking(read).await
    }
}

impl EmbeddedStore {
    /// Reads in a thread that may block, because the disk may be slow.
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
