//! How many due orders of a dead shop hold up a shop that answers: `cargo bench --profile dev --bench backlog`. The program
//! `local` has 1, 100 and 10,000 undelivered notifications of a shop that takes connections and never answers, and one of
//! another shop. Prints when that one is told, and what the sweeps take. And how long a shop waits for a callback's news.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

#[path = "../load/local.rs"]
mod local;
#[allow(dead_code)] // the other benchmarks use all of it
#[path = "../support/table.rs"]
mod table;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use front_payment_bridge::http_client;
use front_payment_bridge::local::{API_KEY, WEBHOOKS_API_KEY, example_order};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use local::Local;
use table::print_table;

const BACKLOGS: [usize; 3] = [1, 100, 10_000];
/// Submits at once.
const SIDE_BY_SIDE: usize = 50;
/// Longer than a shop may take to answer.
const MAX_ANSWER: Duration = Duration::from_secs(12);
const MAX_SWEEP: Duration = Duration::from_secs(60);
const SWEEPS: usize = 4;
const CALLBACKS: usize = 200;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut rows = Vec::new();
    for backlog in BACKLOGS {
        rows.push(measure(backlog).await);
    }
    print_table(&["due orders of the dead shop", "told in sweep", "after, s", "a sweep, s", "RSS MiB, sweep by sweep"], &rows);
    let directory = tempfile::tempdir().unwrap();
    let (half, most) = callback_to_shop(&Shop::start(directory.path())).await;
    println!("\nfrom a callback's arrival to the shop's request: p50 {half} ms, p99 {most} ms, of {CALLBACKS}");
}

/// A running `local`, and a client.
struct Shop {
    local: Local,
    client: reqwest::Client,
}

async fn measure(backlog: usize) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let shop = Shop::start(directory.path());
    // It takes connections, and answers nothing.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead_url = format!("http://{}/status", dead.local_addr().unwrap());
    stream::iter(0..backlog).for_each_concurrent(SIDE_BY_SIDE, |_| shop.submit(API_KEY, "plain", Some(&dead_url))).await;
    // Down for two minutes, so that the sweep has to tell it.
    shop.submit(WEBHOOKS_API_KEY, "shop-down", None).await;
    shop.local.wait_until_idle(MAX_ANSWER).unwrap();

    let (mut resident, mut sweeps, mut told) = (vec![mib(&shop.local)], Vec::new(), None);
    for sweep in 1..=SWEEPS {
        let (began, before) = (Instant::now(), swept(directory.path()));
        shop.forward("3h").await;
        while swept(directory.path()) == before {
            assert!(began.elapsed() < MAX_SWEEP, "there is no sweep");
            if told.is_none() && shop.is_told().await {
                told = Some((sweep, began.elapsed()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if told.is_none() && shop.is_told().await {
            told = Some((sweep, began.elapsed()));
        }
        sweeps.push(began.elapsed());
        resident.push(mib(&shop.local));
    }
    let (sweep, after) = told.expect("the working shop is never told");
    let seconds = |duration: &Duration| format!("{:.1}", duration.as_secs_f64());
    vec![
        backlog.to_string(),
        sweep.to_string(),
        seconds(&after),
        sweeps.iter().map(seconds).collect::<Vec<_>>().join(", "),
        resident.join(", "),
    ]
}

/// From the signature, with which the sandbox calls back, to the shop's notification: both have the sandbox's clock.
async fn callback_to_shop(shop: &Shop) -> (i64, i64) {
    for _ in 0..CALLBACKS {
        shop.submit(API_KEY, "plain", None).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shop.local.wait_until_idle(MAX_ANSWER).unwrap();
    let log = fs::read_to_string(shop.local.log()).unwrap();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told = lines.filter(|line| line["route"] == "notification" && line["outcome"] == "delivered");
    let mut ages: Vec<i64> = told.map(|line| line["ageMs"].as_i64().unwrap()).collect();
    ages.sort_unstable();
    assert!(ages.len() >= CALLBACKS, "{} of {CALLBACKS} are told", ages.len());
    (ages[ages.len() / 2], ages[ages.len() * 99 / 100])
}

impl Shop {
    fn start(directory: &Path) -> Self {
        Self { local: Local::start(directory), client: http_client::build(None).unwrap() }
    }

    /// A company's order, which is INVOICED at once: the shop is to be told of that.
    async fn submit(&self, api_key: &str, reference_no: &str, callback_url: Option<&str>) {
        let mut order = example_order(&self.local.base, reference_no);
        order["customerDetails"]["type"] = json!("corporate");
        order["customerDetails"]["organizationId"] = json!("974760673");
        if let Some(callback_url) = callback_url {
            order["callback"]["callbackUrl"] = json!(callback_url);
        }
        let request = self.client.post(format!("{}/orders", self.local.base)).bearer_auth(api_key);
        assert_eq!(request.body(order.to_string()).send().await.unwrap().status(), 201);
    }

    async fn forward(&self, step: &str) {
        let clock = self.client.post(format!("{}/front-payment/clock", self.local.base));
        clock.body(json!({ "forward": step }).to_string()).send().await.unwrap().error_for_status().unwrap();
    }

    /// Whether the shop that works has answered with 200.
    async fn is_told(&self) -> bool {
        let told = self.client.get(format!("{}/front-payment/shop/notifications", self.local.base)).send().await.unwrap();
        let told: Vec<Value> = serde_json::from_str(&told.text().await.unwrap()).unwrap();
        told.iter().any(|told| told["answer"] == 200)
    }
}

fn swept(directory: &Path) -> usize {
    fs::read_to_string(directory.join("log")).unwrap().lines().filter(|line| line.contains(r#""message":"sweep""#)).count()
}

fn mib(local: &Local) -> String {
    format!("{:.0}", local.resident().unwrap() as f64 / 1024.0)
}
