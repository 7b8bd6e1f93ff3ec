//! The AWS SDK, over the bridge's own HTTP client.

mod connector;

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::telemetry::with_causes;

/// The SDK's configuration, from the environment, over the bridge's own HTTP client.
#[must_use]
pub fn config(http: reqwest::Client) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(SharedHttpClient::new(connector::Connector::new(http)))
        .timeout_config(limits(Duration::from_secs(2), Duration::from_secs(5)))
}

/// An error of the SDK's as a line for the log: its kind, its code, and what the connection died of. Not
/// the messages of the service, and not its `Debug`: those quote requests, callback tokens and all.
pub(crate) fn error_line<E: ProvideErrorMetadata>(service: &str, error: &SdkError<E>) -> String {
    match error {
        SdkError::ServiceError(said) => {
            let request_id = error.request_id().map(|id| format!(" (its request {id})")).unwrap_or_default();
            format!("{service} answered {}{request_id}", said.err().code().unwrap_or("an error that cannot be read"))
        }
        SdkError::TimeoutError(_) => format!("{service} did not answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => format!("{service} did not answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_io() => {
            let why = failure.as_connector_error().map(|error| with_causes(error)).unwrap_or_default();
            format!("there is no connection to {service}: {why}")
        }
        SdkError::ResponseError(_) => format!("{service} gave an answer that cannot be read"),
        _ => format!("the request to {service} could not be made; are the AWS_ variables right?"),
    }
}

/// Time limits of one attempt, and of an operation with all its attempts.
pub(crate) fn limits(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation).build()
}
