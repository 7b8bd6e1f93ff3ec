//! What the bridge computes, without processes and neighbours: `cargo bench --bench pure`.
//! The replies are rendered by the whole handlers, over a store and a Front Payment that answer at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::config::Settings;
use front_payment_bridge::deadline::Deadline;
use front_payment_bridge::front_payment::callback::SignedCallback;
use front_payment_bridge::front_payment::{FrontPayment, StatusCall, SubmitCall, SubmitReply, wire};
use front_payment_bridge::http::{Event, Reply, Request, orders};
use front_payment_bridge::order::{
    AttemptResult, CreatedOrder, Decimal, HistoryEntry, NewAttempt, Order, ResultEffect, Rules, Source, Status, StoredOrder,
    parse_tax_rates, validate,
};
use front_payment_bridge::secrets::{Redacted, SecretCache, SecretFetch, SecretSource};
use front_payment_bridge::store::{OrderStore, StoreError, WriteError};
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

/// From a shop's document to the order, from there to Front Payment's, and a whole request around both.
fn document(criterion: &mut Criterion, lines: usize) {
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    let mut document: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    document["products"] = vec![document["products"][0].clone(); lines].into();
    let text = document.to_string();
    let tax_rates = parse_tax_rates("0,12,15,25").unwrap();
    let rules = Rules { now: Timestamp::now(), tax_rates: &tax_rates, enforce_advisories: false };
    criterion.bench_function(&format!("parse and validate, {lines} lines"), |b| {
        b.iter(|| validate(black_box(text.as_bytes()), &rules).is_ok());
    });
    let order = order(&text);
    criterion.bench_function(&format!("document for Front Payment, {lines} lines"), |b| {
        b.iter(|| wire::body(black_box(&order), "https://bridge.example/callbacks/1/2").unwrap());
    });
    event["body"] = json!(text);
    let event: Event = serde_json::from_value(event).unwrap();
    handled(criterion, &format!("POST /orders, {lines} lines"), &event, record(1), 201);
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

/// A callback onto an order with so many entries, and what a shop is shown of it.
fn history(criterion: &mut Criterion, entries: usize) {
    let record = record(entries);
    let callback = SignedCallback::read(QUERY).unwrap().callback;
    let now = Timestamp::now();
    criterion.bench_function(&format!("merge a callback, {entries} entries"), |b| {
        b.iter(|| record.apply_callback(black_box(&callback), now).unwrap());
    });
    let event = json!({"routeKey": "GET /orders/{orderId}", "rawPath": format!("/orders/{}", record.order_id),
        "headers": {"authorization": "Bearer demo-shop-key"}, "pathParameters": {"orderId": record.order_id}});
    let event: Event = serde_json::from_value(event).unwrap();
    handled(criterion, &format!("GET /orders/{{orderId}}, {entries} entries"), &event, record, 200);
}

/// A whole request, over neighbours that answer at once.
fn handled(criterion: &mut Criterion, name: &str, event: &Event, stored: StoredOrder, expected: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let bridge = Bridge {
        store: Store(stored),
        front_payment: Provider,
        secrets: SecretCache::new(Fixed, Clock::system()),
        clock: Clock::system(),
        readings: ReadBudget::default(),
        settings: Settings::default(),
    };
    let handle = || -> Reply {
        let request = Request { event, deadline: Deadline(Timestamp::MAX), request_id: "request-1" };
        runtime.block_on(orders::handle(&bridge, request))
    };
    assert_eq!(handle().status(), expected);
    criterion.bench_function(name, |b| b.iter(handle));
}

fn order(document: &str) -> Order {
    let tax_rates = parse_tax_rates("0,12,15,25").unwrap();
    let rules = Rules { now: Timestamp::now(), tax_rates: &tax_rates, enforce_advisories: false };
    validate(document.as_bytes(), &rules).unwrap_or_else(|_| panic!("an order that is not valid")).order
}

/// An order at Front Payment, with so many entries in its history.
fn record(entries: usize) -> StoredOrder {
    let event: Value = serde_json::from_str(EVENT).unwrap();
    let now = Timestamp::now();
    let (order_id, attempt, callback_token) = (Uuid::new_v4(), Uuid::new_v4(), "token".to_owned());
    let claim = NewAttempt { order_id, attempt, shop_id: "demo-shop", callback_token, idempotency_key: None, now };
    let claimed = StoredOrder::claim(&order(event["body"].as_str().unwrap()), claim);
    let ResultEffect::Write(Some(record)) = claimed.record_result(attempt, &AttemptResult::Created(created()), now) else {
        panic!()
    };
    let mut record = *record;
    while record.history.len() < entries {
        let id = Some(Uuid::new_v4().simple().to_string());
        record.history.push(HistoryEntry {
            status: "SENT".to_owned(),
            at: now,
            source: EntrySource::Callback,
            id,
            other_order_uuid: None,
        });
    }
    assert!(record.has_attempt_of(&Decimal::parse("1224.00").unwrap()));
    record
}

fn created() -> CreatedOrder {
    CreatedOrder {
        order_uuid: "ODR4286244937".to_owned(),
        customer_uuid: Some("CSRT3419523642".to_owned()),
        bank_id_url: Some("https://bankid.example/auth?order=1".to_owned()),
        status: Status::Sent,
    }
}

/// A store with one order in it, which takes whatever it is given.
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

/// A Front Payment that takes every order.
struct Provider;

impl FrontPayment for Provider {
    async fn submit(&self, _: &Order, _: &str, _: &Redacted, _: Duration) -> SubmitCall {
        SubmitCall {
            answer: SubmitReply::Created(created()),
            http_status: Some(201),
            rate_limit_remaining: None,
            reason: String::new(),
        }
    }

    async fn status(&self, _: &str, _: &Redacted, _: Duration) -> StatusCall {
        panic!("nothing asks for a status")
    }
}

struct Fixed;

impl SecretSource for Fixed {
    fn fetch(&self) -> SecretFetch<'_> {
        Box::pin(async { Ok(SECRET.to_owned()) })
    }
}
