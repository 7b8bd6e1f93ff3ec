//! The switch that stops new orders, and which API key a log line names.

use serde_json::{Value, json};

use crate::support::documents::{example, get_event, secret};
use crate::support::world::{API_KEY, ORDERS, World, body, post, slug};

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_switched_off_while_everything_else_goes_on() {
    let world = World::new().await;
    let accepted = body(&world.start(ORDERS, &[]).await.invoke(&post(&example(), Some("before"))).await);
    let orders = world.start(ORDERS, &[("ACCEPT_ORDERS", "false")]).await;
    for key in ["before", "after"] {
        let refused = orders.invoke(&post(&example(), Some(key))).await;
        assert_eq!((&refused["statusCode"], slug(&refused).as_str()), (&json!(503), "front-payment-unavailable"), "{key}");
        assert!(refused["headers"]["retry-after"].as_str().unwrap().parse::<u32>().unwrap() <= 30);
        let detail = body(&refused)["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("switched orders off") && detail.contains("with the same Idempotency-Key"), "{detail}");
    }
    assert_eq!(world.sandbox.orders().unwrap().len(), 1, "nothing more was sent");
    let order_id = accepted["orderId"].as_str().unwrap();
    let read = orders.invoke(&get_event(order_id, &format!("Bearer {API_KEY}"), "")).await;
    assert_eq!((&read["statusCode"], &body(&read)["status"]), (&json!(200), &json!("SENT")));
    let stranger = orders.invoke(&get_event(order_id, "Bearer wrong", "")).await;
    assert_eq!(stranger["statusCode"], 401);

    // The same keys again, after orders are switched on.
    let orders = world.start(ORDERS, &[("ACCEPT_ORDERS", "true")]).await;
    assert_eq!(body(&orders.invoke(&post(&example(), Some("before"))).await)["orderId"], accepted["orderId"]);
    assert_eq!(orders.invoke(&post(&example(), Some("after"))).await["statusCode"], 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_which_of_a_shops_keys_was_used_and_not_the_key() {
    let world = World::new().await;
    let two_keys = secret("sandbox-token", &json!("sandbox-secret-key"), &[("demo-shop", "leaked-key")]);
    let mut two_keys: Value = serde_json::from_str(&two_keys).unwrap();
    let other: Value = serde_json::from_str(&secret("t", &json!("s"), &[("demo-shop", API_KEY)])).unwrap();
    let hash = other["shops"]["demo-shop"]["apiKeySha256"][0].clone();
    two_keys["shops"]["demo-shop"]["apiKeySha256"].as_array_mut().unwrap().push(hash.clone());
    world.secrets.put_secret_value().secret_id("front-payment").secret_string(two_keys.to_string()).send().await.unwrap();
    let orders = world.start(ORDERS, &[]).await;
    for key in ["leaked-key", API_KEY, "unknown"] {
        orders.invoke(&get_event("0198c2f0-7e4a-7000-8000-000000000001", &format!("Bearer {key}"), "")).await;
    }
    let log = orders.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let used: Vec<_> = lines.filter(|line| line["message"] == "request").map(|line| line["apiKey"].clone()).collect();
    assert_eq!(used, [json!(1), json!(2), Value::Null]);
    for hidden in ["leaked-key", API_KEY, hash.as_str().unwrap()] {
        assert!(!log.contains(hidden), "{log}");
    }
}
