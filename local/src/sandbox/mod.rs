//! A sandbox of Front Payment Go: its API, BankID page, portal and callbacks, built from its documentation and recorded
//! replies. Also a shop that the bridge can notify. Both misbehave on demand, by words in `referenceNo`.

mod api;
mod callbacks;
mod cancel;
mod checks;
mod clock;
mod life;
mod misbehaviour;
mod pages;
mod shop;

pub use misbehaviour::{CancelMisbehaviour, Misbehaviour, ShopMisbehaviour, WordGroup, word_groups};
pub use shop::{ReceivedNotification, ShopNotification};

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use front_payment_bridge::store::StoreError;
use jiff::Timestamp;
use redb::{ReadableTable, Table, TableDefinition};
use serde::{Deserialize, Serialize};

pub(super) use clock::form_value;

use super::clock::{MovableClock, Move};
use super::page::Frame;
use crate::store::{EmbeddedDatabase, database_error};

/// The bearer token.
pub const TOKEN: &str = "sandbox-token";
/// The secretKey, which signs callbacks.
pub const SECRET_KEY: &str = "sandbox-secret-key";
/// The shop's key, which signs the bridge's notifications. It has the form of `standard-webhooks`, which is also valid for
/// `front-payment`.
pub const SHOP_KEY: &str = "whsec_ZGVtby1zaG9wLW5vdGlmaWNhdGlvbi1rZXk=";

/// Requests a minute over all endpoints, as many as Front Payment allows.
pub const RATE_LIMIT: u32 = 240;

/// How the sandbox behaves.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// The most requests in a minute.
    pub rate_limit: u32,
    /// Hosts that may be called back, beside this machine.
    pub callback_hosts: Vec<String>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self { rate_limit: RATE_LIMIT, callback_hosts: Vec::new() }
    }
}

const ORDERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("sandbox");

/// The sandbox. Its tables are in the same database as the bridge's orders.
pub struct Sandbox {
    /// The base URL, for example `http://127.0.0.1:3000/front-payment`.
    base: String,
    frame: Arc<Frame>,
    http: reqwest::Client,
    database: Arc<EmbeddedDatabase>,
    settings: SandboxSettings,
    minute: Mutex<(i64, u32)>,
    listeners: shop::Listeners,
}

/// An order as Front Payment has it, without anything about the person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SandboxOrder {
    /// `ODR` and digits.
    pub uuid: String,
    /// `CSRT` and digits.
    pub customer_uuid: String,
    /// The order number, which the portal shows.
    pub reference_no: String,
    /// Front Payment's status word.
    pub status: String,
    /// In the shop's digits.
    pub grand_total: String,
    /// A plain decimal.
    #[serde(default = "zero")]
    pub refunded_amount: String,
    /// The last part of the BankID link: the uuid and a secret. `None` if the order needs no signature.
    pub link: Option<String>,
    pub callback_url: String,
    /// The path of `callback_url`, if that belongs to the bridge of this program.
    #[serde(default)]
    callback_path: Option<String>,
    success: String,
    failure: String,
    /// What the customer buys. Orders of older versions do not have it.
    #[serde(default)]
    lines: Vec<Line>,
    /// In Unix seconds.
    created_at: i64,
    /// In Unix seconds; `None` before the first change.
    #[serde(default)]
    status_at: Option<i64>,
    /// The time from which the order ages. A move of the clock changes it, but not the times that callbacks tell.
    #[serde(default)]
    ages_since: Option<Timestamp>,
    pub misbehaviour: Option<Misbehaviour>,
    /// When the shop was first notified.
    #[serde(default)]
    first_notified_at: Option<Timestamp>,
}

/// A line of an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    name: String,
    quantity: String,
    amount: String,
}

fn zero() -> String {
    "0".to_owned()
}

impl SandboxOrder {
    fn bridge_id(&self) -> Option<&str> {
        bridge_id(&self.callback_url)
    }

    fn aging_since(&self) -> Option<Timestamp> {
        self.ages_since.or(Timestamp::from_second(self.status_since()).ok())
    }

    /// In Unix seconds.
    fn status_since(&self) -> i64 {
        self.status_at.unwrap_or(self.created_at)
    }
}

/// The routes below `/front-payment`.
pub fn routes(sandbox: Arc<Sandbox>) -> Router {
    Router::new()
        .route("/api/v1/connect/orders/invoice/submit", post(api::submit))
        .route("/api/v1/connect/orders/status/{uuid}", get(api::status))
        .route("/api/v1/connect/orders/cancel/{uuid}", post(cancel::cancel))
        .route("/bankid/{link}", get(pages::bank_id::show))
        .route("/bankid/{link}/sign", post(pages::bank_id::sign))
        .route("/bankid/{link}/decline", post(pages::bank_id::decline))
        .route("/portal", get(pages::portal::list))
        .route("/portal/{uuid}", get(pages::portal::show))
        .route("/portal/{uuid}/status", post(pages::portal::set_status))
        .route("/portal/{uuid}/refund", post(pages::portal::refund))
        .route("/portal/{uuid}/callback", post(pages::portal::repeat_callback))
        .route("/clock", get(clock::show).post(clock::change))
        .merge(shop::routes())
        .fallback(pages::no_page)
        .method_not_allowed_fallback(pages::no_page)
        .with_state(sandbox)
}

