//! What is made, fetched and opened once per cold start, while the CPU is not throttled yet.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::bridge::{Bridge, Settings};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::front_payment::Client;
use crate::http_client::{Neighbour, Tls};
use crate::secrets::{Secrets, SecretsManager};
use crate::store::{DynamoDb, OrderStore};

/// Init waits for its neighbours this long at most; what is missing then is asked for when it is needed.
const MOST_FOR_INIT: Duration = Duration::from_secs(2);
/// AWS keeps an idle connection for longer than this. Where it has not, the SDK tries again.
const IDLE: Duration = Duration::from_secs(20);

/// The bridge as it runs on AWS.
pub type AwsBridge = Bridge<DynamoDb, Client>;

/// The bridge of `orders`: with the secret, and with a connection to DynamoDB and one to Front Payment.
///
/// # Errors
/// [`ConfigError`] where `SSL_CERT_FILE` cannot be used.
pub async fn orders(config: Config, settings: Settings) -> Result<AwsBridge, ConfigError> {
    let (bridge, dynamodb) = build(config, settings)?;
    let opened = async { tokio::join!(dynamodb.open(bridge.store.load(Uuid::nil())), bridge.front_payment.open()) };
    within_init(&bridge.secrets, opened).await;
    Ok(bridge)
}

/// The bridge of `callbacks`: with the secret, and with a connection to DynamoDB. It seldom needs Front Payment.
///
/// # Errors
/// [`ConfigError`] where `SSL_CERT_FILE` cannot be used.
pub async fn callbacks(config: Config) -> Result<AwsBridge, ConfigError> {
    let (bridge, dynamodb) = build(config, Settings::default())?;
    within_init(&bridge.secrets, dynamodb.open(bridge.store.load(Uuid::nil()))).await;
    Ok(bridge)
}

/// Every client, and the bridge out of them.
fn build(config: Config, settings: Settings) -> Result<(AwsBridge, Arc<Neighbour>), ConfigError> {
    let (clock, aws) = (Clock::system(), config.aws);
    let tls = Tls::new(config.ssl_cert_file.as_deref())?;
    let neighbour = || Neighbour::new(tls.clone(), clock.clone(), IDLE).map(Arc::new);
    let (dynamodb, secrets_manager) = (neighbour()?, aws.secrets_manager(neighbour()?));
    let bridge = Bridge {
        store: DynamoDb::new(aws.dynamodb(dynamodb.clone()), config.orders_table, config.order_retention),
        front_payment: Client::new(tls, clock.clone(), &config.front_payment_base_url)?,
        secrets: Secrets::new(SecretsManager::new(secrets_manager, config.secret_id), clock.clone()),
        clock,
        readings: Budget::default(),
        settings,
    };
    Ok((bridge, dynamodb))
}

/// The secret is fetched, and connections are opened, all at once. What fails is tried again when it is needed.
async fn within_init<T>(secrets: &Secrets, opened: impl Future<Output = T>) {
    let fetched = async {
        if tokio::time::timeout(MOST_FOR_INIT, secrets.prefetch()).await.is_err() {
            tracing::warn!("the secret did not come during init; it is asked for again when it is needed");
        }
    };
    drop(tokio::join!(fetched, tokio::time::timeout(MOST_FOR_INIT, opened)));
}
