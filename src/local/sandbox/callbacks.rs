//! Front Payment's callbacks, signed as documented.

use jiff::Timestamp;
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
        Some(Misbehaviour::LostCallback) => {}
        Some(Misbehaviour::UnknownStatus) => send(sandbox, order, "success").await,
        Some(Misbehaviour::BadChecksum) => {
            let query = query(order, &order.status, "some other key");
            call(sandbox, order, &order.status, &query).await;
        }
        _ => send(sandbox, order, &order.status).await,
    }
}

/// Sends one callback.
pub(super) async fn send(sandbox: &Sandbox, order: &SandboxOrder, status: &str) {
    call(sandbox, order, status, &query(order, status, SECRET_KEY)).await;
}

fn query(order: &SandboxOrder, status: &str, secret_key: &str) -> String {
    let (created_at, timestamp) = (order.created_at.to_string(), Timestamp::now().as_second().to_string());
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

async fn call(sandbox: &Sandbox, order: &SandboxOrder, status: &str, query: &str) {
    match sandbox.http.get(format!("{}?{query}", order.callback_url)).send().await {
        Ok(reply) => tracing::info!(orderUuid = order.uuid, status, answered = reply.status().as_u16(), "sandbox: callback"),
        Err(error) => tracing::warn!(orderUuid = order.uuid, status, error = %error.without_url(), "sandbox: callback failed"),
    }
}
