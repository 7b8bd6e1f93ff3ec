//! Tries everything that may happen. A state that was reached before, in whatever way, is not gone on from
//! again. (A state has futures of the real code in it, which cannot be copied: it is reached by its way from the
//! last point at which nothing went on. That is why no model checker off the shelf does this.)

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fmt::Write;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::decisions::{Body, Decision, Mutant, Op, Says, Word};
use crate::invariants;
use crate::state::describe;
use crate::world::{Setting, Snapshot, World, lock};

/// How much may happen in one history of an order.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Requests of the shop with one key, with two bodies.
    pub attempts: usize,
    /// Requests and callbacks at the same time.
    pub in_flight: usize,
    /// Faults of the store, and processes killed.
    pub faults: usize,
    /// Callbacks of each order that exists.
    pub callbacks: u8,
    /// How many of the [`Word::ALL`] they have.
    pub words: usize,
    /// Times that a lease runs out.
    pub leases: i64,
    /// It may run out while something goes on, whose own time is over then.
    pub late: bool,
}

/// One thing that may happen next.
#[derive(Debug, Clone, Copy)]
enum Choice {
    Submit(Body),
    Callback(usize, Word),
    LeaseRunsOut,
    Arrives(usize),
    Decide(usize, Decision),
}

/// What was covered.
pub struct Covered {
    /// Different states.
    pub states: usize,
    /// Steps between them.
    steps: usize,
    /// Ways from the beginning to an end.
    pub interleavings: u128,
    /// The first broken promise, and the way there.
    pub broken: Option<String>,
}

impl fmt::Display for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} interleavings of {} steps between {} states", self.interleavings, self.steps, self.states)
    }
}

/// Longer than the lease of an attempt.
pub const LEASE: i64 = 61;

/// Explores all that may happen within bounds.
pub fn explore(bounds: Bounds, mutant: Mutant) -> Covered {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let setting = Setting::new(mutant);
        let mut seen: HashMap<[u8; 32], usize> = HashMap::new();
        let mut children: Vec<Vec<usize>> = Vec::new();
        // Ways to be gone, and the state that each comes from.
        let mut to_do = VecDeque::from([(Way::default(), None::<usize>)]);
        while let Some((mut way, mut parent)) = to_do.pop_front() {
            let mut world = way.go(&setting).await;
            loop {
                let next_id = children.len();
                let record = lock(&world.shared).record();
                let state = Sha256::digest(describe(&world, record.as_ref())).into();
                let state = *seen.entry(state).or_insert(next_id);
                let is_new = state == next_id;
                let mut broken = invariants::broken(&world, record.as_ref());
                if broken.is_none()
                    && is_new
                    && let Some(snapshot) = world.snapshot(record)
                {
                    broken = invariants::stuck(&setting, &snapshot).await;
                    way = way.restart(snapshot);
                    world = way.go(&setting).await;
                }
                if let Some(promise) = broken {
                    let broken = Some(format!("{promise}\n{}", way.tell(&setting).await));
                    return Covered { states: seen.len(), steps: 0, interleavings: 0, broken };
                }
                if let Some(parent) = parent {
                    children[parent].push(state);
                }
                if !is_new {
                    break;
                }
                children.push(Vec::new());
                parent = Some(state);
                // The world goes on with its first choice; the others are come back to.
                let choices = choices(&world, bounds);
                let Some((&first, others)) = choices.split_first() else { break };
                to_do.extend(others.iter().map(|&choice| (way.and(choice), parent)));
                take(&mut world, first).await;
                way.steps.push(first);
            }
        }
        let interleavings = ways(0, &children, &mut vec![None; children.len()]);
        Covered { states: seen.len(), steps: children.iter().map(Vec::len).sum(), interleavings, broken: None }
    })
}

/// A way to a state.
#[derive(Default)]
struct Way {
    /// The last point at which nothing went on, and the way there.
    start: Rc<(Snapshot, Vec<Choice>)>,
    steps: Vec<Choice>,
}

