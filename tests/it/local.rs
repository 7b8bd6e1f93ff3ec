//! The program `local`: `cargo run`, and `cargo run -- demo`.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use front_payment_bridge::http_client;
use front_payment_bridge::local::{API_KEY, example_order};
use serde_json::{Value, json};

use crate::support::peer::NOBODY;

const LOCAL: &str = env!("CARGO_BIN_EXE_local");

fn run(arguments: &[&str]) -> Output {
    Command::new(LOCAL).args(arguments).output().unwrap()
}

/// A running `local`. It ends when it is dropped.
struct Running {
    process: Child,
    /// Kept open, because printing to a closed pipe fails.
    _stdout: BufReader<std::process::ChildStdout>,
    base: String,
    client: reqwest::Client,
    welcome: String,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(LOCAL)
            .args(arguments)
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut welcome = String::new();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        while !welcome.contains("Ctrl-C") {
            assert!(lines.read_line(&mut welcome).unwrap() > 0, "`local` has ended: {welcome}");
        }
        let base = welcome.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches(';').to_owned();
        let client = http_client::build(None).unwrap();
        Self { process, _stdout: lines, base, client, welcome }
    }

    async fn submit(&self, reference_no: &str, key: &str) -> (u16, Value) {
        let order = example_order(&self.base, reference_no).to_string();
        let request = self.client.post(format!("{}/orders", self.base)).header("Idempotency-Key", key).body(order);
        reply_to(request.bearer_auth(API_KEY)).await
    }

    async fn read(&self, order: &Value) -> Value {
        let url = format!("{}/orders/{}", self.base, order["orderId"].as_str().unwrap());
        reply_to(self.client.get(url).bearer_auth(API_KEY)).await.1
    }

    /// Presses a button of the order's BankID page. Returns the page that the customer gets next.
    async fn press(&self, order: &Value, button: &str) -> String {
        let link = order["bankIdUrl"].as_str().unwrap();
        let page = self.client.get(link).send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&format!("{link}/{button}")), "{page}");
        let reply = self.client.post(format!("{link}/{button}")).send().await.unwrap();
        assert_eq!(reply.status(), 303);
        reply.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn status(&self, order: &Value) -> String {
        self.read(order).await["status"].as_str().unwrap().to_owned()
    }

    fn interrupt(&mut self) -> Option<i32> {
        let killed = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().unwrap();
        assert!(killed.success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.process.kill().unwrap();
            self.process.wait().unwrap();
        }
    }
}

async fn reply_to(request: reqwest::RequestBuilder) -> (u16, Value) {
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), serde_json::from_str(&reply.text().await.unwrap()).unwrap())
}

#[test]
fn the_demo_ends_invoiced() {
    let output = run(&["demo"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("\"status\": \"INVOICED\"") && shown.contains("The order is INVOICED"), "{shown}");
}

#[test]
fn bad_options_and_a_port_in_use_are_clear_errors() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (arguments, expected) in [
        (vec!["--in-memory", "--port", &port], "--port"),
        (vec!["--port", "70000"], "--port"),
        (vec!["--no-such-option"], "--no-such-option"),
        (vec!["no-such-command"], "no-such-command"),
        (vec!["--in-memory", "--data-dir", "x"], "--data-dir"),
        (vec!["--port", "0", "--data-dir", file], "--data-dir"),
        (vec!["--rate-limit", "many"], "--rate-limit"),
        (vec!["smoke", "--key", "k"], "--url"),
        (vec!["smoke", "--key", "k", "--url", "http://shop.example"], "--url"),
    ] {
        let output = run(&arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("error") && said.contains(expected), "{arguments:?}: {said}");
    }
    let help = run(&["--help"]);
    let said = String::from_utf8(help.stdout).unwrap();
    for option in ["--port", "--data-dir", "--in-memory", "--rate-limit", "demo", "sandbox", "smoke"] {
        assert!(help.status.success() && said.contains(option), "{said}");
    }
}

