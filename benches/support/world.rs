//! The services with a stored order.

use super::events::{self, Event, Item};
use super::function::Function;
use super::neighbours::Neighbours;
use super::program::Program;

/// The neighbours, and a stored order that others are made like.
pub struct World {
    pub neighbours: Neighbours,
    pub stored: Item,
}

impl World {
    /// Has `orders` store an order.
    pub async fn new(neighbours: Neighbours, orders: &Program) -> Self {
        let mut function = Function::start(orders, &neighbours, None).await;
        let (_, reply) = function.ask(events::order()).await;
        let reply: serde_json::Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
        let stored = neighbours.items.get(reply["orderId"].as_str().unwrap());
        Self { neighbours, stored }
    }

    /// A callback about an order that has had none.
    pub fn callback(&self) -> Event {
        events::callback(&self.store(1))
    }

    /// A read of an order without callbacks.
    pub fn read(&self) -> Event {
        events::read(self.store(1)["orderId"]["S"].as_str().unwrap())
    }

    /// A new stored order, with so many entries in its history.
    pub fn store(&self, entries: usize) -> Item {
        let item = events::another(&self.stored, entries);
        self.neighbours.items.put(item.clone());
        item
    }
}
