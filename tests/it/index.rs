//! The indexes over the orders, in the embedded store and in DynamoDB.

use std::sync::Arc;

use front_payment_bridge::order::{
    AskQueue, AttemptEnd, Decimal, Status, StatusCallback, StatusRead, StatusWord, StoredOrder, SubmitReply,
};
use front_payment_bridge::store::{IndexEntry, IndexQuery, OrderIndex, OrderStore, Partition};
use jiff::Timestamp;
use local::store::EmbeddedStore;
use serde_json::json;
use uuid::Uuid;

use crate::support::moto::Moto;

/// 2026-06-15T00:00:00Z, when every order is claimed.
const CLAIMED: i64 = 1_781_481_600;
const DAY: i64 = 86_400;
const TELL: Uuid = Uuid::from_u128(11);
const TELL_A: Partition<'_> = Partition::Tell { shop_id: "shop-a" };
const SHOP_A: Partition<'_> = Partition::Shop { shop_id: "shop-a" };
const ASK: Partition<'_> = Partition::Ask(AskQueue::Ask);
const CHECK: Partition<'_> = Partition::Ask(AskQueue::Check);
const SETTLE: Partition<'_> = Partition::Ask(AskQueue::Settle);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(CLAIMED + second).unwrap()
}

fn derived(mut order: StoredOrder) -> StoredOrder {
    order.derive(None);
    order
}

fn claimed() -> StoredOrder {
    let claim = serde_json::from_value(json!({
        "orderId": Uuid::new_v4(), "version": 1, "status": "SUBMITTING", "attempt": Uuid::new_v4(), "attemptedAt": at(0),
        "shopId": "shop-a", "callbackToken": "token", "grandTotal": "40", "shopCallbackUrl": "https://shop.example/",
        "customerType": "private", "preferredLanguage": "no", "country": "NO", "createdAt": at(0), "updatedAt": at(0),
        "history": [],
    }));
    derived(claim.unwrap())
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

/// Everything in a partition, page by page, and the number of pages.
async fn all(store: &impl OrderIndex, mut query: IndexQuery<'_>) -> (Vec<IndexEntry>, usize) {
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let page = store.list(&query).await.unwrap();
        assert!(page.items.len() <= usize::from(query.limit));
        all.extend(page.items);
        (query.after, pages) = (page.next, pages + 1);
        if query.after.is_none() {
            return (all, pages);
        }
        assert!(pages < 1_000, "there is no end");
    }
}

/// When the order is due for a notification, and in which queue and when for a status read, in seconds after the claim.
async fn places(store: &impl OrderIndex, order: &StoredOrder) -> (Option<i64>, Option<(AskQueue, i64)>) {
    let find = async |partition| {
        let (entries, _) = all(store, IndexQuery::until(partition, i64::MAX, 100)).await;
        entries.into_iter().find(|entry| entry.order_id == order.order_id)
    };
    let tell = find(TELL_A).await.inspect(|entry| assert_eq!(entry.status, None));
    let mut ask = Vec::new();
    for queue in [AskQueue::Ask, AskQueue::Check, AskQueue::Settle] {
        let entry = find(Partition::Ask(queue)).await.inspect(|entry| assert_eq!(entry.status, Some(order.status)));
        ask.extend(entry.map(|entry| (queue, entry.at - CLAIMED)));
    }
    assert!(ask.len() <= 1, "in one queue at most: {ask:?}");
    let changed = find(SHOP_A).await.expect("every order is in its shop's list");
    assert_eq!(changed.at, order.updated_at.as_millisecond());
    (tell.map(|entry| entry.at - CLAIMED), ask.pop())
}

async fn keeps_the_indexes<S: OrderIndex>(store: &S) {
    // Every write moves an order to its new places in the indexes. It leaves them when nothing is to be done.
    let order = claimed();
    store.create(&order).await.unwrap();
    assert_eq!(places(store, &order).await, (None, Some((AskQueue::Settle, 60))));
    assert_eq!(all(store, IndexQuery::until(SETTLE, CLAIMED + 59, 10)).await.0, []);
    let entry = IndexEntry { order_id: order.order_id, at: CLAIMED + 60, status: Some(Status::Submitting) };
    assert_eq!(all(store, IndexQuery::until(SETTLE, CLAIMED + 60, 10)).await.0, [entry]);

    let step = async |current: &StoredOrder, next: Box<StoredOrder>, expected| {
        let next = derived(*next);
        store.replace(current, &next).await.unwrap();
        assert_eq!(places(store, &next).await, expected, "{}", next.status.name());
        assert!(store.load(next.order_id).await.unwrap().unwrap() == next);
        next
    };
    let check = |second| Some((AskQueue::Check, second));
    let order = step(&order, Box::new(hear(&order, "INVOICED", 10)), (Some(10), check(10 + DAY))).await;
    let order = step(&order, order.begin_notification(TELL, at(11)).unwrap(), (Some(71), check(10 + DAY))).await;
    let told = order.end_notification(TELL, AttemptEnd::Delivered, at(12), 0).unwrap();
    let order = step(&order, told, (None, check(10 + DAY))).await;
    let order = step(&order, order.begin_status_read(at(10 + DAY)).unwrap(), (None, check(10 + 2 * DAY))).await;
    let refunded = Box::new(hear(&order, "REFUNDED", 90_000));
    let order = step(&order, refunded, (Some(90_000), Some((AskQueue::Ask, 90_000)))).await;
    let refunded_amount = Decimal::parse("40").ok();
    let read = StatusRead { word: StatusWord::Known(Status::Refunded), order_amount: None, refunded_amount };
    let order = step(&order, order.apply_status_read(&read, at(90_000)), (Some(90_000), None)).await;
    let order = step(&order, order.skip_notification(at(90_000)).unwrap(), (None, None)).await;
    let order = step(&order, order.repeat_notification(at(100_000)).unwrap(), (Some(100_000), None)).await;

    // A refused write changes nothing in the indexes.
    let stale = StoredOrder { version: 1, ..order.clone() };
    let next = derived(*stale.skip_notification(at(100_000)).unwrap());
    assert!(store.replace(&stale, &next).await.is_err());
    assert_eq!(places(store, &order).await, (Some(100_000), None));

    // An order that was not created leaves the queue.
    let claim = claimed();
    store.create(&claim).await.unwrap();
    let failed = derived(*claim.record_result(claim.attempt, &SubmitReply::Failed, at(5)).unwrap());
    store.replace(&claim, &failed).await.unwrap();
    assert_eq!(places(store, &failed).await, (None, None));
}

