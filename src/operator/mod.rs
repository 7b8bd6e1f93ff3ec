//! Use case: a person decides. The operator's events of the `worker`, and their answers.
//!
//! An operator's events use the same code as everything else, and each of them is one line in the log.

mod settle;
mod tell;
mod waiting;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::bridge::{Bridge, UpdateError};
use crate::front_payment::FrontPayment;
use crate::order::SettleError;
use crate::secrets::{Secret, SecretUnavailable};
use crate::store::{Cursor, OrderIndex, StoreError};
use crate::telemetry::error_chain;
pub(crate) use settle::Settle;
pub(crate) use tell::Tell;
pub(crate) use waiting::Waiting;

/// What an operator sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Waiting(Waiting),
    Settle(Settle),
    Tell(Tell),
}

/// Who sends the event and why, beside the event's name. It is logged, so it must not contain personal data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub event: String,
    pub by: Option<String>,
    pub reason: Option<String>,
}

impl Note {
    /// Logs the one line about an operator's event, and returns the answer.
    pub(crate) fn log(self, answer: Value) -> Value {
        let Self { event, by, reason } = self;
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        tracing::info!(
            route = "operator",
            event,
            by,
            reason,
            orderId = text("orderId"),
            orderUuid = text("orderUuid"),
            status = text("status"),
            told = answer.get("told").and_then(serde_json::Value::as_u64),
            outcome = if answer.get("error").is_some() { "refused" } else { "done" },
            "operator"
        );
        answer
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
enum OperatorError {
    #[error("there is no order with this orderId")]
    NoSuchOrder,
    #[error("the referenceNo is not the order's; compare the order in Front Payment's portal with the one that waits")]
    OtherReference,
    #[error("Front Payment tells another orderAmount of this orderUuid than the order's grandTotal")]
    OtherAmount,
    #[error("Front Payment does not know this orderUuid")]
    UnknownUuid,
    #[error("Front Payment does not tell the status of this orderUuid at the moment ({0})")]
    NoStatus(String),
    #[error("the shop is not in the secret, or has no notify")]
    NotNotified,
    #[error("{0}")]
    Unusable(&'static str),
    #[error(transparent)]
    Settle(#[from] SettleError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error("the store does not answer")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretUnavailable),
}

/// Does what an operator's event says, and returns the answer. An error in the answer says that nothing was changed.
pub(crate) async fn run<S: OrderIndex, F: FrontPayment>(bridge: &Bridge<S, F>, command: Command, by: Timestamp) -> Value {
    let answer = match command {
        Command::Waiting(waiting) => waiting.run(bridge, by).await,
        Command::Settle(settle) => settle.run(bridge, by).await,
        Command::Tell(tell) => tell.run(bridge, by).await,
    };
    answer.unwrap_or_else(|error| {
        tracing::warn!(error = error_chain(&error), "an operator's event changes nothing");
        refusal(&error_chain(&error))
    })
}

/// The answer to an event that changes nothing.
pub(crate) fn refusal(reason: &str) -> Value {
    serde_json::json!({ "error": format!("{reason}. Nothing was changed.") })
}

async fn secret<S, F>(bridge: &Bridge<S, F>, by: Timestamp) -> Result<Arc<Secret>, OperatorError> {
    Ok(bridge.secret(by).await?)
}

/// A place in an index, for the next event: the time and the order's id, joined by `_`.
fn write_cursor(Cursor { order_id, at }: Cursor) -> String {
    format!("{at}_{order_id}")
}

fn read_cursor(text: &str) -> Result<Cursor, OperatorError> {
    let cursor = text.split_once('_').and_then(|(at, id)| {
        let order_id = Uuid::parse_str(id).ok().filter(|order_id| order_id.to_string() == id)?;
        Some(Cursor { order_id, at: at.parse().ok()? })
    });
    cursor.ok_or(OperatorError::Unusable("after is not the next of an earlier answer"))
}
