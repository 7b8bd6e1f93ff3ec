//! The worker in this process. Each write wakes it, as a table's stream does; and it sweeps once a minute.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::invocation::invocation;
use super::watched_store::WatchedStore;
use crate::front_payment::Client;
use crate::notify::ShopClient;
use crate::order::Queue;
use crate::store::{EmbeddedStore, OrderQueue};
use crate::worker::Worker;

/// Orders in one event.
const MAX_BATCH: usize = 10;
/// Events that are handled at once.
const MAX_RUNNING: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);
const TIMEOUT: SignedDuration = SignedDuration::from_secs(60);

type SharedWorker = Arc<Worker<WatchedStore, Client, ShopClient>>;

pub(super) struct LocalWorker {
    pub(super) worker: SharedWorker,
    pub(super) store: EmbeddedStore,
    /// The orders that were written.
    pub(super) changed: UnboundedReceiver<Uuid>,
}

impl LocalWorker {
    /// Never ends.
    pub(super) async fn run(self) {
        let Self { worker, store, changed } = self;
        tokio::join!(handle_changes(&worker, changed), sweep(&worker, &store));
    }
}

async fn handle_changes(worker: &SharedWorker, changed: UnboundedReceiver<Uuid>) {
    let batches = stream::unfold(changed, async |mut changed| {
        let mut order_ids = Vec::new();
        (changed.recv_many(&mut order_ids, MAX_BATCH).await > 0).then_some((order_ids, changed))
    });
    batches.for_each_concurrent(MAX_RUNNING, |order_ids| invoke(worker, stream_event(&order_ids))).await;
}

async fn sweep(worker: &SharedWorker, store: &EmbeddedStore) {
    // The database may be one of an older version, which had no index.
    if store.all_ids(None).await.is_ok_and(|page| !page.items.is_empty()) {
        invoke(worker, json!({ "backfill": true })).await;
    }
    let mut minutes = tokio::time::interval(MINUTE);
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        if is_anything_due(store).await {
            invoke(worker, json!({})).await;
        }
    }
}

/// Without this, an idle bridge would write to the terminal each minute.
async fn is_anything_due(store: &EmbeddedStore) -> bool {
    let now = Timestamp::now().as_second();
    let is_due = async |queue| store.due(queue, now, None).await.map_or(true, |page| !page.items.is_empty());
    is_due(Queue::Due).await || is_due(Queue::Settle).await
}

/// In a task of its own: a panic ends this invocation and no more.
async fn invoke(worker: &SharedWorker, event: Value) {
    let worker = worker.clone();
    let handling = tokio::spawn(async move { worker.invoke(invocation(&event, TIMEOUT)?).await });
    match handling.await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(error, "the worker failed"),
        Err(error) => tracing::error!(error = %error, "the worker failed"),
    }
}

fn stream_event(order_ids: &[Uuid]) -> Value {
    let record = |order_id: &Uuid| json!({ "dynamodb": { "Keys": { "orderId": { "S": order_id } } } });
    json!({ "Records": order_ids.iter().map(record).collect::<Vec<_>>() })
}
