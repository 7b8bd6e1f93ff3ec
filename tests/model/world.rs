//! A world in which nothing happens until it is decided.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::deadline::Deadline;
use front_payment_bridge::order::{Order, Rules, Status, StoredOrder, Validated, parse_tax_rates, validate};
use front_payment_bridge::secrets::{Secret, SecretCache};
use front_payment_bridge::status::{self, CallbackOutcome, CallbackRequest, ReadBudget};
use front_payment_bridge::store::{EmbeddedStore, OrderStore, WriteError};
use front_payment_bridge::submit::{self, SubmitOutcome, SubmitRequest};
use jiff::{SignedDuration, Timestamp};
use tokio::task::unconstrained;
use uuid::Uuid;

use crate::decisions::{Asked, Body, Decision, Mutant, Op, Word};
use crate::services::{Neighbours, NoSource, SECRET, document, query, total};

const BEGINNING: i64 = 1_781_481_600;
/// Then it has grown enough.
const BEGINNINGS_IN_A_STORE: usize = 5_000;

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// A shop was told that the order is accepted, under this uuid.
    Accepted(String),
    /// The same, when it was too late to write it down.
    AcceptedLate,
    /// A shop was told that nothing was created.
    NothingCreated,
    /// A shop was told that nobody knows, or to wait, or that the key is another order's.
    Other(&'static str),
    /// A callback was answered so.
    Callback(&'static str),
    /// Nobody was told anything.
    Killed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Submit(Body),
    Callback(usize, Word),
}

pub struct Task {
    pub kind: Kind,
    pub trace: Vec<(Op, Decision)>,
    pub ended: Option<Ended>,
    began: i64,
    future: Option<Pin<Box<dyn Future<Output = Ended>>>>,
}

impl Task {
    pub fn is_submit(&self) -> bool {
        matches!(self.kind, Kind::Submit(_))
    }

    /// Its deadline has passed: a lease has run out meanwhile.
    pub fn is_late(&self, seconds: i64) -> bool {
        seconds > self.began
    }

    fn is_killed(&self) -> bool {
        matches!(self.trace.last(), Some((_, Decision::KilledBefore | Decision::KilledAfter)))
    }
}

#[derive(Default)]
pub struct Gate {
    pub waits: Option<Op>,
    pub decision: Option<Decision>,
    /// Whatever the task was told so far, for that is what it goes on from.
    pub told: String,
}

/// What all neighbours share.
pub struct Shared {
    /// The task that runs.
    pub current: usize,
    pub gates: Vec<Gate>,
    pub store: EmbeddedStore,
    /// The one order, once it was claimed.
    pub order_id: Option<Uuid>,
    /// Writes that their senders have given up, and that are still on their way: what, over what.
    pub late: Vec<(StoredOrder, Option<StoredOrder>)>,
    pub asked: Vec<Asked>,
    /// Since the beginning.
    pub seconds: i64,
}

impl Shared {
    /// The stored order.
    pub fn record(&self) -> Option<StoredOrder> {
        now(self.store.load(self.order_id?)).unwrap()
    }

    /// Writes a record over what was read, or over nothing.
    pub fn write(&self, next: &StoredOrder, current: Option<&StoredOrder>) -> Result<(), WriteError> {
        match current {
            Some(current) => now(self.store.replace(current, next)),
            None => now(self.store.create(next)),
        }
    }
}

pub type SharedHandle = Arc<Mutex<Shared>>;

/// Waits for the store, with everything else standing still.
pub fn now<T>(work: impl Future<Output = T>) -> T {
    pollster::block_on(unconstrained(work))
}

pub fn lock(shared: &SharedHandle) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap()
}

/// What all worlds have in common: one of them goes on at a time.
pub struct Setting {
    mutant: Mutant,
    store: RefCell<EmbeddedStore>,
    beginnings: Cell<usize>,
    orders: [Order; 2],
    secret: Arc<Secret>,
}

/// A task that has ended.
type Past = (Kind, Vec<(Op, Decision)>, Ended);

/// A world in which nothing goes on: unlike a future, it can be kept.
#[derive(Default)]
pub struct Snapshot {
    /// The shop's key; a new one where nothing is stored yet.
    key: Option<String>,
    tasks: Vec<Past>,
    pub record: Option<StoredOrder>,
    pub asked: Vec<Asked>,
    seconds: i64,
}

