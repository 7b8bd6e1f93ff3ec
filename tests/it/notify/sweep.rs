//! A sweep serves many hosts and shops within its time limit.

use super::*;

#[tokio::test]
async fn a_host_has_four_requests_at_once_and_others_go_beside_it() {
    let worker = TestWorker::new().await;
    let mut order_ids = Vec::new();
    for _ in 0..9 {
        order_ids.push(worker.place_invoiced(SHOP_A).await);
    }
    order_ids.push(worker.place_invoiced(SHOP_B).await);
    worker.shops.hangs(HOST_A);
    let time = worker.run_time();
    let order_ids: Vec<&str> = order_ids.iter().map(String::as_str).collect();
    worker.wake(&order_ids).await;
    time.abort();
    assert_eq!(worker.shops.most_at_once(HOST_A), 4);
    assert!(worker.second() <= 20, "an invocation by the stream takes 20 s at most, not {}", worker.second());
    let other = worker.shops.told().into_iter().find(|told| told.host() == "webhooks.example").unwrap();
    assert!(other.at.as_second() - worker.stored(order_ids[0]).await.created_at.as_second() < 5, "{}", other.at);
}

#[tokio::test]
async fn a_host_that_fails_is_passed_over_until_the_next_minute_without_counting_as_tried() {
    for call in [answered(500), answered(503), ShopCall::Failed(Failure::Connection)] {
        let worker = TestWorker::new().await;
        worker.pass_to(10);
        let mut order_ids = Vec::new();
        for _ in 0..7 {
            order_ids.push(worker.place_invoiced(SHOP_A).await);
        }
        let beside = worker.place_invoiced_at(SHOP_A, "https://beside.example/").await;
        worker.shops.always_answers(HOST_A, call);
        for order_id in &order_ids {
            worker.wake(&[order_id]).await;
        }
        assert_eq!(worker.shops.count(), 5, "{call:?}");
        let (passed_over, before) = (order_ids[6].as_str(), version(&worker, &order_ids[6]).await);
        worker.pass_to(59);
        worker.wake(&[passed_over, &beside]).await;
        assert_eq!(worker.shops.count(), 6, "another host is called");
        let notified = worker.notified(passed_over, SHOP_A).await;
        assert_eq!((&notified["state"], &notified["attempts"], notified.get("lastError")), (&json!("pending"), &json!(0), None));
        assert_eq!(version(&worker, passed_over).await, before, "nothing is written");
        worker.sweep().await;
        assert_eq!(worker.shops.count(), 6, "a sweep does not call it either, and makes it due later");
        let notified = worker.notified(passed_over, SHOP_A).await;
        assert_eq!((&notified["attempts"], &notified["nextAt"]), (&json!(0), &json!("2026-06-15T00:01:59.000Z")));

        worker.pass_to(120);
        worker.shops.always_answers(HOST_A, answered(200));
        worker.sweep().await;
        for order_id in &order_ids[5..] {
            let notified = worker.notified(order_id, SHOP_A).await;
            assert_eq!((&notified["state"], &notified["attempts"]), (&json!("delivered"), &json!(1)));
        }
    }
    // Failures that concern only this URL do not count against the host.
    for call in [answered(404), answered(302), answered(410), ShopCall::Failed(Failure::Dns), ShopCall::Failed(Failure::Tls)] {
        let worker = TestWorker::new().await;
        worker.shops.always_answers(HOST_A, call);
        for _ in 0..7 {
            let order_id = worker.place_invoiced(SHOP_A).await;
            worker.wake(&[&order_id]).await;
        }
        assert_eq!(worker.shops.count(), 7, "{call:?}");
    }
}

#[tokio::test]
async fn a_dead_shop_with_many_orders_holds_up_no_other() {
    let worker = TestWorker::new().await;
    for _ in 0..200 {
        worker.place_invoiced(SHOP_A).await;
    }
    worker.pass_to(5);
    let other = worker.place_invoiced(SHOP_B).await;
    worker.pass_to(10);
    worker.shops.hangs(HOST_A);
    let time = worker.run_time();
    worker.sweep().await;
    time.abort();
    assert!(worker.second() <= 60, "a sweep takes 50 s at most, not {}", worker.second() - 10);
    let told = worker.shops.told();
    let dead = told.iter().filter(|told| told.host() == HOST_A).count();
    assert!((5..=8).contains(&dead), "{dead} requests to the dead shop");
    let other_told = told.iter().find(|told| told.host() == "webhooks.example").expect("the other shop was not told");
    assert!(other_told.at.duration_since(told[0].at).as_secs() < 5, "{}", other_told.at);
    assert_eq!(worker.notified(&other, SHOP_B).await["state"], "delivered");
    assert_eq!(worker.shops.most_at_once(HOST_A), 4);
}

#[tokio::test]
async fn a_sweep_tells_the_earliest_first() {
    let worker = TestWorker::new().await;
    let mut expected = Vec::new();
    for second in 0..40 {
        worker.pass_to(second);
        worker.place_invoiced(SHOP_A).await;
        expected.push(format!("ODR{}", second + 1));
    }
    worker.sweep().await;
    let told: Vec<_> = worker.shops.told().iter().map(|told| told.order_uuid()).collect();
    assert_eq!(told.len(), 40);
    // Eight orders of a shop are told at the same time, so up to seven later ones can come before an order.
    for (place, order_uuid) in told.iter().enumerate() {
        let due = expected.iter().position(|expected| expected == order_uuid).unwrap();
        assert!(due <= place + 8, "{order_uuid} was told in place {place}");
    }
}

#[tokio::test]
async fn the_stream_tells_and_the_sweep_asks_too() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.pass(200);
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.provider().status_call_count(), 0);
    worker.provider().will_tell(Ok("SENT"));
    worker.sweep().await;
    assert_eq!((worker.provider().status_call_count(), worker.shops.count()), (1, 0));
}

#[tokio::test]
async fn a_worker_never_answers_with_an_error() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    for event in [
        json!({"Records": []}),
        stream_event(&["no id", "0198c2f0-7e4a-7000-8000-0000000000ff"]),
        json!({"Records": [{"dynamodb": {"Keys": {"orderId": {"S": "0198c2f0-7e4a-7000-8000-0000000000ff"}}}}]}),
    ] {
        assert_eq!(worker.invoke(event).await, json!({"batchItemFailures": []}));
    }
    worker.store().fail(1_000);
    worker.wake(&[&order_id]).await;
    worker.sweep().await;
    worker.store().fail(0);
    assert_eq!(worker.shops.count(), 0);
    for event in [json!(null), json!("text"), json!([]), json!({"backfill": "yes"}), json!({"detail": {}})] {
        assert!(worker.invoke(event).await["error"].as_str().unwrap().ends_with("Nothing was changed."));
    }
    assert_eq!(worker.shops.count(), 0, "none of them is a sweep");
    assert_eq!(worker.invoke(json!({"source": "aws.scheduler"})).await, json!({}));
    assert_eq!(worker.shops.statuses(), ["INVOICED"]);
    assert_eq!(worker.invoke(json!({"backfill": true})).await, json!({}));
}

#[tokio::test]
async fn nothing_begins_with_too_little_time_left() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    let before = version(&worker, &order_id).await;
    for event in [stream_event(&[&order_id]), json!({})] {
        worker.invoke_within(event, 13).await;
        assert_eq!((worker.shops.count(), version(&worker, &order_id).await), (0, before));
    }
    worker.invoke_within(stream_event(&[&order_id]), 14).await;
    assert_eq!(worker.shops.count(), 1);
}
