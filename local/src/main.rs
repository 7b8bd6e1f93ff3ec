//! The bridge on this machine, with an embedded database and a sandbox of Front Payment.

use std::process::ExitCode;

use clap::Parser;
use front_payment_bridge::telemetry;
use local::Options;

#[tokio::main]
async fn main() -> ExitCode {
    local::run(Options::parse()).await.unwrap_or_else(|error| telemetry::exit_code(Err(error.into())))
}
