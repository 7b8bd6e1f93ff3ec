//! The services that the bridge calls. Each step waits until it is decided what comes of it.

use std::future::{pending, poll_fn, ready};
use std::task::Poll;

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::secrets::{SecretFetch, SecretSource};
use front_payment_bridge::store::{OrderStore, StoreError, WriteError};
use uuid::Uuid;

use crate::decisions::{Decision, Op};
use crate::mutants::{self, Mutant};
use crate::world::{SharedHandle, Told, lock};

pub struct Services {
    pub shared: SharedHandle,
}

impl Services {
    /// Waits until it is decided what comes of a step.
    pub async fn gate(&self, op: Op) -> (usize, Decision) {
        let task = lock(&self.shared).current;
        lock(&self.shared).gates[task].waits = Some(op);
        let waiting = Waiting { shared: &self.shared, task };
        let decision = poll_fn(|context| {
            let gate = &mut lock(&self.shared).gates[task];
            gate.waker = Some(context.waker().clone());
            gate.decision.take().map_or(Poll::Pending, Poll::Ready)
        });
        let decision = decision.await;
        drop(waiting);
        (task, decision)
    }

    async fn write(&self, op: Op, next: &StoredOrder, current: Option<&StoredOrder>) -> Result<(), WriteError> {
        let (task, decision) = self.gate(op).await;
        let result = {
            let mut shared = lock(&self.shared);
            let mutant = shared.store.mutant;
            let mut write = || match shared.write(next, current) {
                Err(WriteError::Conflict(Some(stored)))
                    if mutant == Mutant::NoTellClaim && mutants::is_tell_claim(next, current) =>
                {
                    let (notifications, version) = (next.notifications.clone(), stored.version + 1);
                    shared.write(&StoredOrder { notifications, version, ..*stored.clone() }, Some(&stored))
                }
                Err(WriteError::Conflict(Some(stored))) if op == Op::Replace && mutant == Mutant::NoVersionCondition => {
                    shared.write(next, Some(&stored))
                }
                Err(WriteError::Conflict(Some(mut stored))) => {
                    mutants::show(mutant, &mut stored, next, current);
                    Err(WriteError::Conflict(Some(stored)))
                }
                written => written,
            };
            match decision {
                Decision::Done if op == Op::Create && mutant == Mutant::NoWriteBeforeSend => Ok(()),
                Decision::Done | Decision::KilledAfter => write(),
                Decision::Down => Err(failed()),
                Decision::ReplyLost => write().and(Err(failed())),
                Decision::Late => {
                    shared.late.push((next.clone(), current.cloned()));
                    Err(failed())
                }
                other => panic!("{other:?} at {op:?}"),
            }
        };
        if decision == Decision::KilledAfter {
            pending::<()>().await;
        }
        if let Err(WriteError::Conflict(Some(stored))) = &result {
            self.note_told(task, stored);
        }
        result
    }

    fn note_told(&self, task: usize, order: &StoredOrder) {
        lock(&self.shared).gates[task].told.push(Told::Order(Box::new(order.clone())));
    }
}

/// A task at a step. It leaves the step when that is decided, or when it has waited long enough.
struct Waiting<'s> {
    shared: &'s SharedHandle,
    task: usize,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(self.shared).gates[self.task].waits = None;
    }
}

fn failed<E: From<StoreError>>() -> E {
    StoreError::failed("decided").into()
}

impl OrderStore for Services {
    async fn create(&self, order: &StoredOrder) -> Result<(), WriteError> {
        let task = lock(&self.shared).current;
        self.note_told(task, order); // its attempt's id and its token are random
        self.write(Op::Create, order, None).await
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        let (task, decision) = self.gate(Op::Load).await;
        match decision {
            Decision::Done => {
                let found = lock(&self.shared).store.item.clone().filter(|order| order.order_id == order_id);
                found.iter().for_each(|order| self.note_told(task, order));
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

pub const SECRET: &str = r#"{"token": "t", "callbackSecret": "k",
    "shops": {"shop": {"apiKeySha256": [], "notify": {"keys": ["a-key-of-twenty-four-bytes"]}}}}"#;

/// Secrets Manager, with a secret that never changes.
pub struct NoSource;

impl SecretSource for NoSource {
    fn fetch(&self) -> SecretFetch<'_> {
        Box::pin(ready(Ok(SECRET.to_owned())))
    }
}