#[tokio::test]
async fn a_customer_signs_or_declines() {
    let local = Running::start(&["--in-memory"]);
    assert!(local.welcome.contains(API_KEY) && local.welcome.contains("curl"), "{}", local.welcome);
    let (status, signed) = local.submit("Dhaka", "signed").await;
    assert_eq!((status, &signed["status"]), (201, &json!("SENT")));
    assert!(local.press(&signed, "sign").await.ends_with("/shop/success"));
    assert_eq!(local.status(&signed).await, "INVOICED");
    let (_, declined) = local.submit("Dhaka", "declined").await;
    assert!(local.press(&declined, "decline").await.ends_with("/shop/failure"));
    assert_eq!(local.status(&declined).await, "CANCELLED");
}

#[tokio::test]
async fn the_curl_lines_work_as_they_are_printed() {
    let local = Running::start(&["--in-memory"]);
    let commands: Vec<_> = local.welcome.split("\n\n").filter(|part| part.trim_start().starts_with("curl")).collect();
    assert_eq!(commands.len(), 3, "{}", local.welcome);
    let shell = |command: &str| {
        let output = Command::new("sh").args(["-c", command]).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{command}: {output:?}"))
    };
    let order = shell(commands[0]);
    assert_eq!(order["status"], "SENT");
    let read = shell(&commands[1].replace("ORDER_ID", order["orderId"].as_str().unwrap()));
    assert_eq!(read["referenceNo"], "Dhaka");
    assert_eq!(shell(commands[2])["type"], "urn:front-payment-bridge:outcome-unknown");
}

#[tokio::test]
async fn the_example_order_of_the_readme_is_accepted() {
    let readme = include_str!("../../README.md");
    let order = readme.split("-d '").nth(1).unwrap().split("'\n").next().unwrap();
    let local = Running::start(&["--in-memory"]);
    let request = local.client.post(format!("{}/orders", local.base)).bearer_auth(API_KEY).body(order);
    let (status, created) = reply_to(request).await;
    assert_eq!((status, &created["status"], created.get("warnings")), (201, &json!("SENT"), None), "{created}");
}

#[tokio::test]
async fn misbehaviour_on_demand() {
    let local = Running::start(&["--in-memory"]);
    for (word, status, slug) in [
        ("error-500", 502, "front-payment-failed"),
        ("error-510", 502, "front-payment-failed"),
        ("rate-limited", 503, "front-payment-unavailable"),
        ("unavailable", 503, "front-payment-unavailable"),
    ] {
        let (given, problem) = local.submit(word, word).await;
        assert_eq!((given, &problem["type"]), (status, &json!(format!("urn:front-payment-bridge:{slug}"))), "{word}");
    }
    // The outcome of a lost reply is unknown until the order in the portal is signed.
    let (status, lost) = local.submit("lost-reply", "lost").await;
    assert_eq!((status, &lost["type"]), (504, &json!("urn:front-payment-bridge:outcome-unknown")));
    assert_eq!(local.submit("lost-reply", "lost").await.0, 409);
    let portal = local.client.get(format!("{}/front-payment/portal", local.base)).send().await.unwrap().text().await.unwrap();
    let sign = portal.split('"').find(|part| part.ends_with("/sign")).unwrap();
    local.client.post(sign).send().await.unwrap();
    assert_eq!((local.submit("lost-reply", "lost").await.0, local.status(&lost).await.as_str()), (201, "INVOICED"));

    // The bridge only warns of this, and the sandbox refuses it. Its sentence gets a JSON pointer.
    let mut order = example_order(&local.base, "Dhaka");
    order["customerDetails"]["personalNumber"] = json!("abcdefghijk");
    let request = local.client.post(format!("{}/orders", local.base)).bearer_auth(API_KEY).body(order.to_string());
    let (status, refused) = reply_to(request).await;
    assert_eq!((status, &refused["type"]), (422, &json!("urn:front-payment-bridge:rejected-by-front-payment")));
    let sentence = "The customer details.personal number must be 11 digits.";
    assert_eq!(
        refused["errors"],
        json!([{"pointer": "/customerDetails/personalNumber", "code": "provider", "detail": sentence}])
    );

    let (status, early) = local.submit("early-callback", "early").await;
    assert_eq!((status, &early["status"], early.get("bankIdUrl")), (201, &json!("INVOICED"), None));
    for (word, entries) in [("duplicate-callback", 2), ("reversed-callbacks", 3), ("unknown-status", 3), ("bad-checksum", 2)] {
        let (status, order) = local.submit(word, word).await;
        assert_eq!(status, 201, "{word}");
        local.press(&order, "sign").await;
        let read = local.read(&order).await;
        assert_eq!((&read["status"], read["history"].as_array().unwrap().len()), (&json!("INVOICED"), entries), "{word}: {read}");
    }
    let (status, slow) = local.submit("slow", "slow").await;
    assert_eq!((status, &slow["status"]), (201, &json!("SENT")));
}

