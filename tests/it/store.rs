//! What every store promises: the embedded one and DynamoDB.

use std::sync::Arc;

use front_payment_bridge::order::{
    CreatedOrder, CustomerType, Decimal, Language, NotFound, Status, StatusCallback, StatusWord, StoredOrder, SubmitReply,
};
use front_payment_bridge::store::{OrderStore, WriteError};
use local::store::EmbeddedStore;
use serde_json::json;
use uuid::Uuid;

use crate::support::moto::Moto;

/// The order as a process holds it after a write, with the derived attributes.
fn derived(mut order: StoredOrder) -> StoredOrder {
    order.derive(None);
    order
}

/// A claim of an order of 40 kroner.
fn claimed(order_id: Uuid) -> StoredOrder {
    let claim = serde_json::from_value(json!({
        "orderId": order_id, "version": 1, "status": "SUBMITTING", "attempt": Uuid::new_v4(),
        "attemptedAt": "2026-06-15T00:00:00Z", "shopId": "shop-a", "callbackToken": "token", "grandTotal": "40",
        "shopCallbackUrl": "https://shop.example/æ?x=1", "customerType": "private", "preferredLanguage": "no", "country": "NO",
        "createdAt": "2026-06-15T00:00:00Z", "updatedAt": "2026-06-15T00:00:00.123Z", "history": [], "referenceNo": "",
    }));
    derived(claim.unwrap())
}

