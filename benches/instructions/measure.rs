//! The figures that are measured.

use crate::callgrind::Callgrind;
use crate::support::events::{self, Event};
use crate::support::function::Function;
use crate::support::neighbours::CONNECTION;
use crate::support::program::Program;
use crate::support::world::World;

/// The names of the figures.
pub const NAMES: [&str; 9] = [
    "start of orders to its first 201",
    "order of 10 lines",
    "read",
    "start of callbacks to its first 200",
    "callback",
    "start of worker to its first notification",
    "notification",
    "empty sweep",
    "sweep with one status read",
];

const LINES: usize = 10;
/// Each figure is the median of several runs, because hash tables, keys and what a read finds in a socket are random.
const START_RUNS: usize = 5;
const WARM_RUNS: usize = 3;
/// How many processes may be started for one count. Under valgrind and beside other work, the bridge can exceed its time
/// limits.
const ATTEMPTS: usize = 10;
/// Requests that are not counted, because code that runs for the first time costs more.
const WARM_UP: usize = 5;
const WARM: usize = 100;

/// A kind of event: its name, and a function that makes a new one.
type Events = (&'static str, fn(&World) -> Event);

/// A program, and its first event.
struct Subject<'a> {
    world: &'a World,
    callgrind: &'a Callgrind,
    program: Program,
    first: Events,
}

/// Instructions, in the order of [`NAMES`].
pub async fn all(world: &World, callgrind: &Callgrind, [orders, callbacks, worker]: [Program; 3]) -> [u64; NAMES.len()] {
    let orders = Subject { world, callgrind, program: orders, first: ("order", |_| events::order()) };
    let callbacks = Subject { world, callgrind, program: callbacks, first: ("callback", World::callback) };
    let worker = Subject { world, callgrind, program: worker, first: ("notification", World::notification) };
    let sweeps = Subject { first: ("status-read", World::status_read), program: worker.program.clone(), ..worker };
    [
        orders.start().await,
        orders.warm(("order", |_| events::order_of(LINES))).await,
        orders.warm(("read", World::read)).await,
        callbacks.start().await,
        callbacks.warm(callbacks.first).await,
        worker.start().await,
        worker.warm(worker.first).await,
        sweeps.warm(("sweep", |_| events::sweep())).await,
        sweeps.warm(sweeps.first).await,
    ]
}

impl Subject<'_> {
    /// Instructions from the start of the process until it waits for its second event.
    async fn start(&self) -> u64 {
        self.median(START_RUNS, self.first, 0).await
    }

    /// Instructions of one request to a warm process: the difference between a longer and a shorter run, divided by the
    /// additional requests.
    async fn warm(&self, events: Events) -> u64 {
        let shorter = self.median(WARM_RUNS, events, WARM_UP).await;
        (self.median(WARM_RUNS, events, WARM_UP + WARM).await - shorter) / WARM as u64
    }

    async fn median(&self, runs: usize, events: Events, others: usize) -> u64 {
        let mut counts = Vec::new();
        for _ in 0..runs {
            counts.push(self.life(events, others).await);
        }
        counts.sort_unstable();
        counts[runs / 2]
    }

    /// Instructions of one process that answers its first event and then `others` of these events.
    async fn life(&self, events: Events, others: usize) -> u64 {
        for _ in 0..ATTEMPTS {
            match self.attempt(events, others).await {
                Ok(instructions) => return instructions,
                Err(why) => eprintln!("{} is started again: {why}", self.program.name),
            }
        }
        panic!("no process of {ATTEMPTS} kept the time limits; is the machine too busy?")
    }

    /// Like [`Self::life`], or the reason why this process cannot be compared with others.
    async fn attempt(&self, (kind, event): Events, others: usize) -> Result<u64, String> {
        let report = self.callgrind.report(format!("{}-{kind}-{others}.callgrind", self.program.name));
        let program = report.counted(&self.program);
        let mut function = Function::start(&program, &self.world.neighbours, None).await;
        function.init().await;
        if function.log().contains("WARN") {
            return Err(function.log());
        }
        self.world.neighbours.take_counts();
        function.try_ask((self.first.1)(self.world)).await?;
        for _ in 0..others {
            function.try_ask(event(self.world)).await?;
        }
        function.rest().await;
        function.end();
        // `worker` opens a connection for each call to a shop, and one to Front Payment for its first status read.
        let may_connect = self.program.name == "worker";
        if self.world.neighbours.take_counts().contains_key(CONNECTION) && !may_connect {
            return Err("it opened a connection after init".to_owned());
        }
        Ok(report.instructions())
    }
}
