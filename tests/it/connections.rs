//! Which connection a submit uses, and that no order is lost on a closed one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use front_payment_bridge::clock::Clock;
use front_payment_bridge::front_payment::{Client, FrontPayment};
use front_payment_bridge::http_client::Tls;
use front_payment_bridge::order::SubmitReply;
use front_payment_bridge::secrets::Redacted;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::documents::{callback_event, example, signed, validated};
use crate::support::peer::{CREATED, NOBODY, reply_bytes};
use crate::support::test_bridge::NOW;
use crate::support::world::{CALLBACKS, ORDERS, SECRET_KEY, World, body, eventually, get, post};

/// A Front Payment that closes its connections only when a test says so. It counts connections and requests.
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

    /// Closes every open connection.
    async fn close_all(&self) {
        self.close.send_modify(|times| *times += 1);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    /// How many connections were opened, and how many requests came.
    fn counted(&self) -> (usize, usize) {
        (self.connections.load(Ordering::SeqCst), self.requests.load(Ordering::SeqCst))
    }

    /// Waits until this many connections were opened.
    async fn opened(&self, connections: usize) {
        eventually(|| self.counted().0 == connections).await;
    }
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
        // The whole request has come: an order ends with `}}`, and a status read has no body.
        let text = String::from_utf8_lossy(&seen).into_owned();
        if text.starts_with("POST") && text.ends_with("}}") || text.starts_with("GET") && text.ends_with("\r\n\r\n") {
            requests.fetch_add(1, Ordering::SeqCst);
            seen.clear();
            stream.write_all(&reply_bytes(201, "", CREATED)).await.unwrap();
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

    /// Moves the time of day on. The monotonic clock does not move, as in a frozen process.
    fn pass(&self, millis: i64) {
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    async fn submit(&self) {
        let order = validated(&example().to_string());
        let (token, limit) = (Redacted::new("token-1"), Duration::from_secs(5));
        let call = self.client.submit(&order, "https://api.example.no/callbacks/1/2", &token, limit).await;
        assert!(matches!(call.reply, SubmitReply::Created(_)), "{}", call.reason);
    }
}

#[tokio::test]
async fn the_first_order_uses_the_connection_that_init_opened() {
    let case = Case::new().await;
    case.client.connect().await;
    case.keeper.opened(1).await;
    assert_eq!(case.keeper.counted(), (1, 0), "init sends nothing");
    case.pass(2_000);
    case.submit().await;
    case.pass(2_000);
    case.submit().await;
    assert_eq!(case.keeper.counted(), (1, 2), "and so does the next order");
}

#[tokio::test]
async fn a_connection_that_was_idle_for_more_than_two_seconds_is_not_used() {
    let case = Case::new().await;
    case.client.connect().await;
    case.pass(2_001);
    case.submit().await;
    assert_eq!(case.keeper.counted(), (2, 1), "the one that init opened");
    case.pass(2_001);
    case.submit().await;
    assert_eq!(case.keeper.counted(), (3, 2), "one that was used");
    case.pass(-60_000);
    case.submit().await;
    assert_eq!(case.keeper.counted(), (4, 3), "one whose idle time is not known, because the clock was put back");
}

#[tokio::test]
async fn a_connection_of_a_running_process_is_not_used_after_two_idle_seconds() {
    let case = Case::new().await;
    case.submit().await;
    // The time of day does not move, so the connection must be too old by the pool's own clock.
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    case.submit().await;
    assert_eq!(case.keeper.counted(), (2, 2));
}

#[tokio::test]
async fn a_connection_that_front_payment_has_closed_is_not_used() {
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
async fn where_init_opens_no_connection_the_order_opens_one() {
    let case = Case::new().await;
    let client = Client::new(Tls::new(None).unwrap(), Clock::system(), &NOBODY.parse().unwrap()).unwrap();
    client.connect().await;
    // Init gives up before a connection is open. The first connection is the order's.
    drop(tokio::time::timeout(Duration::ZERO, case.client.connect()).await);
    case.submit().await;
    assert_eq!(case.keeper.counted().1, 1);
}

/// Stops or continues a process, as Lambda does with an idle function.
async fn signal(process: u32, signal: &str) {
    let done = tokio::process::Command::new("kill").args([signal, &process.to_string()]).status().await.unwrap();
    assert!(done.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_process_loses_no_order_on_connections_that_are_closed_meanwhile() {
    let world = World::new().await;
    let keeper = Keeper::start().await;
    let orders = world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &keeper.base_url)]).await;
    keeper.opened(1).await;
    for order in 1..=5 {
        signal(orders.process_id().await, "-STOP").await;
        keeper.close_all().await;
        signal(orders.process_id().await, "-CONT").await;
        let reply = orders.invoke(&post(&example(), None)).await;
        assert_eq!(reply["statusCode"], 201, "{reply}");
        assert_eq!(keeper.counted(), (order + 1, order), "each order is sent once");
    }
}

const PUT: &str = "DynamoDB_20120810.PutItem";
const GET: &str = "DynamoDB_20120810.GetItem";
const UPDATE: &str = "DynamoDB_20120810.UpdateItem";

#[tokio::test(flavor = "multi_thread")]
async fn init_opens_connections_and_a_warm_request_opens_none() {
    let world = World::new().await;
    let (dynamodb, keeper) = (world.proxy().await, Keeper::start().await);
    let endpoints = [("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.endpoint.as_str()), ("FRONT_PAYMENT_BASE_URL", &keeper.base_url)];
    let orders = world.start(ORDERS, &endpoints).await;
    let submit = async || body(&orders.invoke(&post(&example(), None)).await);
    eventually(|| (dynamodb.connections(), keeper.counted().0) == (1, 1)).await;
    assert_eq!((dynamodb.connections(), dynamodb.operations(), keeper.counted()), (1, vec![], (1, 0)), "before any event");
    let created = [submit().await, submit().await, submit().await].into_iter().next().unwrap();
    assert_eq!(dynamodb.operations(), [PUT, UPDATE, PUT, UPDATE, PUT, UPDATE], "two calls for each order");
    assert_eq!((dynamodb.connections(), keeper.counted()), (1, (1, 3)));
    let order_id = created["orderId"].as_str().unwrap();
    assert_eq!(orders.invoke(&get(order_id)).await["statusCode"], 200);
    assert_eq!(dynamodb.operations()[6..], [GET], "one call for a read");

    let dynamodb = world.proxy().await;
    let endpoints = [("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.endpoint.as_str()), ("FRONT_PAYMENT_BASE_URL", &keeper.base_url)];
    let callbacks = world.start(CALLBACKS, &endpoints).await;
    let token = world.stored(order_id).await.callback_token;
    for status in ["RESERVED", "INVOICED"] {
        let query = signed("ODR1", status, "40", SECRET_KEY);
        assert_eq!(callbacks.invoke(&callback_event(order_id, &token, &query)).await["statusCode"], 200);
    }
    assert_eq!(dynamodb.operations(), [GET, UPDATE, GET, UPDATE], "two calls for each callback");
    assert_eq!((dynamodb.connections(), keeper.counted()), (1, (1, 3)), "and none to Front Payment");
}