#[tokio::test]
async fn a_lost_request_is_not_sent_again_and_an_order_behind_a_500_is_noticed_by_its_callback() {
    let local = Running::start(&["--in-memory"]);
    let portal = async || {
        let page = local.client.get(format!("{}/front-payment/portal", local.base)).send().await.unwrap();
        page.text().await.unwrap()
    };
    // The bridge cannot know that nothing was created, so the order stays UNKNOWN.
    let (status, lost) = local.submit("lost-request", "lost").await;
    assert_eq!((status, local.status(&lost).await.as_str()), (504, "UNKNOWN"));
    assert_eq!(local.submit("Dhaka", "lost").await.0, 409);
    assert!(!portal().await.contains("lost-request"));

    // The 500 says that nothing was created, so the same key creates another order.
    assert_eq!(local.submit("error-500-created", "denied").await.0, 502);
    let page = portal().await;
    let sign = page.split('"').find(|part| part.ends_with("/sign")).unwrap();
    let (status, created) = local.submit("Dhaka", "denied").await;
    assert_eq!((status, &created["status"]), (201, &json!("SENT")));
    assert!(!sign.contains(created["orderUuid"].as_str().unwrap()));
    local.client.post(sign).send().await.unwrap();
    let read = local.read(&created).await;
    let entries: Vec<_> = read["history"].as_array().unwrap().iter().map(|entry| (&entry["source"], &entry["status"])).collect();
    let (submit, callback) = (&json!("submit"), &json!("callback"));
    let expected = [(submit, &json!("FAILED")), (submit, &json!("SENT")), (callback, &json!("INVOICED"))];
    assert_eq!((&entries[..], &read["orderUuid"]), (&expected[..], &created["orderUuid"]), "the other order is only noted");
    assert_eq!(read["status"], "SENT");
}

#[tokio::test]
async fn an_order_is_signed_or_declined_once_after_many_clicks() {
    let local = Running::start(&["--in-memory"]);
    let (_, order) = local.submit("Dhaka", "clicked").await;
    let link = order["bankIdUrl"].as_str().unwrap();
    let clicks = (0..20).map(|click| local.client.post(format!("{link}/{}", ["sign", "decline"][click % 2])).send());
    let pages = futures_util::future::join_all(clicks).await;
    let first = pages[0].as_ref().unwrap().headers()["location"].clone();
    assert!(pages.into_iter().all(|page| page.unwrap().headers()["location"] == first), "all clicks lead to the same page");
    let read = local.read(&order).await;
    assert_eq!(read["history"].as_array().unwrap().len(), 2, "{read}");
}

#[tokio::test]
async fn the_rate_limit_is_an_option() {
    let local = Running::start(&["--in-memory", "--rate-limit", "0"]);
    let (status, problem) = local.submit("Dhaka", "limited").await;
    assert_eq!((status, &problem["type"]), (503, &json!("urn:front-payment-bridge:front-payment-unavailable")));
}

#[tokio::test]
async fn the_sandbox_runs_alone() {
    let sandbox = Running::start(&["sandbox", "--in-memory", "--rate-limit", "1"]);
    let base = sandbox.welcome.split_once("FRONT_PAYMENT_BASE_URL=").unwrap().1.lines().next().unwrap().to_owned();
    assert_eq!(base, format!("{}/front-payment/api/v1", sandbox.base));
    assert!(sandbox.welcome.contains("sandbox-token") && sandbox.welcome.contains("sandbox-secret-key"), "{}", sandbox.welcome);
    let submit = || {
        let order = example_order("https://shop.example", "alone").to_string();
        reply_to(sandbox.client.post(format!("{base}/connect/orders/invoice/submit")).bearer_auth("sandbox-token").body(order))
    };
    let (status, created) = submit().await;
    assert_eq!((status, &created["message"]), (201, &json!("orderCreatedSuccessfully")), "{created}");
    assert_eq!(submit().await.0, 429, "its rate limit is an option");
    let reply = sandbox.client.post(format!("{}/orders", sandbox.base)).send().await.unwrap();
    assert_eq!(reply.status(), 404, "there is no bridge with it");
}

