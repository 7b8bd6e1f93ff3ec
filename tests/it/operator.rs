//! What the runbook has an operator do, done as it is written there.

use std::path::Path;
use std::process::Command;

use aws_sdk_dynamodb::types::AttributeValue;
use front_payment_bridge::store::OrderStore;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::lambda::{CALLBACKS, ORDERS, World, body, callback};
use crate::support::peer::{Behaviour, Peer, reply};
use crate::support::{example, moto, post_event, signed};

const RUNBOOK: &str = include_str!("../../docs/runbook.md");

/// The commands in the runbook that have this in them, from the first `aws`.
fn command(about: &str) -> &'static str {
    let section = RUNBOOK.split("### Settling an UNKNOWN order").nth(1).unwrap();
    let mut blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let block = blocks.find(|block| block.contains(about)).unwrap_or_else(|| panic!("no {about}"));
    &block[block.find("aws ").unwrap()..]
}

/// Runs it; its exit code and what it printed.
async fn run(world: &World, command: &str, order_id: &str) -> (bool, String) {
    run_in(world, Path::new("."), command, order_id).await
}

async fn run_in(world: &World, directory: &Path, command: &str, order_id: &str) -> (bool, String) {
    let path = format!("{}:{}", moto::programs().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    // The last line calls the API, which is not there.
    let command = command.replace("curl ", "echo called ");
    shell.args(["-e", "-c", &command]).current_dir(directory).env("PATH", path).envs([
        ("AWS_ENDPOINT_URL", world.moto.endpoint.as_str()),
        ("AWS_REGION", "eu-north-1"),
        ("AWS_DEFAULT_REGION", "eu-north-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("TABLE", "orders"),
        ("RESTORED", "orders"),
        ("API", "https://api.example"),
        ("ORDER", order_id),
        ("UUID", "ODR7"),
    ]);
    let output = tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// An order with this key whose reply was lost.
async fn lost(world: &World, key: &str) -> String {
    let closes = Peer::start(Behaviour::Closes).await;
    let orders = world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &closes.base_url)]).await;
    let reply = orders.invoke(&post_event(&example().to_string(), "Bearer demo-shop-key", Some(key))).await;
    assert_eq!(reply["statusCode"], 504);
    body(&reply)["orderId"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_order_is_settled_by_what_the_portal_shows() {
    let world = World::new().await;
    let orders = world.start(ORDERS, &[]).await;
    let again = async |key: &str| {
        let reply = orders.invoke(&post_event(&example().to_string(), "Bearer demo-shop-key", Some(key))).await;
        (reply["statusCode"].clone(), reply["headers"].get("idempotency-replayed").is_some(), body(&reply)["orderUuid"].clone())
    };
    let [look, is_not_there, is_there] = [command("--query 'Item.{"), command("= :failed"), command(":uuid")];

    let order_id = lost(&world, "not-there").await;
    let (_, shown) = run(&world, look, &order_id).await;
    let shown: Value = serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{shown}"));
    assert_eq!(
        (&shown["status"], &shown["referenceNo"], &shown["grandTotal"]),
        (&json!("UNKNOWN"), &json!("Dhaka"), &json!("40"))
    );
    let (is_done, said) = run(&world, is_not_there, &order_id).await;
    assert!(is_done, "{said}");
    let settled = world.stored(&order_id).await;
    assert_eq!((settled.status.name(), settled.version), ("FAILED", 3));
    let (code, is_replayed, uuid) = again("not-there").await;
    assert_eq!((code, is_replayed), (json!(201), false), "the same key is sent again");

    // What is accepted stays as it is.
    for command in [is_not_there, is_there] {
        let (is_done, said) = run(&world, command, &order_id).await;
        assert!(!is_done && said.contains("ConditionalCheckFailedException"), "{said}");
    }
    assert_eq!(again("not-there").await, (json!(201), true, uuid));

    let order_id = lost(&world, "there").await;
    let (is_done, said) = run(&world, is_there, &order_id).await;
    assert!(is_done, "{said}");
    assert_eq!(again("there").await, (json!(201), true, json!("ODR7")));
    // The URL that the operator is to call has the status read.
    let token = world.stored(&order_id).await.callback_token;
    assert!(said.contains(&format!("/callbacks/{order_id}/{token}")), "{said}");
    let tells = Peer::start(reply(200, "", r#"{"status_code":200,"data":{"uuid":"ODR7","status":"RESERVED"}}"#)).await;
    let callbacks = world.start(CALLBACKS, &[("FRONT_PAYMENT_BASE_URL", &tells.base_url)]).await;
    assert_eq!(callbacks.invoke(&callback(&order_id, &token, "")).await["statusCode"], 200);
    assert_eq!(world.stored(&order_id).await.status.name(), "RESERVED");
    let query = signed("ODR7", "INVOICED", "40", "sandbox-secret-key");
    assert_eq!(callbacks.invoke(&callback(&order_id, &token, &query)).await["statusCode"], 200);
    assert_eq!(world.stored(&order_id).await.status.name(), "INVOICED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_on_its_way_is_not_settled_before_its_lease_ran_out() {
    let world = World::new().await;
    let order_id = lost(&world, "on-its-way").await;
    let unknown = world.stored(&order_id).await;
    let mut submitting = unknown.clone();
    submitting.version += 1;
    submitting.status = serde_json::from_value(json!("SUBMITTING")).unwrap();
    submitting.attempted_at = Timestamp::now() - SignedDuration::from_secs(50);
    world.store.replace(&unknown, &submitting).await.unwrap();
    let (is_done, said) = run(&world, command("= :failed"), &order_id).await;
    assert!(!is_done && said.contains("ConditionalCheckFailedException"), "{said}");
    let mut aged = submitting.clone();
    aged.version += 1;
    aged.attempted_at -= SignedDuration::from_secs(20);
    world.store.replace(&submitting, &aged).await.unwrap();
    assert!(run(&world, command("= :failed"), &order_id).await.0);
    assert_eq!(world.stored(&order_id).await.status.name(), "FAILED");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_table_has_lost_is_not_sent_again() {
    let world = World::new().await;
    let orders = world.start(ORDERS, &[]).await;
    let submit = async |key: &str| {
        let reply = orders.invoke(&post_event(&example().to_string(), "Bearer demo-shop-key", Some(key))).await;
        (reply["statusCode"].clone(), body(&reply))
    };
    let (_, kept) = submit("kept").await;
    let (_, lost) = submit("lost").await;
    let [kept, lost] = [&kept, &lost].map(|order| order["orderId"].as_str().unwrap().to_owned());
    let table = world.moto.dynamodb();
    table.delete_item().table_name("orders").key("orderId", AttributeValue::S(lost.clone())).send().await.unwrap();

    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("concerned.txt"), format!("{kept}\tdemo-shop\n{lost}\tdemo-shop\n")).unwrap();
    let section = RUNBOOK.split("### Restoring the table").nth(1).unwrap();
    let mark = section.split("```sh\n").find(|block| block.contains("while read -r ORDER SHOP")).unwrap();
    let mark = mark.split("```").next().unwrap();
    let (is_done, said) = run_in(&world, directory.path(), mark, "").await;
    assert!(is_done && said.contains(&format!("{kept} was not marked")), "{said}");
    assert!(!said.contains(&format!("{lost} was not marked")), "{said}");

    let (code, answer) = submit("lost").await;
    assert_eq!((code, &answer["type"]), (json!(409), &json!("urn:front-payment-bridge:outcome-unknown")));
    let marked = world.stored(&lost).await;
    assert_eq!((marked.status.name(), marked.version, marked.shop_id.as_str()), ("UNKNOWN", 1, "demo-shop"));
    assert_eq!(submit("kept").await.0, 201);
    assert_eq!(world.stored(&kept).await.status.name(), "SENT");
    assert_eq!(world.sandbox.orders().unwrap().len(), 2, "nothing was sent again");
    assert!(run(&world, command(":uuid"), &lost).await.0, "it is settled like any other");
    assert_eq!(world.stored(&lost).await.status.name(), "SENT");
}
