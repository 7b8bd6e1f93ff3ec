//! Tries everything that may happen. A state that was reached before, in whatever way, is not gone on from again.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::fmt::Write;

use uuid::Uuid;

use crate::invariants;
use crate::world::{ANSWERS, Body, Decision, Ended, Kind, Mutant, Op, Says, World, lock};

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
    /// Times that a lease runs out.
    pub leases: i64,
}

/// One thing that may happen next.
#[derive(Debug, Clone, Copy)]
enum Choice {
    Submit(Body),
    Callback(usize),
    LeaseRunsOut,
    Decide(usize, Decision),
}

/// What was covered.
pub struct Covered {
    /// Different states.
    pub states: usize,
    /// Ways from the beginning to an end.
    pub interleavings: u128,
    /// The first broken promise, and the way there.
    pub broken: Option<String>,
}

impl fmt::Display for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} interleavings over {} states", self.interleavings, self.states)
    }
}

const LEASE: i64 = 61;

/// Explores all that may happen within bounds.
pub fn explore(bounds: Bounds, mutant: Mutant) -> Covered {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut children: Vec<Vec<usize>> = Vec::new();
        // The way to a state, and the state that it was reached from.
        let mut to_do: VecDeque<(Vec<u8>, Option<usize>)> = VecDeque::from([(Vec::new(), None)]);
        while let Some((way, parent)) = to_do.pop_front() {
            let (world, choices) = replay(&way, bounds, mutant).await;
            if let Some(promise) = invariants::broken(&world) {
                let broken = Some(format!("{promise}\n{}", tell(&way, bounds, mutant).await));
                return Covered { states: seen.len(), interleavings: 0, broken };
            }
            let next_id = children.len();
            let state = *seen.entry(describe(&world)).or_insert(next_id);
            if let Some(parent) = parent {
                children[parent].push(state);
            }
            if state < next_id {
                continue;
            }
            children.push(Vec::new());
            for choice in 0..choices.len() {
                let mut way = way.clone();
                way.push(u8::try_from(choice).unwrap());
                to_do.push_back((way, Some(state)));
            }
        }
        let interleavings = ways(0, &children, &mut vec![None; children.len()]);
        Covered { states: seen.len(), interleavings, broken: None }
    })
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

async fn replay(way: &[u8], bounds: Bounds, mutant: Mutant) -> (World, Vec<Choice>) {
    let mut world = World::new(mutant);
    let mut choices = choices(&world, bounds);
    for step in way {
        take(&mut world, choices[usize::from(*step)]).await;
        choices = self::choices(&world, bounds);
    }
    (world, choices)
}

async fn take(world: &mut World, choice: Choice) {
    match choice {
        Choice::Submit(body) => world.submit(body).await,
        Choice::Callback(index) => world.callback(index).await,
        Choice::LeaseRunsOut => world.pass(LEASE),
        Choice::Decide(task, decision) => world.decide(task, decision).await,
    }
}

fn choices(world: &World, bounds: Bounds) -> Vec<Choice> {
    let mut choices = Vec::new();
    let running: Vec<usize> = (0..world.tasks.len()).filter(|&task| world.tasks[task].ended.is_none()).collect();
    let faults = faults(world);
    for &task in &running {
        let op = world.waits_at(task).unwrap();
        match op {
            Op::Submit => {
                for says in ANSWERS {
                    choices.extend([true, false].map(|exists| Choice::Decide(task, Decision::Answers(says, exists))));
                }
            }
            _ => choices.push(Choice::Decide(task, Decision::Done)),
        }
        if faults < bounds.faults {
            let of_the_store: &[Decision] = match op {
                Op::Create | Op::Replace => &[Decision::Down, Decision::ReplyLost],
                Op::Load | Op::Status => &[Decision::Down],
                Op::Submit => &[],
            };
            let killed = [Decision::KilledBefore, Decision::KilledAfter];
            choices.extend(of_the_store.iter().chain(&killed).map(|&decision| Choice::Decide(task, decision)));
        }
    }
    if running.len() < bounds.in_flight {
        let submits = world.tasks.iter().filter(|task| matches!(task.kind, Kind::Submit(_))).count();
        if submits == 0 {
            choices.push(Choice::Submit(0));
        } else if submits < bounds.attempts {
            choices.extend([Choice::Submit(0), Choice::Submit(1)]);
        }
        let shared = lock(&world.shared);
        for (index, asked) in shared.asked.iter().enumerate() {
            if asked.exists && asked.sent < bounds.callbacks {
                choices.push(Choice::Callback(index));
            }
        }
    }
    // A lease outlives every function: whatever still runs by then was killed, which is a fault of its own.
    if world.seconds() < bounds.leases * LEASE && running.is_empty() && !world.tasks.is_empty() {
        choices.push(Choice::LeaseRunsOut);
    }
    choices
}

