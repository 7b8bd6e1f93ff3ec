//! The services that the bridge calls. Each step waits until the model decides its result.

use std::future::{pending, poll_fn, ready};
use std::task::Poll;

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::secrets::{SecretFetch, SecretSource};
use front_payment_bridge::store::{IndexEntry, IndexQuery, OrderIndex, OrderStore, Page, StoreError, WriteError};
use uuid::Uuid;

use crate::decisions::{Decision, Op};
use crate::mutants::{self, Mutant};
use crate::tasks::BranchId;
use crate::world::{Branch, LateWrite, SharedHandle, Told, lock};

pub struct Services {
    pub shared: SharedHandle,
}

/// A branch of a task.
#[derive(Clone, Copy)]
pub struct Place {
    pub task: usize,
    pub branch: BranchId,
}

impl Services {
    /// Waits until the model decides the result of a step.
    pub async fn gate(&self, op: Op) -> (Place, Decision) {
        let place = {
            let mut shared = lock(&self.shared);
            let task = shared.current;
            let gate = &mut shared.gates[task];
            let branch = gate.resumed.take().unwrap_or_else(|| {
                gate.branches.push(Branch::default());
                gate.branches.len() - 1
            });
            gate.branches[branch].waits = Some(op);
            Place { task, branch }
        };
        let waiting = Waiting { shared: &self.shared, place };
        let decision = poll_fn(|context| {
            let branch = &mut lock(&self.shared).gates[place.task].branches[place.branch];
            branch.waker = Some(context.waker().clone());
            branch.decision.take().map_or(Poll::Pending, Poll::Ready)
        });
        let decision = decision.await;
        drop(waiting);
        (place, decision)
    }

    async fn write(&self, op: Op, next: &StoredOrder, current: Option<&StoredOrder>) -> Result<(), WriteError> {
        let (place, decision) = self.gate(op).await;
        let result = {
            let mut shared = lock(&self.shared);
            let mutant = shared.truth.store.mutant;
            let mut write = || match shared.write(place.task, next, current) {
                Err(WriteError::Conflict(Some(stored)))
                    if mutant == Mutant::NoTellClaim && mutants::is_tell_claim(next, current) =>
                {
                    let (notifications, version) = (next.notifications.clone(), stored.version + 1);
                    shared.write(place.task, &StoredOrder { notifications, version, ..*stored.clone() }, Some(&stored))
                }
                Err(WriteError::Conflict(Some(stored))) if op == Op::Replace && mutant == Mutant::NoVersionCondition => {
                    shared.write(place.task, next, Some(&stored))
                }
                Err(WriteError::Conflict(Some(stored)))
                    if mutant == Mutant::NoReadAgain
                        && let Some(next) = mutants::overwritten_by_read(next, current, &stored) =>
                {
                    shared.write(place.task, &next, Some(&stored))
                }
                Err(WriteError::Conflict(Some(mut stored))) => {
                    mutants::show(mutant, &mut stored, next, current);
                    Err(WriteError::Conflict(Some(stored)))
                }
                written => written,
            };
            match decision {
                Decision::Done if mutant == Mutant::NoWriteBeforeSend && op == Op::Create => Ok(()),
                Decision::Done if mutant == Mutant::NoWriteBeforeCancel && mutants::is_cancel_request(next, current) => Ok(()),
                Decision::Done | Decision::KilledAfter => write(),
                Decision::Down => Err(failed()),
                Decision::ReplyLost => write().and(Err(failed())),
                Decision::Late => {
                    shared.late.push(LateWrite { task: place.task, next: next.clone(), current: current.cloned() });
                    Err(failed())
                }
                other => panic!("{other:?} at {op:?}"),
            }
        };
        if decision == Decision::KilledAfter {
            pending::<()>().await;
        }
        if let Err(WriteError::Conflict(Some(stored))) = &result {
            self.note_told(place, stored);
        }
        result
    }

    fn note_told(&self, place: Place, order: &StoredOrder) {
        let told = Told::Order(Box::new(order.clone()));
        lock(&self.shared).gates[place.task].branches[place.branch].told.push(told);
    }
}

/// A branch that waits at a step. It leaves the step when that is decided, or when it has waited too long.
struct Waiting<'s> {
    shared: &'s SharedHandle,
    place: Place,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Place { task, branch } = self.place;
        lock(self.shared).gates[task].branches[branch].waits = None;
    }
}

fn failed<E: From<StoreError>>() -> E {
    StoreError::failed("decided").into()
}

impl OrderStore for Services {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        {
            // The id of the attempt and the callback token are random, so the model remembers them.
            let mut shared = lock(&self.shared);
            let task = shared.current;
            shared.gates[task].claims.push(order.clone());
        }
        self.write(Op::Create, order, None).await
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        let (place, decision) = self.gate(Op::Load).await;
        match decision {
            Decision::Done => {
                let found = lock(&self.shared).truth.store.item.clone().filter(|order| order.order_id == order_id);
                found.iter().for_each(|order| self.note_told(place, order));
                Ok(found)
            }
            Decision::KilledAfter => pending().await,
            _ => Err(failed()),
        }
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        self.write(Op::Replace, next, Some(current)).await
    }
}

impl OrderIndex for Services {
    /// Not a step of its own, because a worker reads the order itself before it acts.
    async fn list(&self, query: &IndexQuery<'_>) -> Result<Page<IndexEntry>, StoreError> {
        let entry = lock(&self.shared).truth.store.list(query);
        Ok(Page { items: entry.into_iter().collect(), next: None })
    }

    async fn all_ids(&self, _: Option<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        ready(Ok(Vec::new())).await
    }
}

pub const SECRET: &str = r#"{"token": "t", "callbackSecret": "k",
    "shops": {"shop": {"apiKeySha256": [], "notify": {"keys": ["a-key-of-twenty-four-bytes"]}}}}"#;

/// Secrets Manager, with a secret that never changes.
pub struct NoSource;

impl SecretSource for NoSource {
    fn fetch(&self) -> SecretFetch<'_> {
        Box::pin(ready(Ok(SECRET.to_owned())))
    }
}
