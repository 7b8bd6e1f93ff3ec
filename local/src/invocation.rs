//! Makes an invocation of an event, as the Lambda runtime does.

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

/// # Errors
/// If `event` cannot be written as JSON.
pub(super) fn invocation(
    event: &Value,
    now: Timestamp,
    timeout: SignedDuration,
) -> serde_json::Result<LambdaEvent<Box<RawValue>>> {
    let payload = serde_json::value::to_raw_value(event)?;
    let mut context = Context::default();
    context.request_id = Uuid::new_v4().to_string();
    let deadline = now.saturating_add(timeout).unwrap_or(Timestamp::MAX);
    context.deadline = u64::try_from(deadline.as_millisecond()).unwrap_or_default();
    Ok(LambdaEvent { payload, context })
}
