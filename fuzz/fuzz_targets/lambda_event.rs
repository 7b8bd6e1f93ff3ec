//! Whole requests against a bridge of its own: an input is a short story, a step in each line.
//!
//! `orders <event>` and `callbacks <event>` invoke a Lambda, `body` and `query` say what `{body}` and
//! `{query}` stand for in the events after them, `answer` and `status` what Front Payment answers next,
//! `pass` and `within` what time it is and how many seconds the Lambda has left, and `no-base` takes
//! `CALLBACK_BASE_URL` away. Any other line is an event that both Lambdas get.
#![no_main]

use std::sync::LazyLock;

use front_payment_bridge::http::{self, callbacks, orders};
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge_fuzz::callback::{parameters, said, signed};
use front_payment_bridge_fuzz::reply::{Lambda, Reply};
use front_payment_bridge_fuzz::stage::{CALLBACK_SECRET, KEYS, LINK, Stage, TOKEN};
use front_payment_bridge_fuzz::{by_value, log};
use lambda_runtime::{Context, LambdaEvent};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::runtime::{Builder, Runtime};

const STEPS: usize = 24;
/// Where no line says otherwise: an order and its callback.
const BODY: &str = include_str!("../seeds/order_document/example.json");
const QUERY: &str = "orderUuid=ODR1&status=INVOICED&paymentMethod=Invoice&amount=40&createdAt=1755764131&timestamp=1755764131";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    log::init();
    Builder::new_current_thread().enable_time().build().expect("a runtime")
});

/// What the events of one input stand on.
struct Story {
    stage: Stage,
    body: String,
    query: String,
    /// The order that was last heard of.
    order_id: String,
    seconds_left: u8,
    /// There was one that had less than it takes to write something down.
    ended_early: bool,
    has_base: bool,
}

fuzz_target!(|input: &[u8]| {
    let input = String::from_utf8_lossy(input);
    RUNTIME.block_on(async {
        let mut story = Story {
            stage: Stage::set().await,
            body: BODY.to_owned(),
            query: QUERY.to_owned(),
            order_id: "0198c2f0-7e4a-7000-8000-000000000001".to_owned(),
            seconds_left: 29,
            ended_early: false,
            has_base: true,
        };
        for line in input.lines().take(STEPS) {
            story.step(line).await;
        }
        story.stage.is_sound(story.ended_early).await;
    });
});

