//! How notification attempts end, and when the next one is due.

use super::*;

#[tokio::test]
async fn any_2xx_is_delivered() {
    for http_status in [200, 201, 202, 204, 206, 299] {
        let worker = TestWorker::new().await;
        worker.shops.will_answer(HOST_A, answered(http_status));
        let order_id = worker.place_invoiced(SHOP_A).await;
        worker.wake(&[&order_id]).await;
        let notified = worker.notified(&order_id, SHOP_A).await;
        assert_eq!((&notified["state"], &notified["attempts"]), (&json!("delivered"), &json!(1)), "{http_status}");
    }
}

#[tokio::test]
async fn an_attempt_in_vain_says_what_the_shop_did_and_is_repeated_after_a_minute() {
    for (call, error) in [
        (answered(301), "redirect"),
        (answered(302), "redirect"),
        (answered(308), "redirect"),
        (answered(400), "http-400"),
        (answered(404), "http-404"),
        (answered(429), "http-429"),
        (answered(500), "http-500"),
        (answered(503), "http-503"),
        (ShopCall::Failed(Failure::Timeout), "timeout"),
        (ShopCall::Failed(Failure::Connection), "connection"),
        (ShopCall::Failed(Failure::Dns), "dns"),
        (ShopCall::Failed(Failure::Tls), "tls"),
        (ShopCall::Failed(Failure::Address), "address"),
    ] {
        let worker = TestWorker::new().await;
        worker.shops.will_answer(HOST_A, call);
        let order_id = worker.place_invoiced(SHOP_A).await;
        let log = Log::capture();
        worker.wake(&[&order_id]).await;
        let notified = worker.notified(&order_id, SHOP_A).await;
        assert_eq!(
            (&notified["state"], &notified["status"], &notified["attempts"], &notified["lastError"]),
            (&json!("pending"), &json!("SENT"), &json!(1), &json!(error))
        );
        let seconds = wait(&worker, &order_id).await;
        assert!((48..=72).contains(&seconds), "{error}: {seconds}");
        assert_eq!(notified["nextAt"].as_str().unwrap().len(), "2026-06-15T00:00:00.000Z".len());
        assert!(log.errors().is_empty(), "nobody has to act yet");

        worker.pass(seconds - 1);
        worker.sweep().await;
        assert_eq!(worker.shops.count(), 1, "not before its time");
        worker.pass(1);
        worker.sweep().await;
        let notified = worker.notified(&order_id, SHOP_A).await;
        assert_eq!(
            (&notified["state"], &notified["attempts"], notified.get("lastError"), notified.get("nextAt")),
            (&json!("delivered"), &json!(2), None, None)
        );
    }
}

#[tokio::test]
async fn the_whole_schedule_and_then_failed() {
    let worker = TestWorker::new().await;
    worker.shops.always_answers(HOST_A, answered(503));
    let order_id = worker.place_invoiced(SHOP_A).await;
    let minutes = [1, 5, 15, 30, 60, 120, 240, 480, 720, 1_440, 1_440];
    for (attempt, minutes) in (1..).zip(minutes) {
        let log = Log::capture();
        worker.wake(&[&order_id]).await;
        let notified = worker.notified(&order_id, SHOP_A).await;
        assert_eq!((&notified["state"], &notified["attempts"]), (&json!("pending"), &json!(attempt)));
        assert_eq!((worker.shops.count(), log.errors().len()), (attempt, 0));
        let seconds = wait(&worker, &order_id).await;
        assert!((minutes * 48..=minutes * 72).contains(&seconds), "{attempt}: {seconds}");
        worker.pass(seconds);
    }
    let log = Log::capture();
    worker.wake(&[&order_id]).await;
    let notified = worker.notified(&order_id, SHOP_A).await;
    assert_eq!(
        notified,
        json!({"state": "failed", "status": "SENT", "at": "2026-06-15T00:00:00.000Z", "attempts": 12, "lastError": "http-503"})
    );
    let errors = log.errors();
    assert_eq!(
        (errors.len(), &errors[0]["orderId"], &errors[0]["shopId"], &errors[0]["shopStatusCode"]),
        (1, &json!(order_id), &json!("shop-a"), &json!(503))
    );
    worker.pass(100_000);
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.count(), 12);

    // A new status starts the schedule from the beginning.
    worker.call_back(&order_id, "PAID").await;
    worker.wake(&[&order_id]).await;
    let notified = worker.notified(&order_id, SHOP_A).await;
    assert_eq!((&notified["state"], &notified["attempts"]), (&json!("pending"), &json!(1)));
    assert!((48..=72).contains(&wait(&worker, &order_id).await));
}

#[tokio::test]
async fn a_retry_after_is_respected_where_it_is_longer() {
    for (seconds, least, most) in [(10, 48, 72), (7_200, 7_200, 7_200), (86_400, 86_400, 86_400), (200_000, 86_400, 86_400)] {
        let worker = TestWorker::new().await;
        worker.shops.will_answer(HOST_A, answered_with_retry_after(503, seconds));
        let order_id = worker.place_invoiced(SHOP_A).await;
        worker.wake(&[&order_id]).await;
        let waits = wait(&worker, &order_id).await;
        assert!((least..=most).contains(&waits), "Retry-After: {seconds}, waits {waits}");
    }
}

#[tokio::test]
async fn a_shop_that_is_gone_is_not_called_again() {
    let worker = TestWorker::new().await;
    worker.shops.will_answer(HOST_A, answered_with_retry_after(410, 60));
    let order_id = worker.place_invoiced(SHOP_A).await;
    let log = Log::capture();
    worker.wake(&[&order_id]).await;
    let notified = worker.notified(&order_id, SHOP_A).await;
    assert_eq!(
        (&notified["state"], &notified["attempts"], &notified["lastError"], notified.get("nextAt")),
        (&json!("failed"), &json!(1), &json!("http-410"), None)
    );
    assert_eq!(log.errors().len(), 1);
    worker.pass(3_600);
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.count(), 1);
    worker.call_back(&order_id, "PAID").await;
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.notified(&order_id, SHOP_A).await["status"], "PAID");
}
