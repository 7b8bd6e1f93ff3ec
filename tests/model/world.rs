//! A world in which nothing happens until it is decided.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use front_payment_bridge::apply;
use front_payment_bridge::bridge::{Bridge, Deadline, Settings};
use front_payment_bridge::budget::Budget;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::order::{Record, Rules, parse_tax_rates, validate};
use front_payment_bridge::secrets::{Fetch, Secret, SecretSource, Secrets};
use front_payment_bridge::submit::{self, Outcome};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::neighbours::Neighbours;

/// A defence that is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    None,
    /// Every attempt takes the stored one for its own.
    NoAttemptId,
    /// A write succeeds whatever version is stored.
    NoVersionCondition,
    /// A fresh attempt has a callback URL of its own, and the earlier one's leads nowhere.
    NoKeptToken,
    /// The claim is not written before the order is sent.
    NoWriteBeforeSend,
}

/// What comes of an I/O step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It works.
    Done,
    /// It is not done, and fails.
    Down,
    /// It is done, and its reply is lost.
    ReplyLost,
    /// The process is killed before it.
    KilledBefore,
    /// The process is killed after it.
    KilledAfter,
    /// Front Payment answers so, and has created the order or not.
    Answers(Says, bool),
}

impl Decision {
    pub fn is_fault(self) -> bool {
        !matches!(self, Self::Done | Self::Answers(..))
    }
}

/// Front Payment's answers, one for each way that the bridge tells apart: a 510 is told like a 500, a
/// reset like a hang.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    Created,
    Refused,
    Error500,
    Unavailable503,
    Nothing,
}

pub const ANSWERS: [Says; 5] = [Says::Created, Says::Refused, Says::Error500, Says::Unavailable503, Says::Nothing];

/// An I/O step that a task waits at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    Create,
    Load,
    Replace,
    Submit,
    Status,
}

/// Which of two bodies a submit has: of 40, or of 50.
pub type Body = u8;

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// A shop was told that the order is accepted, under this uuid.
    Accepted(String),
    /// A shop was told that nothing was created.
    NothingCreated,
    /// A shop was told that nobody knows, or to wait, or that the key is another order's.
    Other(&'static str),
    /// A callback was answered so.
    Callback(&'static str),
    /// Nobody was told anything.
    Killed,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Submit(Body),
    Callback(usize),
}

/// An order that Front Payment was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    pub task: usize,
    pub body: Body,
    pub url: String,
    pub says: Option<Says>,
    pub exists: bool,
    /// Callbacks that were sent, and those that were answered with a 200.
    pub sent: u8,
    pub taken: u8,
}

pub struct Task {
    pub kind: Kind,
    pub trace: Vec<(Op, Decision)>,
    pub ended: Option<Ended>,
    future: Option<Pin<Box<dyn Future<Output = Ended>>>>,
}

impl Task {
    fn is_killed(&self) -> bool {
        matches!(self.trace.last(), Some((_, Decision::KilledBefore | Decision::KilledAfter)))
    }
}

#[derive(Default)]
pub struct Gate {
    pub waits: Option<Op>,
    pub decision: Option<Decision>,
}

/// What all neighbours share.
#[derive(Default)]
pub struct Shared {
    /// The task that runs.
    pub current: usize,
    pub gates: Vec<Gate>,
    pub records: BTreeMap<Uuid, Record>,
    pub asked: Vec<Asked>,
    /// The attempt's id of each task that made one.
    pub attempts: BTreeMap<usize, Uuid>,
    seconds: i64,
}

impl Shared {
    /// Seconds since the beginning.
    pub fn seconds(&self) -> i64 {
        self.seconds - NOW
    }
}

pub type SharedHandle = Arc<Mutex<Shared>>;

pub struct World {
    pub shared: SharedHandle,
    pub tasks: Vec<Task>,
    bridge: Arc<Bridge<Neighbours, Neighbours>>,
    secret: Arc<Secret>,
}

const SECRET: &str = r#"{"token": "t", "callbackSecret": "k", "shops": {}}"#;
const NOW: i64 = 1_781_481_600;

struct NoSource;

impl SecretSource for NoSource {
    fn fetch(&self) -> Fetch<'_> {
        Box::pin(std::future::ready(Ok(SECRET.to_owned())))
    }
}

pub fn lock(shared: &SharedHandle) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap()
}

pub fn total(body: Body) -> &'static str {
    if body == 0 { "40" } else { "50" }
}

