//! Whole requests to a bridge that is new for each input. Each line of an input is one step:
//!
//! | step | what it does |
//! |---|---|
//! | `orders <event>`, `callbacks <event>` | invokes a Lambda |
//! | `body`, `query` | sets what `{body}` and `{query}` stand for in later events |
//! | `answer`, `cancel`, `status` | sets Front Payment's next reply: to a submit, a cancellation, a status read |
//! | `retry-after` | sets the `Retry-After` of Front Payment's replies |
//! | `store` | sets how the next operations of the store end: `-` not done, `+` done but without an answer, `.` success |
//! | `pass`, `within` | lets seconds pass; sets how many seconds the Lambda has left |
//! | `no-base` | removes `CALLBACK_BASE_URL` |
//!
//! Any other line is an event that both Lambdas get.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use front_payment_bridge::http;
use front_payment_bridge::order::StoredOrder;
use front_payment_bridge_fuzz::callback::{Said, is_signed, parameters, said, signed};
use front_payment_bridge_fuzz::heard::{after, has_amount};
use front_payment_bridge_fuzz::key::key;
use front_payment_bridge_fuzz::provider::{Calls, LINK, TOKEN};
use front_payment_bridge_fuzz::reply::{CANCEL, GET, HEALTH, LIST, Lambda, NOTIFY, POST, REQUEST_ID, Reply};
use front_payment_bridge_fuzz::stage::{CALLBACK_SECRET, KEYS, NOTIFY_KEY, SHOPS, Stage};
use front_payment_bridge_fuzz::{log, rank};
use jiff::Timestamp;
use lambda_runtime::{Context, LambdaEvent};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

const STEPS: usize = 24;
/// Status reads a minute that shops can cause with `?refresh=true`.
const REFRESHES: usize = 10;
/// What `{body}` and `{query}` stand for until a step sets them: an order and its callback.
const BODY: &str = include_str!("../seeds/order_document/example.json");
const QUERY: &str = "orderUuid=ODR1&status=INVOICED&paymentMethod=Invoice&amount=40&createdAt=1755764131&timestamp=1755764131";
/// Values of the order that must not be in the log, unless a callback or a status contains the same text.
const PRIVATE: [&str; 7] =
    ["Called off by Kari", "Kari Nordmann", "kari@example.com", "46567468", "30908299902", "Klosterenget 144", "shop.example"];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    log::init();
    // With paused time, waiting takes no real time.
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
});

