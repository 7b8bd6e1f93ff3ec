//! The built binaries over DynamoDB: what a shop and the operator do once an order is placed.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::documents::{cancel_event, example, health_event, list_event};
use crate::support::peer::{Behaviour, Peer, reply, status_reply};
use crate::support::world::{API_KEY, ORDERS, World, body, post, slug};
use crate::worker::WORKER;

fn list(query: &str, key: Option<&str>) -> Value {
    list_event(&format!("Bearer {API_KEY}"), query, key)
}

fn cancel(order_id: &str, body: &str) -> Value {
    cancel_event(order_id, &format!("Bearer {API_KEY}"), body)
}

/// Checks that the log contains no secret and nothing personal of these orders.
fn assert_clean(log: &str) {
    for secret in ["sandbox-token", API_KEY, "Kari", "kari@example.com", "46567468", "30908299902", "changed cart", "/status?"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_finds_lists_and_cancels_its_orders() {
    let world = World::new().await;
    // One reply for every request: a 201 without a link, an accepted cancellation, and a status.
    let answer = r#"{"status_code":201,"data":{"orderUuid":"ODR1","uuid":"ODR1","status":"CANCELLED"}}"#;
    let front_payment = Peer::start(reply(201, "", answer)).await;
    let orders = world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &front_payment.base_url)]).await;
    let health = orders.invoke(&health_event()).await;
    assert_eq!((&health["statusCode"], body(&health)), (&json!(200), json!({"status": "ok"})));

    let mut order_ids = Vec::new();
    for key in ["key-1", "key-2"] {
        let created = orders.invoke(&post(&example(), Some(key))).await;
        assert_eq!((&created["statusCode"], &body(&created)["status"]), (&json!(201), &json!("INVOICED")), "{created}");
        order_ids.push(body(&created)["orderId"].as_str().unwrap().to_owned());
    }
    let found = body(&orders.invoke(&list("", Some("\"key-1\""))).await);
    assert_eq!((&found["orders"][0]["orderId"], found["orders"].as_array().unwrap().len()), (&json!(order_ids[0]), 1));
    assert_eq!(body(&orders.invoke(&list("", Some("key-3"))).await), json!({"orders": []}));

    let cancelled = orders.invoke(&cancel(&order_ids[0], r#"{"note":"changed cart"}"#)).await;
    let expected = json!({"orderId": order_ids[0], "orderUuid": "ODR1", "status": "CANCELLED"});
    assert_eq!((&cancelled["statusCode"], body(&cancelled)), (&json!(202), expected.clone()), "{}", orders.log());
    let requests = front_payment.requests();
    let [_, _, cancellation, status_read] = requests.as_slice() else { panic!("{requests:?}") };
    assert!(cancellation.starts_with("POST /connect/orders/cancel/ODR1 HTTP/1.1\r\n"), "{cancellation}");
    assert!(cancellation.ends_with("\r\n\r\n{\"cancellationNote\":\"changed cart\"}"), "{cancellation}");
    assert!(status_read.starts_with("GET /connect/orders/status/ODR1 HTTP/1.1\r\n"), "{status_read}");
    let again = orders.invoke(&cancel(&order_ids[0], "")).await;
    assert_eq!((&again["statusCode"], body(&again), front_payment.requests().len()), (&json!(200), expected, 4));
    assert_eq!(orders.invoke(&cancel("x", "")).await["statusCode"], 404);

    // Made older, because a list leaves out what has changed within the last ten seconds.
    for (order_id, seconds) in order_ids.iter().zip([20, 40]) {
        let earlier = Timestamp::now() - SignedDuration::from_secs(seconds);
        world.change_stored(order_id, |stored| stored.updated_at = earlier).await;
    }
    let first = body(&orders.invoke(&list("limit=1", None)).await);
    assert_eq!((&first["orders"][0]["orderId"], first.get("until")), (&json!(order_ids[1]), None), "the oldest change first");
    let mut rest = body(&orders.invoke(&list(&format!("cursor={}", first["next"].as_str().unwrap()), None)).await);
    let order = rest["orders"][0].take();
    assert_eq!((&order["orderId"], &order["status"]), (&json!(order_ids[0]), &json!("CANCELLED")));
    assert_eq!((order["cancelRequestedAt"].is_string(), order.get("history"), rest.get("next")), (true, None, None));
    let unknown = orders.invoke(&list("since=1", None)).await;
    assert_eq!((&unknown["statusCode"], &body(&unknown)["errors"][0]["parameter"]), (&json!(422), &json!("since")));
    assert_clean(&orders.log());

    let orders = world.start(ORDERS, &[("ORDERS_TABLE", "no-table")]).await;
    let health = orders.invoke(&health_event()).await;
    assert_eq!((&health["statusCode"], slug(&health).as_str()), (&json!(503), "unhealthy"));
    assert!(!health["body"].as_str().unwrap().contains("table"), "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_settles_orders_through_the_worker() {
    let world = World::new().await;
    let loses = Peer::start(Behaviour::Closes).await;
    let orders = world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &loses.base_url)]).await;
    let tells = Peer::start(status_reply("ODR7", "INVOICED")).await;
    let worker = world.start(WORKER, &[("FRONT_PAYMENT_BASE_URL", &tells.base_url)]).await;
    let run = async |event: Value| worker.run(29, event.to_string()).await;

    let mut order_ids = Vec::new();
    for (key, seconds) in [("key-1", 900), ("key-2", 800)] {
        let reply = orders.invoke(&post(&example(), Some(key))).await;
        assert_eq!(slug(&reply), "outcome-unknown", "{reply}");
        let order_id = body(&reply)["orderId"].as_str().unwrap().to_owned();
        let attempted_at = Timestamp::now() - SignedDuration::from_secs(seconds);
        world.change_stored(&order_id, |stored| stored.attempted_at = attempted_at).await;
        order_ids.push(order_id);
    }
    let waiting = async || -> Vec<Value> {
        let waiting = run(json!({"waiting": {}})).await;
        waiting["waiting"].as_array().unwrap().iter().map(|order| order["orderId"].clone()).collect()
    };
    assert_eq!(waiting().await, [json!(order_ids[0]), json!(order_ids[1])], "the oldest first");

    // The first order is in the portal.
    let mut settle = json!({
        "settle": {"orderId": order_ids[0], "orderUuid": "ODR7", "referenceNo": "Dhaka"}, "by": "op-7", "reason": "portal",
    });
    let settled = json!({"orderId": order_ids[0], "status": "INVOICED", "orderUuid": "ODR7"});
    assert_eq!(run(settle.clone()).await, settled);
    settle["settle"]["refrenceNo"] = json!("Dhaka");
    assert!(run(settle).await["error"].as_str().is_some_and(|error| error.ends_with("Nothing was changed.")));
    // The second is not, and its key can be used again.
    let not_created = json!({"settle": {"orderId": order_ids[1], "created": false}, "by": "op-7"});
    assert_eq!(run(not_created).await, json!({"orderId": order_ids[1], "status": "FAILED"}));
    assert_eq!(waiting().await, Vec::<Value>::new());
    assert_eq!(loses.requests().len(), 2);
    assert_eq!(orders.invoke(&post(&example(), Some("key-2"))).await["statusCode"], 504);
    assert_eq!(loses.requests().len(), 3, "it was sent again");
    assert_eq!(orders.invoke(&post(&example(), Some("key-1"))).await["statusCode"], 201, "and the other one is accepted");

    let log = worker.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done: Vec<_> = lines.iter().filter(|line| line["event"] == "settle").map(|line| (&line["by"], &line["status"])).collect();
    assert_eq!(done, [(&json!("op-7"), &json!("INVOICED")), (&json!("op-7"), &json!("FAILED"))]);
    let entry = world.stored(&order_ids[0]).await.history.last().map(|entry| serde_json::to_value(entry).unwrap()).unwrap();
    assert_eq!((&entry["source"], &entry["status"]), (&json!("operator"), &json!("INVOICED")));
    assert_clean(&log);
}
