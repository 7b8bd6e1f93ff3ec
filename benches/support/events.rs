//! The events for the programs: the files of events/, with a new order each time.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::neighbours::CALLBACK_SECRET;

/// An event, and the HTTP status that its reply must have: 0 for `worker`, whose answer has none.
pub struct Event {
    pub json: String,
    pub expected: u16,
}

/// A stored order in DynamoDB's JSON.
pub type Item = Map<String, Value>;

fn file(name: &str) -> Value {
    let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The order of events/private-order.json, with a new key.
pub fn order() -> Event {
    let mut event = file("private-order");
    event["headers"]["idempotency-key"] = json!(Uuid::new_v4());
    Event { json: event.to_string(), expected: 201 }
}

/// The same order with its first line so many times. The sums are right, so it gets no warning that other orders do not get.
pub fn order_of(lines: usize) -> Event {
    let mut event = file("private-order");
    event["headers"]["idempotency-key"] = json!(Uuid::new_v4());
    let mut order: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    let line = order["products"][0].clone();
    order["products"] = vec![line; lines].into();
    // A line is 2 × 499.50 less 99.00, and a tax of 25 %.
    let sum = |of_a_line: usize| format!("{}.00", of_a_line * lines);
    order["orderSummary"] =
        json!({ "subTotal": sum(999), "totalTax": sum(225), "totalDiscount": sum(99), "grandTotal": sum(1_125) });
    event["body"] = json!(order.to_string());
    Event { json: event.to_string(), expected: 201 }
}

/// A read of an order by its shop.
pub fn read(order_id: &str) -> Event {
    let mut event = file("read-order");
    event["rawPath"] = json!(format!("/orders/{order_id}"));
    event["pathParameters"] = json!({ "orderId": order_id });
    Event { json: event.to_string(), expected: 200 }
}

/// A callback with INVOICED about a stored order.
pub fn callback(item: &Item) -> Event {
    let text = |name| item[name]["S"].as_str().unwrap();
    let (order_id, token, order_uuid) = (text("orderId"), text("callbackToken"), text("orderUuid"));
    let amount = text("grandTotal");
    let values = format!("{order_uuid}INVOICEDInvoice{amount}17557641311755764131{CALLBACK_SECRET}");
    let checksum: String = Sha256::digest(values).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut event = file("callback");
    event["rawPath"] = json!(format!("/callbacks/{order_id}/{token}"));
    event["pathParameters"] = json!({ "orderId": order_id, "token": token });
    event["rawQueryString"] = json!(format!(
        "orderUuid={order_uuid}&status=INVOICED&paymentMethod=Invoice&amount={amount}&createdAt=1755764131&timestamp=1755764131&checksum={checksum}"
    ));
    Event { json: event.to_string(), expected: 200 }
}

/// An event of the table's stream that names an order.
pub fn changed(order_id: &str) -> Event {
    let record = json!({ "dynamodb": { "Keys": { "orderId": { "S": order_id } } } });
    Event { json: json!({ "Records": [record] }).to_string(), expected: 0 }
}

/// The event of the schedule.
pub fn sweep() -> Event {
    Event { json: "{}".to_owned(), expected: 0 }
}

/// A new stored order like this one, with this many history entries.
pub fn another(item: &Item, entries: usize) -> Item {
    let mut item = item.clone();
    item.insert("orderId".to_owned(), json!({"S": Uuid::new_v4()}));
    let history = item["history"]["L"].as_array_mut().unwrap();
    while history.len() < entries {
        let id = Uuid::new_v4().simple().to_string();
        history.push(json!({"M": {"status": {"S": "SENT"}, "at": {"S": "2026-01-01T12:00:00.123456789Z"},
            "source": {"S": "callback"}, "id": {"S": id}}}));
    }
    item
}
