//! `cargo run`, used as a newcomer would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod after_the_sale;
mod commands;
mod console;
mod notifications;
mod safety;
mod sandbox;
mod tools;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use front_payment_bridge::http_client;
use local::{API_KEY, example_order};
use serde_json::{Value, json};

const LOCAL: &str = env!("CARGO_BIN_EXE_local");

fn run(arguments: &[&str]) -> Output {
    Command::new(LOCAL).args(arguments).output().unwrap()
}

/// Runs a command as a page or the terminal shows it, and returns what it prints.
fn shell(command: &str) -> String {
    let command = command.replace("cargo run --", LOCAL);
    let output =
        Command::new("sh").args(["-c", &command]).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// A running `local`. The process is ended when this is dropped.
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
        Self::start_with(Command::new(LOCAL).args(arguments))
    }

    fn start_with(program: &mut Command) -> Self {
        let mut process =
            program.env("CARGO", "cargo").args(["--port", "0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut welcome = String::new();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        while !welcome.contains("Ctrl-C") {
            assert!(lines.read_line(&mut welcome).unwrap() > 0, "it ended: {welcome}");
        }
        let base = welcome.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches(';').to_owned();
        let client = http_client::build(None).unwrap();
        Self { process, _stdout: lines, base, client, welcome }
    }

    async fn submit(&self, reference_no: &str, key: &str) -> (u16, Value) {
        self.submit_as(API_KEY, reference_no, key).await
    }

    async fn submit_as(&self, api_key: &str, reference_no: &str, key: &str) -> (u16, Value) {
        let order = example_order(&self.base, reference_no).to_string();
        let request = self.client.post(format!("{}/orders", self.base)).header("Idempotency-Key", key).body(order);
        answer(request.bearer_auth(api_key)).await
    }

    async fn read(&self, order: &Value) -> Value {
        self.read_as(API_KEY, order).await
    }

    async fn read_as(&self, api_key: &str, order: &Value) -> Value {
        let url = format!("{}/orders/{}", self.base, order["orderId"].as_str().unwrap());
        answer(self.client.get(url).bearer_auth(api_key)).await.1
    }

    async fn page(&self, path: &str) -> String {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap().text().await.unwrap()
    }

    /// Presses a button of the order's BankID page. Returns the page that follows.
    async fn press(&self, order: &Value, button: &str) -> String {
        let link = order["bankIdUrl"].as_str().unwrap();
        let page = self.client.get(link).send().await.unwrap().text().await.unwrap();
        let path = link.strip_prefix(&self.base).unwrap();
        assert!(page.contains(&format!("\"{path}/{button}\"")), "{page}");
        let reply = self.client.post(format!("{link}/{button}")).send().await.unwrap();
        assert_eq!(reply.status(), 303);
        reply.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn status(&self, order: &Value) -> String {
        self.read(order).await["status"].as_str().unwrap().to_owned()
    }

    /// Waits until the order has this status.
    async fn until_status(&self, order: &Value, status: &str) {
        for _ in 0..300 {
            if self.status(order).await == status {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the order is {}, not {status}", self.status(order).await);
    }

    fn interrupt(&mut self) -> Option<i32> {
        self.signal("INT")
    }

    fn signal(&mut self, name: &str) -> Option<i32> {
        let killed = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status().unwrap();
        assert!(killed.success());
        self.process.wait().unwrap().code()
    }

    /// Limits the size of files, as if the disk were full.
    #[cfg(target_os = "linux")]
    fn limit_files(&self, bytes: &str) {
        let mut limited = Command::new("prlimit");
        limited.args([&format!("--pid={}", self.process.id()), &format!("--fsize={bytes}:unlimited")]);
        assert!(limited.status().unwrap().success());
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

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), serde_json::from_str(&reply.text().await.unwrap()).unwrap())
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
async fn the_commands_work_as_they_are_printed() {
    let local = Running::start(&["--in-memory"]);
    let is_command = |part: &&str| ["curl ", "sed ", "cargo "].iter().any(|program| part.starts_with(program));
    let commands: Vec<_> = local.welcome.split("\n\n").filter(is_command).collect();
    assert_eq!(commands.len(), 4, "{}", local.welcome);
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| panic!("{text}"));
    let order = json(&shell(commands[0]));
    assert_eq!((&order["status"], &order["warnings"]), (&json!("SENT"), &Value::Null), "{order}");
    let read = json(&shell(commands[1]));
    assert_eq!((&read["orderId"], &read["referenceNo"]), (&order["orderId"], &json!("1001")));
    let paid = shell(commands[2]);
    assert!(paid.contains("is PAID at Front Payment, and it is PAID at the bridge"), "{paid}");
    assert_eq!(json(&shell(commands[3]))["type"], "urn:front-payment-bridge:outcome-unknown");
    assert_eq!(local.status(&order).await, "PAID");
}

#[tokio::test]
async fn the_readmes_example_is_taken() {
    let readme = include_str!("../../../README.md");
    let command = readme.split("```sh\n").find(|block| block.starts_with("curl")).unwrap().split("```").next().unwrap();
    let local = Running::start(&["--in-memory"]);
    let created: Value = serde_json::from_str(&shell(&command.replace("http://127.0.0.1:3000", &local.base))).unwrap();
    assert_eq!((&created["status"], created.get("warnings")), (&json!("SENT"), None), "{created}");
}

#[tokio::test]
async fn orders_are_kept_over_a_restart_and_ctrl_c_is_a_clean_end() {
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
    assert_eq!(page.status(), 200, "the sandbox knows its orders too");
}

#[test]
fn sigterm_is_a_clean_end_too() {
    let mut local = Running::start(&["--in-memory"]);
    assert_eq!(local.signal("TERM"), Some(0));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_was_full_needs_no_restart() {
    let directory = tempfile::tempdir().unwrap();
    // Without the signal, a write beyond the limit is an error, as on a full disk.
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    let data_dir = directory.path().join("data");
    let local = Running::start_with(Command::new("sh").args(["-c", script, LOCAL, "--data-dir", data_dir.to_str().unwrap()]));
    let (_, before) = local.submit("Dhaka", "before").await;
    local.limit_files("4096");
    let (status, refused) = local.submit("Dhaka", "full").await;
    assert_eq!((status, &refused["type"]), (503, &json!("urn:front-payment-bridge:storage-unavailable")), "{refused}");
    local.limit_files("unlimited");
    for _ in 0..100 {
        if local.submit("Dhaka", "room").await.0 == 201 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((local.submit("Dhaka", "again").await.0, local.status(&before).await.as_str()), (201, "SENT"));
}

#[tokio::test]
async fn the_gateway_answers_what_is_no_route_and_lives_on() {
    let local = Running::start(&["--in-memory"]);
    assert_eq!(local.client.get(&local.base).send().await.unwrap().status(), 307, "to the first page");
    for path in ["/orders/", "/orders/x/y", "/callbacks/x", "/%00", "/%ZZ", "/callbacks/%00/%ZZ?%00&%ZZ=&&a=b&a=b"] {
        let reply = local.client.get(format!("{}{path}", local.base)).send().await.unwrap();
        assert!([404, 401].contains(&reply.status().as_u16()), "{path}: {}", reply.status());
    }
    let mut raw = std::net::TcpStream::connect(local.base.trim_start_matches("http://")).unwrap();
    std::io::Write::write_all(
        &mut raw,
        b"GET /orders/x HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \xff\xfe\r\nconnection: close\r\n\r\n",
    )
    .unwrap();
    raw.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut reply = String::new();
    raw.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 401"), "{reply}");
    assert_eq!(local.submit("Dhaka", "alive").await.0, 201);
}
