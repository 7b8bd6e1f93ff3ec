//! Which changes are told, and which are told again.

use super::*;

#[tokio::test]
async fn an_order_that_a_callback_made_is_told() {
    for (word, told) in [("SENT", "SENT"), ("RESERVED", "RESERVED"), ("INVOICED", "INVOICED")] {
        let worker = TestWorker::new().await;
        let order_id = worker.post(SHOP_A, SHOP_A.callback_url, unknown()).await.order_id();
        assert_eq!(worker.get(&order_id, SHOP_A).await.get("notified"), None, "an order that is not accepted has none");
        worker.call_back_about("ODR7", &order_id, word).await;
        let notified = worker.notified(&order_id, SHOP_A).await;
        assert_eq!((&notified["state"], notified.get("status")), (&json!("pending"), None));
        worker.wake(&[&order_id]).await;
        assert_eq!((worker.shops.statuses(), worker.shops.told()[0].order_uuid().as_str()), (vec![told.to_owned()], "ODR7"));
    }
}

#[tokio::test]
async fn a_callback_before_the_201_leaves_the_sent_to_be_told() {
    let worker = TestWorker::new().await;
    let during = worker.clone();
    worker.provider().meanwhile(move |callback_url| async move {
        let (order_id, _) = crate::support::scripted::id_and_token(&callback_url);
        during.call_back_about("ODR1", &order_id, "SENT").await;
    });
    let order_id = worker.place(SHOP_A).await;
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.statuses(), ["SENT"]);
}

#[tokio::test]
async fn the_invoiced_of_a_201_is_told() {
    let worker = TestWorker::new().await;
    let order_id = worker.post(SHOP_A, SHOP_A.callback_url, invoiced("ODR1")).await.order_id();
    assert_eq!(worker.notified(&order_id, SHOP_A).await["state"], "pending");
    worker.wake(&[&order_id]).await;
    assert_eq!(
        worker.shops.told()[0].url.as_str(),
        "https://shop.example/status?x=1&orderUuid=ODR1&status=INVOICED&paymentMethod=&amount=40&createdAt=1781481600\
         &timestamp=1781481600&checksum=89a853641508cf9360e2156eef78f45636159ed5481f13a4b335e34e3f8bea22"
    );
}

#[tokio::test]
async fn a_status_that_comes_back_is_told_again() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    worker.wake(&[&order_id]).await;
    // The order becomes PAID and, by a status read, INVOICED again, before a worker runs.
    worker.call_back(&order_id, "PAID").await;
    worker.provider().will_tell(Ok("INVOICED"));
    worker.api(get_event(&order_id, "Bearer key-a", "refresh=true")).await;
    assert_eq!(worker.notified(&order_id, SHOP_A).await["state"], "pending");
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.statuses(), ["INVOICED", "INVOICED"]);
    worker.call_back(&order_id, "PAID").await;
    worker.wake(&[&order_id]).await;
    // A callback with the stored status, or with one of lower rank, is no change to tell.
    worker.call_back(&order_id, "PAID").await;
    worker.provider().will_tell(Ok("PAID"));
    worker.call_back(&order_id, "INVOICED").await;
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.statuses(), ["INVOICED", "INVOICED", "PAID"]);
}

