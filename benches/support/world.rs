//! The stubs of the services, with a stored order.

use super::events::{self, Event, Item};
use super::function::Function;
use super::neighbours::Neighbours;
use super::program::Program;
use serde_json::json;

/// The stubs, and a stored order that serves as a model for others.
pub struct World {
    pub neighbours: Neighbours,
    pub stored: Item,
}

impl World {
    /// Stores an order by means of `orders`.
    pub async fn new(neighbours: Neighbours, orders: &Program) -> Self {
        let mut function = Function::start(orders, &neighbours, None).await;
        let (_, reply) = function.ask(events::order()).await;
        let reply: serde_json::Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
        let stored = neighbours.items.get(reply["orderId"].as_str().unwrap());
        Self { neighbours, stored }
    }

    /// A callback about an order that has had none yet.
    pub fn callback(&self) -> Event {
        events::callback(&self.store(1))
    }

    /// A read of an order that has had no callback.
    pub fn read(&self) -> Event {
        events::read(self.store(1)["orderId"]["S"].as_str().unwrap())
    }

    /// An event of the table's stream about an order whose shop was not told its status yet.
    pub fn notification(&self) -> Event {
        let mut item = self.store(1);
        item.insert("status".to_owned(), json!({ "S": "INVOICED" }));
        item.insert("shopCallbackUrl".to_owned(), json!({ "S": format!("{}/status", self.neighbours.shop) }));
        let notifications = item["notifications"]["M"].as_object_mut().unwrap();
        notifications.insert("change".to_owned(), json!({ "N": "2" }));
        notifications.insert("state".to_owned(), json!({ "S": "pending" }));
        notifications.insert("nextAt".to_owned(), notifications["changedAt"].clone());
        self.neighbours.items.put(item.clone());
        events::changed(item["orderId"]["S"].as_str().unwrap())
    }

    /// A sweep with one order of which Front Payment has said nothing for a day, so that its status is read.
    pub fn status_read(&self) -> Event {
        let mut item = self.store(1);
        let a_day_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
        item.insert("updatedAt".to_owned(), json!({ "S": a_day_ago.to_string() }));
        self.neighbours.items.put(item.clone());
        let order_id = item["orderId"]["S"].as_str().unwrap();
        self.neighbours.items.is_due(order_id);
        events::sweep()
    }

    /// Stores a new order with this many history entries.
    pub fn store(&self, entries: usize) -> Item {
        let item = events::another(&self.stored, entries);
        self.neighbours.items.put(item.clone());
        item
    }
}
