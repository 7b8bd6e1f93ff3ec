//! The worker in this process. Each write wakes it, as a table's stream does; and it sweeps once a minute.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use front_payment_bridge::front_payment::Client;
use front_payment_bridge::http_client::TlsError;
use front_payment_bridge::notify::ShopClient;
use front_payment_bridge::order::AskQueue;
use front_payment_bridge::store::{IndexQuery, OrderIndex, Partition};
use front_payment_bridge::telemetry::error_chain;
use front_payment_bridge::worker::Worker;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::invocation::invocation;
use super::page::Frame;
use super::watched_store::WatchedStore;
use crate::demo_secret::{SHOP, WEBHOOKS_SHOP};
use crate::store::EmbeddedStore;

/// The most orders in one event.
const MAX_BATCH: usize = 10;
/// The most events at the same time.
const MAX_RUNNING: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);
const TIMEOUT: SignedDuration = SignedDuration::from_secs(60);

type BridgeWorker = Worker<WatchedStore, Client, ShopClient>;

/// The worker. A move of the clock replaces it, as AWS replaces a process, because what it remembers of hosts would be
/// outdated.
pub(super) struct SharedWorker {
    start: Box<dyn Fn() -> Result<BridgeWorker, TlsError> + Send + Sync>,
    current: RwLock<Arc<BridgeWorker>>,
}

impl SharedWorker {
    pub(super) fn new(start: impl Fn() -> Result<BridgeWorker, TlsError> + Send + Sync + 'static) -> Result<Self, TlsError> {
        Ok(Self { current: RwLock::new(Arc::new(start()?)), start: Box::new(start) })
    }

    /// Handles an event in a task of its own, so that a panic ends only this invocation.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(super) async fn invoke(&self, event: &Value) -> Result<Value, String> {
        let invocation = invocation(event, Timestamp::now(), TIMEOUT).map_err(|error| error.to_string())?;
        let worker = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        match tokio::spawn(async move { worker.invoke(invocation).await }).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn replace(&self) {
        match (self.start)() {
            Ok(worker) => *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(worker),
            Err(error) => tracing::error!(error = error_chain(&error), "the worker is not replaced"),
        }
    }
}

pub(super) struct LocalWorker {
    pub(super) worker: Arc<SharedWorker>,
    pub(super) store: EmbeddedStore,
    /// The ids of the orders that were written.
    pub(super) changed: UnboundedReceiver<Uuid>,
    pub(super) frame: Arc<Frame>,
}

impl LocalWorker {
    /// Runs for ever.
    pub(super) async fn run(self) {
        let Self { worker, store, changed, frame } = self;
        let worker = Waking { worker, frame };
        tokio::join!(worker.handle_changes(changed), worker.sweep(&store));
    }
}

struct Waking {
    worker: Arc<SharedWorker>,
    frame: Arc<Frame>,
}

impl Waking {
    async fn handle_changes(&self, changed: UnboundedReceiver<Uuid>) {
        let batches = stream::unfold(changed, async |mut changed| {
            let mut order_ids = Vec::new();
            (changed.recv_many(&mut order_ids, MAX_BATCH).await > 0).then_some((order_ids, changed))
        });
        let invoke = async |order_ids: Vec<Uuid>| {
            self.frame.announce();
            self.invoke(stream_event(&order_ids)).await;
        };
        batches.for_each_concurrent(MAX_RUNNING, invoke).await;
    }

    /// Sweeps each minute, and whenever the clock is moved.
    async fn sweep(&self, store: &EmbeddedStore) {
        // A database of an older version has no index yet.
        if store.all_ids(None).await.is_ok_and(|order_ids| !order_ids.is_empty()) {
            self.invoke(json!({ "backfill": true })).await;
        }
        let mut minutes = tokio::time::interval(MINUTE);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = minutes.tick() => {}
                () = self.frame.clock.moved() => {
                    self.worker.replace();
                    // A move changes times, but does not know when an order expires.
                    self.invoke(json!({ "backfill": true })).await;
                }
            }
            if self.is_anything_due(store).await {
                self.invoke(json!({})).await;
            }
        }
    }

    /// Whether a sweep has anything to do. If not, none is made, so that an idle bridge does not write to the terminal each
    /// minute.
    async fn is_anything_due(&self, store: &EmbeddedStore) -> bool {
        let now = Timestamp::now().as_second();
        let queues = [AskQueue::Ask, AskQueue::Check, AskQueue::Settle].map(Partition::Ask);
        let shops = [SHOP, WEBHOOKS_SHOP].map(|shop_id| Partition::Tell { shop_id });
        for partition in queues.into_iter().chain(shops) {
            let page = store.list(&IndexQuery::until(partition, now, 1)).await;
            if page.map_or(true, |page| !page.items.is_empty()) {
                return true;
            }
        }
        false
    }

    async fn invoke(&self, event: Value) {
        if let Err(error) = self.worker.invoke(&event).await {
            tracing::error!(error, "the worker failed");
        }
    }
}

fn stream_event(order_ids: &[Uuid]) -> Value {
    let record = |order_id: &Uuid| json!({ "dynamodb": { "Keys": { "orderId": { "S": order_id } } } });
    json!({ "Records": order_ids.iter().map(record).collect::<Vec<_>>() })
}
