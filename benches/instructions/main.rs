//! How many instructions the Lambda binaries execute. valgrind counts them, so the figures do not depend on what else the
//! machine does. `cargo bench --bench instructions` needs Linux and valgrind, and fails if a figure is above the one in
//! accepted.json. AWS, Front Payment and the shop are the stubs of the benchmark `processes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod accepted;
mod callgrind;
mod measure;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use callgrind::Callgrind;
use support::neighbours::Neighbours;
use support::program::Binaries;
use support::world::World;

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    binaries: Binaries,
    /// Write the measured figures to accepted.json
    #[arg(long)]
    accept: bool,
    /// Keep callgrind's reports in this directory, for callgrind_annotate
    #[arg(long, value_name = "DIRECTORY")]
    keep: Option<PathBuf>,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let options = Options::parse();
    let directory = tempfile::tempdir().unwrap();
    let Some(callgrind) = Callgrind::find(options.keep.as_deref().unwrap_or(directory.path())) else {
        eprintln!("valgrind is missing: apt install valgrind");
        return ExitCode::FAILURE;
    };
    let [orders, callbacks, worker] = options.binaries.programs(directory.path());
    let neighbours = Neighbours::start(directory.path()).await;
    let world = World::new(neighbours, &orders).await;
    let figures = measure::all(&world, &callgrind, [orders, callbacks, worker]).await;
    if options.accept {
        accepted::write(&figures);
    }
    if accepted::compare(&figures) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