impl Setting {
    pub fn new(mutant: Mutant) -> Self {
        let rates = parse_tax_rates("0,12,15,25").unwrap();
        let rules = Rules { now: Timestamp::from_second(BEGINNING).unwrap(), tax_rates: &rates, enforce_advisories: false };
        let order = |body| validate(document(body).as_bytes(), &rules).unwrap_or_else(|_| panic!("not valid")).order;
        Self {
            mutant,
            store: RefCell::new(EmbeddedStore::in_memory().unwrap()),
            beginnings: Cell::default(),
            orders: [order(0), order(1)],
            secret: Arc::new(Secret::parse(SECRET).unwrap()),
        }
    }

    /// A world that goes on from a snapshot.
    pub fn world(&self, snapshot: &Snapshot) -> World<'_> {
        let Snapshot { key, tasks, record, asked, seconds } = snapshot;
        let key = key.clone().unwrap_or_else(|| self.new_key());
        let store = self.store.borrow().clone();
        if let Some(record) = record {
            match now(store.create(record)) {
                Err(WriteError::Conflict(Some(later))) => now(store.replace(&later, record)).unwrap(),
                created => created.unwrap(),
            }
        }
        let tasks: Vec<Task> = tasks
            .iter()
            .map(|(kind, trace, ended)| Task {
                kind: kind.clone(),
                trace: trace.clone(),
                ended: Some(ended.clone()),
                began: 0,
                future: None,
            })
            .collect();
        let shared = Arc::new(Mutex::new(Shared {
            current: 0,
            gates: tasks.iter().map(|_| Gate::default()).collect(),
            store,
            order_id: record.as_ref().map(|record| record.order_id),
            late: Vec::new(),
            asked: asked.clone(),
            seconds: *seconds,
        }));
        let time = shared.clone();
        let clock = Clock::new(move || Timestamp::from_second(BEGINNING + lock(&time).seconds).unwrap());
        let neighbours = || Neighbours::new(shared.clone(), self.mutant);
        let secrets = SecretCache::new(NoSource, clock.clone());
        let bridge = Bridge::new(neighbours(), neighbours(), secrets, clock);
        World { setting: self, bridge: Arc::new(bridge), key, tasks, shared }
    }

    fn new_key(&self) -> String {
        let number = self.beginnings.replace(self.beginnings.get() + 1);
        if number % BEGINNINGS_IN_A_STORE == BEGINNINGS_IN_A_STORE - 1 {
            self.store.replace(EmbeddedStore::in_memory().unwrap());
        }
        format!("key-{number}")
    }
}

pub struct World<'s> {
    pub shared: SharedHandle,
    pub tasks: Vec<Task>,
    setting: &'s Setting,
    bridge: Arc<Bridge<Neighbours, Neighbours>>,
    key: String,
}

