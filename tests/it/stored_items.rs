//! Items of other versions: what the last release wrote is read, and so is what a newer one may write.
//!
//! A release is rolled back while its items are in the table. So a version may add an attribute only if the last release
//! keeps it, and may give a new form to one only in the release after the one that can read it.

use aws_sdk_dynamodb::types::AttributeValue;
use front_payment_bridge::order::{Status, StoredOrder};
use serde_json::{Value, json};

use crate::support::documents::{callback_event, example, signed, stored_item};
use crate::support::peer::{Behaviour, NOBODY, Peer, reply};
use crate::support::world::{CALLBACKS, ORDERS, SECRET_KEY, World, body, get, post};

/// Of each release, by name of what happened to the order. Written by `record`.
const RELEASES: [(&str, &str); 1] = [("0.1.0", include_str!("stored_items/0.1.0.json"))];

async fn items(world: &World) -> Vec<serde_json::Map<String, Value>> {
    let table = world.moto.dynamodb().scan().table_name("orders").send().await.unwrap();
    let json = |item: &std::collections::HashMap<String, AttributeValue>| serde_dynamo::from_item(item.clone()).unwrap();
    table.items().iter().map(json).collect()
}

async fn put(world: &World, item: &Value) {
    let item = stored_item(item);
    world.moto.dynamodb().put_item().table_name("orders").set_item(Some(item)).send().await.unwrap();
}

/// Writes what this version stores, for the release that it becomes: `cargo test --test it record -- --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "overwrites the items of this release"]
async fn record() {
    let world = World::new().await;
    let own = json!({"status_code": 500, "errors": null}).to_string();
    for (name, behaviour) in
        [("FAILED", reply(500, "", &own)), ("REJECTED", reply(417, "", "{}")), ("UNKNOWN", Behaviour::Closes)]
    {
        let peer = Peer::start(behaviour).await;
        let orders = world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &peer.base_url)]).await;
        orders.invoke(&post(&example(), Some(name))).await;
    }
    let orders = world.start(ORDERS, &[]).await;
    let callbacks = world.start(CALLBACKS, &[("FRONT_PAYMENT_BASE_URL", NOBODY)]).await;
    for (number, words) in
        [&[][..], &["RESERVED"], &["RESERVED", "INVOICED", "success"], &["PAID", "PARTIAL REFUNDED"], &["CANCELLED"]]
            .into_iter()
            .enumerate()
    {
        let created = body(&orders.invoke(&post(&example(), Some(&format!("order-{number}")))).await);
        let order_id = created["orderId"].as_str().unwrap();
        let token = world.stored(order_id).await.callback_token;
        for word in words {
            let query = signed(created["orderUuid"].as_str().unwrap(), word, "40", SECRET_KEY);
            assert_eq!(callbacks.invoke(&callback_event(order_id, &token, &query)).await["statusCode"], 200);
        }
    }
    let path = format!("{}/tests/it/stored_items/{}.json", env!("CARGO_MANIFEST_DIR"), env!("CARGO_PKG_VERSION"));
    std::fs::write(path, serde_json::to_string_pretty(&items(&world).await).unwrap() + "\n").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_release_wrote_is_read_and_changed() {
    for (release, items) in RELEASES {
        let world = World::new().await;
        let items: Vec<Value> = serde_json::from_str(items).unwrap();
        let (orders, callbacks) = (world.start(ORDERS, &[]).await, world.start(CALLBACKS, &[]).await);
        let mut statuses = Vec::new();
        for item in &items {
            put(&world, item).await;
            let order_id = item["orderId"].as_str().unwrap();
            let shown = orders.invoke(&get(order_id)).await;
            assert_eq!(shown["statusCode"], 200, "{release}: {shown}");
            assert_eq!(body(&shown)["status"], item["status"]);
            statuses.push(item["status"].as_str().unwrap());
            let Some(uuid) = item["orderUuid"].as_str() else { continue };
            let event =
                callback_event(order_id, item["callbackToken"].as_str().unwrap(), &signed(uuid, "REFUNDED", "40", SECRET_KEY));
            assert_eq!(callbacks.invoke(&event).await["statusCode"], 200, "{release}: {item}");
            assert_eq!(world.stored(order_id).await.status, Status::Refunded);
        }
        statuses.sort_unstable();
        let expected = ["CANCELLED", "FAILED", "INVOICED", "PARTIAL_REFUNDED", "REJECTED", "RESERVED", "SENT", "UNKNOWN"];
        assert_eq!(statuses, expected, "{release}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_of_a_newer_version_are_kept() {
    let world = World::new().await;
    let items: Vec<Value> = serde_json::from_str(RELEASES[0].1).unwrap();
    let mut item = items.into_iter().find(|item| item["status"] == "SENT").unwrap();
    item["newer"] = json!({"member": [1, "x"]});
    item["history"][0]["newer"] = json!(true);
    item["notifications"]["newer"] = json!("kept");
    put(&world, &item).await;
    let (order_id, uuid) = (item["orderId"].as_str().unwrap(), item["orderUuid"].as_str().unwrap());
    let callbacks = world.start(CALLBACKS, &[]).await;
    let event = callback_event(order_id, item["callbackToken"].as_str().unwrap(), &signed(uuid, "RESERVED", "40", SECRET_KEY));
    assert_eq!(callbacks.invoke(&event).await["statusCode"], 200);
    let stored: StoredOrder = world.stored(order_id).await;
    assert_eq!(stored.status, Status::Reserved);
    let changed = items_with(&world, order_id).await;
    assert_eq!((&changed["newer"], &changed["history"][0]["newer"]), (&item["newer"], &json!(true)));
}

async fn items_with(world: &World, order_id: &str) -> Value {
    items(world).await.into_iter().find(|item| item["orderId"] == order_id).unwrap().into()
}
