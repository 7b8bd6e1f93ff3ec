//! The request that tells a shop of a status, in the shop's format.

use http::Method;
use jiff::Timestamp;

use super::front_payment::{self, Notification, QueryError};
use super::{NotCallable, PrivateHosts, Target, standard_webhooks};
use crate::order::StoredOrder;
use crate::order_view::OrderView;
use crate::secrets::{Notify, NotifyFormat};

/// A request to a shop.
pub struct Message {
    pub method: Method,
    pub target: Target,
    pub headers: Vec<(&'static str, String)>,
    /// Empty for a GET.
    pub body: String,
}

/// Why a shop's URL can never be called.
#[derive(Debug, thiserror::Error)]
pub enum NotNotifiable {
    #[error(transparent)]
    Target(#[from] NotCallable),
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Whether a callbackUrl can be called, by what can be checked without a look-up.
///
/// # Errors
/// [`NotNotifiable`] says why not.
pub fn check_callback_url(callback_url: &str, notify: &Notify, private_hosts: &PrivateHosts) -> Result<Target, NotNotifiable> {
    let target = Target::parse(callback_url, notify.hosts.as_deref(), private_hosts)?;
    if notify.format == NotifyFormat::FrontPayment {
        front_payment::check_query(target.url())?;
    }
    Ok(target)
}

impl Message {
    /// The message with the present status; `now` is the time of the notification attempt.
    pub(super) fn new(order: &StoredOrder, notify: &Notify, target: Target, now: Timestamp) -> Self {
        match notify.format {
            NotifyFormat::FrontPayment => as_front_payment(order, notify, target),
            NotifyFormat::StandardWebhooks => as_webhook(order, notify, target, now),
        }
    }
}

fn as_front_payment(order: &StoredOrder, notify: &Notify, target: Target) -> Message {
    let notification = Notification {
        order_uuid: order.order_uuid.as_deref().unwrap_or_default(),
        status: order.status.name(),
        payment_method: order.payment_method.as_deref().unwrap_or_default(),
        amount: &order.grand_total,
        created_at: order.created_at.as_second(),
        timestamp: changed_at(order).as_second(),
    };
    // Neither step can fail: a usable secret has at least one key, and the shop's query was checked before.
    let query = notify.keys.first().and_then(|key| front_payment::query(target.url(), &notification, key).ok());
    let target = target.with_query(&query.unwrap_or_default());
    Message { method: Method::GET, target, headers: Vec::new(), body: String::new() }
}

fn as_webhook(order: &StoredOrder, notify: &Notify, target: Target, now: Timestamp) -> Message {
    // Serializing cannot fail: all members are strings.
    let body = standard_webhooks::body(changed_at(order), &OrderView::for_webhook(order)).unwrap_or_default();
    let (id, timestamp) = (webhook_id(order), now.as_second());
    let signature = standard_webhooks::sign(&id, timestamp, &body, &notify.keys);
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        (standard_webhooks::ID, id),
        (standard_webhooks::TIMESTAMP, timestamp.to_string()),
        (standard_webhooks::SIGNATURE, signature),
    ];
    Message { method: Method::POST, target, headers, body }
}

/// The same in every attempt to tell one change. It begins with the submission attempt, because another order can have the
/// same order id after the retention period.
fn webhook_id(order: &StoredOrder) -> String {
    let change = order.notifications.as_ref().map_or(0, |notifications| notifications.change);
    format!("msg_{}_{change}", order.attempt.simple())
}

fn changed_at(order: &StoredOrder) -> Timestamp {
    order.notifications.as_ref().map_or(order.updated_at, |notifications| notifications.changed_at)
}