async fn pages_in_order<S: OrderIndex + 'static>(store: Arc<S>, count: i64) {
    // Written in another sequence than they are due. Two are due in the same second.
    let numbers = (0..count).map(|number| at((number * 7) % count / 2));
    let unknown = |attempted_at| StoredOrder { status: Status::Unknown, attempted_at, ..claimed() };
    let orders: Vec<StoredOrder> = numbers.map(|attempted_at| derived(unknown(attempted_at))).collect();
    for chunk in orders.chunks(100) {
        let mut writes = tokio::task::JoinSet::new();
        for order in chunk {
            let (store, order) = (store.clone(), order.clone());
            writes.spawn(async move { store.create(&order).await.is_ok() });
        }
        assert!(writes.join_all().await.into_iter().all(|is_written| is_written));
    }
    let sorted = |mut ids: Vec<Uuid>| {
        ids.sort_unstable();
        ids
    };
    let expected = sorted(orders.iter().map(|order| order.order_id).collect());

    let query = IndexQuery::until(SETTLE, CLAIMED + 60 + count, 40);
    let (ascending, pages) = all(&*store, query.clone()).await;
    assert!(pages > 1, "{pages}");
    assert!(ascending.is_sorted_by_key(|entry| entry.at), "the earliest first");
    assert!(sorted(ascending.iter().map(|entry| entry.order_id).collect()) == expected, "each once");
    let (descending, _) = all(&*store, IndexQuery { is_descending: true, ..query.clone() }).await;
    assert!(descending.is_sorted_by_key(|entry| -entry.at), "the latest first");
    assert!(sorted(descending.iter().map(|entry| entry.order_id).collect()) == expected, "each once");
    assert_eq!(
        (
            all(&*store, IndexQuery { partition: ASK, ..query.clone() }).await.0,
            all(&*store, IndexQuery { partition: CHECK, ..query.clone() }).await.0
        ),
        (vec![], vec![])
    );

    // The lower bound is exclusive, the upper one inclusive.
    let (lower, upper) = (CLAIMED + 60 + count / 8, CLAIMED + 60 + count / 4);
    let (between, _) = all(&*store, IndexQuery { later_than: Some(lower), until: upper, ..query.clone() }).await;
    let within = |entry: &&IndexEntry| entry.at > lower && entry.at <= upper;
    assert_eq!(between.len(), ascending.iter().filter(within).count());
    assert!(between.iter().all(|entry| within(&entry)) && !between.is_empty());
    assert_eq!(all(&*store, IndexQuery { later_than: Some(upper), until: upper, ..query }).await.0, []);

    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = store.all_ids(after).await.unwrap();
        let Some(last) = page.last().copied() else { break };
        ids.extend(page);
        after = Some(last);
    }
    assert!(sorted(ids) == expected, "every order once");
}

#[tokio::test]
async fn the_embedded_store_keeps_the_indexes() {
    keeps_the_indexes(&EmbeddedStore::in_memory().unwrap()).await;
}

#[tokio::test]
async fn dynamodb_keeps_the_indexes() {
    let moto = Moto::start();
    keeps_the_indexes(&moto.store("index").await).await;
}

#[tokio::test]
async fn the_embedded_store_reads_an_index_page_by_page() {
    pages_in_order(Arc::new(EmbeddedStore::in_memory().unwrap()), 2_500).await;
}

#[tokio::test]
async fn dynamodb_reads_an_index_page_by_page() {
    let moto = Moto::start();
    pages_in_order(Arc::new(moto.store("index").await), 200).await;
}

#[tokio::test]
async fn the_embedded_store_has_its_indexes_again_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.redb");
    let order = derived(hear(&claimed(), "INVOICED", 10));
    EmbeddedStore::open(&file).unwrap().create(&order).await.unwrap();
    let store = EmbeddedStore::open(&file).unwrap();
    assert_eq!(places(&store, &order).await, (Some(10), Some((AskQueue::Check, 10 + DAY))));
}
