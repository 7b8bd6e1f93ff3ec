//! Requests and replies: routes, authorization, problem documents. It knows the use cases, but not AWS's services.

mod authorization;
pub mod callbacks;
mod cancel;
mod event;
mod health;
mod idempotency_key;
mod list;
mod notifications;
pub mod orders;
mod problem;
mod replies;
mod request_log;

pub use event::Event;

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_runtime::{Context, Error, LambdaEvent};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::deadline::Deadline;
use problem::{Problem, Slug};
use request_log::logged;

/// The largest body that is read.
const MAX_BODY_BYTES: usize = 256 * 1024;

pub type Reply = http::Response<String>;

/// A request as Lambda delivers it.
pub struct ApiRequest<'a> {
    pub event: &'a Event,
    pub deadline: Deadline,
    /// Lambda's id of the request.
    pub request_id: &'a str,
}

/// A function behind the API.
pub trait Function: Sync {
    /// Whether shops call it: only they have a next step.
    const IS_FOR_SHOPS: bool;

    /// Infallible: every outcome is a reply.
    fn handle(&self, request: ApiRequest<'_>) -> impl Future<Output = Reply> + Send;
}

/// Handles one invocation. Every outcome is a reply, because AWS counts an `Err` of a handler as an outage.
///
/// Only the reply type comes from `lambda_http`. Its adapter panics on events whose query or host is not a valid URL, and
/// such callbacks must still be answered.
pub async fn invoke<F: Function>(
    function: &F,
    invocation: LambdaEvent<Box<RawValue>>,
) -> Result<ApiGatewayV2httpResponse, Error> {
    let LambdaEvent { payload, context } = invocation;
    let Context { request_id, deadline, .. } = context;
    let deadline = i64::try_from(deadline).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let reply = match serde_json::from_str(payload.get()) {
        Ok(event) => {
            let deadline = Deadline(deadline.unwrap_or(Timestamp::MAX));
            function.handle(ApiRequest { event: &event, deadline, request_id: &request_id }).await
        }
        Err(_) => {
            let problem = || {
                let detail = "The event is not a request of an HTTP API with payload 2.0.";
                let problem = Problem::new(Slug::MalformedJson, detail);
                if F::IS_FOR_SHOPS { problem } else { problem.of_no_shop() }
            };
            logged(&request_id, "none", problem, async |_| Err(problem())).await
        }
    };
    let (parts, body) = reply.into_parts();
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = parts.status.as_u16().into();
    response.headers = parts.headers;
    response.body = Some(body.into());
    Ok(response)
}

fn json(status: StatusCode, content_type: &'static str, headers: Vec<(HeaderName, String)>, body: &impl Serialize) -> Reply {
    // Serializing cannot fail, because all keys in the bodies are strings.
    let mut reply = Reply::new(serde_json::to_string(body).unwrap_or_default());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
        .headers_mut()
        .extend(headers.into_iter().filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect::<HeaderMap>());
    reply
}

/// An order id in the form in which the bridge gives it out, or the same in capitals.
fn parse_order_id(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text).ok().filter(|id| id.to_string().eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_has_hyphens_and_may_be_in_capitals() {
        let id = "0198c2f0-7e4a-7000-8000-000000000001";
        assert!(parse_order_id(id).is_some());
        assert_eq!(parse_order_id(&id.to_uppercase()), parse_order_id(id));
        for other in ["", "x", &id.replace('-', ""), &format!("{{{id}}}"), &format!("urn:uuid:{id}"), "%00"] {
            assert_eq!(parse_order_id(other), None, "{other}");
        }
    }
}
