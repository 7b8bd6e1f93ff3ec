//! The Lambda behind `GET /callbacks/{orderId}/{token}`.

use std::process::ExitCode;

use front_payment_bridge::config::Config;
use front_payment_bridge::environment::ProcessEnvironment;
use front_payment_bridge::http;
use front_payment_bridge::http::callbacks::Callbacks;
use front_payment_bridge::{cold_start, telemetry};
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::exit_code(run().await)
}

async fn run() -> Result<(), Error> {
    let config = Config::read(&ProcessEnvironment)?;
    telemetry::init_json();
    let callbacks = &Callbacks::new(cold_start::callbacks(config).await?.into());
    lambda_runtime::run(service_fn(|invocation| http::invoke(callbacks, invocation))).await
}
