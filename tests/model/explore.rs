//! Tries every sequence of steps. It stops where a state was reached before, by any path.
//!
//! A state contains futures of the real code, which cannot be copied. So a state is reached again by repeating its path from
//! the last state in which no task ran. The known model checkers cannot do this.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fmt::Write;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use crate::bounds::Bounds;
use crate::choices::{Choice, choices};
use crate::invariants;
use crate::mutants::Mutant;
use crate::state::describe;
use crate::world::{Setting, Snapshot, World, lock};

/// In seconds. Longer than the lease of an attempt, and than the first wait of the notification schedule.
pub const LEASE: i64 = 80;

/// What was explored.
pub struct Covered {
    /// Different states.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
    /// Paths from the beginning to an end.
    pub interleavings: u128,
    /// The first invariant that failed, and the path to it.
    pub broken: Option<String>,
}

impl fmt::Display for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} interleavings of {} steps between {} states", self.interleavings, self.steps, self.states)
    }
}

/// Tries everything that may happen within the bounds.
pub fn explore(bounds: &Bounds, mutant: Mutant) -> Covered {
    run(async {
        let setting = Setting::new();
        let mut seen: HashMap<[u64; 2], u32> = HashMap::new();
        let mut children: Vec<Vec<u32>> = Vec::new();
        // The paths that are still to be tried, each with the state that it starts from.
        let mut to_do = VecDeque::from([(Path::from(Snapshot::beginning(bounds, mutant)), None::<u32>)]);
        // For a mutant, breadth first: it finds the shortest path. Otherwise depth first: it needs less memory.
        let next = if mutant == Mutant::None { VecDeque::pop_back } else { VecDeque::pop_front };
        while let Some((mut path, mut parent)) = next(&mut to_do) {
            let mut world = path.walk(&setting).await;
            loop {
                let next_id = u32::try_from(children.len()).unwrap();
                let state = *seen.entry(digest(&describe(&world))).or_insert(next_id);
                let is_new = state == next_id;
                let mut broken = invariants::broken(&world);
                if broken.is_none()
                    && is_new
                    && let Some(snapshot) = world.snapshot()
                {
                    broken = invariants::no_way_out(&setting, &snapshot, bounds).await;
                    path = path.restart(snapshot);
                }
                if let Some(broken) = broken {
                    let broken = Some(format!("{broken}\n{}", path.tell(&setting, bounds, mutant).await));
                    return Covered { states: seen.len(), steps: 0, interleavings: 0, broken };
                }
                if let Some(parent) = parent {
                    children[parent as usize].push(state);
                }
                if !is_new {
                    break;
                }
                children.push(Vec::new());
                parent = Some(state);
                // Take the first choice now, and the others later.
                let choices = choices(&world, bounds);
                let Some((&first, others)) = choices.split_first() else { break };
                to_do.extend(others.iter().map(|&choice| (path.and(choice), parent)));
                first.take(&mut world).await;
                path.steps.push(first);
            }
        }
        let interleavings = paths(0, &children, &mut vec![None; children.len()]);
        Covered { states: seen.len(), steps: children.iter().map(Vec::len).sum(), interleavings, broken: None }
    })
}

/// Repeats one path and describes it. Each step is the number of a choice.
pub fn replay(bounds: &Bounds, mutant: Mutant, steps: &[usize]) -> String {
    run(async {
        let setting = Setting::new();
        let beginning = Snapshot::beginning(bounds, mutant);
        let mut world = setting.world(&beginning);
        let mut lines = String::new();
        for &step in steps {
            let choice = choices(&world, bounds)[step];
            writeln!(lines, "  {choice:?}{}", place(&world, choice)).unwrap();
            choice.take(&mut world).await;
            if let Some(broken) = invariants::broken(&world) {
                writeln!(lines, "  BROKEN: {broken}").unwrap();
            }
        }
        if let Some(snapshot) = world.snapshot()
            && let Some(broken) = invariants::no_way_out(&setting, &snapshot, bounds).await
        {
            writeln!(lines, "  BROKEN: {broken}").unwrap();
        }
        write!(lines, "  now {}", describe(&world)).unwrap();
        lines
    })
}

/// 128 bits, so that two different states practically never have the same digest.
fn digest(state: &str) -> [u64; 2] {
    [0, 1].map(|seed: u64| {
        let mut hasher = DefaultHasher::new();
        (seed, state).hash(&mut hasher);
        hasher.finish()
    })
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

/// A path to a state.
struct Path {
    /// The last state in which no task ran, and the path there.
    start: Rc<(Snapshot, Vec<Choice>)>,
    steps: Vec<Choice>,
}

impl From<Snapshot> for Path {
    fn from(start: Snapshot) -> Self {
        Self { start: Rc::new((start, Vec::new())), steps: Vec::new() }
    }
}

impl Path {
    fn and(&self, choice: Choice) -> Self {
        Self { start: self.start.clone(), steps: [self.steps.as_slice(), &[choice]].concat() }
    }

    fn restart(self, snapshot: Snapshot) -> Self {
        Self { start: Rc::new((snapshot, [self.start.1.as_slice(), &self.steps].concat())), steps: Vec::new() }
    }

    async fn walk<'s>(&self, setting: &'s Setting) -> World<'s> {
        let mut world = setting.world(&self.start.0);
        for choice in &self.steps {
            choice.take(&mut world).await;
        }
        world
    }

    /// Describes the path, one line for each step, and ends with the numbers that repeat it.
    async fn tell(&self, setting: &Setting, bounds: &Bounds, mutant: Mutant) -> String {
        let (mut lines, mut numbers) = (String::new(), Vec::new());
        let beginning = Snapshot::beginning(bounds, mutant);
        let mut world = setting.world(&beginning);
        for &choice in self.start.1.iter().chain(&self.steps) {
            writeln!(lines, "  {choice:?}{}", place(&world, choice)).unwrap();
            let number = choices(&world, bounds).iter().position(|known| *known == choice).unwrap();
            numbers.push(number.to_string());
            choice.take(&mut world).await;
        }
        format!("{lines}  MODEL_REPLAY='{}/{mutant:?}/{}'", bounds.name, numbers.join("."))
    }
}

/// Where the decision of a choice is made: the step at which the branch waits.
fn place(world: &World<'_>, choice: Choice) -> String {
    let Choice::Decide(task, branch, _) = choice else { return String::new() };
    let op = lock(&world.shared).gates[task].branches[branch].waits.unwrap();
    format!(" at {op:?} of {:?}", world.tasks[task].kind)
}

/// How many paths lead from a state to an end.
fn paths(state: u32, children: &[Vec<u32>], known: &mut Vec<Option<u128>>) -> u128 {
    if let Some(paths) = known[state as usize] {
        return paths;
    }
    let sum = children[state as usize].iter().map(|child| paths(*child, children, known)).sum::<u128>().max(1);
    known[state as usize] = Some(sum);
    sum
}
