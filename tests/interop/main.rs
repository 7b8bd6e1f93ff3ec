//! Reads both formats of notifications with other people's programs: a PHP interpreter, and the libraries of Standard
//! Webhooks.
//!
//! `tests/interop/run` installs what this needs, and runs it. `cargo test` does not include it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

use std::io::{Seek, Write};
use std::process::Command;
use std::time::SystemTime;

use front_payment_bridge::notify::front_payment::{self, Notification};
use front_payment_bridge::notify::php_query::{self, MAX_PARAMETERS, Parameter, ReadError};
use front_payment_bridge::notify::standard_webhooks;
use front_payment_bridge::secrets::Redacted;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs a program with this input, and returns what it prints. Fails if the program fails.
fn output(program: &str, arguments: &[&str], input: &str) -> String {
    let mut stdin = tempfile::tempfile().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    stdin.rewind().unwrap();
    let output = Command::new(program).args(arguments).current_dir(ROOT).stdin(stdin).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The entries of PHP's `$_GET` for each query; `None` if there is an array among them.
fn php(queries: &[String]) -> Vec<Option<Vec<Parameter>>> {
    let output = output("php", &["-n", "-d", "display_errors=stderr", "tests/interop/get.php"], &(queries.join("\n") + "\n"));
    let entries: Vec<_> = output.lines().map(|line| line.split_terminator('&').map(entry).collect()).collect();
    assert_eq!(entries.len(), queries.len());
    entries
}

fn entry(hex_digits: &str) -> Option<Parameter> {
    let (name, value) = hex_digits.split_once('=')?;
    Some(Parameter { name: hex::decode(name).unwrap(), value: hex::decode(value).unwrap() })
}

fn random_queries(pattern: &str, count: usize) -> Vec<String> {
    let (mut runner, strategy) = (TestRunner::default(), proptest::string::string_regex(pattern).unwrap());
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn php_reads_a_query_as_php_query_does() {
    let mut queries = random_queries("([ab.+_=&%]|%(00|20|2E|26|3D|5B|FF|0|g)|[\\[\\];]|__Host-|__Secure-){0,24}", 10_000);
    queries.extend(random_queries("[^\\p{Cc}#]{0,60}", 2_000));
    queries.extend([999, 1_000].map(|skipped| "=1&&".repeat(skipped) + "a=1"));
    let mut flat = 0;
    for (query, expected) in queries.iter().zip(php(&queries)) {
        match php_query::read(query, MAX_PARAMETERS) {
            Ok(entries) => assert_eq!(Some(entries), expected, "{query}"),
            Err(ReadError::Array) => continue,
            Err(ReadError::TooMany) => assert_eq!(Some(vec![]), expected, "PHP does not read the thousand and first"),
        }
        flat += 1;
    }
    assert!(flat > 6_000, "{flat}");
}

#[test]
fn a_shop_in_php_gets_the_same_checksum() {
    let own = random_queries("([ab.+_=&%é|'\\]]|%(00|20|2E|26|3D|FF|C3%A6)){0,24}", 2_000);
    let methods = random_queries(".{0,20}", own.len());
    let called = own.iter().zip(&methods).map(|(own, method)| {
        let callback_url = Url::parse(&format!("https://shop.example/?{own}")).unwrap();
        let (order_uuid, status, amount) = ("ODR4286244937", "PARTIAL_REFUNDED", "4017.860");
        let payment_method = method.as_str();
        let notification = Notification { order_uuid, status, payment_method, amount, created_at: 1, timestamp: -2 };
        front_payment::query(&callback_url, &notification, &Redacted::new("key")).unwrap()
    });
    let called: Vec<String> = called.collect();
    for (query, get) in called.iter().zip(php(&called)) {
        let mut get = get.unwrap();
        let checksum = get.pop().unwrap();
        let values: Vec<u8> = get.into_iter().flat_map(|parameter| parameter.value).chain(*b"key").collect();
        assert_eq!(checksum.value, hex::encode(Sha256::digest(values)).into_bytes(), "{query}");
    }
}

/// A notification with the present time, because the libraries refuse an old one.
fn signed_sample() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap();
    let keys = ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_/////////////////////////////////w=="];
    let (id, at) = ("0197b0c1-0000-7000-8000-000000000002", "2026-06-15T12:00:00Z".parse().unwrap());
    let body = standard_webhooks::body(at, &json!({"status": "PAID", "referenceNo": "blåbær €😀"})).unwrap();
    let signature = standard_webhooks::sign(id, now, &body, &keys.map(Redacted::new));
    let headers = json!({
        standard_webhooks::ID: id,
        standard_webhooks::TIMESTAMP: now.to_string(),
        standard_webhooks::SIGNATURE: signature,
    });
    json!({"headers": headers, "body": body, "keys": keys}).to_string()
}

#[test]
fn the_standards_library_for_python_verifies_a_notification() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    assert_eq!(output(&python, &["tests/interop/verify.py"], &signed_sample()), "verified\n");
}

#[test]
fn the_standards_library_for_javascript_verifies_a_notification() {
    assert_eq!(output("node", &["tests/interop/verify.cjs"], &signed_sample()), "verified\n");
}
