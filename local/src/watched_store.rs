//! The embedded store, with what a table's stream adds: it names each order that was written.

use front_payment_bridge::order::{Queue, StoredOrder};
use front_payment_bridge::store::{Cursor, DueOrder, OrderQueue, OrderStore, Page, StoreError, WriteError};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use uuid::Uuid;

use crate::store::EmbeddedStore;

pub(super) struct WatchedStore {
    store: EmbeddedStore,
    changes: UnboundedSender<Uuid>,
}

impl WatchedStore {
    /// The store, and the ids of the orders that are written from now on.
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

impl OrderQueue for WatchedStore {
    async fn due(&self, queue: Queue, until: i64, after: Option<Cursor>) -> Result<Page<DueOrder, Cursor>, StoreError> {
        self.store.due(queue, until, after).await
    }

    async fn all_ids(&self, after: Option<Uuid>) -> Result<Page<Uuid, Uuid>, StoreError> {
        self.store.all_ids(after).await
    }
}
