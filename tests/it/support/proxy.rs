//! A proxy between the bridge and AWS, which forwards, delays or fails requests as a test says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use front_payment_bridge::http_client;
use http::StatusCode;
use tokio::net::TcpListener;

/// What the proxy does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// DynamoDB's reply to a throttled request.
    Throttled,
    /// DynamoDB's reply to a fault of its own.
    Fails,
    /// The request is not forwarded and gets no reply.
    Hangs,
    /// The request is forwarded, but its reply is lost.
    ReplyLost,
    /// The request takes one second longer.
    Slow,
}

/// The end of an operation's name, how often the rule applies, and what happens.
type Rule = (&'static str, usize, Trouble);

pub struct Proxy {
    pub endpoint: String,
    inner: Arc<Inner>,
    connections: Arc<AtomicUsize>,
    serving: tokio::task::JoinHandle<()>,
}

struct Inner {
    upstream: String,
    client: reqwest::Client,
    rules: Mutex<Vec<Rule>>,
    operations: Mutex<Vec<String>>,
}

impl Proxy {
    pub async fn start(upstream: &str) -> Self {
        let client = http_client::build(None).unwrap();
        let inner = Inner { upstream: upstream.to_owned(), client, rules: Mutex::default(), operations: Mutex::default() };
        let inner = Arc::new(inner);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(pass).with_state(inner.clone());
        let connections: Arc<AtomicUsize> = Arc::default();
        let opened = connections.clone();
        let listener = listener.tap_io(move |_| {
            opened.fetch_add(1, Ordering::SeqCst);
        });
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { endpoint, inner, connections, serving }
    }

    /// Adds a rule for the next requests of operations whose name ends like this.
    pub fn will(&self, operation: &'static str, times: usize, trouble: Trouble) {
        self.inner.rules.lock().unwrap().push((operation, times, trouble));
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.inner.rules.lock().unwrap().clear();
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Every operation so far, like `DynamoDB_20120810.PutItem`.
    pub fn operations(&self) -> Vec<String> {
        self.inner.operations.lock().unwrap().clone()
    }

    /// How many requests there were of an operation.
    pub fn count(&self, operation: &str) -> usize {
        self.inner.operations.lock().unwrap().iter().filter(|known| known.ends_with(operation)).count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Inner {
    fn trouble(&self, operation: &str) -> Option<Trouble> {
        self.operations.lock().unwrap().push(operation.to_owned());
        let mut rules = self.rules.lock().unwrap();
        let (_, times, trouble) = rules.iter_mut().find(|(name, times, _)| operation.ends_with(name) && *times > 0)?;
        *times -= 1;
        Some(*trouble)
    }

    async fn forward(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let request = self.client.post(&self.upstream).headers(parts.headers).body(body);
        let reply = request.send().await.unwrap();
        let (status, mut headers) = (reply.status(), reply.headers().clone());
        headers.remove("connection"); // moto closes its connections
        (status, headers, reply.bytes().await.unwrap()).into_response()
    }
}

async fn pass(State(proxy): State<Arc<Inner>>, request: Request) -> Response {
    let operation = request.headers().get("x-amz-target").map(|name| name.to_str().unwrap().to_owned());
    match proxy.trouble(&operation.unwrap_or_default()) {
        None => proxy.forward(request).await,
        Some(Trouble::Throttled) => {
            let code = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"m"}"#;
            (StatusCode::BAD_REQUEST, code).into_response()
        }
        Some(Trouble::Fails) => (StatusCode::INTERNAL_SERVER_ERROR, r#"{"__type":"InternalServerError"}"#).into_response(),
        Some(Trouble::Slow) => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            proxy.forward(request).await
        }
        Some(Trouble::ReplyLost) => {
            drop(proxy.forward(request).await);
            std::future::pending().await
        }
        Some(Trouble::Hangs) => std::future::pending().await,
    }
}
