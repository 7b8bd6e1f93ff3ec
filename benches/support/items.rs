//! The part of DynamoDB that the programs use: one table, three operations on an item, its indexes, and only those
//! expressions that are in `src/store/dynamodb.rs` and `benches/straightforward`.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use super::wire::Reply;

type Item = Map<String, Value>;

/// The items by their `orderId`, in DynamoDB's own JSON.
#[derive(Default)]
pub struct Items {
    items: Mutex<HashMap<String, Item>>,
    /// The ids that the next query of the index `ask` finds.
    due: Mutex<Vec<String>>,
}

impl Items {
    /// The item, which must exist.
    pub fn get(&self, order_id: &str) -> Item {
        self.items.lock().unwrap()[order_id].clone()
    }

    /// Stores an item directly, not over the network.
    pub fn put(&self, item: Item) {
        let order_id = text(&item["orderId"]["S"]);
        self.items.lock().unwrap().insert(order_id, item);
    }

    /// Makes the next query of the index find this order.
    pub fn is_due(&self, order_id: &str) {
        self.due.lock().unwrap().push(order_id.to_owned());
    }

    /// Answers one operation.
    pub fn answer(&self, operation: &str, body: &[u8]) -> Reply {
        let request: Value = serde_json::from_slice(body).unwrap();
        let mut items = self.items.lock().unwrap();
        let reply = match operation {
            "PutItem" => {
                let item = request["Item"].as_object().unwrap().clone();
                let order_id = text(&item["orderId"]["S"]);
                if is_refused(items.get(&order_id), &request) {
                    return refusal();
                }
                items.insert(order_id, item);
                json!({})
            }
            "Query" => {
                let is_asked = value(&request, ":of")["S"] == "ask" && request["ScanIndexForward"] != false;
                let due = if is_asked { std::mem::take(&mut *self.due.lock().unwrap()) } else { Vec::new() };
                let found: Vec<Item> = due.iter().map(|order_id| entry(&items[order_id])).collect();
                json!({ "Items": found })
            }
            "GetItem" => items.get(&key(&request)).map_or(json!({}), |item| json!({ "Item": item })),
            "UpdateItem" => {
                if is_refused(items.get(&key(&request)), &request) {
                    return refusal();
                }
                update(items.get_mut(&key(&request)).unwrap(), &request);
                json!({})
            }
            other => panic!("an operation that nothing here is known to use: {other}"),
        };
        Reply::new(200, reply.to_string()).with("content-type", "application/x-amz-json-1.0")
    }
}

/// The order's entry in the index.
fn entry(item: &Item) -> Item {
    let of_index = |(name, _): &(&String, &Value)| ["orderId", "status", "shopId", "askQueue", "askAt"].contains(&name.as_str());
    item.iter().filter(of_index).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn refusal() -> Reply {
    let body = json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "refused"});
    Reply::new(400, body.to_string()).with("content-type", "application/x-amz-json-1.0")
}

fn is_refused(item: Option<&Item>, request: &Value) -> bool {
    match request["ConditionExpression"].as_str() {
        None => false,
        Some("attribute_not_exists(orderId)") => item.is_some(),
        Some("version = :current") => item.and_then(|item| item.get("version")) != Some(value(request, ":current")),
        Some(other) => panic!("a condition that nothing here is known to use: {other}"),
    }
}

/// Executes an expression like `SET a = :a, b = list_append(b, :c) REMOVE d`.
fn update(item: &mut Item, request: &Value) {
    let expression = request["UpdateExpression"].as_str().unwrap();
    let (set, remove) = expression.split_once("REMOVE ").unwrap_or((expression, ""));
    let set = set.trim().trim_start_matches("SET ").replace("list_append(history, ", "list_append(");
    for part in set.split(", ").filter(|part| !part.is_empty()) {
        let (name, operand) = part.split_once(" = ").unwrap();
        let name = resolve(request, name);
        match operand.strip_prefix("list_append(").and_then(|operand| operand.strip_suffix(')')) {
            None => {
                item.insert(name, value(request, operand).clone());
            }
            Some(added) => {
                let added = value(request, added)["L"].as_array().unwrap().clone();
                item.get_mut(&name).unwrap()["L"].as_array_mut().unwrap().extend(added);
            }
        }
    }
    for name in remove.split(", ").filter(|part| !part.is_empty()) {
        item.remove(&resolve(request, name.trim()));
    }
}

fn resolve(request: &Value, name: &str) -> String {
    let name = name.trim();
    if name.starts_with('#') { text(&request["ExpressionAttributeNames"][name]) } else { name.to_owned() }
}

fn value<'r>(request: &'r Value, name: &str) -> &'r Value {
    &request["ExpressionAttributeValues"][name.trim()]
}

fn key(request: &Value) -> String {
    text(&request["Key"]["orderId"]["S"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
