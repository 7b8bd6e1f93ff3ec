//! Whole requests against a bridge of its own: an input is a short story, a step in each line.
//!
//! | step | what |
//! |---|---|
//! | `orders <event>`, `callbacks <event>` | invokes a Lambda |
//! | `body`, `query` | what `{body}` and `{query}` are in the events after it |
//! | `answer`, `status`, `retry-after` | what Front Payment answers next |
//! | `store` | what becomes of its next operations: `-` is not done, `+` is done, and neither is answered; `.` is |
//! | `pass`, `within` | how many seconds pass; how many the Lambda has left |
//! | `no-base` | takes `CALLBACK_BASE_URL` away |
//!
//! Any other line is an event that both Lambdas get.
#![no_main]

use std::sync::LazyLock;

use front_payment_bridge::http;
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge_fuzz::callback::{Said, is_signed, parameters, said, signed};
use front_payment_bridge_fuzz::heard::{after, has_amount};
use front_payment_bridge_fuzz::provider::{LINK, TOKEN};
use front_payment_bridge_fuzz::reply::{Lambda, REQUEST_ID, Reply};
use front_payment_bridge_fuzz::stage::{CALLBACK_SECRET, KEYS, NOTIFY_KEY, Stage};
use front_payment_bridge_fuzz::{log, rank};
use lambda_runtime::{Context, LambdaEvent};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::runtime::{Builder, Runtime};

const STEPS: usize = 24;
/// What a shop may have read in a minute.
const REFRESHES: usize = 10;
/// Where no line says otherwise: an order and its callback.
const BODY: &str = include_str!("../seeds/order_document/example.json");
const QUERY: &str = "orderUuid=ODR1&status=INVOICED&paymentMethod=Invoice&amount=40&createdAt=1755764131&timestamp=1755764131";
/// Of the order: what the log must not have, unless a callback or a status says it.
const PRIVATE: [&str; 6] = ["Kari Nordmann", "kari@example.com", "46567468", "30908299902", "Klosterenget 144", "shop.example"];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    log::init();
    // Whoever waits does so at once.
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
});

/// What the events of one input stand on.
struct Story {
    stage: Stage,
    body: String,
    query: String,
    /// Every query and status so far.
    words: String,
    /// The order that was last heard of.
    order_id: String,
    seconds_left: u8,
    /// There was one that had less than it takes to write something down.
    ended_early: bool,
    has_base: bool,
    /// When statuses were read for shops, in seconds since the beginning.
    refreshes: Vec<u64>,
    seconds: u64,
}

fuzz_target!(|input: &[u8]| {
    let input = String::from_utf8_lossy(input);
    RUNTIME.block_on(async {
        let mut story = Story {
            stage: Stage::set().await,
            body: BODY.to_owned(),
            query: QUERY.to_owned(),
            words: String::new(),
            order_id: "0198c2f0-7e4a-7000-8000-000000000001".to_owned(),
            seconds_left: 29,
            ended_early: false,
            has_base: true,
            refreshes: Vec::new(),
            seconds: 0,
        };
        for line in input.lines().take(STEPS) {
            story.step(line).await;
        }
        story.stage.is_sound(story.ended_early);
    });
});

