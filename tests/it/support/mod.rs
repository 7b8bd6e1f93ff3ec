//! What the tests stand on: a bridge whose neighbours do as they are told.

pub mod faulty_store;
pub mod lambda;
pub mod moto;
pub mod peer;
pub mod proxy;
pub mod scripted;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::config::Settings;
use front_payment_bridge::deadline::Deadline;
use front_payment_bridge::http::callbacks::Callbacks;
use front_payment_bridge::http::orders::Orders;
use front_payment_bridge::http::{ApiRequest, Event, Function, Reply};
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::secrets::{SecretCache, SecretFetch, SecretSource};
use front_payment_bridge::store::{EmbeddedStore, OrderStore};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use faulty_store::FaultyStore;
use scripted::ScriptedProvider;

/// 2026-06-15T00:00:00Z
pub const NOW: i64 = 1_781_481_600;

/// A secret that the test may change; counts how often it is asked for.
#[derive(Clone)]
pub struct TestSecret {
    pub text: Arc<Mutex<String>>,
    pub asked: Arc<AtomicUsize>,
}

impl SecretSource for TestSecret {
    fn fetch(&self) -> SecretFetch<'_> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move { Ok(text) })
    }
}

/// The secret's document with two shops, whose keys are `key-a` and `key-b`.
pub fn secret(token: &str, callback_secret: Value) -> String {
    let hash = |key: &str| Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    json!({"token": token, "callbackSecret": callback_secret,
        "shops": {"shop-a": {"apiKeySha256": [hash("key-a")]}, "shop-b": {"apiKeySha256": [hash("key-b")]}}})
    .to_string()
}

/// A bridge under test.
#[derive(Clone)]
pub struct TestBridge {
    pub bridge: Arc<Bridge<FaultyStore, ScriptedProvider>>,
    orders: Arc<Orders<FaultyStore, ScriptedProvider>>,
    callbacks: Arc<Callbacks<FaultyStore, ScriptedProvider>>,
    pub secret: TestSecret,
    pub seconds: Arc<AtomicI64>,
}

/// A reply, read.
#[derive(Debug)]
pub struct Read {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Read {
    pub fn slug(&self) -> &str {
        self.body["type"].as_str().and_then(|urn| urn.strip_prefix("urn:front-payment-bridge:")).unwrap_or("none")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Pointer and code of every error.
    pub fn errors(&self) -> Vec<(String, String)> {
        let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| (text(error, "pointer"), text(error, "code"))).collect()
    }
}

impl TestBridge {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let seconds = Arc::new(AtomicI64::new(NOW));
        let time = seconds.clone();
        let clock = Clock::new(move || Timestamp::from_second(time.load(Ordering::SeqCst)).unwrap());
        let text = Arc::new(Mutex::new(secret("token-1", json!("test-secret"))));
        let secret = TestSecret { text, asked: Arc::default() };
        let secrets = SecretCache::new(secret.clone(), clock.clone());
        secrets.prefetch().await;
        let store = FaultyStore::new(EmbeddedStore::in_memory().unwrap());
        Self::over(Bridge::new(store, ScriptedProvider::default(), secrets, clock), settings, secret, seconds)
    }

    /// The functions over a bridge of the test's own.
    pub fn over(
        bridge: Bridge<FaultyStore, ScriptedProvider>,
        settings: Settings,
        secret: TestSecret,
        seconds: Arc<AtomicI64>,
    ) -> Self {
        let bridge = Arc::new(bridge);
        let (orders, callbacks) = (Orders::new(bridge.clone(), settings), Callbacks::new(bridge.clone()));
        Self { bridge, orders: Arc::new(orders), callbacks: Arc::new(callbacks), secret, seconds }
    }

    pub fn provider(&self) -> &ScriptedProvider {
        &self.bridge.front_payment
    }

    pub fn store(&self) -> &FaultyStore {
        &self.bridge.store
    }

    pub fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn set_secret(&self, text: String) {
        *self.secret.text.lock().unwrap() = text;
    }

    /// The shop's request, as API Gateway would hand it over, 29 seconds before the end of the Lambda.
    pub async fn orders(&self, event: Value) -> Read {
        self.orders_within(event, 29).await
    }

    pub async fn orders_within(&self, event: Value, seconds: i64) -> Read {
        let event: Event = serde_json::from_value(event).unwrap();
        let deadline = self.deadline(seconds);
        read(self.orders.handle(ApiRequest { event: &event, deadline, request_id: "request-1" }).await)
    }

