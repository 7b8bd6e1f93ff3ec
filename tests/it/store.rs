//! The promises of a store. The embedded one and DynamoDB both keep them.

use std::sync::Arc;

use front_payment_bridge::order::{
    AttemptResult, CreatedOrder, Decimal, EarlierAttempt, ResultEffect, Status, StatusCallback, StatusWord, StoredOrder,
};
use front_payment_bridge::store::{DynamoDbStore, OrderStore, WriteError};
use jiff::SignedDuration;
use local::store::EmbeddedStore;
use serde_json::json;
use uuid::Uuid;

use crate::support::moto::Moto;

/// A claim of an order of 40 kroner.
fn claimed(order_id: Uuid) -> StoredOrder {
    serde_json::from_value(json!({
        "orderId": order_id, "version": 1, "status": "SUBMITTING", "attempt": Uuid::new_v4(),
        "attemptedAt": "2026-06-15T00:00:00Z", "shopId": "shop-a", "callbackToken": "token", "grandTotal": "40",
        "shopCallbackUrl": "https://shop.example/æ?x=1", "customerType": "private", "preferredLanguage": "no", "country": "NO",
        "createdAt": "2026-06-15T00:00:00Z", "updatedAt": "2026-06-15T00:00:00.123Z", "history": [], "referenceNo": "",
    }))
    .unwrap()
}

/// The next version, with a callback.
fn next(order: &StoredOrder, id: &str, word: &str) -> StoredOrder {
    let callback = StatusCallback {
        order_uuid: "ODR1".to_owned(),
        word: StatusWord::read(word),
        amount: Decimal::parse("40").unwrap(),
        payment_method: "Invoice".to_owned(),
        id: id.to_owned(),
    };
    *order.apply_callback(&callback, "2026-06-15T00:00:09Z".parse().unwrap()).unwrap()
}

/// An order as it is stored: with its place in the index.
fn written(order: &StoredOrder) -> StoredOrder {
    order.placed()
}

fn earlier_attempt(order: &StoredOrder) -> EarlierAttempt {
    EarlierAttempt { attempt: Some(order.attempt), may_exist: 1, details: order.details.clone() }
}

fn conflict(result: Result<(), WriteError>) -> Option<StoredOrder> {
    match result {
        Err(WriteError::Conflict(stored)) => stored.map(|stored| *stored),
        Err(WriteError::Store(error)) => panic!("{error}"),
        Ok(()) => panic!("no conflict"),
    }
}

