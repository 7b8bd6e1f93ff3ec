//! Stubs of Secrets Manager, DynamoDB, Front Payment and a shop, over TLS on this machine. They count their calls, and can
//! be as slow as if they were far away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::authority;
use super::items::Items;
use super::wire::{self, Call, Reply, Service};

/// The bearer token, and the key that signs callbacks.
pub const TOKEN: &str = "sandbox-token";
pub const CALLBACK_SECRET: &str = "sandbox-secret-key";
/// Counted beside the calls.
pub const CONNECTION: &str = "TCP connection";
pub const HANDSHAKE: &str = "TLS handshake";
/// The id of the secret in which the shop is notified.
pub const NOTIFIED: &str = "notified";
/// SHA-256 of `demo-shop-key`, the API key in events/.
const KEY_HASH: &str = "f5d072715bf986543308d9f187277c2406847cd7bfd33cbc2264fedc284a9992";

/// All stubs, and what a program needs to find and trust them.
pub struct Neighbours {
    pub items: Arc<Items>,
    /// Environment variables for a program.
    pub environment: Vec<(&'static str, String)>,
    /// The base URL of the shop's stub.
    pub shop: String,
    ledger: Arc<Ledger>,
}

/// The number of calls by name, and of TCP connections and TLS handshakes.
pub type Counts = BTreeMap<String, u64>;

#[derive(Default)]
struct Ledger {
    counts: Mutex<Counts>,
    latency_ms: AtomicU64,
    orders: AtomicU64,
}

enum Role {
    SecretsManager,
    DynamoDb(Arc<Items>),
    FrontPayment,
    Shop,
}

struct Neighbour {
    role: Role,
    ledger: Arc<Ledger>,
}

impl Neighbours {
    /// Starts the stubs. The authority's certificate is written into the directory.
    pub async fn start(directory: &Path) -> Self {
        let (acceptor, authority) = authority::localhost();
        let certificates: PathBuf = directory.join("authority.pem");
        std::fs::write(&certificates, authority).unwrap();
        let (items, ledger) = (Arc::<Items>::default(), Arc::<Ledger>::default());
        let start = async |role| listen(Neighbour { role, ledger: ledger.clone() }, acceptor.clone()).await;
        let environment = vec![
            ("ORDERS_TABLE", "orders".to_owned()),
            ("SECRET_ID", "front-payment".to_owned()),
            ("SSL_CERT_FILE", certificates.to_str().unwrap().to_owned()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", start(Role::SecretsManager).await),
            ("AWS_ENDPOINT_URL_DYNAMODB", start(Role::DynamoDb(items.clone())).await),
            ("FRONT_PAYMENT_BASE_URL", start(Role::FrontPayment).await + "/api/v1"),
        ];
        let shop = start(Role::Shop).await;
        Self { items, environment, shop, ledger }
    }

    /// From now on, every reply and every TLS handshake takes this much longer.
    pub fn set_latency(&self, milliseconds: u64) {
        self.ledger.latency_ms.store(milliseconds, Ordering::SeqCst);
    }

    /// The counts since the last call.
    pub fn take_counts(&self) -> Counts {
        std::mem::take(&mut self.ledger.counts.lock().unwrap())
    }
}

impl Ledger {
    fn count(&self, what: impl Into<String>) {
        *self.counts.lock().unwrap().entry(what.into()).or_default() += 1;
    }

    async fn be_far_away(&self) {
        let latency = self.latency_ms.load(Ordering::SeqCst);
        if latency > 0 {
            tokio::time::sleep(Duration::from_millis(latency)).await;
        }
    }
}

/// Starts one stub, and returns its base URL.
async fn listen(neighbour: Neighbour, acceptor: TlsAcceptor) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let neighbour = Arc::new(neighbour);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, neighbour) = (acceptor.clone(), neighbour.clone());
            tokio::spawn(async move {
                neighbour.ledger.count(CONNECTION);
                stream.set_nodelay(true).unwrap();
                neighbour.ledger.be_far_away().await;
                // Fails if a process was ended during the handshake.
                let Ok(stream) = acceptor.accept(stream).await else { return };
                neighbour.ledger.count(HANDSHAKE);
                wire::serve(stream, &*neighbour).await;
            });
        }
    });
    base
}

impl Service for Neighbour {
    async fn answer(&self, call: Call) -> Reply {
        let operation = call.header("x-amz-target").and_then(|target| target.split_once('.')).map(|(_, name)| name.to_owned());
        let (name, reply) = match (&self.role, operation) {
            (Role::SecretsManager, Some(operation)) => (operation, secret(&call.body)),
            (Role::DynamoDb(items), Some(operation)) => {
                let reply = items.answer(&operation, &call.body);
                (operation, reply)
            }
            (Role::FrontPayment, _) => self.front_payment(&call),
            (Role::Shop, _) => ("notification".to_owned(), Reply::new(200, "")),
            _ => other(&call),
        };
        self.ledger.count(name);
        self.ledger.be_far_away().await;
        reply
    }
}

impl Neighbour {
    fn front_payment(&self, call: &Call) -> (String, Reply) {
        if let Some(uuid) = call.target.strip_prefix("/api/v1/connect/orders/status/") {
            let body = json!({"status_code": 200, "data": {"uuid": uuid, "status": "SENT"}});
            return ("status".to_owned(), Reply::new(200, body.to_string()).with("content-type", "application/json"));
        }
        if (&*call.method, &*call.target) != ("POST", "/api/v1/connect/orders/invoice/submit") {
            return other(call);
        }
        assert_eq!(call.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
        let order = self.ledger.orders.fetch_add(1, Ordering::SeqCst);
        let data = json!({"orderUuid": format!("ODR{order:010}"), "customerUuid": "CSRT3419523642",
            "bankIdUrl": format!("https://bankid.example/auth?order={order}")});
        let body =
            json!({"status_code": 201, "status_message": "Created", "message": "Order created", "is_error": false, "data": data});
        let reply = Reply::new(201, body.to_string()).with("content-type", "application/json");
        ("submit".to_owned(), reply.with("x-ratelimit-remaining", "239"))
    }
}

/// The reply to a call that no stub knows, for example one that only opens a connection. It is counted, too.
fn other(call: &Call) -> (String, Reply) {
    (format!("{} {}", call.method, call.target), Reply::new(404, "{}"))
}

/// The secret. In the one with the id `notified`, the shop is notified.
fn secret(request: &[u8]) -> Reply {
    let request: serde_json::Value = serde_json::from_slice(request).unwrap();
    let mut shop = json!({ "apiKeySha256": [KEY_HASH] });
    if request["SecretId"] == NOTIFIED {
        shop["notify"] = json!({ "keys": ["a-key-of-more-than-24-bytes"], "hosts": ["localhost"] });
    }
    let secret = json!({ "token": TOKEN, "callbackSecret": CALLBACK_SECRET, "shops": { "demo-shop": shop } });
    let body = json!({"ARN": "arn", "Name": "front-payment", "VersionId": "1", "SecretString": secret.to_string()});
    Reply::new(200, body.to_string()).with("content-type", "application/x-amz-json-1.1")
}
