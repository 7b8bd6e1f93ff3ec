//! The index over what is to be done. The embedded store and DynamoDB both keep it.

use std::sync::Arc;

use front_payment_bridge::order::{AttemptEnd, Decimal, Queue, Status, StatusCallback, StatusWord, StoredOrder};
use front_payment_bridge::store::{Cursor, DueOrder, OrderQueue, OrderStore};
use jiff::{SignedDuration, Timestamp};
use local::store::EmbeddedStore;
use serde_json::json;
use uuid::Uuid;

use crate::support::moto::Moto;
use crate::support::queue::store_with_index;

/// 2026-06-15T00:00:00Z, when every order is claimed.
const CLAIMED: i64 = 1_781_481_600;
const TELL: Uuid = Uuid::from_u128(11);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(CLAIMED + second).unwrap()
}

fn claimed() -> StoredOrder {
    serde_json::from_value(json!({
        "orderId": Uuid::new_v4(), "version": 1, "status": "SUBMITTING", "attempt": Uuid::new_v4(), "attemptedAt": at(0),
        "shopId": "shop-a", "callbackToken": "token", "grandTotal": "40", "shopCallbackUrl": "https://shop.example/",
        "customerType": "private", "preferredLanguage": "no", "country": "NO", "createdAt": at(0), "updatedAt": at(0),
        "history": [],
    }))
    .unwrap()
}

/// An order that is UNKNOWN since this second.
fn unknown(second: i64) -> StoredOrder {
    StoredOrder { status: Status::Unknown, attempted_at: at(second), ..claimed() }
}

fn hear(order: &StoredOrder, word: &str, second: i64) -> StoredOrder {
    let callback = StatusCallback {
        order_uuid: "ODR1".to_owned(),
        word: StatusWord::read(word),
        amount: Decimal::parse("40").unwrap(),
        payment_method: "Invoice".to_owned(),
        id: format!("{word} {second}"),
    };
    *order.apply_callback(&callback, at(second)).unwrap()
}

/// Everything in a queue that is due by a second, page by page.
async fn due(store: &impl OrderQueue, queue: Queue, second: i64) -> (Vec<DueOrder>, usize) {
    let (mut all, mut pages, mut after): (_, _, Option<Cursor>) = (Vec::new(), 0, None);
    loop {
        let page = store.due(queue, CLAIMED + second, after).await.unwrap();
        all.extend(page.items);
        (after, pages) = (page.next, pages + 1);
        if after.is_none() {
            return (all, pages);
        }
        assert!(pages < 1_000, "there is no end");
    }
}

/// The place of an order: queue, and seconds after the claim.
async fn place(store: &impl OrderQueue, order: &StoredOrder) -> Option<(Queue, i64)> {
    let mut places = Vec::new();
    for queue in [Queue::Due, Queue::Settle] {
        let (entries, _) = due(store, queue, 1_000_000_000).await;
        places.extend(entries.into_iter().filter(|entry| entry.order_id == order.order_id).map(|entry| (queue, entry)));
    }
    assert!(places.len() <= 1, "in one queue at most: {places:?}");
    let (queue, entry) = places.pop()?;
    assert_eq!((entry.shop_id.as_str(), entry.status), (order.shop_id.as_str(), order.status));
    Some((queue, entry.due_at - CLAIMED))
}

async fn keeps_the_index<S: OrderQueue>(store: &S) {
    // An order moves through the index with every write, and leaves it when nothing is to be done.
    let mut order = claimed();
    store.create(&order).await.unwrap();
    assert_eq!(place(store, &order).await, Some((Queue::Settle, 60)));
    assert_eq!(due(store, Queue::Settle, 59).await.0, []);
    let entry =
        DueOrder { order_id: order.order_id, status: Status::Submitting, shop_id: "shop-a".to_owned(), due_at: CLAIMED + 60 };
    assert_eq!(due(store, Queue::Settle, 60).await.0, [entry]);

    let change = async |order: &mut StoredOrder, next: StoredOrder, expected: Option<(Queue, i64)>| {
        store.replace(order, &next).await.unwrap();
        assert_eq!(place(store, &next).await, expected, "{}", next.status.name());
        *order = store.load(next.order_id).await.unwrap().unwrap();
        assert_eq!((order.queue, order.due_at), expected.map(|(queue, second)| (queue, CLAIMED + second)).unzip());
    };
    let next = hear(&order, "INVOICED", 10);
    change(&mut order, next, Some((Queue::Due, 10))).await;
    let next = *order.begin_notification(TELL, at(11)).unwrap();
    change(&mut order, next, Some((Queue::Due, 71))).await;
    let next = *order.end_notification(TELL, AttemptEnd::Delivered, at(12), 0).unwrap();
    change(&mut order, next, Some((Queue::Due, 10 + 86_400))).await;
    let next = *order.begin_reading(at(86_410)).unwrap();
    change(&mut order, next, Some((Queue::Due, 10 + 2 * 86_400))).await;
    let next = hear(&order, "REFUNDED", 90_000);
    change(&mut order, next, Some((Queue::Due, 90_000))).await;
    let next = *order.begin_notification(TELL, at(90_001)).unwrap();
    change(&mut order, next, Some((Queue::Due, 90_061))).await;
    let next = *order.end_notification(TELL, AttemptEnd::Delivered, at(90_002), 0).unwrap();
    change(&mut order, next, None).await;
    assert_eq!(
        (due(store, Queue::Due, 1_000_000_000).await.0, due(store, Queue::Settle, 1_000_000_000).await.0),
        (vec![], vec![])
    );
    let next = *order.repeat_notification(at(100_000)).unwrap();
    change(&mut order, next, Some((Queue::Due, 100_000))).await;
    let next = *order.skip_notification().unwrap();
    change(&mut order, next, None).await;

    // A refused write changes nothing in the index.
    let stale = StoredOrder { version: 1, ..order.clone() };
    let next = StoredOrder { version: 2, status: Status::Sent, ..order.clone() };
    assert!(store.replace(&stale, &next).await.is_err());
    assert!(store.create(&unknown(0)).await.is_ok());
    assert_eq!(place(store, &order).await, None);

    // Nobody sets a place by hand.
    let by_hand = StoredOrder { queue: Some(Queue::Settle), due_at: Some(7), ..hear(&claimed(), "SENT", 20) };
    store.create(&by_hand).await.unwrap();
    assert_eq!(place(store, &by_hand).await, Some((Queue::Due, 20)));
}

