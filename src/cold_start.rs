//! What is built, fetched and connected once per cold start, because Lambda does not throttle the CPU during init.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::bridge::Bridge;
use crate::clock::Clock;
use crate::config::{Config, Settings};
use crate::front_payment::Client;
use crate::http_client::{PooledClient, Tls, TlsError};
use crate::notify::{PrivateHosts, ShopClient};
use crate::secrets::{SecretCache, SecretsManager};
use crate::store::{DynamoDbStore, OrderStore};
use crate::worker::Worker;

/// How long init waits for other services. The first request gets what is still missing.
const MAX_INIT: Duration = Duration::from_secs(2);
/// Shorter than AWS keeps an idle connection. If AWS closes one earlier, the SDK tries again.
const MAX_IDLE: Duration = Duration::from_secs(20);

/// The bridge with the adapters for AWS.
pub type AwsBridge = Bridge<DynamoDbStore, Client>;
pub type AwsWorker = Worker<DynamoDbStore, Client, ShopClient>;

/// Builds the bridge, fetches the secret, and opens connections to DynamoDB and Front Payment.
///
/// # Errors
/// [`TlsError`] where `SSL_CERT_FILE` cannot be used.
pub async fn orders(config: Config, settings: &Settings) -> Result<AwsBridge, TlsError> {
    let (bridge, dynamodb) = build(config)?;
    let front_payment = bridge.front_payment.trusting(settings.trusted_failures.clone());
    let bridge = Bridge { front_payment, ..bridge };
    let connect_dynamodb = dynamodb.connect(bridge.store.load(Uuid::nil()));
    init(&bridge.secrets, async { tokio::join!(bridge.front_payment.connect(), connect_dynamodb) }).await;
    Ok(bridge)
}

/// Builds the bridge, fetches the secret, and opens a connection to DynamoDB. Callbacks seldom need Front Payment.
///
/// # Errors
/// [`TlsError`] where `SSL_CERT_FILE` cannot be used.
pub async fn callbacks(config: Config) -> Result<AwsBridge, TlsError> {
    let (bridge, dynamodb) = build(config)?;
    init(&bridge.secrets, dynamodb.connect(bridge.store.load(Uuid::nil()))).await;
    Ok(bridge)
}

/// Builds the worker, fetches the secret, and opens a connection to DynamoDB.
///
/// # Errors
/// [`TlsError`] where `SSL_CERT_FILE` cannot be used.
pub async fn worker(config: Config, private_hosts: PrivateHosts) -> Result<AwsWorker, TlsError> {
    let tls = Tls::new(config.ssl_cert_file.as_deref())?;
    let shops = ShopClient::new(&tls)?;
    let (bridge, dynamodb) = build_with(config, tls)?;
    init(&bridge.secrets, dynamodb.connect(bridge.store.load(Uuid::nil()))).await;
    Ok(Worker::new(bridge.into(), shops, private_hosts))
}

fn build(config: Config) -> Result<(AwsBridge, Arc<PooledClient>), TlsError> {
    let tls = Tls::new(config.ssl_cert_file.as_deref())?;
    build_with(config, tls)
}

/// The bridge, and the HTTP client that it reaches DynamoDB with.
fn build_with(config: Config, tls: Tls) -> Result<(AwsBridge, Arc<PooledClient>), TlsError> {
    let (clock, aws) = (Clock::system(), config.aws);
    let pooled = || PooledClient::new(tls.clone(), clock.clone(), MAX_IDLE).map(Arc::new);
    let dynamodb = pooled()?;
    let store = DynamoDbStore::new(aws.dynamodb(dynamodb.clone()), config.orders_table);
    let secrets_manager = SecretsManager::new(aws.secrets_manager(pooled()?), config.secret_id);
    let secrets = SecretCache::new(secrets_manager, clock.clone());
    let front_payment = Client::new(tls, clock.clone(), &config.front_payment_base_url)?;
    let bridge = Bridge::new(store, front_payment, secrets, clock).keeping_orders_for(config.order_retention);
    Ok((bridge, dynamodb))
}

/// Runs both at the same time. What fails is tried again when it is needed.
async fn init<T>(secrets: &SecretCache, connect: impl Future<Output = T>) {
    let fetch_secret = async {
        if tokio::time::timeout(MAX_INIT, secrets.prefetch()).await.is_err() {
            tracing::warn!("the secret was not fetched during init; the next request fetches it");
        }
    };
    drop(tokio::join!(fetch_secret, tokio::time::timeout(MAX_INIT, connect)));
}
