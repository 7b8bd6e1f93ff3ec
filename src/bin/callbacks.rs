//! The Lambda behind `GET /callbacks/{orderId}/{token}`.

use std::process::ExitCode;

use front_payment_bridge::bridge::Settings;
use front_payment_bridge::config::{Config, ProcessEnvironment, drop_empty_endpoints};
use front_payment_bridge::http::{self, Request, callbacks};
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
    drop_empty_endpoints()?;
    let config = Config::read(&ProcessEnvironment)?;
    telemetry::init_json();
    let bridge = &cold_start::connect(config, Settings::default()).await?;
    let handle = async |request: Request<'_>| callbacks::handle(bridge, request).await;
    lambda_runtime::run(service_fn(|invocation| http::invoke(invocation, handle))).await
}
