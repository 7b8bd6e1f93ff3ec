//! A world in which nothing happens until it is decided.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::deadline::Deadline;
use front_payment_bridge::notify::PrivateHosts;
use front_payment_bridge::order::{Order, Rules, Status, StoredOrder, Validated, parse_tax_rates, validate};
use front_payment_bridge::secrets::{Secret, SecretCache};
use front_payment_bridge::status::{self, CallbackOutcome, CallbackRequest, ReadBudget};
use front_payment_bridge::store::WriteError;
use front_payment_bridge::submit::{self, AcceptedOrder, SubmitOutcome, SubmitRequest};
use front_payment_bridge::worker::Worker;
use jiff::{SignedDuration, Timestamp};
use tokio::task::unconstrained;
use uuid::Uuid;

use crate::bounds::Bounds;
use crate::decisions::{Body, Decision, Op, ShopAnswer, StatusReply, Word};
use crate::mutants::Mutant;
use crate::provider::{ProviderOrder, bank_id_url, customer_uuid, document, index_of, query};
use crate::services::{NoSource, SECRET, Services};
use crate::store::{Store, is_expired};
use crate::tasks::{Ended, Kind, TAKEN, Task};
use crate::worker::{Event, Heard, invocation};

const BEGINNING: i64 = 1_781_481_600;

/// What the services and the tasks share.
pub struct Shared {
    /// The task that runs.
    pub current: usize,
    pub gates: Vec<Gate>,
    pub store: Store,
    /// Writes whose senders have given up, and which are still on their way: what, over what.
    pub late: Vec<(StoredOrder, Option<StoredOrder>)>,
    /// What Front Payment was sent.
    pub orders: Vec<ProviderOrder>,
    /// What the shop heard from workers.
    pub heard: Vec<Heard>,
    /// Workers may wake, so that what is told matters.
    pub has_workers: bool,
    /// The uuid that the operator stored, and how long the history was then.
    pub resolved: Option<(String, usize)>,
    /// Since the beginning.
    pub seconds: i64,
}

#[derive(Default)]
pub struct Gate {
    pub waits: Option<Op>,
    pub decision: Option<Decision>,
    /// Of the future that waits.
    pub waker: Option<Waker>,
    /// All that the task was told, because all that it does next depends on that.
    pub told: Vec<Told>,
}

pub enum Told {
    Order(Box<StoredOrder>),
    Status(String),
}

pub type SharedHandle = Arc<Mutex<Shared>>;

pub fn lock(shared: &SharedHandle) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap()
}

impl Shared {
    /// Unix seconds.
    pub fn now(&self) -> i64 {
        BEGINNING + self.seconds
    }

    pub fn write(&mut self, next: &StoredOrder, current: Option<&StoredOrder>) -> Result<(), WriteError> {
        let now = self.now();
        self.store.write(next, current, now)
    }

    pub fn is_expired(&self) -> bool {
        self.store.item.as_ref().is_some_and(|stored| is_expired(stored, self.now()))
    }

    /// Whether Front Payment was sent an order for the order that is stored now, and not for one that has ended.
    pub fn is_current(&self, order: &ProviderOrder) -> bool {
        order.generation == self.store.generation
    }
}

/// What all worlds have in common.
pub struct Setting {
    orders: [Order; 3],
    secret: Arc<Secret>,
}

/// A world in which no task runs: unlike a future, it can be copied.
pub struct Snapshot {
    tasks: Vec<Task>,
    store: Store,
    orders: Vec<ProviderOrder>,
    heard: Vec<Heard>,
    has_workers: bool,
    resolved: Option<(String, usize)>,
    seconds: i64,
}

impl Snapshot {
    pub fn beginning(bounds: &Bounds, mutant: Mutant) -> Self {
        let (store, has_workers) = (Store::new(bounds.expiries > 0, mutant), bounds.workers > 0);
        Self { tasks: Vec::new(), store, orders: Vec::new(), heard: Vec::new(), has_workers, resolved: None, seconds: 0 }
    }
}

impl Setting {
    pub fn new() -> Self {
        let rates = parse_tax_rates("0,12,15,25").unwrap();
        let rules = Rules {
            now: Timestamp::from_second(BEGINNING).unwrap(),
            tax_rates: &rates,
            enforce_advisories: false,
            has_idempotency_key: true,
        };
        let order = |body| validate(document(body).as_bytes(), &rules).unwrap_or_else(|_| panic!("not valid")).order;
        let secret = Arc::new(Secret::parse(SECRET).unwrap());
        Self { orders: [order(0), order(1), order(2)], secret }
    }

