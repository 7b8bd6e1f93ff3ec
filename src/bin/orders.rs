//! The Lambda behind `POST /orders` and `GET /orders/{orderId}`.

use std::process::ExitCode;

use front_payment_bridge::bridge::Settings;
use front_payment_bridge::config::{Config, ProcessEnvironment};
use front_payment_bridge::http::{self, Request, orders};
use front_payment_bridge::{cold_start, telemetry};
use lambda_runtime::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let (config, settings) = (Config::read(&ProcessEnvironment)?, Settings::read(&ProcessEnvironment)?);
    telemetry::init_json();
    let bridge = &cold_start::orders(config, settings).await?;
    let handle = async |request: Request<'_>| orders::handle(bridge, request).await;
    lambda_runtime::run(service_fn(|invocation| http::invoke(invocation, handle))).await
}
