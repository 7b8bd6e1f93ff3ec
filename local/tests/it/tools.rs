//! The tools in the terminal: `trigger`, `listen`, `explain`, and the lines of the server.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use local::sandbox::{SHOP_KEY, word_groups};
use local::{API_KEY, WEBHOOKS_API_KEY, example_order};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{LOCAL, Running, answer, shell};

/// A command that runs until this is dropped, and the lines that it prints.
pub(super) struct Printing {
    process: Child,
    lines: Receiver<String>,
}

impl Printing {
    fn stdout_of(arguments: &[&str]) -> Self {
        let mut process = Command::new(LOCAL).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let output = process.stdout.take().unwrap();
        Self { process, lines: lines(output) }
    }

    pub(super) fn stderr_of(arguments: &[&str]) -> Self {
        let mut process = Command::new(LOCAL).args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let output = process.stderr.take().unwrap();
        Self { process, lines: lines(output) }
    }

    /// The next line that contains this text.
    pub(super) fn line_with(&self, text: &str) -> String {
        let mut before = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(60)) {
            if line.contains(text) {
                return line;
            }
            before.push(line);
        }
        panic!("{text} is not in {before:?}");
    }
}

fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (said, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if said.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

impl Drop for Printing {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

pub(super) fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

#[test]
fn trigger_lists_the_words_and_says_what_each_does() {
    let said = shell("cargo run -- trigger");
    let all: Vec<_> = word_groups().into_iter().flat_map(|group| group.words).collect();
    assert_eq!(all.len(), 24, "{all:?}");
    for (word, meaning) in all {
        assert!(said.lines().any(|line| line.trim_start().starts_with(word) && line.ends_with(meaning)), "{word}: {said}");
    }
    assert!(shell("cargo run -- trigger no-such-word").contains("The sandbox does not know the word no-such-word."));
    for wrong in ["status", "status ODR1", "status ODR1 PAID x", "refund ODR1", "a b"] {
        assert!(shell(&format!("cargo run -- trigger {wrong}")).contains("expected a word, or: status ORDER STATUS"), "{wrong}");
    }
    let closed = shell("cargo run -- trigger | true; cargo run -- trigger | head -1");
    assert_eq!(closed, "Front Payment, when it gets the order:\n", "a closed pipe is no error");
}

#[tokio::test]
async fn trigger_sends_an_order_that_goes_wrong_and_sets_a_status() {
    let local = Running::start(&["--in-memory"]);
    let trigger = |what: &str| shell(&format!("cargo run -- trigger --url {} {what}", local.base));
    let lost = trigger("lost-reply");
    assert!(lost.starts_with("504 ") && lost.contains("watch: "), "{lost}");
    let refused = trigger("rejected");
    let sentence = "provider: The customer details.msisdn field format is invalid.";
    assert!(refused.starts_with("422 ") && refused.contains(sentence), "what errors lists: {refused}");
    let sent = trigger("shop-slow");
    assert!(sent.starts_with("201 SENT\nsign: http"), "{sent}");

    let (_, order) = local.submit("Dhaka", "triggered").await;
    let (order_id, order_uuid) = (order["orderId"].as_str().unwrap(), order["orderUuid"].as_str().unwrap());
    let reserved = trigger(&format!("status {order_id} RESERVED"));
    assert_eq!(reserved, format!("{order_uuid} is RESERVED at Front Payment, and it is RESERVED at the bridge\n"));
    assert_eq!(trigger(&format!("status {order_uuid} 'partial_refunded'")).lines().count(), 1);
    assert_eq!(local.status(&order).await, "PARTIAL_REFUNDED");
    assert!(trigger(&format!("status {order_id} NO_SUCH_STATUS")).contains("does not know this order, or this status"));
    assert!(trigger("status ODR404 PAID").contains("does not know this order, or this status"));
    let refunded = trigger(&format!("refund {order_id} 10.50"));
    assert_eq!(
        refunded,
        format!("10.50 of {order_uuid} are refunded at Front Payment, and it is PARTIAL_REFUNDED at the bridge\n")
    );
    assert!(trigger(&format!("refund {order_uuid} 30")).contains("does not refund 30: more is not left"));
    let nobody = shell("cargo run -- trigger --url http://127.0.0.1:1 lost-reply");
    assert!(nobody.contains("nothing answers at http://127.0.0.1:1: Connection refused"), "{nobody}");
    assert!(nobody.contains("Is the sandbox running, in another terminal?"), "{nobody}");
}

/// The demo shop of a second sandbox stands for the shop being developed: it verifies what `listen` forwards, in both
/// formats.
#[tokio::test]
async fn listen_passes_notifications_on_and_shows_the_answers() {
    let (local, other) = (Running::start(&["--in-memory"]), Running::start(&["sandbox", "--in-memory"]));
    let to = format!("{}/front-payment/shop/status", other.base);
    let listening = Printing::stdout_of(&["listen", "--url", &local.base, "--forward-to", &to]);
    listening.line_with("Ctrl-C ends it");
    for (api_key, format) in [(API_KEY, "front-payment"), (WEBHOOKS_API_KEY, "standard-webhooks")] {
        let (_, order) = local.submit_as(api_key, "Dhaka", format).await;
        local.press(&order, "sign").await;
        let line = listening.line_with("INVOICED");
        assert_eq!(line, format!("{} INVOICED → 200", order["orderUuid"].as_str().unwrap()));
        let told: Value = serde_json::from_str(&other.page("/front-payment/shop/notifications").await).unwrap();
        assert_eq!((&told[0]["format"], &told[0]["verified"]), (&json!(format), &json!(true)), "{told}");
    }
    drop(other);
    let (_, order) = local.submit("Dhaka", "refused").await;
    local.press(&order, "sign").await;
    assert!(listening.line_with("INVOICED").contains("Connection refused"));

    let with_query = shell("cargo run -- listen --forward-to http://localhost:8000/notification?shop=1");
    assert!(with_query.contains("without a query"), "{with_query}");
    let nobody = shell("cargo run -- listen --url http://127.0.0.1:1 --forward-to http://localhost:8000/");
    assert!(nobody.contains("nothing is passed on") && nobody.contains("Connection refused"), "{nobody}");
}

#[tokio::test]
async fn explain_knows_the_keys_of_the_sandbox_or_of_a_secret() {
    let text = "ODR1INVOICEDInvoice4012";
    let checksum = |key: &str| hex::encode(Sha256::digest(format!("{text}{key}")));
    let explain = |key: &str, options: &str| {
        let query = "orderUuid=ODR1&status=INVOICED&paymentMethod=Invoice&amount=40&createdAt=1&timestamp=2";
        shell(&format!("cargo run -- explain 'https://shop.example/status?{query}&checksum={}' {options}", checksum(key)))
    };
    let right = explain(SHOP_KEY, "");
    assert!(right.contains("The checksum is right: all values as they came, and the demo shop's key."), "{right}");
    assert!(right.starts_with("The notification is verified"), "the verdict first: {right}");
    assert!(explain("another-key", "").contains("The checksum is wrong"));
    assert_eq!(explain("another-key", "> /dev/null; echo $?"), "1\n");
    assert_eq!(explain(SHOP_KEY, "> /dev/null; echo $?"), "0\n");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret.json");
    let secret = json!({
        "token": "a-token", "callbackSecret": "a-callback-secret",
        "shops": { "my-shop": { "apiKeySha256": [hex::encode(Sha256::digest("key"))], "notify": { "keys": ["the-first-key-of-this-shop", "the-second-key-of-this-shop"] } } },
    });
    std::fs::write(&file, secret.to_string()).unwrap();
    let options = format!("--secret {}", file.display());
    let second = explain("the-second-key-of-this-shop", &options);
    assert!(second.contains("my-shop's key number 2") && !second.contains("the-second-key-of-this-shop"), "{second}");
    assert!(explain(SHOP_KEY, &options).contains("The checksum is wrong"));
    assert!(explain(SHOP_KEY, "--secret /no/such/file").contains("/no/such/file"));
    assert!(shell("cargo run -- explain not-a-url").contains("expected the URL of a call"));
    let webhook = "webhook-id: msg_1\nwebhook-timestamp: 1\nwebhook-signature: v1,x\n\n{}";
    let said = shell(&format!("printf '{webhook}' | cargo run -- explain -"));
    assert!(said.contains("standard-webhooks") && said.contains("No signature is right, with the demo shop's key."), "{said}");
}

#[tokio::test]
async fn the_terminal_names_violations_and_warns_of_other_machines() {
    let port = free_port();
    let local = Printing::stderr_of(&["--in-memory", "--host", "0.0.0.0", "--port", &port]);
    local.line_with("WARNING: other machines can reach this");
    let base = format!("http://127.0.0.1:{port}");
    let client = front_payment_bridge::http_client::build(None).unwrap();
    let mut order = example_order(&base, "named");
    order["customerDetails"]["email"] = json!("nobody");
    order["callBack"] = json!("of no use");
    let request = || client.post(format!("{base}/orders")).bearer_auth(API_KEY).body(order.to_string());
    let status = loop {
        match request().send().await {
            Ok(reply) => break reply.status().as_u16(),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    assert_eq!(status, 422);
    local.line_with("POST /orders 422");
    assert!(local.line_with("error: /customerDetails/email ").contains("invalid"));
    local.line_with("warning: /callBack unknown_field");
    let (status, problem) = answer(request().header("idempotency-key", "with space")).await;
    assert_eq!(status, 422, "{problem}");
    local.line_with("error: the header Idempotency-Key ");
}
