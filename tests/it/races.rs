//! Many at once, over several processes, against DynamoDB over HTTP.

use std::sync::Arc;

use front_payment_bridge::store::OrderStore;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::lambda::{CALLBACKS, ORDERS, World, body, callback};
use crate::support::{example, post_event};

const PROCESSES: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_submits_with_one_key_are_one_order_and_a_hundred_callbacks_are_all_noted() {
    let world = World::new().await;
    let submission = post_event(&example().to_string(), "Bearer demo-shop-key", Some("contested"));
    let mut requests = JoinSet::new();
    for _ in 0..PROCESSES {
        let (orders, submission) = (world.start(ORDERS, &[]).await, submission.clone());
        requests.spawn(async move {
            let mut replies = Vec::new();
            for _ in 0..10 {
                replies.push(orders.invoke(&submission).await);
            }
            replies
        });
    }
    let replies = requests.join_all().await.concat();
    let fresh =
        replies.iter().filter(|reply| reply["statusCode"] == 201 && reply["headers"].get("idempotency-replayed").is_none());
    assert_eq!((replies.len(), fresh.count()), (50, 1), "one attempt is sent");
    assert!(replies.iter().all(|reply| [json!(201), json!(409)].contains(&reply["statusCode"])), "{replies:?}");
    assert_eq!(world.sandbox.orders().unwrap().len(), 1);

    let created = replies.iter().find(|reply| reply["statusCode"] == 201).map(body).unwrap();
    let order_id = created["orderId"].as_str().unwrap().to_owned();
    let stored = world.store.load(Uuid::parse_str(&order_id).unwrap()).await.unwrap().unwrap();
    let order_uuid = stored.order_uuid.unwrap();
    let mut calls = JoinSet::new();
    for process in 0..PROCESSES {
        let callbacks = Arc::new(world.start(CALLBACKS, &[]).await);
        let (order_id, token, order_uuid) = (order_id.clone(), stored.callback_token.clone(), order_uuid.clone());
        calls.spawn(async move {
            let mut statuses = Vec::new();
            for index in 0..20 {
                let word = ["RESERVED", "PAID", "INVOICED", "CAPTURED"][index % 4];
                let query = query(&order_uuid, word, process * 20 + index);
                statuses.push(callbacks.invoke(&callback(&order_id, &token, &query)).await["statusCode"].clone());
            }
            statuses
        });
    }
    assert_eq!(calls.join_all().await.concat(), vec![json!(200); 100]);
    let stored = world.store.load(Uuid::parse_str(&order_id).unwrap()).await.unwrap().unwrap();
    assert_eq!((stored.status.name(), stored.history.len()), ("PAID", 101));
}

fn query(order_uuid: &str, status: &str, timestamp: usize) -> String {
    let checksum = Sha256::digest(format!("{order_uuid}{status}Invoice401{timestamp}sandbox-secret-key"));
    let checksum: String = checksum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "orderUuid={order_uuid}&status={status}&paymentMethod=Invoice&amount=40&createdAt=1&timestamp={timestamp}&checksum={checksum}"
    )
}
