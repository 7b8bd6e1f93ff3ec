//! How long the bridge's own code takes, without processes and services: `cargo bench --bench pure`.
//!
//! Whole requests go through the handlers, with a store and a Front Payment that answer at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::config::Settings;
use front_payment_bridge::deadline::Deadline;
use front_payment_bridge::front_payment::callback::SignedCallback;
use front_payment_bridge::front_payment::{CancelCall, FrontPayment, ReplyHead, StatusCall, SubmitCall, wire};
use front_payment_bridge::http::orders::Orders;
use front_payment_bridge::http::{ApiRequest, Event, Function, Reply};
use front_payment_bridge::order::{
    CreatedOrder, Decimal, EntrySource, HistoryEntry, NewAttempt, Order, Rules, Status, StoredOrder, SubmitReply,
    parse_tax_rates, validate,
};
use front_payment_bridge::secrets::{Redacted, SecretCache, SecretFetch, SecretSource};
use front_payment_bridge::store::{IndexEntry, IndexQuery, OrderIndex, OrderStore, Page, StoreError, WriteError};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

const EVENT: &str = include_str!("../events/private-order.json");
const SECRET: &str = r#"{"token": "t", "callbackSecret": "sandbox-secret-key", "shops": {"demo-shop":
    {"apiKeySha256": ["f5d072715bf986543308d9f187277c2406847cd7bfd33cbc2264fedc284a9992"]}}}"#;
const QUERY: &str = "orderUuid=ODR4286244937&status=INVOICED&paymentMethod=Invoice&amount=1224.00&createdAt=1755764131\
    &timestamp=1755764131&checksum=d64f791576b046fb715726322a95e4cb67d22fdc92ea42d376f98be375d82ed1";
const KEY: &str = "sandbox-secret-key";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for lines in [1, 10, 1_000] {
        document(&mut criterion, lines);
    }
    callback(&mut criterion);
    for entries in [1, 1_000] {
        history(&mut criterion, entries);
    }
    criterion.final_summary();
}

/// Parsing a shop's document, writing Front Payment's, and a whole request.
fn document(criterion: &mut Criterion, lines: usize) {
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    let mut document: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    document["products"] = vec![document["products"][0].clone(); lines].into();
    let text = document.to_string();
    let tax_rates = parse_tax_rates("0,12,15,25").unwrap();
    let rules = Rules { now: Timestamp::now(), tax_rates: &tax_rates, enforce_advisories: false, has_idempotency_key: true };
    criterion.bench_function(&format!("parse and validate, {lines} lines"), |b| {
        b.iter(|| validate(black_box(text.as_bytes()), &rules).is_ok());
    });
    let order = order(&text);
    criterion.bench_function(&format!("document for Front Payment, {lines} lines"), |b| {
        b.iter(|| wire::body(black_box(&order), "https://bridge.example/callbacks/1/2").unwrap());
    });
    event["body"] = json!(text);
    let event: Event = serde_json::from_value(event).unwrap();
    request(criterion, &format!("POST /orders, {lines} lines"), &event, sent_order(1), 201);
}

fn callback(criterion: &mut Criterion) {
    let key = Redacted::new(KEY);
    criterion.bench_function("read and check a callback", |b| {
        b.iter(|| {
            let signed = SignedCallback::read(black_box(QUERY)).unwrap();
            assert!(signed.is_signed_with(&key));
            signed.callback
        });
    });
}

/// A callback to an order with this many history entries, and what its shop sees.
fn history(criterion: &mut Criterion, entries: usize) {
    let order = sent_order(entries);
    let callback = SignedCallback::read(QUERY).unwrap().callback;
    let now = Timestamp::now();
    criterion.bench_function(&format!("merge a callback, {entries} entries"), |b| {
        b.iter(|| order.apply_callback(black_box(&callback), now).unwrap());
    });
    let event = json!({"routeKey": "GET /orders/{orderId}", "rawPath": format!("/orders/{}", order.order_id),
        "headers": {"authorization": "Bearer demo-shop-key"}, "pathParameters": {"orderId": order.order_id}});
    let event: Event = serde_json::from_value(event).unwrap();
    request(criterion, &format!("GET /orders/{{orderId}}, {entries} entries"), &event, order, 200);
}