async fn keeps_its_promises<S: OrderStore + 'static>(store: Arc<S>) {
    // An order that was never written is not stored, and cannot be replaced.
    let first = claimed(Uuid::new_v4());
    assert!(store.load(first.order_id).await.unwrap().is_none());
    assert!(conflict(store.replace(&first, &next(&first, "a", "SENT")).await).is_none());
    assert!(store.load(first.order_id).await.unwrap().is_none(), "a refused write writes nothing");

    // An order that was created is stored with every attribute, and is created only once.
    store.create(&first).await.unwrap();
    assert!(store.load(first.order_id).await.unwrap().unwrap() == written(&first));
    let other = StoredOrder { shop_id: "shop-b".to_owned(), ..first.clone() };
    assert!(conflict(store.create(&other).await).unwrap() == written(&first), "a conflict has the stored order");

    // Attributes are added, changed and removed. The history grows.
    let mut second = next(&first, "a", "SENT");
    second.bank_id_url = Some("https://b.example/".to_owned());
    second.customer_uuid = Some("CSRT1".to_owned());
    second.earlier_attempts = vec![earlier_attempt(&first)];
    store.replace(&first, &second).await.unwrap();
    assert!(store.load(first.order_id).await.unwrap().unwrap() == written(&second));
    let third = next(&second, "b", "PAID");
    assert!(third.bank_id_url.is_none());
    store.replace(&second, &third).await.unwrap();
    let loaded = store.load(first.order_id).await.unwrap().unwrap();
    assert!(loaded == written(&third));
    assert_eq!((loaded.history.len(), loaded.status), (2, Status::Paid));

    // A write over an older version is refused. The conflict has the stored order.
    assert!(conflict(store.replace(&first, &second).await).unwrap() == written(&third));
    assert!(conflict(store.replace(&second, &third).await).unwrap() == written(&third), "also if it is a repetition");

    // Another order may replace one past its retention. Nothing of the old one is left.
    let expired = StoredOrder { expires_at: Some(1), ..next(&claimed(Uuid::new_v4()), "a", "PAID") };
    store.create(&expired).await.unwrap();
    let fresh = StoredOrder { version: 3, ..claimed(expired.order_id) };
    store.replace(&expired, &fresh).await.unwrap();
    assert!(store.load(fresh.order_id).await.unwrap().unwrap() == written(&fresh));

    // Every attribute may change and be added, and be removed again.
    let sparse = claimed(Uuid::new_v4());
    let full = StoredOrder {
        version: 2,
        attempt: Uuid::new_v4(),
        attempted_at: "2026-06-16T00:00:00Z".parse().unwrap(),
        may_exist: false,
        shop_id: "shop-b".to_owned(),
        callback_token: "another".to_owned(),
        customer_uuid: Some("CSRT1".to_owned()),
        bank_id_url: Some("https://b.example/".to_owned()),
        details: serde_json::from_value(json!({
            "fingerprint": "f", "referenceNo": "r", "customerReference": "c", "grandTotal": "41", "shopCallbackUrl": "https://x.example/",
            "customerType": "corporate", "preferredLanguage": "da", "country": "DK",
        }))
        .unwrap(),
        earlier_attempts: vec![earlier_attempt(&sparse)],
        created_at: "2026-06-14T00:00:00Z".parse().unwrap(),
        updated_at: "2026-06-17T00:00:00Z".parse().unwrap(),
        checked_at: Some("2026-06-17T00:00:01Z".parse().unwrap()),
        doubted_at: Some("2026-06-17T00:00:02Z".parse().unwrap()),
        asked_at: Some("2026-06-17T00:00:03Z".parse().unwrap()),
        not_found_at: Some("2026-06-17T00:00:04Z".parse().unwrap()),
        ..next(&sparse, "a", "SENT")
    };
    store.create(&sparse).await.unwrap();
    store.replace(&sparse, &full).await.unwrap();
    assert!(store.load(sparse.order_id).await.unwrap().unwrap() == written(&full));
    let back = StoredOrder { version: 3, ..sparse.clone() };
    store.replace(&full, &back).await.unwrap();
    assert!(store.load(sparse.order_id).await.unwrap().unwrap() == written(&back));

    // Other orders are not touched.
    let untouched = claimed(Uuid::new_v4());
    store.create(&untouched).await.unwrap();
    store.replace(&third, &next(&third, "c", "REFUNDED")).await.unwrap();
    assert!(store.load(untouched.order_id).await.unwrap().unwrap() == written(&untouched));

    // Of many writes at once, one succeeds.
    let contested = claimed(Uuid::new_v4());
    assert_eq!(
        winners(20, |_| {
            let (store, order) = (store.clone(), contested.clone());
            async move { store.create(&order).await }
        })
        .await,
        1
    );
    let won = winners(20, |index| {
        let (store, current) = (store.clone(), contested.clone());
        async move { store.replace(&current, &next(&current, &index.to_string(), "PAID")).await }
    });
    assert_eq!(won.await, 1);
    assert_eq!(store.load(contested.order_id).await.unwrap().unwrap().history.len(), 1);

    // An order with a thousand entries in its history may still change.
    let mut long = claimed(Uuid::new_v4());
    store.create(&long).await.unwrap();
    let start = long.clone();
    for index in 0..1_000 {
        long = next(&long, &format!("{index:032}"), "a status word that is exactly forty long");
    }
    store.replace(&start, &long).await.unwrap();
    let paid = next(&long, "last", "PAID");
    store.replace(&long, &paid).await.unwrap();
    assert!(store.load(long.order_id).await.unwrap().unwrap() == written(&paid));

    // The largest possible order may still get the result of its latest attempt.
    let full = largest();
    store.create(&full).await.unwrap();
    let created = CreatedOrder {
        order_uuid: "O".repeat(64),
        customer_uuid: Some("C".repeat(64)),
        bank_id_url: Some(format!("https://{}", "b".repeat(8_184))),
        has_unusable_link: false,
        status: Status::Sent,
    };
    let ResultEffect::Write(Some(sent)) = full.record_result(full.attempt, &AttemptResult::Created(created), full.updated_at)
    else {
        panic!()
    };
    store.replace(&full, &sent).await.unwrap();
    assert!(store.load(full.order_id).await.unwrap().unwrap() == written(&sent));
}

