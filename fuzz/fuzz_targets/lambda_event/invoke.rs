//! What holds for every reply and every log.

use front_payment_bridge::http;
use front_payment_bridge_fuzz::callback::parameters;
use front_payment_bridge_fuzz::log;
use front_payment_bridge_fuzz::provider::{LINK, TOKEN};
use front_payment_bridge_fuzz::reply::{Lambda, REQUEST_ID, Reply};
use front_payment_bridge_fuzz::stage::{CALLBACK_SECRET, KEYS, NOTIFY_KEY};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Story;

/// Values of the order that must not be in the log, unless a callback or a status contains the same text.
const PRIVATE: [&str; 7] =
    ["Called off by Kari", "Kari Nordmann", "kari@example.com", "46567468", "30908299902", "Klosterenget 144", "shop.example"];

impl Story {
    /// Invokes a Lambda and checks what holds for every reply and every log. `None` if Lambda's runtime would not accept the
    /// event.
    pub(super) async fn invoke(&mut self, lambda: Lambda, event: String) -> Option<(Value, Reply)> {
        let payload = RawValue::from_string(event).ok()?;
        let event: Value = serde_json::from_str(payload.get()).ok()?;
        for (_, value) in parameters(event["rawQueryString"].as_str().unwrap_or_default().as_bytes()) {
            self.words.push_str(&String::from_utf8_lossy(&value));
        }
        let provider = &self.stage.bridge.front_payment;
        let end = self.stage.bridge.clock.now().as_millisecond() + i64::from(self.seconds_left) * 1_000;
        let mut context = Context::default();
        REQUEST_ID.clone_into(&mut context.request_id);
        context.deadline = u64::try_from(end).expect("after 1970");
        log::take();
        let calls = provider.calls();
        let invocation = LambdaEvent::new(payload, context);
        let response = match lambda {
            Lambda::Orders => http::invoke(&self.stage.orders, invocation).await,
            Lambda::Callbacks => http::invoke(&self.stage.callbacks, invocation).await,
        };
        let reply = Reply::read(response.expect("an error out of a Lambda is an outage"));
        let was_called = provider.calls().since(calls).all() > 0;
        let route = event["routeKey"].as_str().unwrap_or_default();
        reply.is_lawful(lambda, route, provider.retry_after().filter(|_| was_called));
        let summary = self.is_discreet(&event, &reply, &log::take());
        self.unverified = summary["unverified"].as_str().map(str::to_owned);
        Some((event, reply))
    }

    /// Checks that neither the reply nor the log contains a secret, and returns the summary line of the request.
    fn is_discreet(&self, event: &Value, reply: &Reply, log: &str) -> Value {
        let tokens: Vec<_> = self.stage.bridge.front_payment.sent(|sent| sent.values().map(|sent| sent.token.clone()).collect());
        let told = format!("{:?}\n{}", reply.headers, reply.text);
        for secret in [TOKEN, CALLBACK_SECRET, NOTIFY_KEY].into_iter().chain(tokens.iter().map(String::as_str)) {
            assert!(!told.contains(secret), "a secret in a reply");
            // A caller that knows an order's token can send it as the orderUuid, which is logged.
            let is_given = event["rawQueryString"].as_str().is_some_and(|query| query.contains(secret));
            assert!(is_given || !log.contains(secret), "a secret in the log: {log}");
        }
        for private in [KEYS[0], KEYS[1], LINK, "/callbacks/"] {
            assert!(!log.replace("GET /callbacks/{orderId}/{token}", "").contains(private), "{private} in the log: {log}");
        }
        for private in PRIVATE.iter().filter(|private| !self.words.contains(**private)) {
            assert!(!log.contains(private), "{private} in the log: {log}");
        }
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        assert!(lines.iter().all(|line| line["requestId"] == REQUEST_ID), "{log}");
        let summaries: Vec<_> = lines.iter().filter(|line| line["message"] == "request").collect();
        assert_eq!(summaries.len(), 1, "{log}");
        assert_eq!(summaries[0]["statusCode"], reply.status, "{log}");
        summaries[0].clone()
    }
}
