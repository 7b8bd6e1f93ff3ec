//! The store and Front Payment, which do at each step what is decided.

use std::task::Poll;
use std::time::Duration;

use front_payment_bridge::front_payment::{Answer, FrontPayment, NoStatus, StatusReading, Submission};
use front_payment_bridge::order::{Created, Order, Record, Status, StatusWord};
use front_payment_bridge::secrets::Redacted;
use front_payment_bridge::store::{OrderStore, Unavailable, WriteError};
use uuid::Uuid;

use crate::world::{Asked, Body, Decision, Mutant, Op, Says, Shared, SharedHandle, lock, total};

pub struct Neighbours {
    shared: SharedHandle,
    mutant: Mutant,
}

impl Neighbours {
    pub fn new(shared: SharedHandle, mutant: Mutant) -> Self {
        Self { shared, mutant }
    }

    /// Waits until it is decided what comes of a step.
    async fn gate(&self, op: Op) -> Decision {
        let task = lock(&self.shared).current;
        lock(&self.shared).gates[task].waits = Some(op);
        std::future::poll_fn(|_| {
            let mut shared = lock(&self.shared);
            let gate = &mut shared.gates[task];
            match gate.decision.take() {
                Some(decision) => {
                    gate.waits = None;
                    Poll::Ready(decision)
                }
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Does a step of the store's, or not.
    async fn step<T, E: From<Unavailable>>(&self, op: Op, work: impl FnOnce(&mut Shared) -> Result<T, E>) -> Result<T, E> {
        match self.gate(op).await {
            Decision::Done => work(&mut lock(&self.shared)),
            Decision::Down => Err(failed()),
            Decision::ReplyLost => {
                drop(work(&mut lock(&self.shared)));
                Err(failed())
            }
            Decision::KilledAfter => {
                drop(work(&mut lock(&self.shared)));
                std::future::pending().await
            }
            other => panic!("{other:?} at {op:?}"),
        }
    }

    /// What the code is shown of a stored record.
    fn shown(&self, stored: &Record, to: &Record) -> Box<Record> {
        let mut shown = stored.clone();
        match self.mutant {
            Mutant::NoAttemptId => shown.attempt = to.attempt,
            Mutant::NoKeptToken if to.version == 1 => shown.callback_token = to.callback_token.clone(),
            _ => {}
        }
        Box::new(shown)
    }
}

fn failed<E: From<Unavailable>>() -> E {
    Unavailable("decided".to_owned()).into()
}

impl OrderStore for Neighbours {
    async fn create(&self, record: &Record) -> Result<(), WriteError> {
        {
            let mut shared = lock(&self.shared);
            let task = shared.current;
            shared.attempts.insert(task, record.attempt);
        }
        self.step(Op::Create, |shared| match shared.records.get(&record.order_id) {
            Some(stored) => Err(WriteError::Conflict(Some(self.shown(stored, record)))),
            None if self.mutant == Mutant::NoWriteBeforeSend => Ok(()),
            None => {
                shared.records.insert(record.order_id, record.clone());
                Ok(())
            }
        })
        .await
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<Record>, Unavailable> {
        self.step(Op::Load, |shared| Ok(shared.records.get(&order_id).cloned())).await
    }

    async fn replace(&self, current: &Record, next: &Record) -> Result<(), WriteError> {
        self.step(Op::Replace, |shared| {
            let stored = shared.records.get(&next.order_id);
            let is_current = stored.is_some_and(|stored| stored.version == current.version);
            if !is_current && self.mutant != Mutant::NoVersionCondition {
                return Err(WriteError::Conflict(stored.map(|stored| self.shown(stored, next))));
            }
            shared.records.insert(next.order_id, next.clone());
            Ok(())
        })
        .await
    }
}

impl FrontPayment for Neighbours {
    async fn submit(&self, order: &Order, callback_url: &str, _: &Redacted, _: Duration) -> Submission {
        let index = {
            let mut shared = lock(&self.shared);
            let body = Body::from(order.summary.grand_total.text() != total(0));
            let task = shared.current;
            shared.asked.push(Asked { task, body, url: callback_url.to_owned(), says: None, exists: false, sent: 0, taken: 0 });
            shared.asked.len() - 1
        };
        let (says, exists, killed) = match self.gate(Op::Submit).await {
            Decision::Answers(says, exists) => (says, exists, false),
            Decision::KilledAfter => (Says::Nothing, true, true),
            other => panic!("{other:?} at a submit"),
        };
        {
            let mut shared = lock(&self.shared);
            shared.asked[index].says = Some(says);
            shared.asked[index].exists = exists;
        }
        if killed {
            std::future::pending::<()>().await;
        }
        let answer = match says {
            Says::Created => Answer::Created(Created {
                order_uuid: format!("ODR{index}"),
                customer_uuid: None,
                bank_id_url: Some("https://bankid".to_owned()),
                status: Status::Sent,
            }),
            Says::Refused => Answer::Refused(Vec::new()),
            Says::Error500 => Answer::Failed { its_word: true },
            Says::Unavailable503 => Answer::Unavailable,
            Says::Nothing => Answer::Unknown,
        };
        Submission { answer, http_status: None, rate_limit_remaining: None, reason: String::new() }
    }

    async fn status(&self, order_uuid: &str, _: &Redacted, _: Duration) -> StatusReading {
        let status = match self.gate(Op::Status).await {
            Decision::Done if order_uuid.starts_with("ODR") => Ok(StatusWord::Known(Status::Invoiced)),
            _ => Err(NoStatus::Other("decided".to_owned())),
        };
        StatusReading { status, http_status: None, rate_limit_remaining: None }
    }
}