/// The next version of an order, changed by a callback.
fn next(order: &StoredOrder, id: &str, word: &str) -> StoredOrder {
    let callback = StatusCallback {
        order_uuid: "ODR1".to_owned(),
        word: StatusWord::read(word),
        amount: Decimal::parse("40").unwrap(),
        payment_method: "Invoice".to_owned(),
        id: id.to_owned(),
    };
    let next = order.apply_callback(&callback, "2026-06-15T00:00:09Z".parse().unwrap());
    derived(*next.unwrap())
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
    assert!(store.load(first.order_id).await.unwrap().unwrap() == first);
    let other = StoredOrder { shop_id: "shop-b".to_owned(), ..first.clone() };
    assert!(conflict(store.create(&other).await).unwrap() == first, "a conflict has the stored order");

    // An update adds, changes and removes attributes, and appends to the history.
    let mut second = next(&first, "a", "SENT");
    second.bank_id_url = Some("https://b.example/".to_owned());
    second.customer_uuid = Some("CSRT1".to_owned());
    store.replace(&first, &second).await.unwrap();
    assert!(store.load(first.order_id).await.unwrap().unwrap() == second);
    let third = next(&second, "b", "PAID");
    assert!(third.bank_id_url.is_none());
    store.replace(&second, &third).await.unwrap();
    let loaded = store.load(first.order_id).await.unwrap().unwrap();
    assert!(loaded == third);
    assert_eq!((loaded.history.len(), loaded.status), (2, Status::Paid));

    // The result removes the claim's place in the indexes.
    let claim = claimed(Uuid::new_v4());
    store.create(&claim).await.unwrap();
    let failed = derived(*claim.record_result(claim.attempt, &SubmitReply::Failed, claim.updated_at).unwrap());
    assert!(claim.ask_queue.is_some() && failed.ask_queue.is_none());
    store.replace(&claim, &failed).await.unwrap();
    assert!(store.load(claim.order_id).await.unwrap().unwrap() == failed);

    // A write over an older version is refused. The conflict has the stored order.
    assert!(conflict(store.replace(&first, &second).await).unwrap() == third);
    assert!(conflict(store.replace(&second, &third).await).unwrap() == third, "also if it is a repetition");

    // An order past its retention period may be replaced by another one. Nothing of the old one is left.
    let expired = StoredOrder { expires_at: Some(1), ..next(&claimed(Uuid::new_v4()), "a", "PAID") };
    store.create(&expired).await.unwrap();
    let fresh = StoredOrder { version: 3, ..claimed(expired.order_id) };
    store.replace(&expired, &fresh).await.unwrap();
    assert!(store.load(fresh.order_id).await.unwrap().unwrap() == fresh);

    // Every attribute can be added, changed and removed.
    let sparse = claimed(Uuid::new_v4());
    let full = StoredOrder {
        version: 2,
        attempt: Uuid::new_v4(),
        attempted_at: "2026-06-16T00:00:00Z".parse().unwrap(),
        callback_token: "another".to_owned(),
        customer_uuid: Some("CSRT1".to_owned()),
        bank_id_url: Some("https://b.example/".to_owned()),
        fingerprint: Some("f".to_owned()),
        reference_no: Some("r".to_owned()),
        customer_reference: Some("c".to_owned()),
        grand_total: "41".to_owned(),
        shop_callback_url: "https://x.example/".to_owned(),
        customer_type: CustomerType::Corporate,
        preferred_language: Language::Da,
        country: "DK".to_owned(),
        payment_method: Some("Invoice".to_owned()),
        refunded_amount: Some("10".to_owned()),
        cancel_requested_at: Some("2026-06-17T00:00:05Z".parse().unwrap()),
        replaced_uuids: vec!["ODR0".to_owned()],
        expires_at: Some(2_000_000_000),
        created_at: "2026-06-14T00:00:00Z".parse().unwrap(),
        updated_at: "2026-06-17T00:00:00Z".parse().unwrap(),
        checked_at: Some("2026-06-17T00:00:01Z".parse().unwrap()),
        reason_since: Some("2026-06-17T00:00:02Z".parse().unwrap()),
        asked_at: Some("2026-06-17T00:00:03Z".parse().unwrap()),
        not_found: Some(NotFound { at: "2026-06-17T00:00:04Z".parse().unwrap(), times: 2 }),
        ..next(&sparse, "a", "SENT")
    };
    store.create(&sparse).await.unwrap();
    store.replace(&sparse, &full).await.unwrap();
    assert!(store.load(sparse.order_id).await.unwrap().unwrap() == full);
    let back = StoredOrder { version: 3, ..sparse.clone() };
    store.replace(&full, &back).await.unwrap();
    assert!(store.load(sparse.order_id).await.unwrap().unwrap() == back);

    // Other orders are not touched.
    let untouched = claimed(Uuid::new_v4());
    store.create(&untouched).await.unwrap();
    store.replace(&third, &next(&third, "c", "REFUNDED")).await.unwrap();
    assert!(store.load(untouched.order_id).await.unwrap().unwrap() == untouched);

    // Of many writes at the same time, exactly one succeeds.
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

    // An order with a thousand entries in its history can still be changed.
    let mut long = claimed(Uuid::new_v4());
    store.create(&long).await.unwrap();
    let start = long.clone();
    for index in 0..1_000 {
        long = next(&long, &format!("{index:032}"), "a status word that is exactly forty long");
    }
    store.replace(&start, &long).await.unwrap();
    let paid = next(&long, "last", "PAID");
    store.replace(&long, &paid).await.unwrap();
    assert!(store.load(long.order_id).await.unwrap().unwrap() == paid);

    // The largest possible order still has room for the result of its latest submission attempt.
    let full = largest();
    store.create(&full).await.unwrap();
    let created = CreatedOrder {
        order_uuid: "O".repeat(64),
        customer_uuid: Some("C".repeat(64)),
        bank_id_url: Some(format!("https://{}", "b".repeat(8_184))),
        has_unusable_link: false,
        status: Status::Sent,
    };
    let sent = full.record_result(full.attempt, &SubmitReply::Created(created), full.updated_at).unwrap();
    let sent = derived(*sent);
    store.replace(&full, &sent).await.unwrap();
    assert!(store.load(full.order_id).await.unwrap().unwrap() == sent);
}

/// An order with the longest texts, and with a full history of the longest entries.
fn largest() -> StoredOrder {
    let entry = json!({"status": "S".repeat(40), "at": "2026-06-15T00:00:00.123Z", "source": "callback",
        "id": "i".repeat(36), "orderUuid": "P".repeat(64)});
    derived(StoredOrder {
        grand_total: format!("40.{}", "0".repeat(2_040)),
        fingerprint: Some("f".repeat(64)),
        reference_no: Some("r".repeat(2_048)),
        customer_reference: Some("c".repeat(2_048)),
        shop_callback_url: "u".repeat(2_048),
        history: serde_json::from_value(json!(vec![entry; 1_000])).unwrap(),
        ..claimed(Uuid::new_v4())
    })
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
        // Writes at the same time share one commit, and all of them are stored.
        let created = winners(200, |_| {
            let store = store.clone();
            async move { store.create(&claimed(Uuid::new_v4())).await }
        });
        assert_eq!((created.await, store.all().unwrap().len()), (200, before + 200));
    }
    let reopened = EmbeddedStore::open(&file).unwrap();
    assert!(reopened.all().unwrap().len() > 200);
    assert!(reopened.load(order.order_id).await.unwrap().unwrap() == order);
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_keeps_its_promises() {
    let moto = Moto::start();
    keeps_its_promises(Arc::new(moto.store("promises").await)).await;
}