    /// A world that goes on from a snapshot.
    pub fn world(&self, snapshot: &Snapshot) -> World<'_> {
        let tasks: Vec<Task> = snapshot.tasks.iter().filter_map(Task::past).collect();
        let shared = Arc::new(Mutex::new(Shared {
            current: 0,
            gates: tasks.iter().map(|_| Gate::default()).collect(),
            store: snapshot.store.clone(),
            late: Vec::new(),
            orders: snapshot.orders.clone(),
            heard: snapshot.heard.clone(),
            has_workers: snapshot.has_workers,
            resolved: snapshot.resolved.clone(),
            seconds: snapshot.seconds,
        }));
        let time = shared.clone();
        let clock = Clock::new(move || Timestamp::from_second(lock(&time).now()).unwrap());
        let services = || Services { shared: shared.clone() };
        let secrets = SecretCache::new(NoSource, clock.clone());
        let bridge = Arc::new(Bridge::new(services(), services(), secrets, clock));
        let worker = Arc::new(Worker::new(bridge.clone(), services(), PrivateHosts::default()));
        World { setting: self, bridge, worker, tasks, just_ended: None, shared }
    }
}

pub struct World<'s> {
    pub shared: SharedHandle,
    pub tasks: Vec<Task>,
    /// The task that ended in the latest step.
    pub just_ended: Option<usize>,
    setting: &'s Setting,
    bridge: Arc<Bridge<Services, Services>>,
    /// One process, or several that know nothing of each other: no host fails so often here that it is passed over.
    worker: Arc<Worker<Services, Services, Services>>,
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

    pub fn reads(&self) -> usize {
        self.tasks.iter().filter(|task| task.kind == Kind::Read).count()
    }

    pub fn workers(&self) -> usize {
        self.tasks.iter().filter(|task| task.is_worker()).count()
    }

    pub fn faults(&self) -> usize {
        self.tasks.iter().flat_map(|task| &task.trace).filter(|(_, decision)| decision.is_fault()).count()
    }

    /// What can be copied, if no task runs and no write is on its way.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let shared = lock(&self.shared);
        let tasks = self.tasks.iter().map(Task::past).collect::<Option<_>>().filter(|_| shared.late.is_empty())?;
        let (store, orders, resolved) = (shared.store.clone(), shared.orders.clone(), shared.resolved.clone());
        let (heard, has_workers) = (shared.heard.clone(), shared.has_workers);
        Some(Snapshot { tasks, store, orders, heard, has_workers, resolved, seconds: shared.seconds })
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
        let (bridge, secret) = (self.bridge.clone(), self.setting.secret.clone());
        let order = self.setting.orders[usize::from(body)].clone();
        let validated = Validated { order, fresh_only: Vec::new(), warnings: Vec::new() };
        let request = async move {
            let deadline = Deadline(bridge.clock.now() + SignedDuration::from_secs(29));
            let (idempotency_key, callback_base) = (Some("key"), "https://bridge");
            let request = SubmitRequest { shop_id: "shop", idempotency_key, validated, callback_base, secret, deadline };
            match submit::submit(&bridge, request).await.outcome {
                SubmitOutcome::Accepted { order, .. } if is_mixed_up(&order) => Ended::Other("mixed up"),
                SubmitOutcome::Accepted { order, .. } => Ended::Accepted(order.order_uuid),
                SubmitOutcome::Rejected(_)
                | SubmitOutcome::Failed { .. }
                | SubmitOutcome::ProviderUnavailable
                | SubmitOutcome::StoreUnavailable
                | SubmitOutcome::NotSendable { .. } => Ended::NothingCreated,
                SubmitOutcome::Unknown | SubmitOutcome::UnknownBefore => Ended::Other("unknown"),
                SubmitOutcome::InProgress => Ended::Other("in progress"),
                SubmitOutcome::KeyReused => Ended::Other("key reused"),
                SubmitOutcome::Internal => Ended::Other("internal"),
            }
        };
        self.start(Kind::Submit(body), Box::pin(request)).await;
    }

    /// A callback for an order that Front Payment has, up to its first step.
    pub async fn callback(&mut self, index: usize, word: Word) {
        let (url, raw_query) = {
            let order = &mut lock(&self.shared).orders[index];
            order.sent[word as usize] += 1;
            (order.callback_url.clone(), query(index, word, order.body))
        };
        self.call(Kind::Callback(index, word), url, raw_query).await;
    }

    /// The operator has the status read, up to the first step.
    pub async fn read(&mut self) {
        let url = {
            let shared = lock(&self.shared);
            let stored = shared.store.item.as_ref().unwrap();
            format!("{}/{}", stored.order_id, stored.callback_token)
        };
        self.call(Kind::Read, url, String::new()).await;
    }

    /// A worker wakes, and works up to its first step.
    pub async fn wake(&mut self, event: Event) {
        let worker = self.worker.clone();
        let invocation = {
            let shared = lock(&self.shared);
            invocation(event, shared.store.item.as_ref().unwrap().order_id, shared.now())
        };
        let work = async move {
            worker.invoke(invocation).await.unwrap();
            Ended::Worked
        };
        self.start(Kind::Worker(event), Box::pin(work)).await;
    }

    async fn call(&mut self, kind: Kind, url: String, raw_query: String) {
        let (bridge, secret) = (self.bridge.clone(), self.setting.secret.clone());
        let request = async move {
            let mut path = url.rsplit('/');
            let token = path.next().unwrap();
            let order_id = Uuid::parse_str(path.next().unwrap()).unwrap();
            let deadline = Deadline(bridge.clock.now() + SignedDuration::from_secs(29));
            let request = CallbackRequest { order_id, token, raw_query: &raw_query, secret, deadline };
            let budget = ReadBudget::per_minute(60);
            match status::apply_callback(&bridge, &budget, request).await.0 {
                CallbackOutcome::Applied | CallbackOutcome::Duplicate | CallbackOutcome::Noted | CallbackOutcome::OtherOrder => {
                    TAKEN
                }
                CallbackOutcome::StatusRead => Ended::Callback("read"),
                CallbackOutcome::NotFound => Ended::Callback("not found"),
                CallbackOutcome::NotVerified => Ended::Callback("not verified"),
                CallbackOutcome::StatusUnavailable | CallbackOutcome::StoreUnavailable => Ended::Callback("to be repeated"),
            }
        };
        self.start(kind, Box::pin(request)).await;
    }

    async fn start(&mut self, kind: Kind, future: Pin<Box<dyn Future<Output = Ended>>>) {
        lock(&self.shared).gates.push(Gate::default());
        let future = Some(Box::pin(unconstrained(future)) as Pin<Box<_>>);
        let began = lock(&self.shared).seconds;
        self.tasks.push(Task { kind, trace: Vec::new(), ended: None, began, future });
        self.run(self.tasks.len() - 1).await;
    }

    /// Decides what comes of the step at which a task waits, and lets it go on to its next one.
    pub async fn decide(&mut self, task: usize, decision: Decision) {
        let op = self.waits_at(task).expect("it waits at no step");
        self.tasks[task].trace.push((op, decision));
        if decision != Decision::KilledBefore {
            let waker = {
                let gate = &mut lock(&self.shared).gates[task];
                gate.decision = Some(decision);
                gate.waker.take()
            };
            waker.into_iter().for_each(Waker::wake);
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
                    self.just_ended = Some(task);
                    let mut shared = lock(&self.shared);
                    if let (&Kind::Callback(index, word), true) = (&self.tasks[task].kind, ended == TAKEN) {
                        shared.orders[index].taken[word as usize] += 1;
                    }
                    let is_late = self.tasks[task].is_late(shared.seconds);
                    self.tasks[task].ended = Some(match ended {
                        Ended::Accepted(uuid) if is_late => Ended::AcceptedLate(uuid),
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

    /// Lets the last task run to its end, with everything working.
    pub async fn finish(&mut self, answer: Decision) -> Ended {
        let task = self.tasks.len() - 1;
        while let Some(op) = self.waits_at(task) {
            let decision = match op {
                Op::Submit => answer,
                Op::Status => Decision::Tells(StatusReply::Status),
                Op::Tell => Decision::Shop(ShopAnswer::Ok200),
                _ => Decision::Done,
            };
            self.decide(task, decision).await;
        }
        self.tasks[task].ended.clone().expect("it never ends")
    }
}

/// Whether the ids and the link of a reply are of different orders, or the link is over.
fn is_mixed_up(order: &AcceptedOrder) -> bool {
    let Some(index) = index_of(&order.order_uuid) else { return true };
    let is_other = |value: &Option<String>, own: String| value.as_ref().is_some_and(|value| *value != own);
    let is_late_link = order.bank_id_url.is_some() && order.status != Status::Sent;
    is_late_link || is_other(&order.customer_uuid, customer_uuid(index)) || is_other(&order.bank_id_url, bank_id_url(index))
}
