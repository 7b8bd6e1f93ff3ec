//! Which connection a submit goes over, and that none is lost on a dead one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use front_payment_bridge::clock::Clock;
use front_payment_bridge::front_payment::{Client, FrontPayment, SubmitReply};
use front_payment_bridge::http_client::Tls;
use front_payment_bridge::secrets::Redacted;
use jiff::Timestamp;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::lambda::{CALLBACKS, ORDERS, World, body, callback};
use crate::support::{NOW, example, post_event, signed};

const CREATED: &str = r#"{"status_code":201,"data":{"orderUuid":"ODR1","bankIdUrl":"https://bankid.example/login"}}"#;

/// A Front Payment that keeps its connections until it is told to close them, and counts.
struct Keeper {
    base_url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    close: watch::Sender<u32>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Keeper {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (connections, requests): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let (close, closed) = watch::channel(0);
        let (opened, asked) = (connections.clone(), requests.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, asked.clone(), closed.clone()));
            }
        });
        Self { base_url, connections, requests, close, accepting }
    }

    /// Closes every connection that there is.
    async fn close_all(&self) {
        self.close.send_modify(|times| *times += 1);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    /// How many connections there have been, and how many requests.
    fn counted(&self) -> (usize, usize) {
        (self.connections.load(Ordering::SeqCst), self.requests.load(Ordering::SeqCst))
    }

    /// Waits until so many connections were opened.
    async fn opened(&self, connections: usize) {
        eventually(|| self.counted().0 == connections).await;
    }
}

