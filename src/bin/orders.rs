//! The Lambda that shops call.

use std::process::ExitCode;

use front_payment_bridge::config::{Config, Settings};
use front_payment_bridge::environment::ProcessEnvironment;
use front_payment_bridge::http;
use front_payment_bridge::http::orders::Orders;
use front_payment_bridge::{cold_start, telemetry};
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let (config, settings) = (Config::read(&ProcessEnvironment)?, Settings::read(&ProcessEnvironment)?);
    telemetry::init_json();
    let orders = &Orders::new(cold_start::orders(config, &settings).await?.into(), settings);
    lambda_runtime::run(service_fn(|invocation| http::invoke(orders, invocation))).await
}