impl Way {
    fn and(&self, choice: Choice) -> Self {
        Self { start: self.start.clone(), steps: [self.steps.as_slice(), &[choice]].concat() }
    }

    fn restart(self, snapshot: Snapshot) -> Self {
        Self { start: Rc::new((snapshot, [self.start.1.as_slice(), &self.steps].concat())), steps: Vec::new() }
    }

    async fn go<'s>(&self, setting: &'s Setting) -> World<'s> {
        let mut world = setting.world(&self.start.0);
        for &choice in &self.steps {
            take(&mut world, choice).await;
        }
        world
    }

    /// A line a step, from the beginning.
    async fn tell(&self, setting: &Setting) -> String {
        let mut lines = String::new();
        let mut world = setting.world(&Snapshot::default());
        for &choice in self.start.1.iter().chain(&self.steps) {
            let at = match choice {
                Choice::Decide(task, _) => format!(" at {:?}", world.waits_at(task).unwrap()),
                _ => String::new(),
            };
            writeln!(lines, "  {choice:?}{at}").unwrap();
            take(&mut world, choice).await;
        }
        let record = lock(&world.shared).record();
        write!(lines, "  now {}", describe(&world, record.as_ref())).unwrap();
        lines
    }
}

/// How many ways lead from a state to an end.
fn ways(state: usize, children: &[Vec<usize>], known: &mut Vec<Option<u128>>) -> u128 {
    if let Some(ways) = known[state] {
        return ways;
    }
    let sum = children[state].iter().map(|child| ways(*child, children, known)).sum::<u128>().max(1);
    known[state] = Some(sum);
    sum
}

async fn take(world: &mut World<'_>, choice: Choice) {
    match choice {
        Choice::Submit(body) => world.submit(body).await,
        Choice::Callback(index, word) => world.callback(index, word).await,
        Choice::LeaseRunsOut => world.pass(LEASE),
        Choice::Arrives(index) => world.arrives(index),
        Choice::Decide(task, decision) => world.decide(task, decision).await,
    }
}

fn choices(world: &World<'_>, bounds: Bounds) -> Vec<Choice> {
    let mut choices = Vec::new();
    let running = world.running();
    let may_fail = world.faults() < bounds.faults;
    for &task in &running {
        let op = world.waits_at(task).unwrap();
        if op == Op::Submit {
            let both = |says| [true, false].map(|exists| Choice::Decide(task, Decision::Answers(says, exists)));
            choices.extend(Says::ALL.into_iter().flat_map(both));
        } else {
            choices.push(Choice::Decide(task, Decision::Done));
        }
        if may_fail {
            let of_the_store: &[Decision] = match op {
                Op::Create | Op::Replace => &[Decision::Down, Decision::ReplyLost, Decision::Late],
                Op::Load | Op::Status => &[Decision::Down],
                Op::Submit => &[],
            };
            let killed = [Decision::KilledBefore, Decision::KilledAfter];
            choices.extend(of_the_store.iter().chain(&killed).map(|&decision| Choice::Decide(task, decision)));
        }
    }
    let shared = lock(&world.shared);
    choices.extend((0..shared.late.len()).map(Choice::Arrives));
    if running.len() < bounds.in_flight {
        if world.tasks.is_empty() {
            choices.push(Choice::Submit(0));
        } else if world.submits() < bounds.attempts {
            choices.extend([Choice::Submit(0), Choice::Submit(1)]);
        }
        for (index, asked) in shared.asked.iter().enumerate() {
            if asked.exists && asked.sent.iter().sum::<u8>() < bounds.callbacks {
                choices.extend(Word::ALL[..bounds.words].iter().map(|&word| Choice::Callback(index, word)));
            }
        }
    }
    let is_quiet = running.is_empty() && shared.late.is_empty();
    if shared.seconds < bounds.leases * LEASE && (is_quiet || bounds.late) && !world.tasks.is_empty() {
        choices.push(Choice::LeaseRunsOut);
    }
    choices
}
