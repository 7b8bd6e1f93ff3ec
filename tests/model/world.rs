//! A world in which nothing happens until the model decides it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::order::{Order, Rules, StoredOrder, parse_tax_rates, validate};
use front_payment_bridge::secrets::{Secret, SecretCache};
use front_payment_bridge::store::WriteError;
use jiff::{SignedDuration, Timestamp};
use tokio::task::unconstrained;

use crate::bounds::Bounds;
use crate::decisions::{CancelAnswer, Decision, Op, ShopAnswer, StatusReply};
use crate::invariants::{self, is_called_off};
use crate::mutants::Mutant;
use crate::provider::{ProviderOrder, document};
use crate::services::{NoSource, SECRET, Services};
use crate::store::{RETENTION, Store, is_expired};
use crate::tasks::{BranchId, Ended, Kind, TAKEN, Task};
use crate::worker::Heard;

const BEGINNING: i64 = 1_781_481_600;

/// What is true in a world, whichever tasks run in it.
#[derive(Clone)]
pub struct Truth {
    pub store: Store,
    /// The orders that were sent to Front Payment.
    pub orders: Vec<ProviderOrder>,
    /// What the shop heard from workers.
    pub heard: Vec<Heard>,
    /// Whether workers may wake, so that notifications matter.
    pub has_workers: bool,
    /// The uuids that the operator has replaced by another one.
    pub replaced: Vec<String>,
    /// Whether there was a reason to ask, and no task that was told the status since then has written.
    pub is_status_wanted: bool,
    /// The invariant that a write or a call has broken.
    pub broken: Option<String>,
    /// Seconds since the beginning.
    pub seconds: i64,
    /// How many times time has passed.
    pub passed: usize,
}

impl Truth {
    /// Unix seconds.
    pub fn now(&self) -> i64 {
        BEGINNING + self.seconds
    }

    pub fn is_expired(&self) -> bool {
        self.store.item.as_ref().is_some_and(|stored| is_expired(stored, self.now()))
    }

    /// Whether this order was sent for the generation that is stored now.
    pub fn is_current(&self, order: &ProviderOrder) -> bool {
        order.generation == self.store.generation
    }
}

/// What the services and the tasks share.
pub struct Shared {
    /// The task that is running.
    pub current: usize,
    pub gates: Vec<Gate>,
    /// Writes that the sender has given up, but that may still reach the store.
    pub late: Vec<LateWrite>,
    pub truth: Truth,
}

pub struct LateWrite {
    pub task: usize,
    pub next: StoredOrder,
    pub current: Option<StoredOrder>,
}

/// The place where the branches of a task wait.
#[derive(Default)]
pub struct Gate {
    pub branches: Vec<Branch>,
    /// The branch that was resumed and has not reached its next step.
    pub resumed: Option<BranchId>,
    /// The orders that the task has created, or tried to create.
    pub claims: Vec<StoredOrder>,
    /// Whether Front Payment has told the task a status since there was a reason to ask.
    pub knows_status: bool,
    /// How many entries the history had when Front Payment told the task a status.
    pub entries_when_told: usize,
}

#[derive(Default)]
pub struct Branch {
    pub waits: Option<Op>,
    pub decision: Option<Decision>,
    /// The waker of the waiting future.
    pub waker: Option<Waker>,
    /// Everything that the branch was told; what it does next depends on it.
    pub told: Vec<Told>,
}

pub enum Told {
    Order(Box<StoredOrder>),
    Status(String),
}

impl Gate {
    pub fn waits(&self) -> impl Iterator<Item = (BranchId, Op)> {
        self.branches.iter().enumerate().filter_map(|(id, branch)| Some((id, branch.waits?)))
    }
}

pub type SharedHandle = Arc<Mutex<Shared>>;

pub fn lock(shared: &SharedHandle) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap()
}

