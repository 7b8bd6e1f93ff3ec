//! A bridge of its own for each input, with a Front Payment that never takes an order twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::config::Settings;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::front_payment::{SubmitReply, FrontPayment, StatusError, StatusCall, SubmitCall};
use front_payment_bridge::order::{Code, CreatedOrder, Order, StoredOrder, Status, StatusWord, Violation};
use front_payment_bridge::secrets::{SecretFetch, Redacted, SecretSource, SecretCache};
use front_payment_bridge::store::{EmbeddedStore, OrderStore};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{NOW, rank};

/// What must be seen neither in a reply nor in the log. Long, so that no input has it by chance.
pub const TOKEN: &str = "4c1f0e6b9a7d43f58e21c3b06d9f7a12";
pub const CALLBACK_SECRET: &str = "b83d5a1e70c94f6291ce4d0a8f3b6e57";
/// The API keys of `shop-a` and `shop-b`: what only the log must not have.
pub const KEYS: [&str; 2] = ["e95b3c7f14a04d8db6271f0c5a8e93d0", "07d2a6f8c1b34e9f95a86e3b4d7c20f1"];
pub const LINK: &str = "https://bankid.example/auth?state=91fb40d7a35c4e2e";
/// `CALLBACK_BASE_URL`
pub const BASE: &str = "https://bridge.example/v1";

/// The bridge and what is around it.
pub struct Stage {
    pub bridge: Bridge<EmbeddedStore, Provider>,
    seconds: Arc<AtomicI64>,
    /// Whose order it is, by its id: an index of [`KEYS`].
    pub owners: BTreeMap<String, usize>,
}

/// An order as Front Payment knows it.
pub struct Sent {
    /// The token in its callback URL.
    pub token: String,
    /// Its uuid, where it was created.
    pub order_uuid: Option<String>,
    /// Whether it may not be sent again: it was, or may have been, created.
    is_final: bool,
}

/// Front Payment: answers as it is told, and otherwise creates what it gets.
#[derive(Default)]
pub struct Provider {
    answer: Mutex<Option<String>>,
    status: Mutex<Option<String>>,
    sent: Mutex<BTreeMap<String, Sent>>,
    submits: AtomicUsize,
    readings: AtomicUsize,
}

struct Secret;

impl SecretSource for Secret {
    fn fetch(&self) -> SecretFetch<'_> {
        let hash = |key: &str| Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let shop = |key| json!({"apiKeySha256": [hash(key)]});
        let secret = json!({"token": TOKEN, "callbackSecret": CALLBACK_SECRET, "shops": {"shop-a": shop(KEYS[0]), "shop-b": shop(KEYS[1])}});
        Box::pin(async move { Ok(secret.to_string()) })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stage {
    /// A bridge that has seen nothing yet.
    pub async fn set() -> Self {
        let seconds = Arc::new(AtomicI64::new(NOW));
        let time = seconds.clone();
        let clock = Clock::new(move || Timestamp::from_second(time.load(Ordering::SeqCst)).expect("a time"));
        let secrets = SecretCache::new(Secret, clock.clone());
        secrets.prefetch().await;
        let store = EmbeddedStore::in_memory().expect("memory");
        let settings = Settings { callback_base_url: BASE.parse().ok(), ..Settings::default() };
        let bridge = Bridge { store, front_payment: Provider::default(), secrets, clock, readings: ReadBudget::default(), settings };
        Self { bridge, seconds, owners: BTreeMap::new() }
    }

    pub fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The stored order.
    pub async fn stored(&self, order_id: &str) -> Option<StoredOrder> {
        let order_id = Uuid::parse_str(order_id).ok().filter(|id| id.to_string() == order_id)?;
        self.bridge.store.load(order_id).await.expect("the store answers")
    }

    /// Whatever happened, every order that was sent is stored as it should be. Where a Lambda ended early,
    /// a claim may be left on its way.
    pub async fn is_sound(&self, ended_early: bool) {
        let sent: Vec<_> =
            locked(&self.bridge.front_payment.sent).iter().map(|(id, sent)| (id.clone(), sent.order_uuid.clone())).collect();
        for (order_id, order_uuid) in sent {
            let record = self.stored(&order_id).await.expect("what was sent was stored before");
            assert!(ended_early || record.status != Status::Submitting, "nothing is on its way any more");
            assert_eq!(rank(record.status.name()) > 0, record.order_uuid.is_some(), "{}", record.status.name());
            assert!(order_uuid.is_none() || order_uuid == record.order_uuid, "another uuid than it was created with");
            assert!(record.bank_id_url.is_none() || record.status == Status::Sent, "a link that nobody needs");
            assert!(record.history.is_sorted_by_key(|entry| entry.at));
        }
    }
}

impl Provider {
    pub fn will_answer(&self, answer: &str) {
        *locked(&self.answer) = Some(answer.to_owned());
    }

