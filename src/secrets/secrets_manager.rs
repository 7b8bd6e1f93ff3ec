//! The secret in AWS Secrets Manager.

use aws_sdk_secretsmanager::Client;

use super::{SecretFetch, SecretSource};
use crate::aws;

pub struct SecretsManager {
    client: Client,
    secret_id: String,
}

impl SecretsManager {
    /// The client must set the time limits and retries.
    #[must_use]
    pub fn new(client: Client, secret_id: String) -> Self {
        Self { client, secret_id }
    }
}

impl SecretSource for SecretsManager {
    fn fetch(&self) -> SecretFetch<'_> {
        Box::pin(async move {
            let found = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
            let found = found.map_err(|error| aws::error_line("Secrets Manager", &error))?;
            found.secret_string.ok_or_else(|| "the secret is binary, not a string".to_owned())
        })
    }
}
