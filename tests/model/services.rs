//! The store and Front Payment, which do at each step what is decided.

use std::future::{pending, ready};
use std::task::Poll;
use std::time::Duration;

use front_payment_bridge::front_payment::{FrontPayment, ReplyHead, StatusCall, StatusError, SubmitCall, SubmitReply};
use front_payment_bridge::order::{CreatedOrder, Order, Status, StatusWord, StoredOrder};
use front_payment_bridge::secrets::{Redacted, SecretFetch, SecretSource};
use front_payment_bridge::store::{OrderStore, StoreError, WriteError};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::decisions::{Asked, Body, Decision, Mutant, Op, Says, Word};
use crate::world::{Shared, SharedHandle, lock, now};

pub struct Neighbours {
    shared: SharedHandle,
    mutant: Mutant,
}

impl Neighbours {
    pub fn new(shared: SharedHandle, mutant: Mutant) -> Self {
        Self { shared, mutant }
    }

    /// Waits until it is decided what comes of a step.
    async fn gate(&self, op: Op) -> (usize, Decision) {
        let task = lock(&self.shared).current;
        lock(&self.shared).gates[task].waits = Some(op);
        let waiting = Waiting { shared: &self.shared, task };
        let decision =
            std::future::poll_fn(|_| lock(&self.shared).gates[task].decision.take().map_or(Poll::Pending, Poll::Ready));
        let decision = decision.await;
        drop(waiting);
        (task, decision)
    }

    /// A write, over what was read or over nothing.
    async fn write(&self, op: Op, next: &StoredOrder, current: Option<&StoredOrder>) -> Result<(), WriteError> {
        let (task, decision) = self.gate(op).await;
        let write = |shared: &mut Shared| match shared.write(next, current) {
            Err(WriteError::Conflict(Some(stored))) if op == Op::Replace && self.mutant == Mutant::NoVersionCondition => {
                shared.write(next, Some(&stored))
            }
            Err(WriteError::Conflict(stored)) => Err(WriteError::Conflict(stored.map(|stored| self.shown(*stored, next)))),
            written => written,
        };
        let result = {
            let mut shared = lock(&self.shared);
            match decision {
                Decision::Done if op == Op::Create && self.mutant == Mutant::NoWriteBeforeSend => Ok(()),
                Decision::Done => write(&mut shared),
                Decision::Down => Err(failed()),
                Decision::ReplyLost => write(&mut shared).and(Err(failed())),
                Decision::Late => {
                    shared.late.push((next.clone(), current.cloned()));
                    Err(failed())
                }
                Decision::KilledAfter => write(&mut shared),
                other => panic!("{other:?} at {op:?}"),
            }
        };
        if decision == Decision::KilledAfter {
            pending::<()>().await;
        }
        if let Err(WriteError::Conflict(Some(stored))) = &result {
            self.told(task, stored);
        }
        result
    }

    /// Notes what a task was shown.
    fn told(&self, task: usize, record: &StoredOrder) {
        lock(&self.shared).gates[task].told += &serde_json::to_string(record).unwrap();
    }

    /// What the code is shown of a stored record.
    fn shown(&self, mut stored: StoredOrder, to: &StoredOrder) -> Box<StoredOrder> {
        match self.mutant {
            Mutant::NoAttemptId => stored.attempt = to.attempt,
            Mutant::NoKeptToken if to.version == 1 => stored.callback_token.clone_from(&to.callback_token),
            _ => {}
        }
        Box::new(stored)
    }
}

/// A task at a step, until that is decided, or the task has waited long enough.
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
    StoreError::DynamoDb("decided".to_owned()).into()
}

impl OrderStore for Neighbours {
    async fn create(&self, record: &StoredOrder) -> Result<(), WriteError> {
        let task = {
            let mut shared = lock(&self.shared);
            shared.order_id = Some(record.order_id);
            shared.current
        };
        self.told(task, record); // its attempt's id and its token are random
        self.write(Op::Create, record, None).await
    }

    async fn load(&self, order_id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        let (task, decision) = self.gate(Op::Load).await;
        let found = now(lock(&self.shared).store.load(order_id));
        match decision {
            Decision::Done => {
                if let Ok(Some(record)) = &found {
                    self.told(task, record);
                }
                found
            }
            Decision::KilledAfter => pending().await,
            _ => Err(failed()),
        }
    }