impl Story {
    async fn step(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let provider = &self.stage.bridge.front_payment;
        match word {
            "orders" => self.orders(rest).await,
            "callbacks" => self.callbacks(rest).await,
            "body" => rest.clone_into(&mut self.body),
            "query" => rest.clone_into(&mut self.query),
            "answer" => provider.will_answer(rest),
            "status" => {
                provider.will_tell(rest);
                self.words.push_str(rest);
            }
            "retry-after" => provider.will_ask(rest.parse().ok()),
            "store" => self.stage.bridge.store.will_fail(rest),
            "pass" => {
                let seconds = rest.parse::<u16>().unwrap_or(61);
                self.stage.pass(seconds.into());
                self.seconds += u64::from(seconds);
            }
            "within" => {
                self.seconds_left = rest.parse().unwrap_or(7);
                self.ended_early |= self.seconds_left < 5;
            }
            "no-base" => {
                self.stage.take_base_away();
                self.has_base = false;
                self.refreshes.clear();
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
            .replace("{ORDER}", &self.order_id.to_uppercase())
            .replace("{key-a}", KEYS[0])
            .replace("{key-b}", KEYS[1])
            .replace("{large}", &"a".repeat(256 * 1024));
        let provider = &self.stage.bridge.front_payment;
        let (submits, readings) = (provider.submits(), provider.readings());
        let Some((event, reply)) = self.invoke(Lambda::Orders, event).await else { return };

        let keys = keys_in(&event);
        let has_key = !keys.is_empty();
        assert!(has_key || [400, 401, 404].contains(&reply.status), "{} without a key", reply.status);
        let route = event["routeKey"].as_str().unwrap_or_default();
        let is_post = route == "POST /orders";
        let provider = &self.stage.bridge.front_payment;
        let submitted = provider.submits() - submits;
        assert!(submitted == 0 || (submitted == 1 && is_post && has_key && self.seconds_left >= 8), "{submitted} submits");
        assert!(reply.status != 201 || is_post, "{}", reply.status);
        assert!(reply.status != 202 || route == "POST /orders/{orderId}/notifications", "{}", reply.status);
        self.count_refreshes(&event, provider.readings() - readings);

        let knows_base =
            self.has_base || (event["requestContext"]["domainName"] == "api.example.no" && event["rawPath"] == "/orders");
        assert!(reply.status != 500 || (!knows_base && is_post && submitted == 0), "an internal error");
        if route == "GET /orders/{orderId}" && ![400, 401, 503].contains(&reply.status) {
            let id = event["pathParameters"]["orderId"].as_str().unwrap_or_default();
            let shop_id = self.stage.stored(id).map(|order| order.shop_id);
            let is_own = keys.iter().any(|shop| shop_id.as_deref() == Some(["shop-a", "shop-b"][*shop]));
            assert!(reply.status == if is_own { 200 } else { 404 } || keys.len() > 1, "{} of {id}", reply.status);
        }
        let is_notified = !reply.text.contains("\"not_notifiable\"") || keys.contains(&0);
        assert!(is_notified, "a warning for a shop that is not notified");
        if let Some(order_id) = reply.body["orderId"].as_str() {
            order_id.clone_into(&mut self.order_id);
            // Where the store does not answer, it is not known yet whose it is.
            if let ([shop], false) = (&keys[..], reply.status == 503) {
                let owner = self.stage.owners.entry(order_id.to_owned()).or_insert(*shop);
                assert!(owner == shop, "another shop's order");
            }
        }
    }

    /// Shops have statuses read seldom.
    fn count_refreshes(&mut self, event: &Value, readings: usize) {
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        assert!(readings == 0 || query.contains("=true"), "{readings} readings that nobody asked for");
        assert!(readings <= 1, "{readings} readings of one order");
        self.refreshes.retain(|at| at + 60 > self.seconds);
        self.refreshes.extend(vec![self.seconds; readings]);
        assert!(self.refreshes.len() <= REFRESHES, "{} readings in a minute", self.refreshes.len());
    }

    async fn callbacks(&mut self, event: &str) {
        let token = self.stage.bridge.front_payment.callback_token(&self.order_id);
        let event = event
            .replace("{query}", &inside(&signed(&self.query, CALLBACK_SECRET)))
            .replace("{unsigned}", &inside(&self.query))
            .replace("{order}", &self.order_id)
            .replace("{ORDER}", &self.order_id.to_uppercase())
            .replace("{its-token}", token.as_deref().unwrap_or("token"));
        // Whichever order the event names in the end.
        let named = |event: &Value| event["pathParameters"]["orderId"].as_str().unwrap_or_default().to_owned();
        let order_id = serde_json::from_str(&event).map(|event| named(&event)).unwrap_or_default();
        let (before, readings) = (self.stage.stored(&order_id), self.stage.bridge.front_payment.readings());
        let may_fail = self.stage.bridge.store.is_failing() || self.seconds_left < 8;
        let Some((event, reply)) = self.invoke(Lambda::Callbacks, event).await else { return };

        let after = self.stage.stored(&order_id);
        let was_read = self.stage.bridge.front_payment.readings() > readings;
        let is_routed = event["routeKey"] == "GET /callbacks/{orderId}/{token}";
        let known = before.as_ref().filter(|known| is_routed && event["pathParameters"]["token"] == known.callback_token);
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        let verified = known.and_then(|known| verified(known, query));
        // What is no event at all is malformed.
        if !may_fail && reply.status != 400 {
            assert_eq!(known.is_none(), reply.status == 404, "{}", reply.status);
            let has_uuid = known.is_some_and(|known| known.order_uuid.is_some());
            match reply.status {
                200 => assert!(verified.is_some() || was_read, "an unverified callback is taken"),
                _ if verified.is_some() => panic!("{} for a verified callback", reply.status),
                403 => assert!(!has_uuid, "a status that could be read"),
                503 => assert!(has_uuid, "a status that cannot be read"),
                status => assert_eq!(status, 404),
            }
        }
        if let (Some(before), Some(after), false) = (&before, &after, was_read) {
            is_as_heard(before, after, verified.as_ref());
        }
        if let (Some(said), Some(after), 200) = (&verified, &after, reply.status) {
            let is_it = |uuid: Option<&str>, word: &str| uuid == Some(&said.order_uuid) && word == said.word;
            assert!(after.history.iter().any(|entry| is_it(entry.order_uuid.as_deref(), &entry.status)), "nobody noted it");
        }
    }

    /// The event and the reply, which is lawful and discreet; nothing where Lambda's runtime would not hand it over.
    async fn invoke(&mut self, lambda: Lambda, event: String) -> Option<(Value, Reply)> {
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
        let calls = provider.submits() + provider.readings();
        let invocation = LambdaEvent::new(payload, context);
        let response = match lambda {
            Lambda::Orders => http::invoke(&self.stage.orders, invocation).await,
            Lambda::Callbacks => http::invoke(&self.stage.callbacks, invocation).await,
        };
        let reply = Reply::read(response.expect("an error out of a Lambda is an outage"));
        let was_called = provider.submits() + provider.readings() > calls;
        reply.is_lawful(lambda, provider.retry_after().filter(|_| was_called));
        self.is_discreet(&event, &reply, &log::take());
        Some((event, reply))
    }

    /// No secret in the reply, and none in the log, which has one line on the request.
    fn is_discreet(&self, event: &Value, reply: &Reply, log: &str) {
        let tokens: Vec<_> = self.stage.bridge.front_payment.sent(|sent| sent.values().map(|sent| sent.token.clone()).collect());
        let told = format!("{:?}\n{}", reply.headers, reply.text);
        for secret in [TOKEN, CALLBACK_SECRET, NOTIFY_KEY].into_iter().chain(tokens.iter().map(String::as_str)) {
            assert!(!told.contains(secret), "a secret in a reply");
            // Who knows an order's token may call it an orderUuid, and that is logged.
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
    }
}

/// The shops whose keys are in the event's authorization.
fn keys_in(event: &Value) -> Vec<usize> {
    let headers = event["headers"].as_object().into_iter().flatten();
    let given = headers.filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).filter_map(|(_, value)| value.as_str());
    let given = given.collect::<Vec<_>>().join("\n");
    (0..KEYS.len()).filter(|shop| given.contains(KEYS[*shop])).collect()
}

/// By the contract: signed, each name once, shapes right, and the amount of an attempt.
fn verified(order: &StoredOrder, query: &str) -> Option<Said> {
    said(query).filter(|said| is_signed(query, CALLBACK_SECRET) && has_amount(order, &said.amount))
}

/// Where nothing was read, an order changes by a verified callback alone, and as the contract says.
fn is_as_heard(before: &StoredOrder, stored: &StoredOrder, verified: Option<&Said>) {
    let Some(said) = verified else {
        assert!(before == stored, "an order changed without a reason");
        return;
    };
    if before != stored {
        let (expected, found) = (after(before, said), (stored.order_uuid.as_deref(), rank(stored.status.name())));
        assert_eq!(found, (expected.order_uuid, expected.rank), "{}", said.word);
    }
}

/// A text as it stands between the quotes of a JSON string.
fn inside(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text");
    quoted[1..quoted.len() - 1].to_owned()
}
