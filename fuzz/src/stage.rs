//! A bridge for each input, with its store, its provider and its clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::config::Settings;
use front_payment_bridge::http::callbacks::Callbacks;
use front_payment_bridge::http::orders::Orders;
use front_payment_bridge::order::{AskQueue, NotificationState, Status, StoredOrder};
use front_payment_bridge::secrets::{SecretCache, SecretFetch, SecretSource};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::provider::{Provider, TOKEN};
use crate::store::Store;
use crate::{NOW, rank};

/// A secret that must be neither in a reply nor in the log, like [`TOKEN`].
pub const CALLBACK_SECRET: &str = "b83d5a1e70c94f6291ce4d0a8f3b6e57";
pub const NOTIFY_KEY: &str = "5d0e7f93b1a84c26a3f1c8d94b60e27a";
/// The API keys of [`SHOPS`], which may be in a reply but not in the log. Only `shop-a` is notified.
pub const KEYS: [&str; 2] = ["e95b3c7f14a04d8db6271f0c5a8e93d0", "07d2a6f8c1b34e9f95a86e3b4d7c20f1"];
pub const SHOPS: [&str; 2] = ["shop-a", "shop-b"];
/// `CALLBACK_BASE_URL`
const BASE: &str = "https://bridge.example/v1";

type FuzzedBridge = Bridge<Store, Provider>;

pub struct Stage {
    pub bridge: Arc<FuzzedBridge>,
    pub orders: Orders<Store, Provider>,
    pub callbacks: Callbacks<Store, Provider>,
    seconds: Arc<AtomicI64>,
    /// The shop of each order id, as an index of [`KEYS`].
    pub owners: BTreeMap<String, usize>,
}

struct Secret;

impl SecretSource for Secret {
    fn fetch(&self) -> SecretFetch<'_> {
        let hash = |key: &str| Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let shops = json!({
            "shop-a": {"apiKeySha256": [hash(KEYS[0])], "notify": {"keys": [NOTIFY_KEY]}},
            "shop-b": {"apiKeySha256": [hash(KEYS[1])]},
        });
        let secret = json!({"token": TOKEN, "callbackSecret": CALLBACK_SECRET, "shops": shops});
        Box::pin(async move { Ok(secret.to_string()) })
    }
}

impl Stage {
    /// A new bridge with an empty store.
    pub async fn set() -> Self {
        let seconds = Arc::new(AtomicI64::new(NOW));
        let time = seconds.clone();
        let clock = Clock::new(move || Timestamp::from_second(time.load(Ordering::SeqCst)).expect("a time"));
        let secrets = SecretCache::new(Secret, clock.clone());
        secrets.prefetch().await;
        let bridge = Arc::new(Bridge::new(Store::default(), Provider::default(), secrets, clock));
        let settings = Settings { callback_base_url: BASE.parse().ok(), ..Settings::default() };
        let (orders, callbacks) = (Orders::new(bridge.clone(), settings), Callbacks::new(bridge.clone()));
        Self { bridge, orders, callbacks, seconds, owners: BTreeMap::new() }
    }

    /// Removes `CALLBACK_BASE_URL`: from now on, the bridge takes its public address from each request.
    pub fn take_base_away(&mut self) {
        self.orders = Orders::new(self.bridge.clone(), Settings::default());
    }

    pub fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The stored order with this id, which may be in capitals.
    pub fn stored(&self, order_id: &str) -> Option<StoredOrder> {
        let order_id = Uuid::parse_str(order_id).ok().filter(|id| id.to_string() == order_id.to_ascii_lowercase())?;
        self.bridge.store.stored(order_id)
    }

    /// Checks every stored order, whatever happened before. If a Lambda ended early, a submission attempt may still be open.
    pub fn is_sound(&self, ended_early: bool) {
        let orders = self.bridge.store.all();
        for stored in &orders {
            assert!(ended_early || stored.status != Status::Submitting, "no attempt is running any more");
            let is_accepted = stored.order_uuid.is_some();
            assert_eq!(rank(stored.status.name()) > 0, is_accepted, "{}", stored.status.name());
            assert_eq!(stored.notifications.is_some(), is_accepted, "what the shop is told");
            assert!(stored.bank_id_url.is_none() || stored.status == Status::Sent, "a link that nobody needs");
            assert!(is_accepted || (stored.refunded_amount.is_none() && stored.cancel_requested_at.is_none()));
            assert!(stored.history.is_sorted_by_key(|entry| entry.at));
            is_in_its_queues(stored);
        }
        self.bridge.front_payment.sent(|sent| {
            for (order_id, sent) in sent {
                let stored = orders.iter().find(|order| order.order_id.to_string() == *order_id);
                is_its_uuid(stored.expect("what was sent was stored before"), sent.order_uuid.as_deref());
            }
        });
    }
}

/// Checks the places in the indexes, which must follow from the order itself.
fn is_in_its_queues(stored: &StoredOrder) {
    let is_open = ["SUBMITTING", "UNKNOWN"].contains(&stored.status.name());
    let is_asked_soon = stored.order_uuid.is_some() && (stored.status == Status::Sent || stored.reason_since.is_some());
    assert_eq!(stored.ask_queue == Some(AskQueue::Settle), is_open, "{}", stored.status.name());
    assert_eq!(stored.ask_queue == Some(AskQueue::Ask), is_asked_soon, "{}", stored.status.name());
    assert!(stored.ask_queue.is_none() || is_open || stored.order_uuid.is_some(), "nothing is asked of a failed order");
    assert!(!is_open || stored.ask_at == Some(stored.attempted_at.as_second() + 60));
    let is_pending = stored.notifications.as_ref().is_some_and(|all| all.state == NotificationState::Pending);
    assert_eq!(stored.tell_queue.as_ref(), is_pending.then_some(&stored.shop_id));
    assert_eq!((stored.ask_queue.is_some(), is_pending), (stored.ask_at.is_some(), stored.tell_at.is_some()));
    assert_eq!((stored.changed_at, stored.expires_at), (stored.updated_at.as_millisecond(), None));
}

/// An order keeps the uuid of its 201, unless that uuid is EXPIRED or CANCELLED and another one was heard of.
fn is_its_uuid(stored: &StoredOrder, created: Option<&str>) {
    let Some(created) = created.filter(|created| stored.order_uuid.as_deref() != Some(created)) else { return };
    let heard = |uuid: Option<&str>, words: &[&str]| {
        let mut of_it = stored.history.iter().filter(|entry| entry.order_uuid.as_deref() == uuid);
        of_it.any(|entry| words.is_empty() || words.contains(&entry.status.as_str()))
    };
    assert!(heard(Some(created), &["EXPIRED", "CANCELLED"]), "{created} is lost");
    assert!(stored.order_uuid.is_some() && heard(stored.order_uuid.as_deref(), &[]), "a uuid that nobody named");
}
