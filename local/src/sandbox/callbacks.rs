//! Front Payment's callbacks, signed as documented.

use front_payment_bridge::telemetry::error_chain;
use sha2::{Digest, Sha256};

use super::{Misbehaviour, SECRET_KEY, Sandbox, SandboxOrder};

/// Tells the bridge that an order was signed (`INVOICED`) or declined (`CANCELLED`), or misbehaves.
pub(super) async fn announce(sandbox: &Sandbox, order: &SandboxOrder) {
    match order.misbehaviour {
        Some(Misbehaviour::DuplicateCallback) => {
            let query = query(order, &order.status, SECRET_KEY);
            tokio::join!(call(sandbox, order, &order.status, &query), call(sandbox, order, &order.status, &query));
        }
        Some(Misbehaviour::ReversedCallbacks) => {
            send(sandbox, order, &order.status).await;
            send(sandbox, order, "RESEVRED").await;
        }
        Some(Misbehaviour::LostCallback) => lose(order),
        Some(Misbehaviour::UnknownStatus) => send(sandbox, order, "success").await,
        Some(Misbehaviour::BadChecksum) => {
            let query = query(order, &order.status, "some other key");
            call(sandbox, order, &order.status, &query).await;
        }
        _ => send(sandbox, order, &order.status).await,
    }
}

/// The callback about the order's status never comes.
pub(super) fn lose(order: &SandboxOrder) {
    tracing::info!(orderId = order.bridge_id(), orderUuid = order.uuid, status = order.status, "callback lost");
}

/// Sends one callback.
pub(super) async fn send(sandbox: &Sandbox, order: &SandboxOrder, status: &str) {
    call(sandbox, order, status, &query(order, status, SECRET_KEY)).await;
}

/// Its `timestamp` is that of the status, so that a repetition has the same values.
fn query(order: &SandboxOrder, status: &str, secret_key: &str) -> String {
    let (created_at, timestamp) = (order.created_at.to_string(), order.status_since().to_string());
    let parameters = [
        ("orderUuid", order.uuid.as_str()),
        ("status", status),
        ("paymentMethod", "Invoice"),
        ("amount", &order.grand_total),
        ("createdAt", &created_at),
        ("timestamp", &timestamp),
    ];
    let values: String = parameters.iter().map(|(_, value)| *value).collect();
    let checksum = hex::encode(Sha256::digest(values + secret_key));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters).append_pair("checksum", &checksum).finish()
}

/// The bridge of this program may have listened on another port when the order was made.
fn callback_url(sandbox: &Sandbox, order: &SandboxOrder) -> String {
    match &order.callback_path {
        Some(path) => format!("{}{path}", sandbox.frame.base),
        None => order.callback_url.clone(),
    }
}

async fn call(sandbox: &Sandbox, order: &SandboxOrder, status: &str, query: &str) {
    match sandbox.http.get(format!("{}?{query}", callback_url(sandbox, order))).send().await {
        Ok(reply) => {
            let answered = reply.status().as_u16();
            tracing::info!(orderId = order.bridge_id(), orderUuid = order.uuid, status, answered, "callback");
        }
        Err(error) => {
            let error = error_chain(&error.without_url());
            tracing::warn!(orderId = order.bridge_id(), orderUuid = order.uuid, status, error, "callback failed");
        }
    }
}
