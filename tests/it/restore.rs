//! The restore of the table by the commands of docs/restore.md, twice, with a release between the two.

use front_payment_bridge::order::Status;
use front_payment_bridge::store::{DynamoDbStore, OrderStore};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::documents::example;
use crate::support::lambda::Lambda;
use crate::support::shell::{block, run_in};
use crate::support::world::{ORDERS, World, body, get, post, slug};

const PAGE: &str = include_str!("../../docs/restore.md");

/// Restores the table that is in use, by step 2. Returns the name of the new table.
async fn restore(world: &World, table: &str) -> String {
    let placeholder = "<the moment, like 2026-11-24T09:30:00Z>";
    let commands =
        block(PAGE, "## 2. A new table", "restore-table-to-point-in-time").replace(placeholder, &Timestamp::now().to_string());
    let commands = format!("output() {{ echo \"$TABLE\"; }}\n{commands}\necho RESTORED=$RESTORED");
    let directory = tempfile::tempdir().unwrap();
    let (is_done, said) = run_in(world, directory.path(), &commands, &[("TABLE", table), ("STACK", "bridge")]).await;
    assert!(is_done, "{said}");
    let name = said.lines().find_map(|line| line.strip_prefix("RESTORED=")).unwrap().to_owned();
    assert!(name.starts_with("bridge-restored-") && name != table, "{name}");
    name
}

/// Marks lost orders in the restored table, by step 4.
async fn mark(world: &World, table: &str, order_ids: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let concerned: String = order_ids.iter().map(|order_id| format!("{order_id}\tdemo-shop\n")).collect();
    std::fs::write(directory.path().join("concerned.txt"), concerned).unwrap();
    let commands = block(PAGE, "## 4. Marking them", "while read -r ORDER SHOP");
    let (is_done, said) = run_in(world, directory.path(), commands, &[("RESTORED", table)]).await;
    assert!(is_done && !said.contains("was not marked"), "{said}");
}

/// Starts the functions with `RestoredTable`, as step 5 and every later release do.
async fn release(world: &World, table: &str) -> Lambda {
    world.start(ORDERS, &[("ORDERS_TABLE", table)]).await
}

async fn submit(orders: &Lambda, key: &str) -> Value {
    orders.invoke(&post(&example(), Some(key))).await
}

fn id(reply: &Value) -> String {
    assert_eq!(reply["statusCode"], 201, "{reply}");
    body(reply)["orderId"].as_str().unwrap().to_owned()
}

fn assert_unknown(reply: &Value) {
    assert_eq!((&reply["statusCode"], slug(reply).as_str()), (&json!(409), "outcome-unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_restored_twice_with_a_release_in_between_and_no_order_is_sent_again() {
    let world = World::new().await;
    let orders = release(&world, "orders").await;
    let kept = id(&submit(&orders, "kept").await);
    let first = restore(&world, "orders").await;
    // An order after the moment of the restore is not in the restored table.
    let lost_first = id(&submit(&orders, "lost-first").await);
    mark(&world, &first, &[&lost_first]).await;

    for number in 0..2 {
        let orders = release(&world, &first).await;
        assert_eq!(id(&submit(&orders, "kept").await), kept, "release {number}");
        assert_unknown(&submit(&orders, "lost-first").await);
    }
    let orders = release(&world, &first).await;
    let between = id(&submit(&orders, "between").await);
    let second = restore(&world, &first).await;
    assert_ne!(second, first);
    let lost_second = id(&submit(&orders, "lost-second").await);
    mark(&world, &second, &[&lost_second]).await;

    let orders = release(&world, &second).await;
    assert_eq!([id(&submit(&orders, "kept").await), id(&submit(&orders, "between").await)], [kept, between]);
    for key in ["lost-first", "lost-second"] {
        assert_unknown(&submit(&orders, key).await);
    }
    assert_eq!(body(&orders.invoke(&get(&lost_second)).await)["status"], "UNKNOWN");
    assert_eq!(world.sandbox.orders().unwrap().len(), 4, "each order was sent once");
    let store = DynamoDbStore::new(world.moto.dynamodb(), second);
    let stored = store.load(Uuid::parse_str(&lost_first).unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.status, Status::Unknown);
}
