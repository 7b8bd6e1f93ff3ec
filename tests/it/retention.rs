//! After the end of its retention period, an order's key is a new key, and late callbacks do not reach the next order.

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge::order::SubmitReply;
use serde_json::json;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::support::documents::{example, example_of};
use crate::support::scripted::{failed, invoiced, sent};
use crate::support::test_bridge::{NOW, TestBridge, query};

/// An INVOICED order with the uuid ODR1 and 40 kroner, 100 seconds before the end of its retention period; its id and its
/// callback token.
async fn expiring_order() -> (TestBridge, String, String) {
    let bridge = TestBridge::keeping_orders_for(100).await;
    let (order_id, token) = bridge.place(invoiced("ODR1")).await;
    assert_eq!(bridge.stored(&order_id).await.expires_at, Some(NOW + 100));
    (bridge, order_id, token)
}

/// DynamoDB may take days to delete an order past its retention period.
fn delete_if(is_deleted: bool, bridge: &TestBridge, order_id: &str) {
    if is_deleted {
        bridge.store().delete(Uuid::parse_str(order_id).unwrap());
    }
}

#[tokio::test]
async fn the_key_of_an_order_past_its_retention_is_a_new_key() {
    for is_deleted in [false, true] {
        let (bridge, order_id, token) = expiring_order().await;
        bridge.pass(99);
        assert!(bridge.post(&example(), Some("key-1")).await.is_replay());
        bridge.pass(1);
        delete_if(is_deleted, &bridge, &order_id);
        bridge.provider().will_reply(sent("ODR2"));
        let fresh = bridge.post(&example_of("50"), Some("key-1")).await;
        assert_eq!((fresh.status, fresh.is_replay(), fresh.order_id()), (201, false, order_id.clone()));
        let shown = bridge.get(&order_id, "key-a").await.body;
        assert_eq!((&shown["orderUuid"], &shown["createdAt"]), (&json!("ODR2"), &json!("2026-06-15T00:01:40.000Z")));
        assert_eq!(shown["history"].as_array().unwrap().len(), 1, "nothing is left of the old order");
        assert_ne!(bridge.stored(&order_id).await.callback_token, token);
    }
}

#[tokio::test]
async fn a_late_callback_of_an_order_past_its_retention_gets_404_when_its_key_has_a_new_order() {
    for is_deleted in [false, true] {
        let (bridge, order_id, token) = expiring_order().await;
        bridge.pass(100);
        delete_if(is_deleted, &bridge, &order_id);
        bridge.provider().will_reply(sent("ODR2"));
        assert_eq!(bridge.post(&example(), Some("key-1")).await.status, 201);
        for query in [query("ODR1", "REFUNDED", "40"), query("ODR2", "REFUNDED", "40"), String::new()] {
            assert_eq!(bridge.callback(&order_id, &token, &query).await.status, 404, "deleted: {is_deleted}");
        }
        let stored = bridge.stored(&order_id).await;
        assert_eq!((stored.status.name(), stored.order_uuid.as_deref(), stored.history.len()), ("SENT", Some("ODR2"), 1));
        assert_eq!(bridge.provider().status_call_count(), 0);
    }
}

/// The next order under the key, after some callbacks. Each callback raises its version by one.
struct NextOrder {
    is_deleted: bool,
    reply: fn() -> SubmitReply,
    callbacks: usize,
}

impl NextOrder {
    /// With the old order deleted or not, and the next order failed or accepted. The versions of both come close, so that a
    /// check of the version alone would confuse the two.
    fn all() -> impl Iterator<Item = Self> {
        let replies: [(fn() -> SubmitReply, usize); 4] =
            [(failed, 0), (|| sent("ODR2"), 0), (|| sent("ODR2"), 1), (|| sent("ODR2"), 2)];
        [false, true]
            .into_iter()
            .flat_map(move |is_deleted| replies.map(|(reply, callbacks)| Self { is_deleted, reply, callbacks }))
    }

    async fn place(&self, bridge: &TestBridge, order_id: &str) -> StoredOrder {
        delete_if(self.is_deleted, bridge, order_id);
        bridge.provider().will_reply((self.reply)());
        assert_eq!(bridge.post(&example(), Some("key-1")).await.order_id(), order_id);
        let token = bridge.stored(order_id).await.callback_token;
        for status in ["RESERVED", "INVOICED"].iter().take(self.callbacks) {
            assert_eq!(bridge.callback(order_id, &token, &query("ODR2", status, "40")).await.status, 200);
        }
        bridge.stored(order_id).await
    }
}

#[tokio::test]
async fn a_late_callback_that_has_read_the_old_order_does_not_land_on_the_new_one() {
    for next in NextOrder::all() {
        let (bridge, order_id, token) = expiring_order().await;
        bridge.pass(100);
        let (shop, id) = (bridge.clone(), order_id.clone());
        let (placed, new_order) = oneshot::channel();
        bridge.store().before_replace(move || async move { drop(placed.send(next.place(&shop, &id).await)) });
        let late = bridge.callback(&order_id, &token, &query("ODR1", "REFUNDED", "40")).await;
        assert_eq!((late.status, late.slug()), (404, "not-found"));
        assert!(bridge.stored(&order_id).await == new_order.await.unwrap(), "the new order has not changed");
    }
}

#[tokio::test]
async fn a_status_that_was_read_for_the_old_order_does_not_land_on_the_new_one() {
    for next in NextOrder::all() {
        let (bridge, order_id, token) = expiring_order().await;
        bridge.pass(100);
        let (shop, id) = (bridge.clone(), order_id.clone());
        let (placed, new_order) = oneshot::channel();
        bridge.provider().meanwhile(move |_| async move { drop(placed.send(next.place(&shop, &id).await)) });
        bridge.provider().will_tell(Ok("REFUNDED"));
        assert_eq!(bridge.callback(&order_id, &token, "").await.status, 404);
        assert!(bridge.stored(&order_id).await == new_order.await.unwrap(), "the new order has not changed");
    }
}

#[tokio::test]
async fn a_callback_for_a_deleted_order_gets_404() {
    let (bridge, order_id, token) = expiring_order().await;
    delete_if(true, &bridge, &order_id);
    assert_eq!(bridge.callback(&order_id, &token, &query("ODR1", "PAID", "40")).await.status, 404);
    assert_eq!(bridge.get(&order_id, "key-a").await.status, 404);

    // The order is deleted after the callback has read it.
    let (bridge, order_id, token) = expiring_order().await;
    let (shop, id) = (bridge.clone(), order_id.clone());
    bridge.store().before_replace(move || async move { delete_if(true, &shop, &id) });
    assert_eq!(bridge.callback(&order_id, &token, &query("ODR1", "PAID", "40")).await.status, 404);
}

#[tokio::test]
async fn the_amount_is_verified_again_after_a_conflict() {
    let (bridge, order_id, token) = expiring_order().await;
    let (writer, id) = (bridge.clone(), order_id.clone());
    bridge.store().before_replace(move || async move {
        writer.change_stored(&id, |stored| "41".clone_into(&mut stored.grand_total)).await;
    });
    bridge.provider().will_tell(Ok("CHARGED"));
    assert_eq!(bridge.callback(&order_id, &token, &query("ODR1", "PAID", "40")).await.status, 200);
    assert_eq!((bridge.status(&order_id).await.as_str(), bridge.provider().status_call_count()), ("CHARGED", 1));
    assert_eq!(bridge.stored(&order_id).await.history.len(), 2, "the callback is not noted");
}
