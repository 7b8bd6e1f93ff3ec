//! The terminal: one line for each request, callback, notification and status read.

use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::store::OrderStore;
use tokio::sync::mpsc::UnboundedReceiver;
use tracing::Level;

use super::bridge_client;
use super::journal::Entry;
use super::printable::printable;
use crate::store::EmbeddedStore;

/// Prints lines to stderr until the journal ends. With `store`, a line also has the order's status and reference.
pub(super) async fn print(mut entries: UnboundedReceiver<Arc<Entry>>, store: Option<EmbeddedStore>) {
    while let Some(entry) = entries.recv().await {
        let order = match (&store, entry.order_id) {
            (Some(store), Some(order_id)) => store.load(order_id).await.ok().flatten(),
            _ => None,
        };
        if let Some(line) = line(&entry, order.as_ref()) {
            let style = style(&entry);
            anstream::eprintln!("{style}{}{style:#}", printable(&line));
        }
    }
}

fn style(entry: &Entry) -> Style {
    let code = ["statusCode", "shopStatusCode", "answered"].iter().find_map(|name| entry.field(name)?.parse::<u16>().ok());
    let color = match (entry.level, code) {
        (Level::ERROR, _) | (_, Some(500..)) => Some(AnsiColor::Red),
        (Level::WARN, _) | (_, Some(400..)) => Some(AnsiColor::Yellow),
        (_, Some(200..300)) => Some(AnsiColor::Green),
        _ => None,
    };
    color.map_or_else(Style::new, AnsiColor::on_default)
}

/// The text of a line; `None` if there was nothing to do.
fn line(entry: &Entry, order: Option<&StoredOrder>) -> Option<String> {
    let (parts, mentions_order) = match (entry.field("route"), entry.message.as_str()) {
        (None, "sweep") if entry.field("visited") == Some("0") => return None,
        (None, "orders that wait for the operator") if entry.field("waiting") == Some("0") => return None,
        // The operator's page sends this event each time it is shown.
        (Some("operator"), _) if entry.field("event") == Some("waiting") => return None,
        (Some("operator"), _) => {
            (vec![Some("operator"), entry.field("event"), entry.field("outcome"), entry.field("status")], true)
        }
        (Some("notification"), _) => {
            let answer = entry.field("shopStatusCode").or(entry.field("shopError"));
            (vec![Some("notification"), answer, entry.field("outcome"), entry.field("status")], true)
        }
        (Some("reading"), _) => {
            let answer = entry.field("providerStatusCode");
            (vec![Some("reading"), answer, entry.field("outcome"), entry.field("status")], true)
        }
        (Some(route), _) => {
            let status = order.map(|order| order.status.name());
            let outcome = entry.field("outcome").filter(|outcome| !["accepted", "read"].contains(outcome));
            (vec![Some(short(route)), entry.field("statusCode"), outcome, status], true)
        }
        (None, "violation") => {
            let code = entry.field("code")?;
            let place = bridge_client::place(entry.field("place")?, code);
            return Some(format!("            {}: {place} {code}", entry.field("kind")?));
        }
        (None, "submit" | "status" | "cancel" | "callback" | "callback failed" | "callback lost" | "status changed") => {
            let answer = entry.field("answered").or(entry.field("error"));
            (vec![Some("  Front Payment:"), Some(entry.message.as_str()), entry.field("status"), answer], false)
        }
        (None, message) => {
            let fields = entry.fields.iter().filter(|(name, _)| **name != "requestId");
            let fields: Vec<_> = fields.map(|(name, value)| format!("{name}={value}")).collect();
            return Some(format!("{} {} {message} {}", time(entry), entry.level, fields.join(" ")));
        }
    };
    let order = order.filter(|_| mentions_order);
    let reference = order.and_then(|order| order.reference_no.as_deref());
    let uuid = order.and_then(|order| order.order_uuid.as_deref());
    let millis = entry.field("totalMs").map(|millis| format!("{millis} ms"));
    let unverified = entry.field("unverified").map(|why| format!("not verified: {why}"));
    let is_submit = entry.field("route") == Some("POST /orders");
    let link = order.filter(|_| is_submit).and_then(|order| order.bank_id_url.as_deref()).map(|link| format!("→ {link}"));
    let parts = parts.into_iter().chain([unverified.as_deref(), reference, uuid, millis.as_deref(), link.as_deref()]).flatten();
    Some(format!("{} {}", time(entry), parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")))
}

/// The route without the ids, because the line has the order's reference and uuid.
fn short(route: &str) -> &str {
    route.split("/{").next().unwrap_or(route)
}

/// In UTC, as on the pages and in the API.
fn time(entry: &Entry) -> String {
    entry.at.strftime("%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn violation(place: &str, code: &str) -> Option<String> {
        let fields = [("kind", "error"), ("place", place), ("code", code)];
        let fields = fields.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let (at, message) = (Timestamp::UNIX_EPOCH, "violation".to_owned());
        line(&Entry { at, began_at: at, level: Level::INFO, message, order_id: None, fields }, None)
    }

    #[test]
    fn a_violation_says_what_it_is_about() {
        for (place, code, expected) in [
            ("/products/0/tax", "not_allowed", "error: /products/0/tax not_allowed"),
            ("/customerDetails/email", "provider", "error: /customerDetails/email provider"),
            ("limit", "out_of_range", "error: limit out_of_range"),
            ("", "invalid_format", "error: the header Idempotency-Key invalid_format"),
            ("", "recommended", "error: the header Idempotency-Key recommended"),
            ("", "wrong_type", "error: the body wrong_type"),
            ("", "provider", "error: Front Payment's answer provider"),
        ] {
            assert_eq!(violation(place, code).as_deref().map(str::trim_start), Some(expected));
        }
    }
}
