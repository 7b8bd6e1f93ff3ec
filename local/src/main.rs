//! The bridge on this machine, with an embedded database and a sandbox of Front Payment.

use std::process::ExitCode;

use clap::Parser;
use front_payment_bridge::telemetry;
use local::Options;

#[tokio::main]
async fn main() -> ExitCode {
    telemetry::exit_code(local::run(Options::parse()).await.map_err(Into::into))
}
