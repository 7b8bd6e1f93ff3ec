//! What a notification leaves in the stored order and in the log.

use super::*;

#[tokio::test]
async fn an_order_past_its_retention_is_left_alone() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    let before = version(&worker, &order_id).await;
    worker.store().expire(&order_id);
    worker.pass(100_000);
    worker.wake(&[&order_id]).await;
    worker.sweep().await;
    worker.invoke(json!({"backfill": true})).await;
    assert_eq!((worker.shops.count(), worker.provider().status_call_count()), (0, 0));
    assert_eq!(version(&worker, &order_id).await, before);
}

#[tokio::test]
async fn telling_moves_neither_updated_at_nor_the_end_of_the_retention() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    let before = worker.get(&order_id, SHOP_A).await;
    worker.pass(500);
    worker.shops.will_answer(HOST_A, answered(500));
    worker.wake(&[&order_id]).await;
    worker.pass(500);
    worker.wake(&[&order_id]).await;
    let after = worker.get(&order_id, SHOP_A).await;
    for member in ["updatedAt", "createdAt", "history", "status", "checkedAt"] {
        assert_eq!(after.get(member), before.get(member), "{member}");
    }
    assert_eq!(after["notified"]["state"], "delivered");
}

#[tokio::test]
async fn every_notification_is_one_line_in_the_log_without_url_key_or_token() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    worker.pass(4);
    let log = Log::capture();
    worker.shops.will_answer(HOST_A, answered(503));
    worker.wake(&[&order_id]).await;
    worker.pass(80);
    worker.wake(&[&order_id]).await;
    let lines = log.lines();
    let told: Vec<_> = lines.iter().filter(|line| line["route"] == "notification").collect();
    assert_eq!(told.len(), 2, "{lines:?}");
    for (line, status, attempts) in [(told[0], 503, 1), (told[1], 200, 2)] {
        assert_eq!((&line["shopId"], &line["orderId"]), (&json!("shop-a"), &json!(order_id)), "{line}");
        assert_eq!((&line["status"], &line["shopStatusCode"]), (&json!("INVOICED"), &json!(status)), "{line}");
        assert_eq!((&line["attempts"], &line["level"]), (&json!(attempts), &json!("INFO")), "{line}");
        assert!(line["totalMs"].is_u64() && line["ageMs"].is_u64(), "{line}");
    }
    assert_eq!((&told[0]["outcome"], &told[1]["outcome"]), (&json!("undelivered"), &json!("delivered")));
    assert_eq!((&told[0]["ageMs"], &told[1]["ageMs"]), (&json!(4_000), &json!(84_000)));
    let token = worker.stored(&order_id).await.callback_token;
    let text = json!(lines).to_string();
    for secret in ["shop.example", "https://", NOTIFY_KEY, "key-a", "token-1", &token, "Kari", "bankid"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