#[tokio::test]
async fn a_shop_has_its_present_status_told_anew() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_B).await;
    worker.call_back(&order_id, "INVOICED").await;
    worker.wake(&[&order_id]).await;
    worker.pass(600);
    let before = worker.get(&order_id, SHOP_B).await;
    let reply = worker.repeat(&order_id, "key-b").await;
    let pending = json!({"state": "pending", "status": "INVOICED", "at": "2026-06-15T00:00:00.000Z", "attempts": 0,
        "nextAt": "2026-06-15T00:10:00.000Z"});
    assert_eq!((reply.status, &reply.body), (202, &json!({"orderId": order_id, "notified": pending})));
    assert_eq!((reply.header("content-type"), reply.header("cache-control")), (Some("application/json"), Some("no-store")));
    worker.wake(&[&order_id]).await;
    let told = worker.shops.told();
    assert_eq!(worker.shops.statuses(), ["INVOICED", "INVOICED"]);
    assert_ne!(told[0].header("webhook-id"), told[1].header("webhook-id"), "a change of its own");
    let bodies: Vec<Value> = told.iter().map(|told| serde_json::from_str(&told.body).unwrap()).collect();
    assert_eq!(bodies[0]["timestamp"], bodies[1]["timestamp"], "of the status");
    let after = worker.get(&order_id, SHOP_B).await;
    assert_eq!((&after["updatedAt"], &after["history"]), (&before["updatedAt"], &before["history"]));

    // A repetition after a failed notification, and one of the SENT that the 201 told.
    worker.shops.will_answer("webhooks.example", answered(410));
    worker.call_back(&order_id, "PAID").await;
    let log = Log::capture();
    worker.wake(&[&order_id]).await;
    assert_alarms_count_real_lines("WorkerLogs", &log.lines(), &["not told"]);
    assert_eq!(worker.notified(&order_id, SHOP_B).await["state"], "failed");
    assert_eq!(worker.repeat(&order_id.to_uppercase(), "key-b").await.status, 202, "an orderId in capitals is the same one");
    worker.sweep().await;
    assert_eq!(worker.notified(&order_id, SHOP_B).await["state"], "delivered");
    let sent = worker.place(SHOP_A).await;
    assert_eq!(worker.repeat(&sent, "key-a").await.status, 202);
    worker.wake(&[&sent]).await;
    assert_eq!(worker.shops.statuses().last().unwrap(), "SENT");
}

#[tokio::test]
async fn an_attempt_under_way_does_not_count_for_a_repetition() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    let (during, id) = (worker.clone(), order_id.clone());
    worker.shops.meanwhile(move || async move {
        assert_eq!(during.repeat(&id, "key-a").await.status, 202);
        during.invoke_other(stream_event(&[&id])).await;
    });
    worker.wake(&[&order_id]).await;
    assert_eq!((worker.shops.count(), &worker.notified(&order_id, SHOP_A).await["state"]), (1, &json!("pending")));
    worker.wake(&[&order_id]).await;
    assert_eq!((worker.shops.count(), &worker.notified(&order_id, SHOP_A).await["state"]), (2, &json!("delivered")));
}

#[tokio::test]
async fn there_is_nothing_to_notify_of_an_order_that_is_not_accepted_or_of_a_shop_without_notify() {
    let worker = TestWorker::new().await;
    for reply in [unknown(), failed()] {
        let order_id = worker.post(SHOP_A, SHOP_A.callback_url, reply).await.order_id();
        let reply = worker.repeat(&order_id, "key-a").await;
        assert_eq!((reply.status, reply.slug(), reply.order_id()), (409, "nothing-to-notify", order_id));
    }
    let rejected = worker.post(SHOP_A, SHOP_A.callback_url, rejected()).await;
    assert_eq!(rejected.status, 422);
    let off = worker.place(SHOP_C).await;
    let before = version(&worker, &off).await;
    let reply = worker.repeat(&off, "key-c").await;
    assert_eq!((reply.status, reply.slug()), (409, "nothing-to-notify"));
    assert_eq!(version(&worker, &off).await, before, "nothing is written");

    let order_id = worker.place(SHOP_A).await;
    let missing = worker.repeat("0198c2f0-7e4a-7000-8000-000000000001", "key-a").await;
    assert_eq!((missing.status, missing.slug()), (404, "not-found"));
    for reply in [worker.repeat(&order_id, "key-b").await, worker.repeat("x", "key-a").await] {
        assert_eq!((reply.status, &reply.body), (404, &missing.body), "another shop's order is like none");
    }
    let reply = worker.api(repeat_event(&order_id, "Bearer wrong")).await;
    assert_eq!((reply.status, reply.slug()), (401, "unauthorized"));
    worker.store().fail(1);
    let reply = worker.repeat(&order_id, "key-a").await;
    assert_eq!((reply.status, reply.slug()), (503, "storage-unavailable"));
    assert!(reply.header("retry-after").is_some());
}