    fn deadline(&self, seconds: i64) -> Deadline {
        Deadline(self.bridge.clock.now() + SignedDuration::from_secs(seconds))
    }

    pub async fn post(&self, order: &Value, key: Option<&str>) -> Read {
        self.orders(post_event(&order.to_string(), "Bearer key-a", key)).await
    }

    pub async fn get(&self, order_id: &str, api_key: &str) -> Read {
        self.orders(json!({
            "routeKey": "GET /orders/{orderId}", "rawPath": format!("/orders/{order_id}"),
            "headers": {"authorization": format!("Bearer {api_key}")}, "pathParameters": {"orderId": order_id},
        }))
        .await
    }

    pub async fn callback(&self, order_id: &str, token: &str, raw_query: &str) -> Read {
        let event: Event = serde_json::from_value(json!({
            "routeKey": "GET /callbacks/{orderId}/{token}", "rawPath": format!("/callbacks/{order_id}/{token}"),
            "rawQueryString": raw_query, "pathParameters": {"orderId": order_id, "token": token},
        }))
        .unwrap();
        let deadline = self.deadline(29);
        read(self.callbacks.handle(ApiRequest { event: &event, deadline, request_id: "request-1" }).await)
    }

    /// The stored item.
    pub async fn stored(&self, order_id: &str) -> StoredOrder {
        self.bridge.store.load(Uuid::parse_str(order_id).unwrap()).await.unwrap().expect("nothing is stored")
    }

    pub async fn status(&self, order_id: &str) -> String {
        self.get(order_id, "key-a").await.body["status"].as_str().unwrap().to_owned()
    }
}

/// The order's id in a reply.
pub fn id(read: &Read) -> String {
    read.body["orderId"].as_str().unwrap().to_owned()
}

pub fn post_event(body: &str, authorization: &str, key: Option<&str>) -> Value {
    let mut event = json!({
        "version": "2.0", "routeKey": "POST /orders", "rawPath": "/orders", "rawQueryString": "",
        "headers": {"authorization": authorization, "content-type": "application/json"},
        "requestContext": {"domainName": "api.example.no", "http": {"method": "POST", "path": "/orders"}},
        "body": body, "isBase64Encoded": false,
    });
    if let Some(key) = key {
        event["headers"]["idempotency-key"] = json!(key);
    }
    event
}

fn read(reply: Reply) -> Read {
    let (parts, body) = reply.into_parts();
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    Read { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// The provider page's example order with a date, an e-mail address, and a synthetic person.
pub fn example() -> Value {
    json!({
        "products": [{"name": "Router", "productId": "R_1", "quantity": "1", "rate": 40, "discount": 0, "tax": "0", "amount": 40}],
        "orderSummary": {"subTotal": "40", "totalTax": "0", "totalDiscount": "0.00", "grandTotal": "40"},
        "orderDate": "4070908800",
        "customerDetails": {
            "type": "private", "countryCode": "+47", "msisdn": "46567468", "email": "kari@example.com", "name": "Kari Nordmann",
            "preferredLanguage": "en", "personalNumber": "30908299902", "organizationId": "",
            "address": {"street": "Klosterenget 144", "zip": "7030", "city": "Trondheim", "country": "NO"}
        },
        "referenceNo": "Dhaka", "customerReference": "3500", "invoiceInterval": 0, "separateInvoices": true,
        "invoiceFeeApplicable": true, "invoiceMaturity": 10,
        "callback": {
            "callbackUrl": "https://shop.example/status?x=1",
            "success": "https://shop.example/thanks",
            "failure": "https://shop.example/sorry"
        }
    })
}

/// A callback's query, signed with a key as Front Payment documents it.
pub fn signed(order_uuid: &str, status: &str, amount: &str, key: &str) -> String {
    let values = format!("{order_uuid}{status}Invoice{amount}17557641311755764131{key}");
    let checksum: String = Sha256::digest(values).iter().map(|byte| format!("{byte:02x}")).collect();
    let status = status.replace(' ', "+");
    format!(
        "orderUuid={order_uuid}&status={status}&paymentMethod=Invoice&amount={amount}&createdAt=1755764131&timestamp=1755764131&checksum={checksum}"
    )
}
