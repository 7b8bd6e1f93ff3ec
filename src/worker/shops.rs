//! In which order due orders are worked off: by turns of the shops, of each shop the earliest first.

use std::collections::{BTreeMap, VecDeque};

use crate::store::DueOrder;

/// Orders of one shop that are worked on at once: as many as calls to one host.
const MAX_RUNNING: usize = 4;

#[derive(Debug, Default)]
pub(super) struct ShopQueues(BTreeMap<String, ShopQueue>);

#[derive(Debug, Default)]
struct ShopQueue {
    /// Earliest due first.
    due: VecDeque<DueOrder>,
    running: usize,
}

impl ShopQueues {
    /// Adds an order that is due not before those that were added earlier.
    pub(super) fn push(&mut self, order: DueOrder) {
        self.0.entry(order.shop_id.clone()).or_default().due.push_back(order);
    }

    /// The earliest order of the shop that is worked on least. It counts as running until [`Self::done`].
    pub(super) fn next(&mut self) -> Option<DueOrder> {
        let idle = self.0.values_mut().filter(|shop| shop.running < MAX_RUNNING && !shop.due.is_empty());
        let shop = idle.min_by_key(|shop| (shop.running, shop.due.front().map(|order| order.due_at)))?;
        shop.running += 1;
        shop.due.pop_front()
    }

    pub(super) fn done(&mut self, shop_id: &str) {
        if let Some(shop) = self.0.get_mut(shop_id) {
            shop.running = shop.running.saturating_sub(1);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(|shop| shop.due.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Status;

    fn due(shop_id: &str, due_at: i64) -> DueOrder {
        DueOrder { order_id: uuid::Uuid::new_v4(), status: Status::Sent, shop_id: shop_id.to_owned(), due_at }
    }

    #[test]
    fn shops_take_turns_and_of_each_the_earliest_comes_first() {
        let mut queues = ShopQueues::default();
        (0..20).for_each(|second| queues.push(due("busy", second)));
        queues.push(due("other", 100));
        queues.push(due("other", 101));
        let first: Vec<_> = (0..6).map(|_| queues.next().unwrap()).map(|order| (order.shop_id, order.due_at)).collect();
        let expected = [("busy", 0), ("other", 100), ("busy", 1), ("other", 101), ("busy", 2), ("busy", 3)];
        assert_eq!(first, expected.map(|(shop_id, due_at)| (shop_id.to_owned(), due_at)));
        assert_eq!(queues.next(), None, "a shop has four at once");
        queues.done("busy");
        assert_eq!(queues.next().unwrap().due_at, 4);
        assert_eq!(queues.len(), 15);
    }
}