fn document(body: Body) -> String {
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

impl World {
    pub fn new(mutant: Mutant) -> Self {
        let shared = SharedHandle::default();
        lock(&shared).seconds = NOW;
        let time = shared.clone();
        let clock = Clock::new(move || Timestamp::from_second(lock(&time).seconds).unwrap());
        let neighbours = || Neighbours::new(shared.clone(), mutant);
        let bridge = Bridge {
            store: neighbours(),
            front_payment: neighbours(),
            secrets: Secrets::new(NoSource, clock.clone()),
            clock,
            readings: Budget::default(),
            settings: Settings::default(),
        };
        let secret = Arc::new(Secret::parse(SECRET).unwrap());
        Self { bridge: Arc::new(bridge), secret, tasks: Vec::new(), shared }
    }

    pub fn waits_at(&self, task: usize) -> Option<Op> {
        lock(&self.shared).gates[task].waits
    }

    pub fn pass(&self, seconds: i64) {
        lock(&self.shared).seconds += seconds;
    }

    pub fn seconds(&self) -> i64 {
        lock(&self.shared).seconds()
    }

    /// A shop's request with the one key, up to its first step.
    pub async fn submit(&mut self, body: Body) {
        let (bridge, secret) = (self.bridge.clone(), self.secret.clone());
        self.start(
            Kind::Submit(body),
            Box::pin(async move {
                let rates = parse_tax_rates("0,12,15,25").unwrap();
                let now = bridge.clock.now();
                let rules = Rules { now, tax_rates: &rates, enforce_advisories: false };
                let validated = validate(document(body).as_bytes(), &rules).unwrap_or_else(|_| panic!("not valid"));
                let deadline = Deadline(now + SignedDuration::from_secs(29));
                let request = submit::Request {
                    shop_id: "shop",
                    idempotency_key: Some("key"),
                    validated,
                    callback_base: "https://bridge",
                    secret,
                    deadline,
                };
                match submit::submit(&bridge, request).await.outcome {
                    Outcome::Accepted { accepted, .. } => Ended::Accepted(accepted.order_uuid),
                    Outcome::Refused(_)
                    | Outcome::Failed { .. }
                    | Outcome::Unavailable
                    | Outcome::Storage
                    | Outcome::NotFresh(_) => Ended::NothingCreated,
                    Outcome::Unknown | Outcome::EarlierUnknown => Ended::Other("unknown"),
                    Outcome::InProgress => Ended::Other("in progress"),
                    Outcome::KeyReused => Ended::Other("key reused"),
                    Outcome::Internal => Ended::Other("internal"),
                }
            }),
        )
        .await;
    }

    /// Front Payment's callback for an order that it has, up to its first step.
    pub async fn callback(&mut self, index: usize) {
        let asked = {
            let mut shared = lock(&self.shared);
            shared.asked[index].sent += 1;
            shared.asked[index].clone()
        };
        let (bridge, secret) = (self.bridge.clone(), self.secret.clone());
        self.start(
            Kind::Callback(index),
            Box::pin(async move {
                let mut path = asked.url.rsplit('/');
                let token = path.next().unwrap();
                let order_id = Uuid::parse_str(path.next().unwrap()).unwrap();
                let raw_query = query(index, total(asked.body));
                let deadline = Deadline(bridge.clock.now() + SignedDuration::from_secs(29));
                let request = apply::Request { order_id, token, raw_query: &raw_query, secret, deadline };
                Ended::Callback(match apply::apply(&bridge, request).await.outcome {
                    apply::Outcome::Applied | apply::Outcome::Known | apply::Outcome::Twice => "taken",
                    apply::Outcome::ReadBack => "read back",
                    apply::Outcome::NotFound => "not found",
                    apply::Outcome::NotBelieved => "not believed",
                    apply::Outcome::NoStatus | apply::Outcome::Storage => "to be repeated",
                })
            }),
        )
        .await;
    }

    async fn start(&mut self, kind: Kind, future: Pin<Box<dyn Future<Output = Ended>>>) {
        lock(&self.shared).gates.push(Gate::default());
        self.tasks.push(Task { kind, trace: Vec::new(), ended: None, future: Some(future) });
        self.run(self.tasks.len() - 1).await;
    }

    /// Decides what comes of the step that a task waits at, and lets it go on to its next one.
    pub async fn decide(&mut self, task: usize, decision: Decision) {
        let op = self.waits_at(task).expect("it waits at nothing");
        self.tasks[task].trace.push((op, decision));
        if decision != Decision::KilledBefore {
            lock(&self.shared).gates[task].decision = Some(decision);
            self.run(task).await;
        }
        if self.tasks[task].is_killed() {
            self.tasks[task].future = None;
            self.tasks[task].ended = Some(Ended::Killed);
            lock(&self.shared).gates[task].waits = None;
        }
    }

    async fn run(&mut self, task: usize) {
        loop {
            lock(&self.shared).current = task;
            let Some(future) = self.tasks[task].future.as_mut() else { return };
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(ended) => {
                    self.tasks[task].future = None;
                    if let (Kind::Callback(index), Ended::Callback("taken" | "read back")) = (&self.tasks[task].kind, &ended) {
                        lock(&self.shared).asked[*index].taken += 1;
                    }
                    self.tasks[task].ended = Some(ended);
                    return;
                }
                Poll::Pending if lock(&self.shared).gates[task].waits.is_some() => return,
                Poll::Pending if self.tasks[task].is_killed() => return,
                // It sleeps before it tries again.
                Poll::Pending => tokio::time::advance(Duration::from_secs(1)).await,
            }
        }
    }
}

/// What makes a callback of an order the same one again.
pub fn query(index: usize, amount: &str) -> String {
    let checksum = Sha256::digest(format!("ODR{index}INVOICEDx{amount}11k"));
    let checksum: String = checksum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("orderUuid=ODR{index}&status=INVOICED&paymentMethod=x&amount={amount}&createdAt=1&timestamp=1&checksum={checksum}")
}
