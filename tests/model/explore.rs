//! Tries everything that may happen. It does not go on from a state that it has reached before, by whatever path.
//!
//! A state has futures of the real code in it, which cannot be copied. It is reached again by its path from the last state
//! in which no task ran. That is why this is not one of the known model checkers.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fmt::Write;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::bounds::Bounds;
use crate::choices::{Choice, choices};
use crate::invariants;
use crate::mutants::Mutant;
use crate::state::describe;
use crate::world::{Setting, Snapshot, World};

/// Longer than the lease of an attempt, in seconds.
pub const LEASE: i64 = 61;

/// What was covered.
pub struct Covered {
    /// Different states.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
    /// Paths from the beginning to an end.
    pub interleavings: u128,
    /// The first invariant that fails, and the path there.
    pub broken: Option<String>,
}

impl fmt::Display for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} interleavings of {} steps between {} states", self.interleavings, self.steps, self.states)
    }
}

/// Explores all that may happen within bounds.
pub fn explore(bounds: &Bounds, mutant: Mutant) -> Covered {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let setting = Setting::new();
        let beginning = || Snapshot::beginning(bounds, mutant);
        let mut seen: HashMap<[u8; 32], usize> = HashMap::new();
        let mut children: Vec<Vec<usize>> = Vec::new();
        // Paths to take, and the state from which each comes.
        let mut to_do = VecDeque::from([(Path::from(beginning()), None::<usize>)]);
        while let Some((mut path, mut parent)) = to_do.pop_front() {
            let mut world = path.walk(&setting).await;
            loop {
                let next_id = children.len();
                let state = Sha256::digest(describe(&world)).into();
                let state = *seen.entry(state).or_insert(next_id);
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
                    let broken = Some(format!("{broken}\n{}", path.tell(&setting, &beginning()).await));
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
                // The world goes on with its first choice. The others are for later.
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

    /// One line a step, from the beginning.
    async fn tell(&self, setting: &Setting, beginning: &Snapshot) -> String {
        let mut lines = String::new();
        let mut world = setting.world(beginning);
        for choice in self.start.1.iter().chain(&self.steps) {
            let at = match choice {
                Choice::Decide(task, _) => format!(" at {:?}", world.waits_at(*task).unwrap()),
                _ => String::new(),
            };
            writeln!(lines, "  {choice:?}{at}").unwrap();
            choice.take(&mut world).await;
        }
        write!(lines, "  now {}", describe(&world)).unwrap();
        lines
    }
}

/// How many paths lead from a state to an end.
fn paths(state: usize, children: &[Vec<usize>], known: &mut Vec<Option<u128>>) -> u128 {
    if let Some(paths) = known[state] {
        return paths;
    }
    let sum = children[state].iter().map(|child| paths(*child, children, known)).sum::<u128>().max(1);
    known[state] = Some(sum);
    sum
}