/// The state of the run of one input.
struct Story {
    stage: Stage,
    body: String,
    query: String,
    /// Every query and status so far. What they contain may be in the log.
    words: String,
    /// The order of the last reply that named one.
    order_id: String,
    seconds_left: u8,
    /// Whether some step left less time than it takes to store a result.
    ended_early: bool,
    has_base: bool,
    /// The order id of each `Idempotency-Key`, by shop.
    ids: BTreeMap<(usize, String), String>,
    /// The cursors that the bridge gave out, each with the shop and the `updatedSince` that it is valid for.
    cursors: BTreeMap<String, (usize, Option<String>)>,
    cursor: String,
    has_listed: bool,
    /// `unverified` of the last summary line: why the callback was not verified.
    unverified: Option<String>,
    /// The last health check that the bridge made itself, and its HTTP status.
    health: Option<(u64, u16)>,
    /// When `?refresh=true` caused a status read, in seconds since the start of the run.
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
            ids: BTreeMap::new(),
            cursors: BTreeMap::new(),
            cursor: "none".to_owned(),
            has_listed: false,
            unverified: None,
            health: None,
            refreshes: Vec::new(),
            seconds: 0,
        };
        for line in input.lines().take(STEPS) {
            story.step(line).await;
        }
        story.stage.is_sound(story.ended_early);
        if story.has_listed {
            story.lists_everything().await;
        }
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
            "cancel" => provider.will_answer_cancel(rest),
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
                self.health = None;
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
            .replace("{cursor}", &self.cursor)
            .replace("{key-a}", KEYS[0])
            .replace("{key-b}", KEYS[1])
            .replace("{large}", &"a".repeat(256 * 1024));
        let named = |event: &Value| event["pathParameters"]["orderId"].as_str().unwrap_or_default().to_owned();
        let named = serde_json::from_str(&event).map(|event| named(&event)).unwrap_or_default();
        let before = self.stage.stored(&named);
        let (answers, may_fail) = (self.stage.bridge.store.will_answer(), self.stage.bridge.store.is_failing());
        let calls = self.stage.bridge.front_payment.calls();
        let Some((event, reply)) = self.invoke(Lambda::Orders, event).await else { return };

        let calls = self.stage.bridge.front_payment.calls().since(calls);
        let keys = keys_in(&event);
        let route = event["routeKey"].as_str().unwrap_or_default();
        let is_called = match route {
            POST => calls.submits <= 1 && calls.status_reads + calls.cancels == 0,
            GET => calls.status_reads <= 1 && calls.submits + calls.cancels == 0,
            CANCEL => calls.cancels <= 1 && calls.status_reads <= 2 && calls.submits == 0,
            _ => calls.all() == 0,
        };
        let has_time = self.seconds_left >= 8 || calls.submits + calls.cancels == 0;
        assert!(is_called && has_time && (!keys.is_empty() || calls.all() == 0), "calls that nobody asked for");
        assert!(!keys.is_empty() || route == HEALTH || [400, 401, 404].contains(&reply.status), "{} without a key", reply.status);
        self.count_refreshes(&event, if route == GET { calls.status_reads } else { 0 });

        let knows_base =
            self.has_base || (event["requestContext"]["domainName"] == "api.example.no" && event["rawPath"] == "/orders");
        assert!(reply.status != 500 || (!knows_base && route == POST && calls.submits == 0), "an internal error");
        if [GET, CANCEL, NOTIFY].contains(&route) && ![400, 401, 503].contains(&reply.status) {
            let is_own = keys.iter().any(|shop| before.as_ref().is_some_and(|order| order.shop_id == SHOPS[*shop]));
            assert!((reply.status != 404) == is_own || keys.len() > 1, "{} of {named}", reply.status);
        }
        match (route, &keys[..]) {
            (HEALTH, _) if reply.status != 400 => self.is_healthy(&reply, answers),
            (POST, [shop]) => self.is_of_its_key(&event, &reply, *shop, calls),
            (LIST, [shop]) if reply.status != 400 => self.is_listed(&event, &reply, *shop),
            (CANCEL, _) => {
                let before = before.filter(|_| [200, 202, 409, 502, 504].contains(&reply.status));
                before.into_iter().for_each(|before| self.is_called_off(&event, &before, &reply, calls, may_fail));
            }
            _ => {}
        }
        let is_notified = !reply.text.contains("\"not_notifiable\"") || keys.contains(&0);
        assert!(is_notified, "a warning for a shop that is not notified");
        if let Some(order_id) = reply.body["orderId"].as_str() {
            order_id.clone_into(&mut self.order_id);
            // If the store does not answer, the bridge cannot know whose order it is.
            if let ([shop], false) = (&keys[..], reply.status == 503) {
                let owner = self.stage.owners.entry(order_id.to_owned()).or_insert(*shop);
                assert!(owner == shop, "another shop's order");
            }
        }
    }

    /// Health needs no key, and one result is valid for ten seconds.
    fn is_healthy(&mut self, reply: &Reply, answers: bool) {
        let found = self.health.filter(|(at, _)| self.seconds < at + 10);
        let (at, status) = found.unwrap_or((self.seconds, if answers { 200 } else { 503 }));
        assert_eq!(reply.status, status, "{}", reply.text);
        self.health = Some((at, status));
    }

    /// One key names one order, and a request with an invalid key sends nothing.
    fn is_of_its_key(&mut self, event: &Value, reply: &Reply, shop: usize, calls: Calls) {
        let headers = key_headers(event);
        let key = match &headers[..] {
            [] => None,
            [header] => key(header),
            _ => return,
        };
        assert!(key.is_some() || headers.is_empty() || (calls.submits == 0 && reply.status >= 400), "{headers:?} is a key");
        if let (Some(key), Some(order_id)) = (key, reply.body["orderId"].as_str()) {
            let known = self.ids.entry((shop, key.to_owned())).or_insert_with(|| order_id.to_owned());
            assert_eq!(known, order_id, "another order for {key:?}");
            let is_others = |(of, id): (&(usize, String), &String)| id == order_id && *of != (shop, key.to_owned());
            assert!(!self.ids.iter().any(is_others), "the order of another key");
        }
        let step = reply.body["nextStep"].as_str();
        assert!(reply.status != 500 || step == Some(if key.is_some() { "retry" } else { "look" }), "{}", reply.text);
    }

    /// A list contains the shop's own orders only, sorted, and filtered by its parameters.
    fn is_listed(&mut self, event: &Value, reply: &Reply, shop: usize) {
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        let parameters: Vec<(String, String)> = parameters(query.as_bytes())
            .into_iter()
            .map(|(name, value)| (String::from_utf8_lossy(&name).into_owned(), String::from_utf8_lossy(&value).into_owned()))
            .collect();
        let values =
            |name: &str| parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect::<Vec<_>>();
        let [since, limit, cursor] = ["updatedSince", "limit", "cursor"].map(values);
        let ids: Vec<&str> = reply.orders_or_none().iter().filter_map(|order| order["orderId"].as_str()).collect();
        let headers = key_headers(event);
        if let [header] = &headers[..] {
            let is_right = key(header).is_some() && parameters.is_empty();
            assert!([401, 503].contains(&reply.status) || is_right == (reply.status == 200), "{header:?}: {}", reply.status);
            if reply.status == 200 {
                let id = key(header).and_then(|key| self.ids.get(&(shop, key.to_owned())));
                let stored = id.filter(|id| self.stage.stored(id).is_some());
                assert_eq!(ids, stored.map(String::as_str).into_iter().collect::<Vec<_>>(), "of {header:?}");
                assert_eq!(reply.body.as_object().expect("a list").len(), 1, "{}", reply.text);
            }
        }
        if !headers.is_empty() {
            return;
        }
        let is_known = parameters.len() == since.len() + limit.len() + cursor.len();
        let is_once = [&since, &limit, &cursor].iter().all(|values| values.len() <= 1);
        let is_number = |text: &&&String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let most = match limit.first() {
            None => Some(50),
            limit => limit.filter(is_number).and_then(|limit| limit.parse().ok()).filter(|most| (1..=100).contains(most)),
        };
        let since = since.first().map(|since| (*since).clone());
        let given = |cursor: &&String| self.cursors.get(*cursor).is_some_and(|(of, _)| *of == shop);
        let is_right = is_known && is_once && most.is_some() && cursor.iter().all(given);
        assert!(is_right || [401, 422, 503].contains(&reply.status), "{} for {query}", reply.status);
        let is_same_list = cursor.iter().all(|cursor| self.cursors.get(*cursor).is_some_and(|(_, of)| *of == since));
        if reply.status == 422 {
            // This check knows `updatedSince` in seconds only, so it does not judge other texts.
            let is_odd = since.as_ref().is_some_and(|since| !is_number(&&since) || since.len() > 10);
            assert!(!is_right || is_odd || !is_same_list, "{}", reply.text);
        }
        if reply.status != 200 {
            return;
        }
        let settled = self.stage.bridge.clock.now().as_second() - 10;
        let since_seconds = since.as_ref().and_then(|since| since.parse::<i64>().ok());
        assert!(ids.len() <= most.unwrap_or_default(), "{} orders", ids.len());
        let orders: Vec<StoredOrder> = ids.iter().map(|id| self.stage.stored(id).expect("it is listed")).collect();
        assert!(orders.iter().all(|order| order.shop_id == SHOPS[shop]), "another shop's order");
        assert!(orders.is_sorted_by_key(|order| order.updated_at), "{}", reply.text);
        for order in &orders {
            let at = order.updated_at.as_second();
            assert!(at <= settled && since_seconds.is_none_or(|since| at > since), "{at} is not between {since:?} and {settled}");
        }
        assert!(reply.body.get("next").is_some() != reply.body.get("until").is_some(), "{}", reply.text);
        if let Some(until) = reply.body["until"].as_str() {
            let until = until.parse::<Timestamp>().expect("an instant").as_second();
            let earliest = since_seconds.unwrap_or(settled);
            assert!(until >= earliest && (since.is_some() || until <= settled), "{until}, not {settled}");
        }
        self.has_listed = true;
        if let Some(next) = reply.body["next"].as_str() {
            next.clone_into(&mut self.cursor);
            self.cursors.insert(next.to_owned(), (shop, since));
        }
    }

    /// Page by page, a shop gets all of its orders, each once.
    async fn lists_everything(&mut self) {
        self.stage.bridge.store.will_fail("");
        self.stage.pass(10);
        self.seconds_left = 29;
        for (shop, key) in KEYS.iter().enumerate() {
            let (mut found, mut query) = (Vec::new(), String::new());
            for _ in 0..STEPS {
                let event =
                    json!({"routeKey": LIST, "headers": {"authorization": format!("Bearer {key}")}, "rawQueryString": query});
                let (event, reply) = self.invoke(Lambda::Orders, event.to_string()).await.expect("an event");
                self.is_listed(&event, &reply, shop);
                found.extend(reply.orders().iter().map(|order| order["orderId"].to_string().replace('"', "")));
                match reply.body["next"].as_str() {
                    Some(cursor) => query = format!("cursor={cursor}"),
                    None => break,
                }
            }
            let all = self.stage.bridge.store.all().into_iter().filter(|order| order.shop_id == SHOPS[shop]);
            let mut all: Vec<String> = all.map(|order| order.order_id.to_string()).collect();
            (found.sort(), all.sort());
            assert_eq!(found, all, "of {}", SHOPS[shop]);
        }
    }

    /// A cancellation is stored before it is sent. It stays stored until Front Payment refuses it.
    fn is_called_off(&self, event: &Value, before: &StoredOrder, reply: &Reply, calls: Calls, may_fail: bool) {
        let after = self.stage.stored(&before.order_id.to_string()).expect("it is stored");
        let slug = reply.slug().unwrap_or_default();
        let step = reply.body["nextStep"].as_str().unwrap_or_default();
        let Some(own) = &before.order_uuid else {
            let expected = match before.status_at(self.stage.bridge.clock.now()).name() {
                "SUBMITTING" => "retry",
                "UNKNOWN" => "look",
                _ => "correct",
            };
            assert_eq!((slug, step, calls.all()), ("not-accepted", expected, 0));
            return;
        };
        assert_ne!(slug, "not-accepted");
        assert!(calls.cancels == 1 || reply.status == 200, "{} though nothing was sent", reply.status);
        let asked = |order: &StoredOrder| order.history.iter().filter(|entry| entry.status == "CANCEL_REQUESTED").count();
        let body = event["body"].as_str().unwrap_or_default();
        let body: Option<Value> = serde_json::from_str(if body.is_empty() { "null" } else { body }).ok();
        let Some(body) = body.filter(|_| event["isBase64Encoded"] != true) else { return };
        if body["orderUuid"].as_str().is_some_and(|uuid| uuid != own) {
            assert_eq!(after.cancel_requested_at, before.cancel_requested_at);
        } else if calls.cancels == 1 {
            assert_eq!(
                asked(&after),
                asked(before) + usize::from(before.cancel_requested_at.is_none()),
                "sent, not written down"
            );
            let is_refused = slug == "cannot-be-cancelled";
            assert!(may_fail || after.cancel_requested_at.is_none() == is_refused, "{slug}");
        }
    }

    /// `?refresh=true` causes few status reads.
    fn count_refreshes(&mut self, event: &Value, status_reads: usize) {
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        assert!(status_reads == 0 || query.contains("=true"), "{status_reads} status reads that nobody asked for");
        self.refreshes.retain(|at| at + 60 > self.seconds);
        self.refreshes.extend(vec![self.seconds; status_reads]);
        assert!(self.refreshes.len() <= REFRESHES, "{} status reads in a minute", self.refreshes.len());
    }

    async fn callbacks(&mut self, event: &str) {
        let token = self.stage.bridge.front_payment.callback_token(&self.order_id);
        let event = event
            .replace("{query}", &inside(&signed(&self.query, CALLBACK_SECRET)))
            .replace("{unsigned}", &inside(&self.query))
            .replace("{order}", &self.order_id)
            .replace("{ORDER}", &self.order_id.to_uppercase())
            .replace("{its-token}", token.as_deref().unwrap_or("token"));
        // The order that the event names after the replacements, which need not be the last one.
        let named = |event: &Value| event["pathParameters"]["orderId"].as_str().unwrap_or_default().to_owned();
        let order_id = serde_json::from_str(&event).map(|event| named(&event)).unwrap_or_default();
        let (before, calls) = (self.stage.stored(&order_id), self.stage.bridge.front_payment.calls());
        let may_fail = self.stage.bridge.store.is_failing() || self.seconds_left < 8;
        let Some((event, reply)) = self.invoke(Lambda::Callbacks, event).await else { return };

        let after = self.stage.stored(&order_id);
        let calls = self.stage.bridge.front_payment.calls().since(calls);
        assert!(calls.status_reads <= 1 && calls.submits + calls.cancels == 0, "calls that nobody asked for");
        let was_read = calls.status_reads > 0;
        let is_routed = event["routeKey"] == "GET /callbacks/{orderId}/{token}";
        let known = before.as_ref().filter(|known| is_routed && event["pathParameters"]["token"] == known.callback_token);
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        let verified = known.map(|known| verified(known, query));
        let (verified, why) =
            (verified.as_ref().and_then(|it| it.as_ref().ok()), verified.as_ref().and_then(|it| it.as_ref().err()));
        // 400 means that the event itself was malformed.
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
            assert_eq!(self.unverified.as_deref(), why.copied(), "{query}");
        }
        if let (Some(before), Some(after), false) = (&before, &after, was_read) {
            is_as_heard(before, after, verified);
        }
        if let (Some(said), Some(after), 200) = (verified, &after, reply.status) {
            let is_it = |uuid: Option<&str>, word: &str| uuid == Some(&said.order_uuid) && word == said.word;
            assert!(after.history.iter().any(|entry| is_it(entry.order_uuid.as_deref(), &entry.status)), "nobody noted it");
        }
    }

    /// Invokes a Lambda and checks what holds for every reply and every log. `None` if Lambda's runtime would not accept the
    /// event.
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

