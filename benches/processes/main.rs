//! The Lambda binaries as processes: how they start, how long a request takes, and how that grows. They are compared with a
//! hello-world (`examples/hello.rs`) and with a simple Lambda (`benches/straightforward`). `cargo bench --bench processes`
//! needs Linux. Lambda's Runtime API, Secrets Manager, DynamoDB and Front Payment are stubs in this process, all but the
//! first over TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod cost;
mod figures;
mod growth;
mod programs;
mod report;
mod rounds;
#[path = "../support/mod.rs"]
mod support;
mod throttle;

use clap::Parser;

use programs::{Given, Programs};
use rounds::{Sent, Subject};
use support::neighbours::Neighbours;
use support::world::World;

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    given: Given,
    /// Cold starts of each program, of each of three kinds
    #[arg(long, default_value_t = 20)]
    starts: usize,
    /// Warm requests to each program
    #[arg(long, default_value_t = 500)]
    warm: usize,
    /// Leave the tables of growth out
    #[arg(long)]
    no_growth: bool,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let options = Options::parse();
    let directory = tempfile::tempdir().unwrap();
    let programs = Programs::build(options.given, directory.path());
    let neighbours = Neighbours::start(directory.path()).await;
    let world = World::new(neighbours, &programs.orders).await;

    let subject = |program, sent| Subject { program, sent, figures: Default::default() };
    let mut subjects = [
        subject(&programs.hello, Sent::Ignored),
        subject(&programs.straightforward, Sent::Orders),
        subject(&programs.orders, Sent::Orders),
        subject(&programs.callbacks, Sent::Callbacks),
    ];
    let throttled = rounds::starts(&world, &mut subjects, options.starts).await;
    rounds::warm(&world, &mut subjects, options.warm).await;
    // A read runs in the same process as an order and starts the same, so only warm requests are measured.
    let mut reads = [subject(&programs.orders, Sent::Reads)];
    rounds::warm(&world, &mut reads, 100).await;

    println!("\nMedians of {} starts and {} warm requests of each:", options.starts, options.warm);
    if let Err(why) = throttled {
        println!("nothing was measured at 14 % CPU, for there is no control group: {why}");
    }
    report::print(&subjects, &reads[0].figures);
    let [.., orders, _] = &subjects;
    cost::print(orders.figures.warm_cpu.median(), orders.figures.rested_cpu.median());
    if !options.no_growth {
        growth::measure(&world, &programs).await;
    }
}
