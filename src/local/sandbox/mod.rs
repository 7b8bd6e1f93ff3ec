//! A sandbox of Front Payment Go: its API, its BankID page, its portal and its callbacks, as far as
//! its documentation and recorded replies tell. It misbehaves on demand, by a word in `referenceNo`.

mod api;
mod callbacks;
mod checks;
mod mischief;
mod pages;

pub use mischief::Mischief;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use jiff::Timestamp;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::store::Unavailable;

/// The bearer token that it accepts.
pub const TOKEN: &str = "sandbox-token";
/// The secretKey that it signs callbacks with.
pub const SECRET_KEY: &str = "sandbox-secret-key";

const ORDERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("sandbox");

/// The sandbox's orders, kept in the database beside the bridge's.
pub struct Sandbox {
    /// Where it is reached: `http://127.0.0.1:3000/front-payment`.
    base: String,
    http: reqwest::Client,
    database: Arc<Database>,
    orders: Mutex<BTreeMap<String, SandboxOrder>>,
    minute: Mutex<(i64, u32)>,
}

/// An order as Front Payment has it; nothing of the person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SandboxOrder {
    /// `ODR` and digits.
    pub uuid: String,
    /// `CSRT` and digits.
    pub customer_uuid: String,
    /// The shop's reference: with it, the order is found in the portal.
    pub reference_no: String,
    /// Its status word.
    pub status: String,
    /// In the shop's digits.
    pub grand_total: String,
    /// The secret part of the BankID link.
    link: String,
    callback_url: String,
    success: String,
    failure: String,
    /// Unix seconds.
    created_at: i64,
    mischief: Option<Mischief>,
}

/// The routes below `/front-payment`.
pub fn routes(sandbox: Arc<Sandbox>) -> Router {
    Router::new()
        .route("/api/v1/connect/orders/invoice/submit", post(api::submit))
        .route("/api/v1/connect/orders/status/{uuid}", get(api::status))
        .route("/bankid/{link}", get(pages::bank_id))
        .route("/bankid/{link}/sign", post(pages::sign))
        .route("/bankid/{link}/decline", post(pages::decline))
        .route("/portal", get(pages::portal))
        .route("/shop/{page}", get(pages::shop))
        .with_state(sandbox)
}

impl Sandbox {
    /// Opens it over a database that may have orders of an earlier run.
    ///
    /// # Errors
    /// [`Unavailable`] where the database cannot be used.
    pub fn open(database: Arc<Database>, base: String, http: reqwest::Client) -> Result<Self, Unavailable> {
        let mut orders = BTreeMap::new();
        let write = database.begin_write().map_err(unavailable)?;
        write.open_table(ORDERS).map_err(unavailable)?;
        write.commit().map_err(unavailable)?;
        let read = database.begin_read().map_err(unavailable)?;
        for item in read.open_table(ORDERS).map_err(unavailable)?.iter().map_err(unavailable)? {
            let (uuid, order) = item.map_err(unavailable)?;
            orders.insert(uuid.value().to_owned(), serde_json::from_slice(order.value()).map_err(unavailable)?);
        }
        Ok(Self { base, http, database, orders: Mutex::new(orders), minute: Mutex::default() })
    }

    /// All its orders.
    #[must_use]
    pub fn orders(&self) -> Vec<SandboxOrder> {
        self.lock().values().cloned().collect()
    }

    fn find(&self, uuid: &str) -> Option<SandboxOrder> {
        self.lock().get(uuid).cloned()
    }

    fn find_link(&self, link: &str) -> Option<SandboxOrder> {
        self.lock().values().find(|order| order.link == link).cloned()
    }

    fn save(&self, order: SandboxOrder) -> Result<(), Unavailable> {
        let mut orders = self.lock();
        let item = serde_json::to_vec(&order).map_err(unavailable)?;
        let write = self.database.begin_write().map_err(unavailable)?;
        write.open_table(ORDERS).map_err(unavailable)?.insert(order.uuid.as_str(), item.as_slice()).map_err(unavailable)?;
        write.commit().map_err(unavailable)?;
        orders.insert(order.uuid.clone(), order);
        Ok(())
    }

    /// Counts a request; what is left of the minute's, or `None` if nothing was.
    fn count_request(&self) -> Option<u32> {
        let minute = Timestamp::now().as_second() / 60;
        let mut counted = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != minute {
            *counted = (minute, 0);
        }
        counted.1 += 1;
        api::RATE_LIMIT.checked_sub(counted.1)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SandboxOrder>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
fn unavailable(error: impl std::fmt::Display) -> Unavailable {
    Unavailable(error.to_string())
}
