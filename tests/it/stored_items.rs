//! Items that a newer version wrote. A release can be rolled back while its items are in the table.
//!
//! So this version keeps attributes that it does not know. And a new form of an attribute is written only by the release
//! after the one that can read it.

use front_payment_bridge::order::{Status, StoredOrder};
use serde_json::{Map, Value, json};

use crate::support::documents::{callback_event, example, signed, stored_item};
use crate::support::world::{CALLBACKS, ORDERS, SECRET_KEY, World, body, post};

async fn item(world: &World) -> Map<String, Value> {
    let table = world.moto.dynamodb().scan().table_name("orders").send().await.unwrap();
    let [item] = table.items() else { panic!("not one item") };
    serde_dynamo::from_item(item.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_of_a_newer_version_are_kept() {
    let world = World::new().await;
    let created = body(&world.start(ORDERS, &[]).await.invoke(&post(&example(), None)).await);
    let mut newer = Value::from(item(&world).await);
    newer["newer"] = json!({"member": [1, "x"]});
    newer["history"][0]["newer"] = json!(true);
    newer["notifications"]["newer"] = json!("kept");
    let put = world.moto.dynamodb().put_item().table_name("orders").set_item(Some(stored_item(&newer)));
    put.send().await.unwrap();

    let (order_id, uuid) = (created["orderId"].as_str().unwrap(), created["orderUuid"].as_str().unwrap());
    let callbacks = world.start(CALLBACKS, &[]).await;
    let event = callback_event(order_id, newer["callbackToken"].as_str().unwrap(), &signed(uuid, "RESERVED", "40", SECRET_KEY));
    assert_eq!(callbacks.invoke(&event).await["statusCode"], 200);
    let stored: StoredOrder = world.stored(order_id).await;
    assert_eq!(stored.status, Status::Reserved);
    let changed = Value::from(item(&world).await);
    assert_eq!((&changed["newer"], &changed["history"][0]["newer"]), (&newer["newer"], &json!(true)));
}
