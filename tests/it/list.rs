//! A shop finds the order of a key, and lists its orders.

use serde_json::{Value, json};

use crate::support::documents::{example, list_event, post_event};
use crate::support::faulty_store::Fault;
use crate::support::scripted::{created, failed, sent, unknown};
use crate::support::test_bridge::{TestBridge, TestReply, query};

/// The ids of the orders in a list.
pub fn ids(reply: &TestReply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body["orders"].as_array().unwrap().iter().map(|order| order["orderId"].as_str().unwrap().to_owned()).collect()
}

/// The only error of a 422, which is about a parameter.
fn parameter(reply: &TestReply) -> &str {
    assert_eq!((reply.status, reply.slug(), &reply.body["nextStep"]), (422, "validation-failed", &json!("correct")));
    let [error] = reply.body["errors"].as_array().unwrap().as_slice() else { panic!("{}", reply.body) };
    assert_eq!((error.get("pointer"), &error["code"]), (None, &json!("invalid_format")));
    error["parameter"].as_str().unwrap()
}

/// Places orders with a key each, one second apart. The last one is 11 seconds old, so all of them are listed.
async fn place(bridge: &TestBridge, count: usize) -> Vec<String> {
    let mut order_ids = Vec::new();
    for number in 0..count {
        bridge.provider().will_reply(sent(&format!("ODR{number}")));
        order_ids.push(bridge.post(&example(), Some(&format!("key-{number}"))).await.order_id());
        bridge.pass(1);
    }
    bridge.pass(10);
    order_ids
}

#[tokio::test]
async fn a_shop_finds_the_order_of_a_key() {
    let bridge = TestBridge::new().await;
    let (order_id, _) = bridge.place(sent("ODR1")).await;
    let expected = json!({"orders": [{
        "orderId": order_id, "status": "SENT", "orderUuid": "ODR1", "customerUuid": "CSRT1", "referenceNo": "Dhaka",
        "customerReference": "3500", "grandTotal": "40", "createdAt": "2026-06-15T00:00:00.000Z",
        "updatedAt": "2026-06-15T00:00:00.000Z",
        "notified": bridge.get(&order_id, "key-a").await.body["notified"],
    }]});
    bridge.store().operations();
    let found = bridge.find("key-1").await;
    assert_eq!((found.status, &found.body), (200, &expected), "at once, and without history and link");
    assert_eq!(bridge.store().operations(), ["load"], "one consistent read");
    assert_eq!(bridge.find("\"key-1\"").await.body, expected, "in quotation marks it is the same key");
    for (authorization, key) in [("Bearer key-a", "key-2"), ("Bearer key-b", "key-1")] {
        let none = bridge.orders(list_event(authorization, "", Some(key))).await;
        assert_eq!((none.status, &none.body), (200, &json!({"orders": []})));
    }
    // An order that is not accepted is found, too.
    bridge.provider().will_reply(unknown());
    let order_id = bridge.post(&example(), Some("key-2")).await.order_id();
    let found = bridge.find("key-2").await;
    assert_eq!((ids(&found), &found.body["orders"][0]["status"]), (vec![order_id], &json!("UNKNOWN")));
}

#[tokio::test]
async fn an_unusable_key_or_a_parameter_beside_one_is_refused() {
    let bridge = TestBridge::new().await;
    for key in ["", "\"\"", "k,k", "k, k", "two words", "æ", &"x".repeat(256)] {
        assert_eq!(parameter(&bridge.find(key).await), "Idempotency-Key", "{key}");
    }
    for name in ["limit", "cursor", "updatedSince", "other"] {
        let reply = bridge.orders(list_event("Bearer key-a", &format!("{name}=1"), Some("key-1"))).await;
        assert_eq!(parameter(&reply), name);
    }
}

#[tokio::test]
async fn the_oldest_change_comes_first_and_until_is_where_to_go_on() {
    let bridge = TestBridge::new().await;
    let order_ids = place(&bridge, 3).await;
    let token = bridge.stored(&order_ids[0]).await.callback_token;
    bridge.callback(&order_ids[0], &token, &query("ODR0", "INVOICED", "40")).await;
    let all = bridge.list("").await;
    assert_eq!(ids(&all), order_ids[1..], "the change of this moment is not listed yet");
    assert_eq!((&all.body["until"], all.body.get("next")), (&json!("2026-06-15T00:00:03.000Z"), None));
    for order in all.body["orders"].as_array().unwrap() {
        assert_eq!((order.get("history"), order.get("bankIdUrl"), &order["status"]), (None, None, &json!("SENT")));
    }
    let since = bridge.list("updatedSince=2026-06-15T00:00:01Z").await;
    assert_eq!(ids(&since), order_ids[2..], "a later updatedAt");
    assert_eq!(ids(&bridge.list("updatedSince=2026-06-15T02:00:00.999%2B02:00").await), order_ids[1..]);
    assert_eq!(ids(&bridge.list("updatedSince=1781481601").await), order_ids[2..], "Unix seconds");

    bridge.pass(9);
    assert_eq!(ids(&bridge.list("updatedSince=2026-06-15T00:00:03.000Z").await), [""; 0]);
    bridge.pass(1);
    let next_time = bridge.list("updatedSince=2026-06-15T00:00:03.000Z").await;
    assert_eq!((ids(&next_time), &next_time.body["until"]), (vec![order_ids[0].clone()], &json!("2026-06-15T00:00:13.000Z")));
    assert_eq!(next_time.body["orders"][0]["status"], "INVOICED");
    let future = bridge.list("updatedSince=2027-01-01T00:00:00Z").await;
    assert_eq!(
        (ids(&future).len(), &future.body["until"]),
        (0, &json!("2027-01-01T00:00:00.000Z")),
        "never earlier than the one given"
    );
}