impl World<'_> {
    pub fn waits_at(&self, task: usize) -> Option<Op> {
        lock(&self.shared).gates[task].waits
    }

    pub fn running(&self) -> Vec<usize> {
        (0..self.tasks.len()).filter(|&task| self.tasks[task].ended.is_none()).collect()
    }

    pub fn submits(&self) -> usize {
        self.tasks.iter().filter(|task| task.is_submit()).count()
    }

    pub fn faults(&self) -> usize {
        self.tasks.iter().flat_map(|task| &task.trace).filter(|(_, decision)| decision.is_fault()).count()
    }

    /// What can be gone on from, if nothing goes on and nothing is on its way.
    pub fn snapshot(&self, record: Option<StoredOrder>) -> Option<Snapshot> {
        let shared = lock(&self.shared);
        let tasks = self.tasks.iter().map(|task| Some((task.kind.clone(), task.trace.clone(), task.ended.clone()?)));
        let tasks = tasks.collect::<Option<_>>().filter(|_| shared.late.is_empty())?;
        let key = record.is_some().then(|| self.key.clone());
        Some(Snapshot { key, tasks, record, asked: shared.asked.clone(), seconds: shared.seconds })
    }

    pub fn pass(&self, seconds: i64) {
        lock(&self.shared).seconds += seconds;
    }

    /// A write that was given up reaches the store after all.
    pub fn arrives(&self, index: usize) {
        let mut shared = lock(&self.shared);
        let (next, current) = shared.late.remove(index);
        drop(shared.write(&next, current.as_ref())); // nobody waits for the reply
    }

    /// A shop's request with the one key, up to its first step.
    pub async fn submit(&mut self, body: Body) {
        let (bridge, secret, key) = (self.bridge.clone(), self.setting.secret.clone(), self.key.clone());
        let order = self.setting.orders[usize::from(body)].clone();
        let validated = Validated { order, fresh_only: Vec::new(), warnings: Vec::new() };
        let request = async move {
            let deadline = Deadline(bridge.clock.now() + SignedDuration::from_secs(29));
            let idempotency_key = Some(key.as_str());
            let callback_base = "https://bridge";
            let request = SubmitRequest { shop_id: "shop", idempotency_key, validated, callback_base, secret, deadline };
            match submit::submit(&bridge, request).await.outcome {
                SubmitOutcome::Accepted { order, .. } => Ended::Accepted(order.order_uuid),
                SubmitOutcome::Rejected(_)
                | SubmitOutcome::Failed { .. }
                | SubmitOutcome::ProviderUnavailable
                | SubmitOutcome::StoreUnavailable
                | SubmitOutcome::NotSendable(_) => Ended::NothingCreated,
                SubmitOutcome::Unknown | SubmitOutcome::UnknownBefore => Ended::Other("unknown"),
                SubmitOutcome::InProgress => Ended::Other("in progress"),
                SubmitOutcome::KeyReused => Ended::Other("key reused"),
                SubmitOutcome::Internal => Ended::Other("internal"),
            }
        };
        self.start(Kind::Submit(body), Box::pin(request)).await;
    }

    /// Front Payment's callback for an order that it has, up to its first step.
    pub async fn callback(&mut self, index: usize, word: Word) {
        let asked = {
            let mut shared = lock(&self.shared);
            shared.asked[index].sent[word as usize] += 1;
            shared.asked[index].clone()
        };
        let (bridge, secret) = (self.bridge.clone(), self.setting.secret.clone());
        let request = async move {
            let mut path = asked.url.rsplit('/');
            let token = path.next().unwrap();
            let order_id = Uuid::parse_str(path.next().unwrap()).unwrap();
            let raw_query = query(index, word, total(asked.body));
            let deadline = Deadline(bridge.clock.now() + SignedDuration::from_secs(29));
            let request = CallbackRequest { order_id, token, raw_query: &raw_query, secret, deadline };
            let budget = ReadBudget::per_minute(60);
            Ended::Callback(match status::apply_callback(&bridge, &budget, request).await.0 {
                CallbackOutcome::Applied | CallbackOutcome::Duplicate | CallbackOutcome::Noted | CallbackOutcome::OtherOrder => {
                    "taken"
                }
                CallbackOutcome::StatusRead => "read back",
                CallbackOutcome::NotFound => "not found",
                CallbackOutcome::NotVerified => "not verified",
                CallbackOutcome::StatusUnavailable | CallbackOutcome::StoreUnavailable => "to be repeated",
            })
        };
        self.start(Kind::Callback(index, word), Box::pin(request)).await;
    }

    async fn start(&mut self, kind: Kind, future: Pin<Box<dyn Future<Output = Ended>>>) {
        lock(&self.shared).gates.push(Gate::default());
        let future = Some(Box::pin(unconstrained(future)) as Pin<Box<_>>);
        let began = lock(&self.shared).seconds;
        self.tasks.push(Task { kind, trace: Vec::new(), ended: None, began, future });
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
                    if let (&Kind::Callback(index, word), Ended::Callback("taken")) = (&self.tasks[task].kind, &ended) {
                        lock(&self.shared).asked[index].taken[word as usize] += 1;
                    }
                    let is_late = self.tasks[task].is_late(lock(&self.shared).seconds);
                    self.tasks[task].ended = Some(match ended {
                        Ended::Accepted(_) if is_late => Ended::AcceptedLate,
                        ended => ended,
                    });
                    return;
                }
                Poll::Pending if lock(&self.shared).gates[task].waits.is_some() => return,
                Poll::Pending if self.tasks[task].is_killed() => return,
                // It sleeps before it tries again.
                Poll::Pending => tokio::time::advance(Duration::from_secs(1)).await,
            }
        }
    }

    /// Lets the last task go on to its end, with everything working.
    pub async fn finish(&mut self, answer: Decision) -> Ended {
        let task = self.tasks.len() - 1;
        while let Some(op) = self.waits_at(task) {
            self.decide(task, if op == Op::Submit { answer } else { Decision::Done }).await;
        }
        self.tasks[task].ended.clone().expect("it goes on for ever")
    }

    /// The operator settles an UNKNOWN order by what Front Payment's portal says: with the uuid of the order
    /// that is found there, or as FAILED.
    pub fn operator_settles(&self) {
        let now = self.bridge.clock.now();
        let shared = lock(&self.shared);
        let Some(unknown) = shared.record().filter(|record| record.status_at(now) == Status::Unknown) else { return };
        let found = shared.asked.iter().rposition(|asked| asked.exists);
        let mut settled = StoredOrder { version: unknown.version + 1, ..unknown.clone() };
        settled.order_uuid = found.map(|index| format!("ODR{index}"));
        settled.status = if found.is_some() { Status::Sent } else { Status::Failed };
        shared.write(&settled, Some(&unknown)).unwrap();
    }
}