impl Story {
    async fn step(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "orders" => self.orders(rest).await,
            "callbacks" => self.callbacks(rest).await,
            "body" => rest.clone_into(&mut self.body),
            "query" => rest.clone_into(&mut self.query),
            "answer" => self.stage.bridge.front_payment.will_answer(rest),
            "status" => self.stage.bridge.front_payment.will_tell(rest),
            "pass" => self.stage.pass(rest.parse::<u16>().unwrap_or(61).into()),
            "within" => {
                self.seconds_left = rest.parse().unwrap_or(7);
                self.ended_early |= self.seconds_left < 5;
            }
            "no-base" => {
                self.stage.bridge.settings.callback_base_url = None;
                self.has_base = false;
            }
            _ => {
                self.orders(line).await;
                self.callbacks(line).await;
            }
        }
    }

    async fn orders(&mut self, event: &str) {
        let event = event
            .replace("{body}", &inside(&self.body))
            .replace("{order}", &self.order_id)
            .replace("{key-a}", KEYS[0])
            .replace("{key-b}", KEYS[1])
            .replace("{large}", &"a".repeat(256 * 1024));
        let submits = self.stage.bridge.front_payment.submits();
        let Some((event, reply)) = self.invoke(Lambda::Orders, event).await else { return };

        let is_authorization = |name: &str| name.eq_ignore_ascii_case("authorization");
        let headers = event["headers"].as_object();
        let given =
            headers.into_iter().flatten().filter(|(name, _)| is_authorization(name)).filter_map(|(_, value)| value.as_str());
        let given = given.collect::<Vec<_>>().join("\n");
        let keys: Vec<usize> = (0..KEYS.len()).filter(|shop| given.contains(KEYS[*shop])).collect();
        let has_key = !keys.is_empty();
        assert!(has_key || [400, 401, 404].contains(&reply.status), "{} without a key", reply.status);
        let is_post = event["routeKey"] == "POST /orders";
        let submitted = self.stage.bridge.front_payment.submits() - submits;
        assert!(submitted == 0 || (submitted == 1 && is_post && has_key && self.seconds_left >= 8), "{submitted} submits");
        assert!(reply.status != 201 || is_post, "{}", reply.status);

        let knows_base =
            self.has_base || (event["requestContext"]["domainName"] == "api.example.no" && event["rawPath"] == "/orders");
        assert!(reply.status != 500 || (!knows_base && is_post && submitted == 0), "an internal error");
        if let Some(order_id) = reply.body["orderId"].as_str() {
            order_id.clone_into(&mut self.order_id);
            // Where the store does not answer, it is not known yet whose it is.
            if let ([shop], false) = (&keys[..], reply.status == 503) {
                let owner = self.stage.owners.entry(order_id.to_owned()).or_insert(*shop);
                assert!(owner == shop, "another shop's order");
            }
        }
    }

    async fn callbacks(&mut self, event: &str) {
        let provider = &self.stage.bridge.front_payment;
        let token = provider.callback_token(&self.order_id);
        let event = event
            .replace("{query}", &inside(&signed(&self.query, CALLBACK_SECRET)))
            .replace("{unsigned}", &inside(&self.query))
            .replace("{order}", &self.order_id)
            .replace("{its-token}", token.as_deref().unwrap_or("token"));
        // Whichever order the event names in the end.
        let named = |event: &Value| event["pathParameters"]["orderId"].as_str().unwrap_or_default().to_owned();
        let order_id = serde_json::from_str(&event).map(|event| named(&event)).unwrap_or_default();
        let (before, readings) = (self.stage.stored(&order_id).await, provider.readings());
        let Some((event, reply)) = self.invoke(Lambda::Callbacks, event).await else { return };

        let after = self.stage.stored(&order_id).await;
        let was_read = self.stage.bridge.front_payment.readings() > readings;
        let is_routed = event["routeKey"] == "GET /callbacks/{orderId}/{token}";
        let known = before.as_ref().filter(|known| is_routed && event["pathParameters"]["token"] == known.callback_token);
        let is_believed = known.is_some_and(|known| is_believed(known, event["rawQueryString"].as_str().unwrap_or_default()));
        // In less time than this, the store may not have answered; and what is no event at all is malformed.
        if self.seconds_left >= 8 && reply.status != 400 {
            assert_eq!(known.is_none(), reply.status == 404, "{}", reply.status);
            assert!(!is_believed || reply.status == 200, "{}", reply.status);
        }
        assert!(before == after || is_believed || was_read, "an order changed without a reason");
        let is_lower = before.zip(after).is_some_and(|(before, after)| after.status < before.status);
        assert!(!is_lower || was_read, "a callback lowered the rank");
    }

    /// The event and the reply, which is lawful and discreet; nothing where Lambda's runtime would not hand it over.
    async fn invoke(&self, lambda: Lambda, event: String) -> Option<(Value, Reply)> {
        let payload = RawValue::from_string(event).ok()?;
        let event: Value = serde_json::from_str(payload.get()).ok()?;
        let bridge = &self.stage.bridge;
        let end = bridge.clock.now().as_millisecond() + i64::from(self.seconds_left) * 1_000;
        let mut context = Context::default();
        "request-1".clone_into(&mut context.request_id);
        context.deadline = u64::try_from(end).expect("after 1970");
        log::take();
        let invocation = LambdaEvent::new(payload, context);
        let response = match lambda {
            Lambda::Orders => http::invoke(invocation, async |request| orders::handle(bridge, request).await).await,
            Lambda::Callbacks => http::invoke(invocation, async |request| callbacks::handle(bridge, request).await).await,
        };
        let reply = Reply::read(response.expect("an error out of a Lambda is an outage"));
        reply.is_lawful(lambda);
        self.is_discreet(&event, &reply, &log::take());
        Some((event, reply))
    }

    /// No secret in the reply, and none in the log, which has one line on the request.
    fn is_discreet(&self, event: &Value, reply: &Reply, log: &str) {
        let tokens = self.stage.bridge.front_payment.callback_tokens();
        let told = format!("{:?}\n{}", reply.headers, reply.text);
        for secret in [TOKEN, CALLBACK_SECRET].into_iter().chain(tokens.iter().map(String::as_str)) {
            assert!(!told.contains(secret), "a secret in a reply");
            // Who knows an order's token may call it an orderUuid, and that is logged.
            let is_given = event["rawQueryString"].as_str().is_some_and(|query| query.contains(secret));
            assert!(is_given || !log.contains(secret), "a secret in the log: {log}");
        }
        for private in [KEYS[0], KEYS[1], LINK, "/callbacks/"] {
            assert!(!log.replace("GET /callbacks/{orderId}/{token}", "").contains(private), "{private} in the log: {log}");
        }
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        let summaries: Vec<_> = lines.iter().filter(|line| line["message"] == "request").collect();
        assert_eq!(summaries.len(), 1, "{log}");
        assert_eq!(
            (&summaries[0]["statusCode"], &summaries[0]["requestId"]),
            (&reply.status.into(), &"request-1".into()),
            "{log}"
        );
    }
}

/// By the contract: signed, each name once, shapes right, and the amount of an attempt.
fn is_believed(record: &StoredOrder, query: &str) -> bool {
    let Some(said) = said(query) else { return false };
    let checksum = |query: &str| parameters(query.as_bytes()).into_iter().find(|(name, _)| name == b"checksum");
    let mut attempts = record.earlier_attempts.iter().chain([&record.details]);
    checksum(query) == checksum(&signed(query, CALLBACK_SECRET))
        && attempts.any(|attempt| by_value(&attempt.grand_total) == by_value(&said.amount))
}

/// A text as it stands between the quotes of a JSON string.
fn inside(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text");
    quoted[1..quoted.len() - 1].to_owned()
}
