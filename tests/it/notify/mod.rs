//! The worker notifies shops.

mod attempts;
mod callback_urls;
mod changes;
mod formats;
mod schedule;
mod sweep;
mod traces;

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use front_payment_bridge::notify::{Failure, ShopCall};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::markers::assert_alarms_count_real_lines;
use crate::support::documents::get_event;
use crate::support::log::Log;
use crate::support::scripted::{failed, invoiced, rejected, sent, unknown};
use crate::support::shops::{answered, answered_with_retry_after};
use crate::support::worker::{
    NOTIFY_KEY, SHOP_A, SHOP_B, SHOP_C, TestWorker, WEBHOOK_KEYS, repeat_event, secret_with, stream_event,
};

/// The host of [`SHOP_A`].
const HOST_A: &str = "shop.example";

/// The seconds until the next notification attempt.
async fn wait(worker: &TestWorker, order_id: &str) -> i64 {
    let next_at = worker.stored(order_id).await.notifications.unwrap().next_at;
    next_at.duration_since(worker.now()).as_secs()
}

async fn version(worker: &TestWorker, order_id: &str) -> u64 {
    worker.stored(order_id).await.version
}
