//! The Lambda without an API: notifies shops, asks Front Payment for statuses, and does what the operator decides.

use std::process::ExitCode;

use front_payment_bridge::config::{Config, private_shop_hosts};
use front_payment_bridge::environment::ProcessEnvironment;
use front_payment_bridge::{cold_start, telemetry};
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let (config, private_hosts) = (Config::read(&ProcessEnvironment)?, private_shop_hosts(&ProcessEnvironment)?);
    telemetry::init_json();
    let worker = &cold_start::worker(config, private_hosts).await?;
    lambda_runtime::run(service_fn(|invocation| worker.invoke(invocation))).await
}
