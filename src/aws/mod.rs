//! What is made once per cold start: the clients, and the bridge out of them.

mod connector;
mod secrets_manager;

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::bridge::{Bridge, Settings};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::front_payment::Client;
use crate::http_client;
use crate::secrets::Secrets;
use crate::store::DynamoDb;

/// Init waits for its neighbours this long at most; what is missing then is asked for when it is needed.
const MOST_FOR_INIT: Duration = Duration::from_secs(2);

/// The bridge as it runs on AWS.
pub type AwsBridge = Bridge<DynamoDb, Client>;

/// Makes every client, fetches the secret, and puts the bridge together.
///
/// # Errors
/// [`ConfigError`] where `SSL_CERT_FILE` cannot be used.
pub async fn connect(config: Config, settings: Settings) -> Result<AwsBridge, ConfigError> {
    let http = http_client::build(config.ssl_cert_file.as_deref())?;
    let sdk = sdk(http.clone()).load().await;
    let bridge = Bridge {
        store: DynamoDb::new(aws_sdk_dynamodb::Client::new(&sdk), config.orders_table),
        front_payment: Client::new(http, &config.front_payment_base_url),
        secrets: Secrets::new(secrets_manager::SecretsManager::new(&sdk, config.secret_id), Clock::system()),
        clock: Clock::system(),
        settings,
    };
    if tokio::time::timeout(MOST_FOR_INIT, bridge.secrets.prefetch()).await.is_err() {
        tracing::error!("the secret did not come during init; it is asked for again with the first request");
    }
    Ok(bridge)
}

/// The SDK's configuration, from the environment, over the bridge's own HTTP client.
#[must_use]
pub fn sdk(http: reqwest::Client) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(SharedHttpClient::new(connector::Connector::new(http)))
        .timeout_config(limits(Duration::from_secs(2), Duration::from_secs(5)))
}

/// An error of the SDK's as a line for the log: its kind and its code. Not its messages and not its
/// `Debug`: those quote requests, callback tokens and all.
pub(crate) fn error_line<E: ProvideErrorMetadata>(service: &str, error: &SdkError<E>) -> String {
    match error {
        SdkError::ServiceError(said) => {
            format!("{service} answered {}", said.err().code().unwrap_or("an error that cannot be read"))
        }
        SdkError::TimeoutError(_) => format!("{service} did not answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => format!("{service} did not answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_io() => format!("there is no connection to {service}"),
        SdkError::ResponseError(_) => format!("{service} gave an answer that cannot be read"),
        _ => format!("the request to {service} could not be made; are the AWS_ variables right?"),
    }
}

/// Time limits of one attempt, and of an operation with all its attempts.
fn limits(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation).build()
}