async fn pages_in_order<S: OrderQueue + 'static>(store: Arc<S>, count: i64, padding: usize) {
    // Written in another order than they are due; two are due in the same second.
    let mut orders: Vec<StoredOrder> = (0..count).map(|number| unknown((number * 7) % count / 2)).collect();
    for order in &mut orders {
        order.details.reference_no = Some("r".repeat(padding));
    }
    for chunk in orders.chunks(100) {
        let mut writes = tokio::task::JoinSet::new();
        for order in chunk {
            let (store, order) = (store.clone(), order.clone());
            writes.spawn(async move { store.create(&order).await.is_ok() });
        }
        assert!(writes.join_all().await.into_iter().all(|is_written| is_written));
    }

    let (all, pages) = due(&*store, Queue::Settle, 60 + count).await;
    assert!(pages > 1, "{pages}");
    assert!(all.is_sorted_by_key(|entry| entry.due_at), "the earliest first");
    let sorted = |mut ids: Vec<Uuid>| {
        ids.sort_unstable();
        ids
    };
    let expected = sorted(orders.iter().map(|order| order.order_id).collect());
    assert!(sorted(all.iter().map(|entry| entry.order_id).collect()) == expected, "each once");
    assert_eq!(due(&*store, Queue::Due, 1_000_000_000).await.0, []);

    // By the bound, inclusive.
    let half = count / 4;
    let (early, _) = due(&*store, Queue::Settle, 60 + half).await;
    assert!(early.iter().all(|entry| entry.due_at <= CLAIMED + 60 + half), "nothing that is due later");
    assert_eq!(early.len(), all.iter().filter(|entry| entry.due_at <= CLAIMED + 60 + half).count());

    let (mut ids, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let page = store.all_ids(after).await.unwrap();
        ids.extend(page.items);
        (after, pages) = (page.next, pages + 1);
        if after.is_none() {
            break;
        }
    }
    assert!(pages > 1 && sorted(ids) == expected, "every order once, over {pages} pages");
}

#[tokio::test]
async fn the_embedded_store_keeps_the_index() {
    let store = EmbeddedStore::in_memory().unwrap();
    assert_eq!(due(&store, Queue::Due, i64::MAX - CLAIMED).await, (vec![], 1));
    keeps_the_index(&store).await;
}

#[tokio::test]
async fn dynamodb_keeps_the_index() {
    let moto = Moto::start();
    keeps_the_index(&store_with_index(&moto, "index", None).await).await;
}

#[tokio::test]
async fn the_embedded_store_reads_the_index_page_by_page() {
    pages_in_order(Arc::new(EmbeddedStore::in_memory().unwrap()), 2_500, 1).await;
}

#[tokio::test]
async fn dynamodb_reads_the_index_page_by_page() {
    let moto = Moto::start();
    // A page of DynamoDB has a megabyte.
    pages_in_order(Arc::new(store_with_index(&moto, "index", None).await), 60, 40_000).await;
}

#[tokio::test]
async fn the_embedded_store_has_its_index_again_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.redb");
    let order = hear(&claimed(), "INVOICED", 10);
    {
        let store = EmbeddedStore::open(&file).unwrap();
        store.create(&order).await.unwrap();
    }
    let store = EmbeddedStore::open(&file).unwrap();
    assert_eq!(place(&store, &order).await, Some((Queue::Due, 10)));
}

/// A change of an order.
type Step = dyn Fn(&StoredOrder) -> Option<Box<StoredOrder>>;

#[tokio::test]
async fn telling_and_asking_do_not_move_the_end_of_the_retention() {
    let moto = Moto::start();
    let store = store_with_index(&moto, "index", Some(SignedDuration::from_hours(90 * 24))).await;
    let order = hear(&claimed(), "INVOICED", 10);
    store.create(&order).await.unwrap();
    let load = async || store.load(order.order_id).await.unwrap().unwrap();
    let ends = Some(CLAIMED + 10 + 7_776_000);
    assert_eq!(load().await.expires_at, ends);
    let steps: [&Step; 5] = [
        &|order| order.begin_notification(TELL, at(500)),
        &|order| order.end_notification(TELL, AttemptEnd::Delivered, at(501), 0),
        &|order| order.repeat_notification(at(600)),
        &|order| order.skip_notification(),
        &|order| order.begin_reading(at(100_000)),
    ];
    for step in steps {
        let stored = load().await;
        let next = step(&stored).unwrap();
        store.replace(&stored, &next).await.unwrap();
        assert_eq!((load().await.expires_at, load().await.updated_at), (ends, at(10)));
    }
    let heard = hear(&load().await, "PAID", 200_000);
    store.replace(&load().await, &heard).await.unwrap();
    assert_eq!(load().await.expires_at, Some(CLAIMED + 200_000 + 7_776_000));
}
