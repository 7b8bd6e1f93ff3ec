//! One notification attempt at a time, even if workers are killed or run side by side.

use super::*;

#[tokio::test]
async fn of_two_workers_one_tells() {
    // The other worker tells the shop after this one has read the order, and before it writes its claim.
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    let (other, event) = (worker.clone(), stream_event(&[&order_id]));
    worker.store().before_write(move || async move {
        other.invoke_other(event).await;
    });
    worker.wake(&[&order_id]).await;
    assert_eq!((worker.shops.count(), &worker.notified(&order_id, SHOP_A).await["attempts"]), (1, &json!(1)));

    // The other worker comes while the shop has not answered yet.
    worker.call_back(&order_id, "PAID").await;
    let (other, event) = (worker.clone(), stream_event(&[&order_id]));
    worker.shops.meanwhile(move || async move {
        other.invoke_other(event).await;
        other.invoke_other(json!({})).await;
    });
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.statuses(), ["INVOICED", "PAID"]);

    // Both workers at the same time.
    let order_ids = join_all((0..5).map(|_| worker.place_invoiced(SHOP_B))).await;
    let order_ids: Vec<&str> = order_ids.iter().map(String::as_str).collect();
    tokio::join!(worker.wake(&order_ids), worker.invoke_other(stream_event(&order_ids)), worker.invoke_other(json!({})));
    assert_eq!(worker.shops.count(), 2 + 5);
}

#[tokio::test]
async fn a_worker_that_is_killed_before_the_call_has_told_nothing_and_the_shop_is_told_after_a_minute() {
    for is_sweep in [false, true] {
        let worker = TestWorker::new().await;
        let order_id = worker.place_invoiced(SHOP_A).await;
        worker.kill_after_write(if is_sweep { json!({}) } else { stream_event(&[&order_id]) }).await;
        assert_eq!(worker.shops.count(), 0);
        for second in [1, 30, 59] {
            worker.pass_to(second);
            worker.wake(&[&order_id]).await;
            worker.sweep().await;
            assert_eq!(worker.shops.count(), 0, "second {second}");
        }
        worker.pass_to(60);
        worker.sweep().await;
        worker.sweep().await;
        assert_eq!((worker.shops.count(), &worker.notified(&order_id, SHOP_A).await["state"]), (1, &json!("delivered")));
    }
}

#[tokio::test]
async fn a_worker_that_is_killed_before_the_result_repeats_one_at_most() {
    for is_sweep in [false, true] {
        let worker = TestWorker::new().await;
        let order_id = worker.place_invoiced(SHOP_A).await;
        worker.kill_in_call(if is_sweep { json!({}) } else { stream_event(&[&order_id]) }).await;
        assert_eq!(worker.shops.count(), 1);
        worker.pass_to(59);
        worker.wake(&[&order_id]).await;
        worker.sweep().await;
        assert_eq!(worker.shops.count(), 1);
        worker.pass_to(60);
        worker.wake(&[&order_id]).await;
        worker.wake(&[&order_id]).await;
        worker.sweep().await;
        assert_eq!(worker.shops.statuses(), ["INVOICED", "INVOICED"]);
        assert_eq!(worker.notified(&order_id, SHOP_A).await["state"], "delivered");
    }
}

#[tokio::test]
async fn a_newer_status_waits_for_the_end_of_an_attempt() {
    for is_delivered in [true, false] {
        let worker = TestWorker::new().await;
        let order_id = worker.place_invoiced(SHOP_A).await;
        let (during, id) = (worker.clone(), order_id.clone());
        worker.shops.meanwhile(move || async move {
            during.pass(3);
            during.call_back(&id, "CHARGED").await;
            during.call_back(&id, "PAID").await;
            during.invoke_other(stream_event(&[&id])).await;
            during.invoke_other(json!({})).await;
            assert_eq!(during.shops.count(), 1, "one at a time");
        });
        if !is_delivered {
            worker.shops.will_answer(HOST_A, answered(410));
        }
        worker.wake(&[&order_id]).await;
        let notified = worker.notified(&order_id, SHOP_A).await;
        let told = if is_delivered { "INVOICED" } else { "SENT" };
        assert_eq!(
            (&notified["state"], &notified["status"], &notified["attempts"]),
            (&json!("pending"), &json!(told), &json!(0))
        );
        // The write of the result changes the item, so the stream wakes a worker.
        worker.wake(&[&order_id]).await;
        assert_eq!(worker.shops.statuses(), ["INVOICED", "PAID"], "the latest one only");
        assert_eq!(worker.notified(&order_id, SHOP_A).await["status"], "PAID");
    }
}

#[tokio::test]
async fn a_newer_status_waits_a_minute_for_a_worker_that_was_killed() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    worker.kill_in_call(stream_event(&[&order_id])).await;
    worker.pass_to(10);
    worker.call_back(&order_id, "PAID").await;
    worker.pass_to(59);
    worker.wake(&[&order_id]).await;
    worker.sweep().await;
    assert_eq!(worker.shops.statuses(), ["INVOICED"]);
    worker.pass_to(60);
    worker.sweep().await;
    worker.sweep().await;
    assert_eq!(worker.shops.statuses(), ["INVOICED", "PAID"]);
    assert_eq!(worker.notified(&order_id, SHOP_A).await["attempts"], 1);
}

#[tokio::test]
async fn an_attempt_whose_first_write_lost_its_reply_goes_on() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    worker.store().conflict_with_itself(1);
    worker.wake(&[&order_id]).await;
    assert_eq!((worker.shops.count(), &worker.notified(&order_id, SHOP_A).await["state"]), (1, &json!("delivered")));
}

#[tokio::test]
async fn a_result_that_the_store_refuses_is_written_again() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    let failing = worker.clone();
    worker.shops.meanwhile(move || async move { failing.store().fail(3) });
    worker.wake(&[&order_id]).await;
    worker.pass(3_600);
    worker.wake(&[&order_id]).await;
    assert_eq!((worker.shops.count(), &worker.notified(&order_id, SHOP_A).await["state"]), (1, &json!("delivered")));

    // If the claim cannot be written, nothing is sent. The next sweep sends it.
    worker.call_back(&order_id, "PAID").await;
    worker.store().fail(1);
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.count(), 1);
    worker.sweep().await;
    assert_eq!(worker.shops.statuses(), ["INVOICED", "PAID"]);
}

#[tokio::test]
async fn an_attempt_ends_ten_seconds_after_it_was_written_down() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    let slow = worker.clone();
    worker.store().after_writes(1, move || async move { slow.pass(4) });
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.told()[0].within, Duration::from_secs(6), "the write took four");
}

#[tokio::test]
async fn a_worker_that_is_killed_in_the_last_attempt_leaves_an_error_in_the_log() {
    let worker = TestWorker::new().await;
    worker.shops.always_answers(HOST_A, ShopCall::Failed(Failure::Tls));
    let order_id = worker.place_invoiced(SHOP_A).await;
    for _ in 1..12 {
        worker.wake(&[&order_id]).await;
        worker.pass(wait(&worker, &order_id).await);
    }
    worker.kill_in_call(stream_event(&[&order_id])).await;
    assert_eq!(worker.shops.count(), 12);
    worker.pass(60);
    let log = Log::capture();
    worker.sweep().await;
    let notified = worker.notified(&order_id, SHOP_A).await;
    assert_eq!(
        (&notified["state"], &notified["attempts"], &notified["lastError"]),
        (&json!("failed"), &json!(12), &json!("tls"))
    );
    let errors = log.errors();
    assert_eq!((worker.shops.count(), errors.len()), (12, 1), "{errors:?}");
}
