//! What a shop is sent, in both formats.

use super::*;

#[tokio::test]
async fn a_change_is_told_as_front_payment_would_have() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_A).await;
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.count(), 0, "the 201 told the SENT");
    let at = "2026-06-15T00:00:00.000Z";
    assert_eq!(
        worker.notified(&order_id, SHOP_A).await,
        json!({"state": "delivered", "status": "SENT", "at": at, "attempts": 0})
    );

    worker.pass(5);
    worker.call_back(&order_id, "INVOICED").await;
    assert_eq!(
        worker.notified(&order_id, SHOP_A).await,
        json!({"state": "pending", "status": "SENT", "at": at, "attempts": 0, "nextAt": "2026-06-15T00:00:05.000Z"})
    );
    worker.pass(2);
    worker.wake(&[&order_id]).await;
    let told = worker.shops.told();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].method.as_str(), told[0].body.as_str(), told[0].headers.len()), ("GET", "", 0));
    assert_eq!(
        told[0].url.as_str(),
        "https://shop.example/status?x=1&orderUuid=ODR1&status=INVOICED&paymentMethod=Invoice&amount=40&createdAt=1781481600\
         &timestamp=1781481605&checksum=37ce2812c924b44c5a41fe9155338959e9f1f0c0e4b80f25e98eae9b9208f13a"
    );
    assert_eq!(told[0].within, Duration::from_secs(10));
    let delivered = json!({"state": "delivered", "status": "INVOICED", "at": "2026-06-15T00:00:07.000Z", "attempts": 1});
    assert_eq!(worker.notified(&order_id, SHOP_A).await, delivered);
    worker.wake(&[&order_id]).await;
    worker.sweep().await;
    assert_eq!(worker.shops.count(), 1, "once");
}

#[tokio::test]
async fn a_webhook_has_the_order_and_a_signature_of_each_key() {
    let worker = TestWorker::new().await;
    let order_id = worker.place(SHOP_B).await;
    worker.pass(5);
    worker.call_back(&order_id, "RESERVED").await;
    worker.pass(2);
    worker.shops.will_answer("webhooks.example", answered(503));
    worker.wake(&[&order_id]).await;
    worker.pass(100);
    worker.wake(&[&order_id]).await;
    worker.call_back(&order_id, "INVOICED").await;
    worker.wake(&[&order_id]).await;

    let told = worker.shops.told();
    assert_eq!((told.len(), told[0].method.as_str(), told[0].url.as_str()), (3, "POST", "https://webhooks.example/hook"));
    let body: Value = serde_json::from_str(&told[0].body).unwrap();
    assert_eq!(
        body,
        json!({"type": "order.status", "timestamp": "2026-06-15T00:00:05.000Z", "data": {
            "orderId": order_id, "status": "RESERVED", "orderUuid": "ODR1", "customerUuid": "CSRT1", "referenceNo": "Dhaka",
            "customerReference": "3500", "grandTotal": "40", "createdAt": "2026-06-15T00:00:00.000Z",
            "updatedAt": "2026-06-15T00:00:05.000Z"
        }})
    );
    for (request, seconds) in told.iter().zip([1_781_481_607, 1_781_481_707, 1_781_481_707]) {
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("webhook-timestamp"), seconds.to_string());
        let signed = format!("{}.{seconds}.{}", request.header("webhook-id"), request.body);
        let signatures = WEBHOOK_KEYS.map(|key| {
            let key = BASE64_STANDARD.decode(key.strip_prefix("whsec_").unwrap()).unwrap();
            let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(&signed);
            format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
        });
        assert_eq!(request.header("webhook-signature"), signatures.join(" "));
    }
    let ids: Vec<_> = told.iter().map(|request| request.header("webhook-id")).collect();
    assert_eq!(ids[0], ids[1], "the same for every attempt to tell one change");
    assert_ne!(ids[1], ids[2], "another for the next change");
    assert_eq!((told[1].body == told[0].body, told[2].status().as_str()), (true, "INVOICED"));
}
