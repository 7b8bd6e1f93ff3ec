//! How much a dead shop delays another one: `cargo bench --profile dev --bench backlog`. The program `local` has 1, 100 or
//! 10,000 notifications for a shop that accepts connections and never answers, and one for a shop that works. It also
//! measures how long after a callback the shop is told. `counted.rs` has up to 100,000 orders, and counts the requests to
//! DynamoDB of one sweep.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod counted;
#[path = "../load/local.rs"]
mod local;
#[allow(dead_code)] // the other benchmarks use all of it
#[path = "../../../benches/support/table.rs"]
mod table;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use front_payment_bridge::http_client;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use ::local::{API_KEY, WEBHOOKS_API_KEY, example_order};
use local::Local;
use table::print_table;

const BACKLOGS: [usize; 3] = [1, 100, 10_000];
const COUNTED_BACKLOGS: [usize; 3] = [1_000, 10_000, 100_000];
/// Submits that run at the same time.
const SIDE_BY_SIDE: usize = 50;
/// Longer than the bridge waits for a shop's answer.
const MAX_ANSWER: Duration = Duration::from_secs(12);
const MAX_SWEEP: Duration = Duration::from_secs(60);
const SWEEPS: usize = 4;
const CALLBACKS: usize = 200;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut rows = Vec::new();
    for backlog in COUNTED_BACKLOGS {
        rows.push(counted::sweep_beside(backlog).await);
    }
    let requests = ["Query", "GetItem", "UpdateItem"];
    let head = ["undelivered and overdue", "told after, s", "the sweep, s", "status reads"].into_iter().chain(requests);
    print_table(&head.collect::<Vec<_>>(), &rows);

    let mut rows = Vec::new();
    for backlog in BACKLOGS {
        rows.push(measure(backlog).await);
    }
    print_table(&["due orders of the dead shop", "told in sweep", "after, s", "a sweep, s", "RSS MiB, sweep by sweep"], &rows);
    let directory = tempfile::tempdir().unwrap();
    let (half, most) = callback_to_shop(&Shop::start(directory.path())).await;
    println!("\nfrom the change that a callback made to the shop's answer: p50 {half} ms, p99 {most} ms, of {CALLBACKS}");
}

/// A running `local`, and an HTTP client.
struct Shop {
    local: Local,
    client: reqwest::Client,
}

async fn measure(backlog: usize) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let shop = Shop::start(directory.path());
    // Accepts connections in its backlog, but never answers. Its address is its own, because the bridge counts failures by host.
    let dead = TcpListener::bind("127.0.0.5:0").unwrap();
    let dead_url = format!("http://{}/status", dead.local_addr().unwrap());
    stream::iter(0..backlog).for_each_concurrent(SIDE_BY_SIDE, |_| shop.submit(API_KEY, "plain", Some(&dead_url))).await;
    // This shop is down for two minutes, so that only the sweep can tell it.
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

/// A customer signs, Front Payment calls back, and the shop is told. Measures the milliseconds from the stored change to the
/// shop's 200.
async fn callback_to_shop(shop: &Shop) -> (i64, i64) {
    for _ in 0..CALLBACKS {
        shop.submit_and_sign().await;
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

    /// Submits a company's order. It is INVOICED at once, so the shop is to be told.
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

    /// Submits a private customer's order and signs it.
    async fn submit_and_sign(&self) {
        let order = example_order(&self.local.base, "plain").to_string();
        let request = self.client.post(format!("{}/orders", self.local.base)).bearer_auth(API_KEY);
        let created = request.body(order).send().await.unwrap().text().await.unwrap();
        let created: Value = serde_json::from_str(&created).unwrap();
        let signed = self.client.post(format!("{}/sign", created["bankIdUrl"].as_str().unwrap())).send().await.unwrap();
        assert_eq!(signed.status(), 303);
    }

    async fn forward(&self, step: &str) {
        let clock = self.client.post(format!("{}/front-payment/clock", self.local.base));
        clock.body(json!({ "forward": step }).to_string()).send().await.unwrap().error_for_status().unwrap();
    }

    /// Whether the working shop has answered a notification with 200.
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
    (local.resident().unwrap() / 1_024).to_string()
}
