//! The embedded store with what a table's stream does: it names each order that was written.

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::store::{IndexEntry, IndexQuery, OrderIndex, OrderStore, Page, StoreError, WriteError};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use uuid::Uuid;

use crate::store::EmbeddedStore;

pub(super) struct WatchedStore {
    store: EmbeddedStore,
    changes: UnboundedSender<Uuid>,
}

impl WatchedStore {
    /// The store, and a receiver of the ids of all orders that are written from now on.
    pub(super) fn new(store: EmbeddedStore) -> (Self, UnboundedReceiver<Uuid>) {
        let (changes, changed) = mpsc::unbounded_channel();
        (Self { store, changes }, changed)
    }

    fn announce(&self, order: &StoredOrder) {
        if self.changes.send(order.order_id).is_err() {
            tracing::debug!("the program ends; the sweep after the next start finds this order");
        }
    }
}

impl OrderStore for WatchedStore {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        self.store.create(order).await.inspect(|()| self.announce(order))
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        self.store.load(order_id).await
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        self.store.replace(current, next).await.inspect(|()| self.announce(next))
    }
}

impl OrderIndex for WatchedStore {
    async fn list(&self, query: &IndexQuery<'_>) -> Result<Page<IndexEntry>, StoreError> {
        self.store.list(query).await
    }

    async fn all_ids(&self, after: Option<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        self.store.all_ids(after).await
    }
}
