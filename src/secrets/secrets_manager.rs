//! The secret in AWS Secrets Manager.

use aws_sdk_secretsmanager::Client;

use super::{Fetch, SecretSource};
use crate::sdk;

/// Reads the current version of one secret.
pub struct SecretsManager {
    client: Client,
    secret_id: String,
}

impl SecretsManager {
    /// The source of the secret with this id. Time limits and retries are the client's.
    #[must_use]
    pub fn new(client: Client, secret_id: String) -> Self {
        Self { client, secret_id }
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