impl Shared {
    pub fn write(&mut self, task: usize, next: &StoredOrder, current: Option<&StoredOrder>) -> Result<(), WriteError> {
        let (now, before) = (self.truth.now(), self.truth.store.item.clone());
        self.truth.store.write(next, current, now)?;
        let is_same = before.as_ref().is_some_and(|before| before.callback_token == next.callback_token);
        let before = before.filter(|_| is_same);
        let broken = invariants::broken_by_write(self, task, before.as_ref(), current);
        self.truth.broken = self.truth.broken.take().or(broken);
        Ok(())
    }

    /// Checks that a cancellation is stored when it is sent.
    pub fn note_cancel(&mut self, order_uuid: &str) {
        let stored = self.truth.store.item.as_ref();
        if stored.is_some_and(|stored| stored.order_uuid.as_deref() == Some(order_uuid) && !is_called_off(stored)) {
            self.truth.broken = Some("a cancellation was sent, and is not written down".to_owned());
        }
    }
}

/// What all worlds have in common.
pub struct Setting {
    pub orders: [Order; 2],
    pub secret: Arc<Secret>,
}

/// A world in which no task runs. It can be copied, because it contains no future.
pub struct Snapshot {
    tasks: Vec<Task>,
    truth: Truth,
}

impl Snapshot {
    pub fn beginning(bounds: &Bounds, mutant: Mutant) -> Self {
        let truth = Truth {
            store: Store::new(bounds.expiries > 0, mutant),
            orders: Vec::new(),
            heard: Vec::new(),
            has_workers: bounds.workers > 0,
            replaced: Vec::new(),
            is_status_wanted: false,
            broken: None,
            seconds: 0,
            passed: 0,
        };
        Self { tasks: Vec::new(), truth }
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
        Self { orders: [order(0), order(1)], secret: Arc::new(Secret::parse(SECRET).unwrap()) }
    }

    /// A world that continues from a snapshot.
    pub fn world(&self, snapshot: &Snapshot) -> World<'_> {
        let tasks: Vec<Task> = snapshot.tasks.iter().filter_map(Task::past).collect();
        let shared = Arc::new(Mutex::new(Shared {
            current: 0,
            gates: tasks.iter().map(|_| Gate::default()).collect(),
            late: Vec::new(),
            truth: snapshot.truth.clone(),
        }));
        let bridge = Arc::new(bridge(&shared, 0));
        World { setting: self, bridge, tasks, just_ended: None, shared }
    }
}

/// A bridge whose clock is ahead of the world's by so many seconds.
pub fn bridge(shared: &SharedHandle, ahead: i64) -> Bridge<Services, Services> {
    let time = shared.clone();
    let clock = Clock::new(move || Timestamp::from_second(lock(&time).truth.now() + ahead).unwrap());
    let services = || Services { shared: shared.clone() };
    let secrets = SecretCache::new(NoSource, clock.clone());
    let retention = lock(shared).truth.store.has_retention.then(|| SignedDuration::from_secs(RETENTION));
    Bridge::new(services(), services(), secrets, clock).keeping_orders_for(retention)
}

pub struct World<'s> {
    pub shared: SharedHandle,
    pub tasks: Vec<Task>,
    /// The task that ended in the latest step.
    pub just_ended: Option<usize>,
    pub setting: &'s Setting,
    pub bridge: Arc<Bridge<Services, Services>>,
}

