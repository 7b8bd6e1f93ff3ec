//! The AWS SDK, over the bridge's own HTTP client.

mod environment;
mod http_adapter;

pub use environment::Aws;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryMode};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, IdentityCache, Region, SharedCredentialsProvider, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use aws_types::SdkConfig;

use crate::http_client::PooledClient;
use crate::telemetry::error_chain;

impl Aws {
    /// A result has three seconds to be stored, so a request that hangs leaves time for a second one, which waits up to a
    /// second before it begins.
    #[must_use]
    pub fn dynamodb(&self, http: Arc<PooledClient>) -> aws_sdk_dynamodb::Client {
        let limits = limits(Duration::from_millis(1_500), Duration::from_secs(5));
        aws_sdk_dynamodb::Client::new(&self.config(http, limits, self.dynamodb_endpoint.as_deref()))
    }

    /// Requests wait for the secret, so it gets three seconds, retries included.
    #[must_use]
    pub fn secrets_manager(&self, http: Arc<PooledClient>) -> aws_sdk_secretsmanager::Client {
        let limits = limits(Duration::from_millis(1_500), Duration::from_secs(3));
        aws_sdk_secretsmanager::Client::new(&self.config(http, limits, self.secrets_manager_endpoint.as_deref()))
    }

    fn config(&self, http: Arc<PooledClient>, limits: TimeoutConfig, endpoint: Option<&str>) -> SdkConfig {
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(self.region.clone().map(Region::new))
            .http_client(http_adapter::SdkHttpClient::new(http))
            .identity_cache(IdentityCache::no_cache()) // the credentials do not change
            .timeout_config(limits)
            // Not needed: bodies are small, and the time limits cover them.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .use_fips(self.use_fips)
            .use_dual_stack(self.use_dual_stack);
        config.set_credentials_provider(self.credentials.clone().map(SharedCredentialsProvider::new));
        config.set_endpoint_url(endpoint.map(str::to_owned));
        let retries = RetryConfig::standard().with_retry_mode(self.retry_mode.unwrap_or(RetryMode::Standard));
        let retries = self.max_attempts.into_iter().fold(retries, RetryConfig::with_max_attempts);
        config.set_retry_config(Some(retries));
        config.build()
    }
}

/// An error of the SDK as a line for the log: its kind, its code, and why a connection was lost. It leaves out the service's
/// message and the error's `Debug`, which quote requests, callback tokens included.
pub(crate) fn error_line<E: ProvideErrorMetadata>(service: &str, error: &SdkError<E>) -> String {
    match error {
        SdkError::ServiceError(answer) => {
            let request_id = error.request_id().map(|id| format!(" (request id {id})")).unwrap_or_default();
            format!("{service} answered {}{request_id}", answer.err().code().unwrap_or("an unreadable error"))
        }
        SdkError::TimeoutError(_) => format!("{service} did not answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => format!("{service} did not answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_io() => {
            let why = failure.as_connector_error().map(|error| error_chain(error)).unwrap_or_default();
            format!("no connection to {service}: {why}")
        }
        SdkError::ResponseError(_) => format!("{service} sent an unreadable answer"),
        _ => format!("the request to {service} could not be made; are the AWS_ variables right?"),
    }
}

/// The limit of an operation includes all its attempts.
fn limits(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation).build()
}
