//! `cargo run -- settle`, over a DynamoDB on this machine.

use std::fs;
use std::path::Path;
use std::process::Command;

use front_payment_bridge::order::{Status, StoredOrder};
use front_payment_bridge::store::{DynamoDbStore, OrderStore};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::LOCAL;
use crate::support::moto::Moto;
use crate::support::queue::store_with_index;

const ORDERS: usize = 200;

/// Runs the command. Whether it succeeds, and what it prints.
async fn settle(moto: &Moto, arguments: &[&str]) -> (bool, String, String) {
    let mut program = Command::new(LOCAL);
    program.arg("settle").args(arguments).args(["--table", "orders"]).envs([
        ("AWS_ENDPOINT_URL", moto.endpoint.as_str()),
        ("AWS_REGION", "eu-north-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]);
    let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn unknown(number: usize) -> StoredOrder {
    let began = Timestamp::now() - SignedDuration::from_hours(3);
    serde_json::from_value(json!({
        "orderId": order_id(number), "version": 3, "status": "UNKNOWN", "attempt": Uuid::from_u128(9), "attemptedAt": began,
        "shopId": "demo-shop", "callbackToken": "token", "fingerprint": "f", "referenceNo": format!("={number}"), "grandTotal": "40",
        "shopCallbackUrl": "https://shop.example/", "customerType": "private", "preferredLanguage": "no", "country": "NO",
        "createdAt": began, "updatedAt": began, "history": []
    }))
    .unwrap()
}

async fn stored(store: &DynamoDbStore, order_id: Uuid) -> StoredOrder {
    store.load(order_id).await.unwrap().unwrap()
}

fn order_id(number: usize) -> Uuid {
    Uuid::from_u128(0x0198_c2f0_7e4a_7000_8000_0000_0000_0000 + number as u128)
}

/// Of every ten: six are bound, three were not created, one is undecided.
fn decision(number: usize) -> String {
    match number % 10 {
        0..6 => format!("ODR{number}"),
        6..9 => "not-created".to_owned(),
        _ => String::new(),
    }
}

/// The list with decisions filled in, as a spreadsheet saves it.
fn fill_in(directory: &Path, list: &str, decision: impl Fn(usize) -> String) -> String {
    let lines = list.lines().enumerate().map(|(line, text)| match line {
        0 => text.replace(',', ";"),
        number => format!("{}{}", text.replace(',', ";"), decision(number - 1)),
    });
    let file = directory.join("decided.csv");
    fs::write(&file, lines.collect::<Vec<_>>().join("\r\n")).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_orders_are_settled_after_a_dry_run() {
    let moto = Moto::start();
    let store = store_with_index(&moto, "orders", None).await;
    for number in 0..ORDERS {
        store.create(&unknown(number)).await.unwrap();
    }
    store.create(&StoredOrder { status: Status::Failed, ..unknown(ORDERS) }).await.unwrap();
    let (is_done, list, said) = settle(&moto, &["list"]).await;
    assert!(is_done, "{said}");
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines[0], "orderId,shopId,referenceNo,grandTotal,attemptedAt,attempts,decision");
    assert_eq!(lines.len(), 1 + ORDERS, "and not the one that is FAILED");
    let listed: Vec<usize> =
        lines[1..].iter().map(|line| (0..ORDERS).find(|n| line.starts_with(&order_id(*n).to_string())).unwrap()).collect();
    let first = format!("{},demo-shop,'={},40,", order_id(listed[0]), listed[0]);
    assert!(lines[1].starts_with(&first) && lines[1].ends_with("Z,1,"), "{}", lines[1]);
    let directory = tempfile::tempdir().unwrap();
    let file = fill_in(directory.path(), &list, |line| decision(listed[line]));

    let versions = async || {
        let mut versions = Vec::new();
        for number in 0..ORDERS {
            versions.push(stored(&store, order_id(number)).await.version);
        }
        versions
    };
    let before = versions().await;
    let (is_done, said, _) = settle(&moto, &["apply", &file]).await;
    assert!(is_done && said.contains("120 would be bound, 60 would be FAILED, 0 left alone, 20 undecided, 0 wrong."), "{said}");
    assert_eq!(versions().await, before, "a dry run");

    // A callback is faster for one of them.
    let first = stored(&store, order_id(0)).await;
    let reserved = StoredOrder { status: Status::Reserved, order_uuid: Some("ODR0".to_owned()), ..first.clone() };
    store.replace(&first, &StoredOrder { version: first.version + 1, ..reserved }).await.unwrap();
    let (is_done, said, _) = settle(&moto, &["apply", &file, "--write"]).await;
    assert!(is_done && said.contains("119 bound, 60 FAILED, 1 left alone, 20 undecided, 0 wrong."), "{said}");
    assert!(said.contains(&format!("{}  left alone: it is RESERVED by now", order_id(0))), "{said}");
    for number in 1..ORDERS {
        let stored = stored(&store, order_id(number)).await;
        let expected = match number % 10 {
            0..6 => (Status::Sent, Some(format!("ODR{number}"))),
            6..9 => (Status::Failed, None),
            _ => (Status::Unknown, None),
        };
        assert_eq!((stored.status, stored.order_uuid.clone()), expected, "{number}");
        assert_eq!(stored.notification_due_at().is_some(), stored.status == Status::Sent, "its shop is told");
    }
    let after = versions().await;
    let (is_done, said, _) = settle(&moto, &["apply", &file, "--write"]).await;
    assert!(is_done && said.contains("0 bound, 0 FAILED, 180 left alone, 20 undecided, 0 wrong."), "{said}");
    assert_eq!(versions().await, after, "a second run changes nothing");
    assert_eq!(settle(&moto, &["list"]).await.1.lines().count(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_line_keeps_all_from_being_written() {
    let moto = Moto::start();
    let store = store_with_index(&moto, "orders", None).await;
    for number in 0..2 {
        store.create(&unknown(number)).await.unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("decided.csv");
    let [good, other, missing] = [0, 1, 7].map(order_id);
    for (wrong, why) in [
        (format!("{other},ODR1"), "another line has the same orderUuid"),
        (format!("{other},ODR 2"), "a decision is an orderUuid"),
        (format!("{missing},not-created"), "the table does not have this order"),
        ("1001,not-created".to_owned(), "this is no orderId"),
    ] {
        fs::write(&file, format!("orderId,decision\n{good},ODR1\n{wrong}\n")).unwrap();
        let (is_done, said, error) = settle(&moto, &["apply", file.to_str().unwrap(), "--write"]).await;
        assert!(!is_done && said.contains(&format!("wrong: {why}")), "{said}");
        assert!(error.contains("1 of the decisions cannot be stored; see above. Nothing was written"), "{error}");
        assert_eq!(stored(&store, good).await.status, Status::Unknown, "{why}");
    }
    let (is_done, _, error) = settle(&moto, &["apply", "no-such-file.csv"]).await;
    assert!(!is_done && error.starts_with("cannot read no-such-file.csv: No such file"), "{error}");
}