/// A state: all that what follows may depend on. Of tasks that have ended, that is what shops were told.
fn describe(world: &World) -> String {
    let shared = lock(&world.shared);
    let submits = world.tasks.iter().filter(|task| matches!(task.kind, Kind::Submit(_))).count();
    let mut text = format!("{} {submits} {}", shared.seconds(), faults(world));
    let mut running = Vec::new();
    let mut told = BTreeSet::new();
    for (index, task) in world.tasks.iter().enumerate() {
        match &task.ended {
            Some(Ended::Accepted(uuid)) => drop(told.insert(uuid)),
            Some(_) => {}
            None => {
                write!(text, "|{:?} {:?} \"{:?}\"", task.kind, task.trace, shared.attempts.get(&index)).unwrap();
                running.push(index);
            }
        }
    }
    write!(text, "|{told:?}").unwrap();
    for record in shared.records.values() {
        write!(text, "|{}", serde_json::to_string(record).unwrap()).unwrap();
    }
    for asked in &shared.asked {
        let by = running.iter().position(|task| *task == asked.task);
        // A 500 and a 503 leave the same behind.
        let says = asked.says.map(|says| if says == Says::Unavailable503 { Says::Error500 } else { says });
        let url = &asked.url;
        write!(text, "|{by:?} {says:?} {} {} {} {} {url} ", asked.body, asked.exists, asked.sent, asked.taken).unwrap();
    }
    canonical(&text)
}

fn faults(world: &World) -> usize {
    world.tasks.iter().flat_map(|task| &task.trace).filter(|(_, decision)| decision.is_fault()).count()
}

/// Attempts' ids and callback tokens are random: each becomes the number of its first appearance.
fn canonical(text: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    let mut result = String::with_capacity(text.len());
    for part in text.split_inclusive(['"', '/', '(', ')', ' ', '|']) {
        let (word, end) = part.split_at(part.len() - 1);
        let is_token = word.len() == 32 && !word.bytes().all(|b| b.is_ascii_hexdigit());
        let is_random = is_token || Uuid::parse_str(word).is_ok_and(|id| id.to_string() == word);
        if is_random {
            let number = known.iter().position(|other| *other == word).unwrap_or_else(|| {
                known.push(word);
                known.len() - 1
            });
            write!(result, "#{number}").unwrap();
        } else {
            result.push_str(word);
        }
        result.push_str(end);
    }
    result
}

/// The way to a state, a line a step.
async fn tell(way: &[u8], bounds: Bounds, mutant: Mutant) -> String {
    let mut lines = String::new();
    for length in 0..way.len() {
        let (world, choices) = replay(&way[..length], bounds, mutant).await;
        let choice = choices[usize::from(way[length])];
        let at =
            if let Choice::Decide(task, _) = choice { format!(" at {:?}", world.waits_at(task).unwrap()) } else { String::new() };
        writeln!(lines, "  {choice:?}{at}").unwrap();
    }
    let (world, _) = replay(way, bounds, mutant).await;
    write!(lines, "  now {}", describe(&world)).unwrap();
    lines
}
