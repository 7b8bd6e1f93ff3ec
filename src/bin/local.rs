//! The bridge on this machine, with an embedded database and a sandbox of Front Payment's.

use std::process::ExitCode;

use clap::Parser;
use front_payment_bridge::local::{self, Options};

#[tokio::main]
async fn main() -> ExitCode {
    match local::run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