/// A whole request to the function `orders`.
fn request(criterion: &mut Criterion, name: &str, event: &Event, stored: StoredOrder, expected: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let secrets = SecretCache::new(FixedSecret, Clock::system());
    let bridge = Bridge::new(Store(stored), Provider, secrets, Clock::system());
    let orders = Orders::new(Arc::new(bridge), Settings::default());
    let handle = || -> Reply {
        let request = ApiRequest { event, deadline: Deadline(Timestamp::MAX), request_id: "request-1" };
        runtime.block_on(orders.handle(request))
    };
    assert_eq!(handle().status(), expected);
    criterion.bench_function(name, |b| b.iter(handle));
}

fn order(document: &str) -> Order {
    let tax_rates = parse_tax_rates("0,12,15,25").unwrap();
    let rules = Rules { now: Timestamp::now(), tax_rates: &tax_rates, enforce_advisories: false, has_idempotency_key: true };
    validate(document.as_bytes(), &rules).unwrap_or_else(|_| panic!("the order is not valid")).order
}

/// A SENT order with a number of entries in its history.
fn sent_order(entries: usize) -> StoredOrder {
    let event: Value = serde_json::from_str(EVENT).unwrap();
    let now = Timestamp::now();
    let (order_id, attempt, callback_token) = (Uuid::new_v4(), Uuid::new_v4(), "token".to_owned());
    let claim = NewAttempt { order_id, attempt, shop_id: "demo-shop", callback_token, idempotency_key: None, now };
    let claimed = StoredOrder::claim(&order(event["body"].as_str().unwrap()), claim);
    let mut sent = *claimed.record_result(attempt, &SubmitReply::Created(created()), now).expect("the result is written");
    while sent.history.len() < entries {
        sent.history.push(HistoryEntry {
            status: "SENT".to_owned(),
            at: now,
            source: EntrySource::Callback,
            id: Some(Uuid::new_v4().simple().to_string()),
            order_uuid: Some(created().order_uuid),
        });
    }
    assert!(sent.has_total(&Decimal::parse("1224.00").unwrap()), "the callback is about this order");
    sent
}

fn created() -> CreatedOrder {
    CreatedOrder {
        order_uuid: "ODR4286244937".to_owned(),
        customer_uuid: Some("CSRT3419523642".to_owned()),
        bank_id_url: Some("https://bankid.example/auth?order=1".to_owned()),
        has_unusable_link: false,
        status: Status::Sent,
    }
}

/// A store that loads one order, and accepts every write.
struct Store(StoredOrder);

impl OrderStore for Store {
    async fn create(&self, _: &StoredOrder) -> Result<(), WriteError> {
        Ok(())
    }

    async fn load(&self, _: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        Ok(Some(self.0.clone()))
    }

    async fn replace(&self, _: &StoredOrder, _: &StoredOrder) -> Result<(), WriteError> {
        Ok(())
    }
}

impl OrderIndex for Store {
    async fn list(&self, _: &IndexQuery<'_>) -> Result<Page<IndexEntry>, StoreError> {
        panic!("no benchmark lists orders")
    }

    async fn all_ids(&self, _: Option<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        panic!("no benchmark goes through the table")
    }
}

/// A Front Payment that creates every order.
struct Provider;

impl FrontPayment for Provider {
    async fn submit(&self, _: &Order, _: &str, _: &Redacted, _: Duration) -> SubmitCall {
        SubmitCall { reply: SubmitReply::Created(created()), head: ReplyHead::default(), reason: String::new() }
    }

    async fn status(&self, _: &str, _: &Redacted, _: Duration) -> StatusCall {
        panic!("no benchmark reads a status")
    }

    async fn cancel(&self, _: &str, _: &str, _: &Redacted, _: Duration) -> CancelCall {
        panic!("no benchmark cancels an order")
    }
}

struct FixedSecret;

impl SecretSource for FixedSecret {
    fn fetch(&self) -> SecretFetch<'_> {
        Box::pin(async { Ok(SECRET.to_owned()) })
    }
}