/// An order after a hundred attempts with the longest texts, and with a full history of the longest entries.
fn largest() -> StoredOrder {
    let order_id = Uuid::new_v4();
    let mut full = claimed(order_id);
    for total in 0..100 {
        let mut next = claimed(order_id);
        next.details.grand_total = format!("{total}.{}", "0".repeat(2_040));
        next.details.fingerprint = Some(format!("{total:064}"));
        next.details.reference_no = Some("r".repeat(2_048));
        next.details.customer_reference = Some("c".repeat(2_048));
        next.details.shop_callback_url = "u".repeat(2_048);
        full = next.as_retry_of(&full);
    }
    assert!(full.earlier_attempts.len() > 5, "{}", full.earlier_attempts.len());
    // Without a fingerprint the 201 changes no long attribute: moto counts the old and the new value of one.
    full.details.fingerprint = None;
    let entry = json!({"status": "S".repeat(40), "at": "2026-06-15T00:00:00.123Z", "source": "callback",
        "id": "i".repeat(36), "orderUuid": "P".repeat(64), "amount": format!("4.{}", "0".repeat(38))});
    full.history = serde_json::from_value(json!(vec![entry; 1_000])).unwrap();
    full
}

async fn winners<F>(contenders: usize, write: impl Fn(usize) -> F) -> usize
where
    F: Future<Output = Result<(), WriteError>> + Send + 'static,
{
    let mut writes = tokio::task::JoinSet::new();
    for index in 0..contenders {
        writes.spawn(write(index));
    }
    writes.join_all().await.into_iter().filter(Result::is_ok).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_keeps_its_promises() {
    keeps_its_promises(Arc::new(EmbeddedStore::in_memory().unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_keeps_its_promises_in_a_file_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.redb");
    let order = claimed(Uuid::new_v4());
    {
        let store = Arc::new(EmbeddedStore::open(&file).unwrap());
        keeps_its_promises(store.clone()).await;
        store.create(&order).await.unwrap();
        assert!(EmbeddedStore::open(&file).is_err(), "one process at a time");
        let before = store.all().unwrap().len();
        // Writes that come at once share commits, and all are stored.
        let created = winners(200, |_| {
            let store = store.clone();
            async move { store.create(&claimed(Uuid::new_v4())).await }
        });
        assert_eq!((created.await, store.all().unwrap().len()), (200, before + 200));
    }
    let reopened = EmbeddedStore::open(&file).unwrap();
    assert!(reopened.all().unwrap().len() > 200);
    assert!(reopened.load(order.order_id).await.unwrap().unwrap() == written(&order));
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_keeps_its_promises() {
    let moto = Moto::start();
    keeps_its_promises(Arc::new(moto.store("promises").await)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retention_period_begins_with_the_last_change() {
    let moto = Moto::start();
    let unlimited = moto.store("orders").await;
    let table = moto.dynamodb();
    let store = DynamoDbStore::new(table, "orders".to_owned(), Some(SignedDuration::from_hours(90 * 24)));
    let submitting = claimed(Uuid::new_v4());
    let expires_at = async || store.load(submitting.order_id).await.unwrap().unwrap().expires_at;
    store.create(&submitting).await.unwrap();
    assert_eq!(expires_at().await, None, "it is not known yet whether Front Payment has it");
    let sent = next(&submitting, "a", "SENT");
    store.replace(&submitting, &sent).await.unwrap();
    assert_eq!(expires_at().await, Some(1_781_481_609 + 7_776_000));
    let sent = store.load(submitting.order_id).await.unwrap().unwrap();
    let unknown = StoredOrder { version: 3, status: Status::Unknown, expires_at: None, ..sent.clone() };
    store.replace(&sent, &unknown).await.unwrap();
    assert_eq!(expires_at().await, None);
    let paid = next(&unknown, "b", "PAID");
    store.replace(&unknown, &paid).await.unwrap();
    let paid = store.load(submitting.order_id).await.unwrap().unwrap();
    assert!(paid.expires_at.is_some());
    unlimited.replace(&paid, &next(&paid, "c", "REFUNDED")).await.unwrap();
    assert_eq!(expires_at().await, None, "the next change is written without a retention period");
}