/// The shops whose keys are in the event's authorization.
fn keys_in(event: &Value) -> Vec<usize> {
    let headers = event["headers"].as_object().into_iter().flatten();
    let given = headers.filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).filter_map(|(_, value)| value.as_str());
    let given = given.collect::<Vec<_>>().join("\n");
    (0..KEYS.len()).filter(|shop| given.contains(KEYS[*shop])).collect()
}

fn key_headers(event: &Value) -> Vec<&str> {
    let headers = event["headers"].as_object().into_iter().flatten();
    headers.filter(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")).filter_map(|(_, value)| value.as_str()).collect()
}

/// Whether docs/api.md calls this callback verified: signed, each name once, valid forms, the order's amount. Else the
/// reason, as in the log.
fn verified(order: &StoredOrder, query: &str) -> Result<Said, &'static str> {
    if query.is_empty() {
        return Err("none");
    }
    let said = said(query).ok_or("shape")?;
    match (is_signed(query, CALLBACK_SECRET), has_amount(order, &said.amount)) {
        (true, true) => Ok(said),
        (true, false) => Err("amount"),
        (false, _) => Err("checksum"),
    }
}

/// Without a status read, only a verified callback changes an order, and only as docs/api.md says.
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

/// A text, escaped for the inside of a JSON string.
fn inside(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text");
    quoted[1..quoted.len() - 1].to_owned()
}
