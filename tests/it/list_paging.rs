//! No order is missing from the pages, even if orders change meanwhile.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::list::ids;
use crate::support::documents::{example, signed_at};
use crate::support::scripted::sent;
use crate::support::test_bridge::TestBridge;

/// What a shop's program remembers of each order: the latest `updatedAt` and status of the lists.
type Known = HashMap<String, (String, String)>;

/// Lists from `since` to the last page, and calls `between` before each page and after the last. Returns `until`.
async fn copy_since(bridge: &TestBridge, since: &str, copy: &mut Known, mut between: impl AsyncFnMut()) -> String {
    let mut cursor = String::new();
    loop {
        between().await;
        let page = bridge.list(&format!("updatedSince={since}&limit=4{cursor}")).await;
        for (order_id, order) in ids(&page).into_iter().zip(page.body["orders"].as_array().unwrap()) {
            let text = |name: &str| order[name].as_str().unwrap().to_owned();
            copy.insert(order_id, (text("updatedAt"), text("status")));
        }
        if let Some(until) = page.body["until"].as_str() {
            between().await;
            return until.to_owned();
        }
        cursor = format!("&cursor={}", page.body["next"].as_str().unwrap());
    }
}

#[tokio::test]
async fn no_order_is_left_out_while_orders_change_between_the_pages() {
    let bridge = TestBridge::new().await;
    let mut order_ids = Vec::new();
    for number in 0..30 {
        order_ids.push(place(&bridge, number).await);
        // Some have the same millisecond.
        bridge.pass_millis(if number % 3 == 0 { 700 } else { 0 });
    }
    bridge.pass(10);
    let before = order_ids.clone();

    // Between two pages, some listed and some unlisted orders change, and new ones come. What the pages miss has changed
    // after `until`, with which the next list begins.
    let (mut step, mut copy) = (0usize, Known::new());
    let words = ["RESERVED", "INVOICED", "PURRING", "PAID"];
    let mut since = "0".to_owned();
    for (round, word) in words.into_iter().enumerate() {
        let until = copy_since(&bridge, &since, &mut copy, async || {
            for number in [step, step * 7 + 3, 29 - step % 30].map(|number| number % order_ids.len()) {
                call_back(&bridge, &order_ids[number], number, word, step).await;
            }
            if step.is_multiple_of(5) && round < 2 {
                let number = order_ids.len();
                order_ids.push(place(&bridge, number).await);
            }
            bridge.pass_millis(1_300);
            step += 1;
        })
        .await;
        let until_instant: Timestamp = until.parse().unwrap();
        for order_id in before.iter().filter(|order_id| !copy.contains_key(*order_id)) {
            let changed = bridge.stored(order_id).await.updated_at;
            assert!(changed > until_instant, "round {round} left out {order_id}, which changed at {changed}, until {until}");
        }
        since = until;
    }
    assert!(step > 12 && order_ids.len() > 31, "{step} pages, {} orders", order_ids.len());

    // When nothing changes any more, one more list from `until` makes the copy complete.
    bridge.pass(10);
    copy_since(&bridge, &since, &mut copy, async || {}).await;
    assert_eq!(copy.len(), order_ids.len());
    for order_id in &order_ids {
        let shown = bridge.get(order_id, "key-a").await.body;
        let (updated_at, status) = &copy[order_id];
        assert_eq!((&shown["updatedAt"], &shown["status"]), (&updated_at.as_str().into(), &status.as_str().into()), "{order_id}");
    }
}

async fn place(bridge: &TestBridge, number: usize) -> String {
    bridge.provider().will_reply(sent(&format!("ODR{number}")));
    bridge.post(&example(), Some(&format!("key-{number}"))).await.order_id()
}

async fn call_back(bridge: &TestBridge, order_id: &str, number: usize, word: &str, step: usize) {
    let token = bridge.stored(order_id).await.callback_token;
    let timestamp = (1_755_764_131 + step).to_string();
    let query = signed_at(&timestamp, &format!("ODR{number}"), word, "40", "test-secret");
    assert_eq!(bridge.callback(order_id, &token, &query).await.status, 200);
}
