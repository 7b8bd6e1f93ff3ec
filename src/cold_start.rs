//! What is made once per cold start: the clients, and the bridge out of them.

use std::time::Duration;

use crate::bridge::{Bridge, Settings};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::front_payment::Client;
use crate::secrets::{Secrets, SecretsManager};
use crate::store::DynamoDb;
use crate::{http_client, sdk};

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
    let sdk = sdk::config(http.clone()).load().await;
    let bridge = Bridge {
        store: DynamoDb::new(aws_sdk_dynamodb::Client::new(&sdk), config.orders_table, config.order_retention),
        front_payment: Client::new(http, &config.front_payment_base_url),
        secrets: Secrets::new(SecretsManager::new(&sdk, config.secret_id), Clock::system()),
        clock: Clock::system(),
        readings: Budget::default(),
        settings,
    };
    if tokio::time::timeout(MOST_FOR_INIT, bridge.secrets.prefetch()).await.is_err() {
        tracing::warn!("the secret did not come during init; it is asked for again when it is needed");
    }
    Ok(bridge)
}