async fn eventually(is_so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to that");
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut stream: TcpStream, requests: Arc<AtomicUsize>, mut closed: watch::Receiver<u32>) {
    closed.mark_unchanged();
    let (mut seen, mut chunk) = (Vec::new(), [0; 65_536]);
    loop {
        let read = tokio::select! {
            read = stream.read(&mut chunk) => read.unwrap_or(0),
            _ = closed.changed() => 0,
        };
        if read == 0 {
            return;
        }
        seen.extend_from_slice(&chunk[..read]);
        // An order ends with its last brace, a status read with its head.
        let text = String::from_utf8_lossy(&seen).into_owned();
        if text.starts_with("POST") && text.ends_with("}}") || text.starts_with("GET") && text.ends_with("\r\n\r\n") {
            requests.fetch_add(1, Ordering::SeqCst);
            seen.clear();
            let reply = format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n{CREATED}", CREATED.len());
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    }
}

struct Case {
    keeper: Keeper,
    client: Client,
    millis: Arc<AtomicI64>,
}

impl Case {
    async fn new() -> Self {
        let (keeper, millis) = (Keeper::start().await, Arc::new(AtomicI64::new(NOW * 1_000)));
        let time = millis.clone();
        let clock = Clock::new(move || Timestamp::from_millisecond(time.load(Ordering::SeqCst)).unwrap());
        let client = Client::new(Tls::new(None).unwrap(), clock, &keeper.base_url.parse().unwrap()).unwrap();
        Self { keeper, client, millis }
    }

    /// The time of day goes on; the monotonic clock, as in a frozen process, does not.
    fn pass(&self, millis: i64) {
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    async fn submit(&self) {
        let order = crate::provider::order(&example().to_string());
        let (token, limit) = (Redacted::new("token-1"), Duration::from_secs(5));
        let submission = self.client.submit(&order, "https://api.example.no/callbacks/1/2", &token, limit).await;
        assert!(matches!(submission.reply, SubmitReply::Created(_)), "{}", submission.reason);
    }
}

#[tokio::test]
async fn the_first_order_goes_over_the_connection_that_was_opened_for_it() {
    let case = Case::new().await;
    case.client.connect().await;
    case.keeper.opened(1).await;
    assert_eq!(case.keeper.counted(), (1, 0), "connected, and nothing sent");
    case.submit().await;
    case.pass(5_000);
    case.submit().await;
    assert_eq!(case.keeper.counted(), (1, 2), "and the next one after it");
}

#[tokio::test]
async fn a_connection_that_was_idle_for_more_than_five_seconds_is_not_used() {
    let case = Case::new().await;
    case.client.connect().await;
    case.pass(5_001);
    case.submit().await;
    assert_eq!(case.keeper.counted(), (2, 1), "not the one that was opened");
    case.pass(5_001);
    case.submit().await;
    assert_eq!(case.keeper.counted(), (3, 2), "nor one that was used");
    case.pass(-60_000);
    case.submit().await;
    assert_eq!(case.keeper.counted(), (4, 3), "nor one of nobody knows when");
}

#[tokio::test]
async fn a_connection_that_the_other_end_has_closed_is_not_used() {
    let case = Case::new().await;
    case.client.connect().await;
    case.keeper.opened(1).await;
    case.keeper.close_all().await;
    case.submit().await;
    assert_eq!(case.keeper.counted(), (2, 1));
    case.keeper.close_all().await;
    case.submit().await;
    assert_eq!(case.keeper.counted(), (3, 2));
}

#[tokio::test]
async fn where_none_can_be_opened_the_order_tries_itself() {
    let case = Case::new().await;
    let nobody: url::Url = "http://127.0.0.1:1".parse().unwrap();
    let client = Client::new(Tls::new(None).unwrap(), Clock::system(), &nobody).unwrap();
    client.connect().await;
    // Given up halfway: the next connection is the next order's, and not kept from it.
    drop(tokio::time::timeout(Duration::ZERO, case.client.connect()).await);
    case.submit().await;
    assert_eq!(case.keeper.counted().1, 1);
}

/// Stops or continues a process, as Lambda freezes and thaws it.
async fn signal(process: u32, signal: &str) {
    let done = tokio::process::Command::new("kill").args([signal, &process.to_string()]).status().await.unwrap();
    assert!(done.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_process_loses_no_order_on_the_connections_that_were_closed_meanwhile() {
    let world = World::new().await;
    let keeper = Keeper::start().await;
    let orders = world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &keeper.base_url)]).await;
    keeper.opened(1).await;
    for order in 1..=5 {
        signal(orders.id().await, "-STOP").await;
        keeper.close_all().await;
        signal(orders.id().await, "-CONT").await;
        let reply = orders.invoke(&post_event(&example().to_string(), "Bearer demo-shop-key", None)).await;
        assert_eq!(reply["statusCode"], 201, "{reply}");
        assert_eq!(keeper.counted(), (order + 1, order), "each is sent once");
    }
}

const PUT: &str = "DynamoDB_20120810.PutItem";
const GET: &str = "DynamoDB_20120810.GetItem";
const UPDATE: &str = "DynamoDB_20120810.UpdateItem";

#[tokio::test(flavor = "multi_thread")]
async fn init_opens_connections_and_a_warm_request_opens_none() {
    let world = World::new().await;
    let (dynamodb, keeper) = (world.proxy().await, Keeper::start().await);
    let neighbours = [("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.endpoint.as_str()), ("FRONT_PAYMENT_BASE_URL", &keeper.base_url)];
    let orders = world.start(ORDERS, &neighbours).await;
    let submit = async || body(&orders.invoke(&post_event(&example().to_string(), "Bearer demo-shop-key", None)).await);
    eventually(|| (dynamodb.connections(), keeper.counted().0) == (1, 1)).await;
    assert_eq!((dynamodb.connections(), dynamodb.operations(), keeper.counted()), (1, vec![], (1, 0)), "before any event");
    let created = [submit().await, submit().await, submit().await].into_iter().next().unwrap();
    assert_eq!(dynamodb.operations(), [PUT, UPDATE, PUT, UPDATE, PUT, UPDATE], "with the submit, an order is three calls");
    assert_eq!((dynamodb.connections(), keeper.counted()), (1, (1, 3)));
    let order_id = created["orderId"].as_str().unwrap();
    let read = json!({"routeKey": "GET /orders/{orderId}", "pathParameters": {"orderId": order_id},
        "headers": {"authorization": "Bearer demo-shop-key"}});
    assert_eq!(orders.invoke(&read).await["statusCode"], 200);
    assert_eq!(dynamodb.operations()[6..], [GET], "a reading is one call");

    let dynamodb = world.proxy().await;
    let neighbours = [("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.endpoint.as_str()), ("FRONT_PAYMENT_BASE_URL", &keeper.base_url)];
    let callbacks = world.start(CALLBACKS, &neighbours).await;
    let token = world.stored(order_id).await.callback_token;
    for status in ["RESERVED", "INVOICED"] {
        let query = signed("ODR1", status, "40", "sandbox-secret-key");
        assert_eq!(callbacks.invoke(&callback(order_id, &token, &query)).await["statusCode"], 200);
    }
    assert_eq!(dynamodb.operations(), [GET, UPDATE, GET, UPDATE], "a callback is two calls");
    assert_eq!((dynamodb.connections(), keeper.counted()), (1, (1, 3)), "and needs no Front Payment");
}
