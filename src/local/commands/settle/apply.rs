//! Applies the decisions, one order after the other. Each write is conditional on the version that was read: an order that a
//! callback has settled meanwhile stays as it is, and a second run changes nothing.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::SettleError;
use super::sheet::Decided;
use crate::order::{Finding, StoredOrder};
use crate::store::{OrderStore, StoreError, WriteError};

/// What a decision comes to.
enum Step {
    Settle(Box<StoredOrder>, Finding),
    /// It was settled before, by a callback or an earlier run.
    Settled(Box<StoredOrder>),
    Wrong(String),
}

/// Prints a line for each decision. Where one is wrong, nothing is written.
pub(super) async fn run<S: OrderStore>(store: &S, decisions: &[Decided], write: bool) -> Result<(), SettleError> {
    let now = Timestamp::now();
    let (mut steps, mut uuids, mut undecided) = (Vec::new(), HashSet::new(), 0usize);
    for decided in decisions {
        match decided.finding() {
            Ok(None) => undecided += 1,
            Ok(Some(finding)) => steps.push((decided, step(store, decided, finding, &mut uuids, now).await?)),
            Err(why) => steps.push((decided, Step::Wrong(why.to_owned()))),
        }
    }
    let wrong = steps.iter().filter(|(_, step)| matches!(step, Step::Wrong(_))).count();
    let (mut bound, mut failed, mut settled, mut unstored) = (0usize, 0usize, 0usize, 0usize);
    let writes = write && wrong == 0;
    let would_be = if writes { "" } else { "would be " };
    for (decided, step) in &steps {
        let line = match step {
            Step::Wrong(why) => format!("wrong: {why}"),
            Step::Settled(order) => {
                settled += 1;
                format!("left alone: it is {} by now", order.status.name())
            }
            Step::Settle(order, finding) => match settle(store, order, finding, writes, now).await {
                Ok(true) => match finding {
                    Finding::Order(uuid) => {
                        bound += 1;
                        format!("{would_be}bound to {uuid}")
                    }
                    Finding::NotCreated => {
                        failed += 1;
                        format!("{would_be}FAILED: the same key is sent afresh")
                    }
                },
                Ok(false) => {
                    settled += 1;
                    "left alone: it was settled at this moment".to_owned()
                }
                Err(error) => {
                    unstored += 1;
                    format!("not stored: {error}")
                }
            },
        };
        println!("{}  {line}", decided.order_id);
    }
    println!(
        "{bound} {would_be}bound, {failed} {would_be}FAILED, {settled} left alone, {undecided} undecided, {wrong} wrong. \
         A FAILED order is sent afresh when its shop sends it again: mark only what the portal does not have."
    );
    match (wrong, unstored) {
        (0, 0) => Ok(()),
        (0, unstored) => Err(SettleError::Unfinished(unstored)),
        (wrong, _) => Err(SettleError::Refused(wrong)),
    }
}

async fn step<S: OrderStore>(
    store: &S,
    decided: &Decided,
    finding: Finding,
    uuids: &mut HashSet<String>,
    now: Timestamp,
) -> Result<Step, SettleError> {
    let wrong = |why: &str| Ok(Step::Wrong(why.to_owned()));
    let Ok(order_id) = Uuid::try_parse(decided.order_id.trim()) else { return wrong("this is no orderId") };
    if let Finding::Order(uuid) = &finding
        && !uuids.insert(uuid.clone())
    {
        return wrong("another line has the same orderUuid");
    }
    let Some(order) = store.load(order_id).await.map_err(SettleError::Table)? else {
        return wrong("the table does not have this order");
    };
    Ok(if order.is_to_settle(now) { Step::Settle(Box::new(order), finding) } else { Step::Settled(Box::new(order)) })
}

/// Whether the order is settled like this, or would be.
async fn settle<S: OrderStore>(
    store: &S,
    order: &StoredOrder,
    finding: &Finding,
    write: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(next) = order.settle(finding, now) else { return Ok(false) };
    if !write {
        return Ok(true);
    }
    match store.replace(order, &next).await {
        Ok(()) => Ok(true),
        Err(WriteError::Conflict(_)) => Ok(false),
        Err(WriteError::Store(error)) => Err(error),
    }
}