    async fn replace(&self, current: &StoredOrder, next: &StoredOrder) -> Result<(), WriteError> {
        self.write(Op::Replace, next, Some(current)).await
    }
}

impl FrontPayment for Neighbours {
    async fn submit(&self, order: &Order, callback_url: &str, _: &Redacted, _: Duration) -> SubmitCall {
        let index = {
            let mut shared = lock(&self.shared);
            let body = Body::from(order.summary.grand_total.text() != total(0));
            let (task, url) = (shared.current, callback_url.to_owned());
            shared.asked.push(Asked { task, body, url, says: None, exists: false, sent: [0; 3], taken: [0; 3] });
            shared.asked.len() - 1
        };
        let (says, exists) = match self.gate(Op::Submit).await.1 {
            Decision::Answers(says, exists) => (Some(says), exists),
            Decision::KilledAfter => (None, true),
            other => panic!("{other:?} at a submit"),
        };
        {
            let asked = &mut lock(&self.shared).asked[index];
            (asked.says, asked.exists) = (says, exists);
        }
        let Some(says) = says else { pending().await };
        let answer = match says {
            Says::Created201 => SubmitReply::Created(CreatedOrder {
                order_uuid: format!("ODR{index}"),
                customer_uuid: None,
                bank_id_url: Some("https://bankid".to_owned()),
                has_unusable_link: false,
                status: Status::Sent,
            }),
            Says::Refused417 => SubmitReply::Rejected(Vec::new()),
            Says::Denied401 => SubmitReply::Unauthorized,
            Says::Error500 | Says::Error510 => SubmitReply::Failed { may_exist: true, unproven: true },
            Says::Unavailable503 => SubmitReply::Unavailable { may_exist: true },
            Says::Hangs | Says::Resets => SubmitReply::Unknown,
        };
        SubmitCall { reply: answer, head: ReplyHead::default(), reason: String::new() }
    }

    async fn status(&self, order_uuid: &str, _: &Redacted, _: Duration) -> StatusCall {
        let (task, decision) = self.gate(Op::Status).await;
        if decision == Decision::KilledAfter {
            pending::<()>().await;
        }
        let mut shared = lock(&self.shared);
        let asked = order_uuid.strip_prefix("ODR").and_then(|index| shared.asked.get(index.parse::<usize>().ok()?));
        let status = match asked {
            Some(asked) if decision == Decision::Done => Ok(asked.status()),
            _ => Err(StatusError::Other("decided".to_owned())),
        };
        shared.gates[task].told += &format!("{status:?}");
        StatusCall { status: status.map(StatusWord::Known), head: ReplyHead::default() }
    }
}

pub const SECRET: &str = r#"{"token": "t", "callbackSecret": "k", "shops": {}}"#;

/// Secrets Manager: it has but the one secret.
pub struct NoSource;

impl SecretSource for NoSource {
    fn fetch(&self) -> SecretFetch<'_> {
        Box::pin(ready(Ok(SECRET.to_owned())))
    }
}

pub fn total(body: Body) -> &'static str {
    if body == 0 { "40" } else { "50" }
}

pub fn document(body: Body) -> String {
    let total = total(body);
    format!(
        r#"{{"products":[{{"name":"A","quantity":1,"rate":{total},"tax":0,"amount":{total}}}],
        "orderSummary":{{"subTotal":{total},"totalTax":0,"totalDiscount":0,"grandTotal":"{total}"}},"orderDate":"4070908800",
        "customerDetails":{{"type":"private","countryCode":"+47","msisdn":"46567468","email":"a@b.no","name":"K",
        "personalNumber":"30908299902","address":{{"street":"S","zip":"1","city":"C","country":"NO"}}}},
        "invoiceFeeApplicable":true,
        "callback":{{"callbackUrl":"https://s.no","success":"https://s.no","failure":"https://s.no"}}}}"#
    )
}

/// The query of a callback of the order `ODR{index}`.
pub fn query(index: usize, word: Word, amount: &str) -> String {
    let word = word.text();
    let checksum = Sha256::digest(format!("ODR{index}{word}x{amount}11k"));
    let checksum: String = checksum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("orderUuid=ODR{index}&status={word}&paymentMethod=x&amount={amount}&createdAt=1&timestamp=1&checksum={checksum}")
}
