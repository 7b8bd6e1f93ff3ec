//! Many requests at once, over several processes, against DynamoDB.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::documents::{callback_event, example, signed_at};
use crate::support::world::{CALLBACKS, ORDERS, SECRET_KEY, World, body, post};

/// Each process handles one request at a time.
const SUBMITS: usize = 50;
const CALLBACKS_EACH: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_submits_with_one_key_are_one_order_and_a_hundred_callbacks_are_all_noted() {
    let world = World::new().await;
    // Front Payment answers so late that the first submit still waits when the others come.
    let mut order = example();
    order["referenceNo"] = json!("slow");
    let submit = post(&order, Some("contested"));
    let mut processes = Vec::new();
    for _ in 0..SUBMITS {
        processes.push(world.start(ORDERS, &[]).await);
    }
    // End all cold starts before the first submit, so that the submits run at the same time.
    let no_route = json!({});
    for reply in join_all(processes.iter().map(|orders| orders.invoke(&no_route))).await {
        assert_eq!(reply["statusCode"], 404);
    }
    let replies = join_all(processes.iter().map(|orders| orders.invoke(&submit))).await;
    let fresh =
        replies.iter().filter(|reply| reply["statusCode"] == 201 && reply["headers"].get("idempotency-replayed").is_none());
    assert_eq!((replies.len(), fresh.count()), (50, 1), "one attempt is sent");
    assert!(replies.iter().all(|reply| [json!(201), json!(409)].contains(&reply["statusCode"])), "{replies:?}");
    assert!(replies.iter().any(|reply| reply["statusCode"] == 409), "the submits were not at the same time");
    assert_eq!(world.sandbox.orders().unwrap().len(), 1);

    let created = replies.iter().find(|reply| reply["statusCode"] == 201).map(body).unwrap();
    let order_id = created["orderId"].as_str().unwrap().to_owned();
    let stored = world.stored(&order_id).await;
    let order_uuid = stored.order_uuid.as_ref().unwrap();
    drop(processes);
    let calls = (0..100 / CALLBACKS_EACH).map(async |process| {
        let callbacks = world.start(CALLBACKS, &[]).await;
        for index in 0..CALLBACKS_EACH {
            let timestamp = (process * CALLBACKS_EACH + index).to_string();
            let query = signed_at(&timestamp, order_uuid, "PAID", "40", SECRET_KEY);
            let event = callback_event(&order_id, &stored.callback_token, &query);
            // On a slow machine, this callback can lose every conflict until its deadline. Front Payment would repeat it,
            // too.
            while callbacks.invoke(&event).await["statusCode"] != 200 {}
        }
    });
    join_all(calls).await;
    let stored = world.stored(&order_id).await;
    assert_eq!((stored.status.name(), stored.history.len()), ("PAID", 101));
}
