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

mod callbacks;
mod invoke;
mod lists;
mod orders;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use front_payment_bridge_fuzz::log;
use front_payment_bridge_fuzz::stage::Stage;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

const STEPS: usize = 24;
/// What `{body}` and `{query}` stand for until a step sets them: an order and its callback.
const BODY: &str = include_str!("../../seeds/order_document/example.json");
const QUERY: &str = "orderUuid=ODR1&status=INVOICED&paymentMethod=Invoice&amount=40&createdAt=1755764131&timestamp=1755764131";

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
}

/// A text, escaped for the inside of a JSON string.
fn inside(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text");
    quoted[1..quoted.len() - 1].to_owned()
}
