//! The secret in AWS Secrets Manager.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;

use super::{Fetch, SecretSource};
use crate::sdk;

/// Reads the current version of one secret.
pub struct SecretsManager {
    client: Client,
    secret_id: String,
}

impl SecretsManager {
    /// Requests wait for it, so it gets three seconds, repetitions included.
    #[must_use]
    pub fn new(config: &SdkConfig, secret_id: String) -> Self {
        let limits = sdk::limits(Duration::from_millis(1_500), Duration::from_secs(3));
        Self { client: Client::from_conf(Builder::from(config).timeout_config(limits).build()), secret_id }
    }
}

impl SecretSource for SecretsManager {
    fn fetch(&self) -> Fetch<'_> {
        Box::pin(async move {
            let got = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
            let got = got.map_err(|error| sdk::error_line("Secrets Manager", &error))?;
            got.secret_string.ok_or_else(|| "the secret is binary, not a string".to_owned())
        })
    }
}
