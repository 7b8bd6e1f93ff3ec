//! Requests and replies: routes, authorization, problem documents. Knows the use cases, not AWS's services.

pub mod callbacks;
mod event;
pub mod orders;
mod problem;
mod summary;
mod view;

pub use event::Event;

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_runtime::{Context, Error, LambdaEvent};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::bridge::Deadline;
use problem::{Problem, Slug};
use summary::summarized;

/// A reply to a shop or to Front Payment.
pub type Reply = http::Response<String>;

/// A request as the Lambda runtime hands it over.
pub struct Request<'a> {
    /// What API Gateway says of it.
    pub event: &'a Event,
    /// When the Lambda is ended.
    pub deadline: Deadline,
    /// The Lambda's id of the request.
    pub request_id: &'a str,
}

/// One invocation: every outcome is a reply, for an `Err` out of a Lambda handler is an outage.
///
/// Of `lambda_http` the reply's type is used, but not its adapter: that panics on events whose query
/// or host no URL can hold, and such a callback must still be answered.
pub async fn invoke(
    invocation: LambdaEvent<Box<RawValue>>,
    handle: impl AsyncFnOnce(Request<'_>) -> Reply,
) -> Result<ApiGatewayV2httpResponse, Error> {
    let LambdaEvent { payload, context } = invocation;
    let Context { request_id, deadline, .. } = context;
    let deadline = i64::try_from(deadline).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let reply = match serde_json::from_str(payload.get()) {
        Ok(event) => {
            let deadline = Deadline(deadline.unwrap_or(Timestamp::MAX));
            // Boxed: the future of a whole request is too deep a type to be laid out in place.
            Box::pin(handle(Request { event: &event, deadline, request_id: &request_id })).await
        }
        Err(_) => {
            let problem = Problem::new(Slug::MalformedJson, "The event is no request of an HTTP API, payload 2.0.");
            summarized(&request_id, "none", async |_| Err(problem)).await
        }
    };
    let (parts, body) = reply.into_parts();
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = parts.status.as_u16().into();
    response.headers = parts.headers;
    response.body = Some(body.into());
    Ok(response)
}

/// A JSON reply.
fn json(status: StatusCode, content_type: &'static str, headers: Vec<(HeaderName, String)>, body: &impl Serialize) -> Reply {
    // Every body of ours has string keys and no failing parts.
    let mut reply = Reply::new(serde_json::to_string(body).unwrap_or_default());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
        .headers_mut()
        .extend(headers.into_iter().filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect::<HeaderMap>());
    reply
}
