//! Front Payment's callbacks, signed as documented.

use std::time::Instant;

use front_payment_bridge::telemetry::error_chain;
use sha2::{Digest, Sha256};
use tracing::Instrument;
use url::Url;

use super::{Misbehaviour, SECRET_KEY, Sandbox, SandboxOrder};
use crate::guard::is_loopback_name;

/// Sends the callback about an order's new status, or misbehaves.
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

/// Logs that a callback is lost. It is never sent.
pub(super) fn lose(order: &SandboxOrder) {
    tracing::info!(orderId = order.bridge_id(), orderUuid = order.uuid, status = order.status, "callback lost");
}

/// Sends one callback.
pub(super) async fn send(sandbox: &Sandbox, order: &SandboxOrder, status: &str) {
    call(sandbox, order, status, &query(order, status, SECRET_KEY)).await;
}

/// The signed query. Its `timestamp` is the time of the status, so that a repetition has the same values.
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

/// The URL to call. The bridge of this program may now listen on another port than when the order was made.
fn callback_url(sandbox: &Sandbox, order: &SandboxOrder) -> String {
    match &order.callback_path {
        Some(path) => format!("{}{path}", sandbox.frame.base),
        None => order.callback_url.clone(),
    }
}

/// Whether the sandbox may call a URL. Anybody who sends an order chooses the URL, so by default only this machine may be
/// called.
fn may_call(sandbox: &Sandbox, url: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    is_loopback_name(&host) || sandbox.settings.callback_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&host))
}

async fn call(sandbox: &Sandbox, order: &SandboxOrder, status: &str, query: &str) {
    let url = callback_url(sandbox, order);
    if !may_call(sandbox, &url) {
        let error = "not called: the URL is not of this machine; --callback-host allows another host";
        tracing::warn!(orderId = order.bridge_id(), orderUuid = order.uuid, status, error, "callback failed");
        return;
    }
    let span = tracing::info_span!("callback", orderId = order.bridge_id(), orderUuid = order.uuid, status);
    let began = Instant::now();
    async {
        let reply = sandbox.http.get(format!("{url}?{query}")).send().await;
        let total_ms = elapsed_ms(began);
        match reply {
            Ok(reply) => tracing::info!(answered = reply.status().as_u16(), totalMs = total_ms, "callback"),
            Err(error) => {
                tracing::warn!(error = error_chain(&error.without_url()), totalMs = total_ms, "callback failed");
            }
        }
    }
    .instrument(span)
    .await;
}

pub(super) fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