#[tokio::test]
async fn the_smoke_test_succeeds_only_where_the_stack_works() {
    let smoke = async |url: &str, key: &str| {
        let mut program = Command::new(LOCAL);
        program.args(["smoke", "--url", url]).env("SMOKE_KEY", key);
        let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let works = Running::start(&["--in-memory"]);
    let (code, said) = smoke(&format!("{}/", works.base), API_KEY).await;
    assert_eq!((code, said.lines().filter(|line| line.starts_with("ok ")).count()), (Some(0), 5), "{said}");
    assert!(said.contains("The stack takes orders."), "{said}");

    let (code, said) = smoke(&works.base, "another-key").await;
    assert!(code == Some(1) && said.contains("the smoke test failed: the bridge answered 401 in place of 201"), "{said}");
    assert!(!said.contains("another-key"), "{said}");
    let (code, said) = smoke(&format!("{}/elsewhere", works.base), API_KEY).await;
    assert!(code == Some(1) && said.contains("404 in place of 401"), "{said}");
    let no_bridge = Running::start(&["sandbox", "--in-memory"]);
    let (code, said) = smoke(&format!("{}/front-payment/shop", no_bridge.base), API_KEY).await;
    assert!(code == Some(1) && said.contains("the smoke test failed"), "{said}");
    let fails = Running::start(&["--in-memory", "--rate-limit", "0"]);
    let (code, said) = smoke(&fails.base, API_KEY).await;
    assert!(code == Some(1) && said.contains("front-payment-unavailable"), "{said}");
    let (code, said) = smoke(NOBODY, API_KEY).await;
    assert!(code == Some(1) && said.contains("Connection refused"), "{said}");
}

#[tokio::test]
async fn orders_are_kept_over_a_restart_and_ctrl_c_ends_it_cleanly() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let data_dir = data_dir.to_str().unwrap();
    let mut local = Running::start(&["--data-dir", data_dir]);
    let (_, order) = local.submit("Dhaka", "kept").await;
    let second = run(&["--port", "0", "--data-dir", data_dir]);
    assert!(!second.status.success(), "two processes on one directory");
    assert_eq!(local.interrupt(), Some(0));

    let local = Running::start(&["--data-dir", data_dir]);
    assert_eq!(local.status(&order).await, "SENT");
    let link = order["bankIdUrl"].as_str().unwrap();
    let path = link.splitn(4, '/').last().unwrap();
    let page = local.client.get(format!("{}/{path}", local.base)).send().await.unwrap();
    assert_eq!(page.status(), 200, "the sandbox has kept its orders, too");
}

#[tokio::test]
async fn the_gateway_answers_requests_without_a_route() {
    let local = Running::start(&["--in-memory"]);
    assert_eq!(local.client.get(&local.base).send().await.unwrap().status(), 307, "the portal");
    for path in ["/orders/", "/orders/x/y", "/callbacks/x", "/%00", "/%ZZ", "/callbacks/%00/%ZZ?%00&%ZZ=&&a=b&a=b"] {
        let reply = local.client.get(format!("{}{path}", local.base)).send().await.unwrap();
        assert!([404, 401].contains(&reply.status().as_u16()), "{path}: {}", reply.status());
    }
    let mut raw = std::net::TcpStream::connect(local.base.trim_start_matches("http://")).unwrap();
    std::io::Write::write_all(
        &mut raw,
        b"GET /orders/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \xff\xfe\r\nconnection: close\r\n\r\n",
    )
    .unwrap();
    raw.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut reply = String::new();
    raw.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 401"), "{reply}");
    assert_eq!(local.submit("Dhaka", "alive").await.0, 201);
}