impl Sandbox {
    /// Opens the sandbox. The database may contain orders of an earlier run.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be used.
    pub fn open(database: Arc<EmbeddedDatabase>, frame: Arc<Frame>, http: reqwest::Client) -> Result<Self, StoreError> {
        database.create_table(ORDERS)?;
        database.create_table(shop::NOTIFICATIONS)?;
        Ok(Self {
            base: format!("{}/front-payment", frame.base),
            frame,
            http,
            database,
            settings: SandboxSettings::default(),
            minute: Mutex::default(),
            listeners: shop::Listeners::default(),
        })
    }

    #[must_use]
    pub fn with_settings(self, settings: SandboxSettings) -> Self {
        Self { settings, ..self }
    }

    /// All orders.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn orders(&self) -> Result<Vec<SandboxOrder>, StoreError> {
        self.database.read(|read| all(&read.open_table(ORDERS).map_err(database_error)?))
    }

    fn clock(&self) -> &MovableClock {
        &self.frame.clock
    }

    fn find(&self, uuid: &str) -> Result<Option<SandboxOrder>, StoreError> {
        self.database.read(|read| {
            let orders = read.open_table(ORDERS).map_err(database_error)?;
            let item = orders.get(uuid).map_err(database_error)?;
            item.map(|item| read_order(item.value())).transpose()
        })
    }

    fn find_link(&self, link: &str) -> Result<Option<SandboxOrder>, StoreError> {
        Ok(self.find(uuid_of(link))?.filter(|order| order.link.as_deref() == Some(link)))
    }

    /// Stores an order, and returns whether its uuid was free. If not, nothing is written.
    async fn create(&self, order: SandboxOrder) -> Result<bool, StoreError> {
        self.database
            .write(move |write| {
                let mut orders = write.open_table(ORDERS).map_err(database_error)?;
                let is_free = orders.get(order.uuid.as_str()).map_err(database_error)?.is_none();
                if is_free {
                    insert(&mut orders, &order)?;
                }
                Ok(is_free)
            })
            .await
    }

    /// Gives an order a status, and returns it. `None` if there is no such order, or its status is not `from`.
    async fn set_status(&self, uuid: String, from: Option<String>, status: String) -> Result<Option<SandboxOrder>, StoreError> {
        self.change(uuid, |order| {
            let has_status = from.is_none_or(|from| from == order.status);
            has_status.then(|| {
                let refunded_amount = if status == "REFUNDED" { order.grand_total.clone() } else { order.refunded_amount };
                SandboxOrder { status, refunded_amount, ..order }
            })
        })
        .await
    }

    /// Changes an order, and returns it. `None` if there is no such order, or `change` returns `None`.
    async fn change(
        &self,
        uuid: String,
        change: impl FnOnce(SandboxOrder) -> Option<SandboxOrder> + Send + 'static,
    ) -> Result<Option<SandboxOrder>, StoreError> {
        let now = Timestamp::now();
        self.database
            .write(move |write| {
                let mut orders = write.open_table(ORDERS).map_err(database_error)?;
                let found = orders.get(uuid.as_str()).map_err(database_error)?;
                let found = found.map(|item| read_order(item.value())).transpose()?;
                let Some(changed) = found.and_then(change) else { return Ok(None) };
                let changed = SandboxOrder { status_at: Some(now.as_second()), ages_since: Some(now), ..changed };
                insert(&mut orders, &changed)?;
                Ok(Some(changed))
            })
            .await
            .inspect(|changed| {
                if let Some(order) = changed {
                    tracing::info!(orderId = order.bridge_id(), orderUuid = order.uuid, status = order.status, "status changed");
                }
            })
    }

    /// Moves the times that decide what happens next. Times that were told to others stay.
    async fn move_times(&self, step: Move) -> Result<(), StoreError> {
        self.database
            .write(move |write| {
                let mut table = write.open_table(ORDERS).map_err(database_error)?;
                for order in all(&table)? {
                    let times = [order.ages_since, order.first_notified_at];
                    let [ages_since, first_notified_at] = times.map(|at| at.map(|at| step.of(at)));
                    insert(&mut table, &SandboxOrder { ages_since, first_notified_at, ..order })?;
                }
                Ok(())
            })
            .await
    }

    /// Counts a request. Returns how many are left in this minute, or `None` if the limit is exceeded.
    fn count_request(&self) -> Option<u32> {
        let minute = Timestamp::now().as_second() / 60;
        let mut counted = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != minute {
            *counted = (minute, 0);
        }
        counted.1 += 1;
        self.settings.rate_limit.checked_sub(counted.1)
    }
}

fn all(orders: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<Vec<SandboxOrder>, StoreError> {
    let items = orders.iter().map_err(database_error)?;
    items.map(|item| read_order(item.map_err(database_error)?.1.value())).collect()
}

fn insert(orders: &mut Table<'_, &'static str, &'static [u8]>, order: &SandboxOrder) -> Result<(), StoreError> {
    let item = serde_json::to_vec(order).map_err(database_error)?;
    orders.insert(order.uuid.as_str(), item.as_slice()).map_err(database_error)?;
    Ok(())
}

fn read_order(item: &[u8]) -> Result<SandboxOrder, StoreError> {
    serde_json::from_slice(item).map_err(database_error)
}

/// The bridge's order id, from the callback URL.
fn bridge_id(callback_url: &str) -> Option<&str> {
    callback_url.split_once("/callbacks/")?.1.split('/').next()
}

/// The uuid at the beginning of a link, by which the order is found.
fn uuid_of(link: &str) -> &str {
    link.split_once('-').map_or(link, |(uuid, _)| uuid)
}