impl World<'_> {
    pub fn running(&self) -> Vec<usize> {
        (0..self.tasks.len()).filter(|&task| self.tasks[task].ended.is_none()).collect()
    }

    pub fn count(&self, is_counted: impl Fn(&Kind) -> bool) -> usize {
        self.tasks.iter().filter(|task| is_counted(&task.kind)).count()
    }

    pub fn submits(&self) -> usize {
        self.count(|kind| matches!(kind, Kind::Submit(_)))
    }

    pub fn faults(&self) -> usize {
        self.tasks.iter().flat_map(|task| &task.trace).filter(|(_, _, decision)| decision.is_fault()).count()
    }

    /// A snapshot, if no task runs and no late write is left.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let shared = lock(&self.shared);
        let tasks = self.tasks.iter().map(Task::past).collect::<Option<_>>().filter(|_| shared.late.is_empty())?;
        Some(Snapshot { tasks, truth: shared.truth.clone() })
    }

    pub fn pass(&self, seconds: i64) {
        let truth = &mut lock(&self.shared).truth;
        truth.seconds += seconds;
        truth.passed += 1;
    }

    /// A late write reaches the store.
    pub fn arrives(&self, index: usize) {
        let mut shared = lock(&self.shared);
        let LateWrite { task, next, current } = shared.late.remove(index);
        drop(shared.write(task, &next, current.as_ref())); // nobody waits for the reply
    }

    /// Runs a task up to its first step.
    pub async fn start(&mut self, kind: Kind, future: Pin<Box<dyn Future<Output = Ended>>>) {
        lock(&self.shared).gates.push(Gate::default());
        let future = Some(Box::pin(unconstrained(future)) as Pin<Box<_>>);
        let began = lock(&self.shared).truth.seconds;
        self.tasks.push(Task { kind, trace: Vec::new(), ended: None, began, future });
        self.run(self.tasks.len() - 1).await;
    }

    /// Decides the result of the step at which a branch waits, and lets the branch run to its next step.
    pub async fn decide(&mut self, task: usize, branch: BranchId, decision: Decision) {
        let waker = {
            let gate = &mut lock(&self.shared).gates[task];
            gate.resumed = Some(branch);
            let waiting = &mut gate.branches[branch];
            waiting.decision = Some(decision);
            self.tasks[task].trace.push((branch, waiting.waits.expect("it waits at no step"), decision));
            waiting.waker.take()
        };
        if decision != Decision::KilledBefore {
            waker.into_iter().for_each(Waker::wake);
            self.run(task).await;
        }
        if self.tasks[task].is_killed() {
            self.tasks[task].future = None;
            self.tasks[task].ended = Some(Ended::Killed);
            lock(&self.shared).gates[task].branches.clear();
        }
    }

    async fn run(&mut self, task: usize) {
        let mut has_slept = false;
        loop {
            lock(&self.shared).current = task;
            let Some(future) = self.tasks[task].future.as_mut() else { return };
            let poll = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(ended) = poll {
                return self.end(task, ended);
            }
            if self.tasks[task].is_killed() {
                return;
            }
            {
                let gate = &mut lock(&self.shared).gates[task];
                // The resumed branch has ended, or sleeps before a retry.
                let may_sleep = gate.resumed.is_some() && !has_slept;
                if gate.waits().next().is_some() && !may_sleep {
                    gate.resumed = None;
                    return;
                }
            }
            has_slept = true;
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }

    fn end(&mut self, task: usize, ended: Ended) {
        self.tasks[task].future = None;
        self.just_ended = Some(task);
        let mut shared = lock(&self.shared);
        if let (&Kind::Callback(index, word), true) = (&self.tasks[task].kind, ended == TAKEN) {
            shared.truth.orders[index].taken[word as usize] += 1;
        }
        let is_late = self.tasks[task].is_late(shared.truth.seconds);
        self.tasks[task].ended = Some(match ended {
            Ended::Accepted(uuid) if is_late => Ended::AcceptedLate(uuid),
            ended => ended,
        });
    }

    /// Runs the last task to its end. Every step succeeds.
    pub async fn finish(&mut self, answer: Decision) -> Ended {
        let task = self.tasks.len() - 1;
        loop {
            let waits = lock(&self.shared).gates[task].waits().next();
            let Some((branch, op)) = waits else { break };
            let decision = match op {
                Op::Submit => answer,
                Op::Status => Decision::Tells(StatusReply::Status),
                Op::Cancel => Decision::Cancels(CancelAnswer::Accepted, true),
                Op::Tell => Decision::Shop(ShopAnswer::Ok200),
                Op::Create | Op::Load | Op::Replace => Decision::Done,
            };
            self.decide(task, branch, decision).await;
        }
        self.tasks[task].ended.clone().expect("it never ends")
    }
}
