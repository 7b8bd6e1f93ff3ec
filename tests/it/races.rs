//! Many at once, over several processes, against DynamoDB over HTTP.

use futures_util::future::join_all;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::lambda::{CALLBACKS, ORDERS, World, body, callback};
use crate::support::{example, post_event};

/// Each has one request at a time, so these many are at once.
const SUBMITS: usize = 50;
const CALLBACKS_EACH: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_submits_with_one_key_are_one_order_and_a_hundred_callbacks_are_all_noted() {
    let world = World::new().await;
    // The first one is still on its way when the others come.
    let mut order = example();
    order["referenceNo"] = json!("slow");
    let submission = post_event(&order.to_string(), "Bearer demo-shop-key", Some("contested"));
    let mut processes = Vec::new();
    for _ in 0..SUBMITS {
        processes.push(world.start(ORDERS, &[]).await);
    }
    // Their cold starts are over.
    let no_route = json!({});
    for reply in join_all(processes.iter().map(|orders| orders.invoke(&no_route))).await {
        assert_eq!(reply["statusCode"], 404);
    }
    let replies = join_all(processes.iter().map(|orders| orders.invoke(&submission))).await;
    let fresh =
        replies.iter().filter(|reply| reply["statusCode"] == 201 && reply["headers"].get("idempotency-replayed").is_none());
    assert_eq!((replies.len(), fresh.count()), (50, 1), "one attempt is sent");
    assert!(replies.iter().all(|reply| [json!(201), json!(409)].contains(&reply["statusCode"])), "{replies:?}");
    assert!(replies.iter().any(|reply| reply["statusCode"] == 409), "they met");
    assert_eq!(world.sandbox.orders().unwrap().len(), 1);

    let created = replies.iter().find(|reply| reply["statusCode"] == 201).map(body).unwrap();
    let order_id = created["orderId"].as_str().unwrap().to_owned();
    let stored = world.stored(&order_id).await;
    let order_uuid = stored.order_uuid.as_ref().unwrap();
    drop(processes);
    let calls = (0..100 / CALLBACKS_EACH).map(async |process| {
        let callbacks = world.start(CALLBACKS, &[]).await;
        for index in 0..CALLBACKS_EACH {
            let word = ["RESERVED", "PAID", "INVOICED", "CAPTURED"][index % 4];
            let query = query(order_uuid, word, process * CALLBACKS_EACH + index);
            let reply = callbacks.invoke(&callback(&order_id, &stored.callback_token, &query)).await;
            assert_eq!(reply["statusCode"], 200, "{reply}");
        }
    });
    join_all(calls).await;
    let stored = world.stored(&order_id).await;
    assert_eq!((stored.status.name(), stored.history.len()), ("PAID", 101));
}

fn query(order_uuid: &str, status: &str, timestamp: usize) -> String {
    let checksum = Sha256::digest(format!("{order_uuid}{status}Invoice401{timestamp}sandbox-secret-key"));
    let checksum: String = checksum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "orderUuid={order_uuid}&status={status}&paymentMethod=Invoice&amount=40&createdAt=1&timestamp={timestamp}&checksum={checksum}"
    )
}