#[tokio::test]
async fn orders_that_are_not_accepted_are_listed_too() {
    let bridge = TestBridge::new().await;
    for reply in [failed(), unknown(), created("ODR1", None)] {
        bridge.provider().will_reply(reply);
        bridge.post(&example(), None).await;
        bridge.pass(1);
    }
    bridge.pass(10);
    let listed = bridge.list("").await.body;
    let statuses: Vec<_> = listed["orders"].as_array().unwrap().iter().map(|order| &order["status"]).collect();
    assert_eq!(statuses, ["FAILED", "UNKNOWN", "INVOICED"]);
}

#[tokio::test]
async fn a_page_has_1_to_100_orders_and_50_by_default() {
    let bridge = TestBridge::new().await;
    let order_ids = place(&bridge, 101).await;
    for (query, count) in [("", 50), ("limit=1", 1), ("limit=100", 100)] {
        let page = bridge.list(query).await;
        assert_eq!((ids(&page).as_slice(), page.body.get("until")), (&order_ids[..count], None), "{query}");
        assert!(page.body["next"].is_string(), "{query}: {}", page.body);
    }
    let first = bridge.list("limit=100").await;
    let last = bridge.list(&format!("limit=100&cursor={}", first.body["next"].as_str().unwrap())).await;
    assert_eq!((ids(&last).as_slice(), last.body.get("next")), (&order_ids[100..], None));
    assert_eq!(last.body["until"], "2026-06-15T00:01:41.000Z");
}

#[tokio::test]
async fn an_unknown_repeated_or_unusable_parameter_is_named() {
    let bridge = TestBridge::new().await;
    place(&bridge, 2).await;
    for (query, name) in [
        ("status=SENT", "status"),
        ("updatedsince=1", "updatedsince"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=5&limit=5", "limit"),
        ("updatedSince=yesterday", "updatedSince"),
        ("updatedSince=2026-06-15", "updatedSince"),
        ("updatedSince=-1", "updatedSince"),
        ("updatedSince=1&updatedSince=1", "updatedSince"),
        ("cursor=", "cursor"),
        ("cursor=MS4x", "cursor"),
    ] {
        assert_eq!(parameter(&bridge.list(query).await), name, "{query}");
    }
    // A cursor is good only with the updatedSince that it came from.
    let next = bridge.list("limit=1&updatedSince=5").await.body["next"].as_str().unwrap().to_owned();
    assert_eq!(bridge.list(&format!("updatedSince=5&cursor={next}")).await.status, 200);
    for query in [format!("cursor={next}"), format!("updatedSince=6&cursor={next}"), format!("cursor={next}&cursor={next}")] {
        assert_eq!(parameter(&bridge.list(&query).await), "cursor");
    }
}

#[tokio::test]
async fn a_shop_sees_only_its_own_orders_and_no_cursor_opens_anothers() {
    let bridge = TestBridge::new().await;
    let own = place(&bridge, 3).await;
    bridge.pass(1);
    let other = bridge.orders(post_event(&example().to_string(), "Bearer key-b", None)).await.order_id();
    bridge.pass(11);
    assert_eq!(ids(&bridge.list("").await), own);
    let as_other = async |query: &str| bridge.orders(list_event("Bearer key-b", query, None)).await;
    assert_eq!(ids(&as_other("").await), [other]);
    let next = bridge.list("limit=1").await.body["next"].as_str().unwrap().to_owned();
    assert_eq!(parameter(&as_other(&format!("limit=1&cursor={next}")).await), "cursor");
    assert_eq!(bridge.orders(list_event("Bearer unknown", "", None)).await.slug(), "unauthorized");
    bridge.store().will([Fault::Down]);
    let down = bridge.list("").await;
    assert_eq!((down.status, down.slug(), &down.body["nextStep"]), (503, "storage-unavailable", &json!("retry")));
    assert_eq!((down.header("retry-after"), down.body.get("orders")), (Some("5"), None::<&Value>));
}