    pub fn will_tell(&self, word: &str) {
        *locked(&self.status) = Some(word.to_owned());
    }

    pub fn submits(&self) -> usize {
        self.submits.load(Ordering::SeqCst)
    }

    pub fn readings(&self) -> usize {
        self.readings.load(Ordering::SeqCst)
    }

    /// The token in an order's callback URL, if the order was sent.
    pub fn callback_token(&self, order_id: &str) -> Option<String> {
        locked(&self.sent).get(order_id).map(|sent| sent.token.clone())
    }

    /// Every such token.
    pub fn callback_tokens(&self) -> Vec<String> {
        locked(&self.sent).values().map(|sent| sent.token.clone()).collect()
    }
}

impl FrontPayment for Provider {
    async fn submit(&self, _: &Order, callback_url: &str, token: &Redacted, within: Duration) -> SubmitCall {
        assert_eq!(token.expose(), TOKEN);
        assert!(within <= Duration::from_secs(20) && !within.is_zero(), "{within:?}");
        let (base, path) = callback_url.split_once("/callbacks/").expect("the bridge's own URL");
        let (order_id, callback_token) = path.split_once('/').expect("an id and a token");
        assert!(base.starts_with("https://") && Uuid::parse_str(order_id).is_ok(), "{callback_url}");
        assert!(callback_token.len() >= 22 && callback_token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));

        let number = self.submits.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = match locked(&self.answer).take().as_deref() {
            Some("refused") => SubmitReply::Rejected(vec![Violation::new("/orderDate", Code::Provider, "The order date is invalid.")]),
            Some("unauthorized") => SubmitReply::Unauthorized,
            Some("unavailable") => SubmitReply::Unavailable,
            Some("failed") => SubmitReply::Failed { unproven: false },
            Some("failed by its word") => SubmitReply::Failed { unproven: true },
            Some("unknown") => SubmitReply::Unknown,
            answer => {
                let is_invoiced = answer == Some("invoiced");
                SubmitReply::Created(CreatedOrder {
                    order_uuid: format!("ODR{number}"),
                    customer_uuid: Some(format!("CSRT{number}")),
                    bank_id_url: (!is_invoiced).then(|| LINK.to_owned()),
                    status: if is_invoiced { Status::Invoiced } else { Status::Sent },
                })
            }
        };
        let order_uuid = if let SubmitReply::Created(created) = &answer { Some(created.order_uuid.clone()) } else { None };
        let is_final = matches!(answer, SubmitReply::Created(_) | SubmitReply::Unknown);
        let sent = Sent { token: callback_token.to_owned(), order_uuid, is_final };
        if let Some(earlier) = locked(&self.sent).insert(order_id.to_owned(), sent) {
            assert!(!earlier.is_final, "sent again, though it was or may have been created");
            assert_eq!(earlier.token, callback_token, "callbacks of the earlier attempt would not be found");
        }
        SubmitCall { reply: answer, http_status: None, rate_limit_remaining: None, reason: "as told".to_owned() }
    }

    async fn status(&self, order_uuid: &str, token: &Redacted, _: Duration) -> StatusCall {
        assert_eq!(token.expose(), TOKEN);
        assert!(crate::is_uuid(order_uuid), "{order_uuid:?} in the path of a request");
        self.readings.fetch_add(1, Ordering::SeqCst);
        let status = locked(&self.status).take().ok_or(StatusError::Other("as told".to_owned()));
        StatusCall { status: status.map(|word| StatusWord::read(&word)), http_status: None, rate_limit_remaining: None }
    }
}
