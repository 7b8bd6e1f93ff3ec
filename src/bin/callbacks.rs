//! The Lambda behind `GET /callbacks/{orderId}/{token}`.

use std::process::ExitCode;

use front_payment_bridge::config::{Config, ProcessEnvironment};
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
    let config = Config::read(&ProcessEnvironment)?;
    telemetry::init_json();
    let bridge = &cold_start::callbacks(config).await?;
    let handle = async |request: Request<'_>| callbacks::handle(bridge, request).await;
    lambda_runtime::run(service_fn(|invocation| http::invoke(invocation, handle))).await
}
