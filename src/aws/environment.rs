//! The SDK's own environment variables.

use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::config::retry::RetryMode;
use url::Url;

use crate::environment::{ConfigError, Environment};

/// The variables that Lambda sets, and those of the SDK that make sense in a Lambda. The SDK's own loader is not used: it
/// would look for profiles and for other sources of credentials in every cold start.
#[derive(Debug, Default, Clone)]
pub struct Aws {
    /// `AWS_REGION`, or `AWS_DEFAULT_REGION`
    pub region: Option<String>,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`
    pub credentials: Option<Credentials>,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, or `AWS_ENDPOINT_URL`
    pub dynamodb_endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, or `AWS_ENDPOINT_URL`
    pub secrets_manager_endpoint: Option<String>,
    /// `AWS_USE_FIPS_ENDPOINT`
    pub use_fips: bool,
    /// `AWS_USE_DUALSTACK_ENDPOINT`
    pub use_dual_stack: bool,
    /// `AWS_RETRY_MODE`
    pub retry_mode: Option<RetryMode>,
    /// `AWS_MAX_ATTEMPTS`
    pub max_attempts: Option<u32>,
}

impl Aws {
    /// All of them are optional. Without a region or credentials, the first request fails.
    ///
    /// # Errors
    /// [`ConfigError`] names the first variable that cannot be used.
    pub fn read(environment: &impl Environment) -> Result<Self, ConfigError> {
        let endpoint = |own| Ok(url(environment, own)?.or(url(environment, "AWS_ENDPOINT_URL")?));
        let dynamodb_endpoint = endpoint("AWS_ENDPOINT_URL_DYNAMODB")?;
        let secrets_manager_endpoint = endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER")?;
        let (key_id, key) = (environment.get("AWS_ACCESS_KEY_ID")?, environment.get("AWS_SECRET_ACCESS_KEY")?);
        let token = environment.get("AWS_SESSION_TOKEN")?;
        Ok(Self {
            region: environment.get("AWS_REGION")?.or(environment.get("AWS_DEFAULT_REGION")?),
            credentials: key_id.zip(key).map(|(key_id, key)| Credentials::new(key_id, key, token, None, "environment")),
            dynamodb_endpoint,
            secrets_manager_endpoint,
            use_fips: is_on(environment, "AWS_USE_FIPS_ENDPOINT")?,
            use_dual_stack: is_on(environment, "AWS_USE_DUALSTACK_ENDPOINT")?,
            retry_mode: retry_mode(environment, "AWS_RETRY_MODE")?,
            max_attempts: most(environment, "AWS_MAX_ATTEMPTS")?,
        })
    }
}

fn url(environment: &impl Environment, variable: &'static str) -> Result<Option<String>, ConfigError> {
    let url = environment.get(variable)?;
    match url.as_deref().map(Url::parse) {
        Some(Err(error)) => Err(ConfigError::new(variable, "is not a URL").caused_by(error)),
        _ => Ok(url),
    }
}

fn is_on(environment: &impl Environment, variable: &'static str) -> Result<bool, ConfigError> {
    match environment.get(variable)?.map(|value| value.to_ascii_lowercase()).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ConfigError::new(variable, "is neither true nor false")),
    }
}

fn retry_mode(environment: &impl Environment, variable: &'static str) -> Result<Option<RetryMode>, ConfigError> {
    let mode = environment.get(variable)?.map(|value| value.parse());
    mode.transpose().map_err(|_| ConfigError::new(variable, "is neither standard nor adaptive"))
}

fn most(environment: &impl Environment, variable: &'static str) -> Result<Option<u32>, ConfigError> {
    let unusable = || ConfigError::new(variable, "is not a whole number of at least 1");
    let number = environment.get(variable)?.map(|value| value.parse().map_err(|_| unusable())).transpose()?;
    if number == Some(0) { Err(unusable()) } else { Ok(number) }
}
