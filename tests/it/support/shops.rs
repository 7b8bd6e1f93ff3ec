//! Shops with scripted answers.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use front_payment_bridge::clock::Clock;
use front_payment_bridge::notify::{Failure, Message, ShopCall, Shops};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use url::Url;

/// Runs while a shop has not answered yet.
type Meanwhile = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A request that a shop got.
#[derive(Debug, Clone)]
pub struct Told {
    pub method: String,
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub within: Duration,
    /// When it came.
    pub at: Timestamp,
}

#[derive(Clone)]
enum Answer {
    Call(ShopCall),
    /// No answer within the time limit, by the test's clock.
    Hangs,
}

/// A host answers 200 unless its script says otherwise. All clones share their state.
#[derive(Clone)]
pub struct ScriptedShops {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    next: HashMap<String, VecDeque<Answer>>,
    always: HashMap<String, Answer>,
    meanwhile: VecDeque<Meanwhile>,
    told: Vec<Told>,
    running: HashMap<String, usize>,
    most_at_once: HashMap<String, usize>,
}

/// An answer with this status, and no `Retry-After`.
pub fn answered(http_status: u16) -> ShopCall {
    ShopCall::Answered { http_status, retry_after: None }
}

/// An answer with this status and `Retry-After`.
pub fn answered_with_retry_after(http_status: u16, seconds: u64) -> ShopCall {
    ShopCall::Answered { http_status, retry_after: Some(Duration::from_secs(seconds)) }
}

impl Told {
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap()
    }

    /// The status that it tells, in either format.
    pub fn status(&self) -> String {
        self.value("status", "/data/status")
    }

    /// The order of Front Payment's that it is about, in either format.
    pub fn order_uuid(&self) -> String {
        self.value("orderUuid", "/data/orderUuid")
    }

    pub fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name}")).1
    }

    fn value(&self, parameter: &str, pointer: &str) -> String {
        if self.body.is_empty() {
            let mut query = self.url.query_pairs();
            return query.find(|(name, _)| name == parameter).expect("no such parameter").1.into_owned();
        }
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body.pointer(pointer).and_then(Value::as_str).expect("no such member").to_owned()
    }
}

impl ScriptedShops {
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// Adds an answer to the script of a host.
    pub fn will_answer(&self, host: &str, call: ShopCall) {
        self.state.lock().unwrap().next.entry(host.to_owned()).or_default().push_back(Answer::Call(call));
    }

    /// What a host answers after its script.
    pub fn always_answers(&self, host: &str, call: ShopCall) {
        self.state.lock().unwrap().always.insert(host.to_owned(), Answer::Call(call));
    }

    /// After its script, a host does not answer.
    pub fn hangs(&self, host: &str) {
        self.state.lock().unwrap().always.insert(host.to_owned(), Answer::Hangs);
    }

    /// Runs while the next call waits for its answer.
    pub fn meanwhile<F: Future<Output = ()> + Send + 'static>(&self, happens: impl FnOnce() -> F + Send + 'static) {
        self.state.lock().unwrap().meanwhile.push_back(Box::new(move || Box::pin(happens())));
    }

    /// Every request so far.
    pub fn told(&self) -> Vec<Told> {
        self.state.lock().unwrap().told.clone()
    }

    /// The statuses that were told so far, even if the shop did not answer.
    pub fn statuses(&self) -> Vec<String> {
        self.told().iter().map(Told::status).collect()
    }

    pub fn count(&self) -> usize {
        self.state.lock().unwrap().told.len()
    }

    /// The most requests that a host had at the same time.
    pub fn most_at_once(&self, host: &str) -> usize {
        self.state.lock().unwrap().most_at_once.get(host).copied().unwrap_or_default()
    }

    fn begin(&self, told: Told) -> (Option<Meanwhile>, Answer) {
        let mut state = self.state.lock().unwrap();
        let host = told.host().to_owned();
        let running = state.running.entry(host.clone()).or_default();
        *running += 1;
        let running = *running;
        let most = state.most_at_once.entry(host.clone()).or_default();
        *most = running.max(*most);
        state.told.push(told);
        let next = state.next.get_mut(&host).and_then(VecDeque::pop_front);
        let answer = next.or_else(|| state.always.get(&host).cloned());
        (state.meanwhile.pop_front(), answer.unwrap_or(Answer::Call(answered(200))))
    }

    fn end(&self, host: &str) {
        if let Some(running) = self.state.lock().unwrap().running.get_mut(host) {
            *running -= 1;
        }
    }
}

impl Shops for ScriptedShops {
    async fn call(&self, message: &Message, within: Duration) -> ShopCall {
        let at = self.clock.now();
        let told = Told {
            method: message.method.to_string(),
            url: message.target.url().clone(),
            headers: message.headers.clone(),
            body: message.body.clone(),
            within,
            at,
        };
        let host = told.host().to_owned();
        let (meanwhile, answer) = self.begin(told);
        if let Some(happens) = meanwhile {
            happens().await;
        }
        let call = match answer {
            Answer::Call(call) => call,
            Answer::Hangs => {
                let until = at + SignedDuration::try_from(within).unwrap();
                while self.clock.now() < until {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                ShopCall::Failed(Failure::Timeout)
            }
        };
        self.end(&host);
        call
    }
}
