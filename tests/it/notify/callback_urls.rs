//! Which shops are notified, and at which URLs.

use super::*;

#[tokio::test]
async fn a_shop_without_notify_is_not_told_until_it_has_one() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_C).await;
    assert_eq!(worker.notified(&order_id, SHOP_C).await["state"], "pending", "before the worker has come to it");
    let log = Log::capture();
    worker.wake(&[&order_id]).await;
    let notified = worker.notified(&order_id, SHOP_C).await;
    assert_eq!((&notified["state"], notified.get("nextAt"), notified.get("lastError")), (&json!("off"), None, None));
    assert_eq!((worker.shops.count(), log.errors().len()), (0, 0));

    worker.set_secret(secret_with([
        ("shop-a", "key-a", json!({"keys": [NOTIFY_KEY]})),
        ("shop-b", "key-b", Value::Null),
        ("shop-c", "key-c", json!({"keys": [NOTIFY_KEY]})),
    ]));
    worker.pass(301);
    worker.wake(&[&order_id]).await;
    worker.sweep().await;
    assert_eq!(
        (worker.shops.count(), &worker.notified(&order_id, SHOP_C).await["state"]),
        (0, &json!("off")),
        "it counts as told"
    );
    worker.call_back(&order_id, "PAID").await;
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.statuses(), ["PAID"]);
    let notified = worker.notified(&order_id, SHOP_C).await;
    assert_eq!((&notified["state"], &notified["status"]), (&json!("delivered"), &json!("PAID")));
}

#[tokio::test]
async fn a_shop_that_has_left_the_secret_is_told_when_it_comes_back() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    let notify = || json!({"keys": [NOTIFY_KEY]});
    let secret = secret_with([("shop-a", "key-a", notify()), ("shop-b", "key-b", Value::Null), ("shop-c", "key-c", notify())]);
    worker.set_secret(secret.replace("shop-a", "shop-d"));
    worker.pass(301);
    worker.wake(&[&order_id]).await;
    worker.sweep().await;
    assert_eq!(worker.shops.count(), 0);

    worker.set_secret(secret);
    worker.pass(602);
    worker.sweep().await;
    assert_eq!((worker.shops.count(), &worker.notified(&order_id, SHOP_A).await["state"]), (1, &json!("delivered")));
}

#[tokio::test]
async fn a_sweep_makes_off_of_what_no_stream_told() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_C).await;
    worker.sweep().await;
    assert_eq!((worker.shops.count(), &worker.notified(&order_id, SHOP_C).await["state"]), (0, &json!("off")));
}

#[tokio::test]
async fn a_url_that_cannot_be_called_is_warned_about_and_fails_at_once() {
    for url in [
        "http://shop.example/status",
        "https://user:password@shop.example/status",
        "https://192.0.2.1/status",
        "https://93.184.215.14/status",
        "https://0x7f.1/status",
        "https://2130706433/status",
        "https://[::ffff:127.0.0.1]/status",
        "https://shop.example/status?status=mine",
        "https://shop.example/status?check.sum=1&orderUuid=5",
        "https://shop.example/status?a[]=1",
        "https://shop.example/status?a%5B0%5D=1",
    ] {
        let worker = TestWorker::new().await;
        let reply = worker.post(SHOP_A, url, sent("ODR1")).await;
        assert_eq!(reply.status, 201, "{url}");
        let warned = ("/callback/callbackUrl".to_owned(), "not_notifiable".to_owned());
        assert_eq!(reply.warnings().iter().filter(|warning| **warning == warned).count(), 1, "{url}");
        let order_id = reply.order_id();
        worker.call_back(&order_id, "INVOICED").await;
        let log = Log::capture();
        worker.wake(&[&order_id]).await;
        let notified = worker.notified(&order_id, SHOP_A).await;
        assert_eq!(
            (&notified["state"], &notified["lastError"], &notified["attempts"], notified.get("nextAt")),
            (&json!("failed"), &json!("address"), &json!(0), None),
            "{url}"
        );
        assert_eq!((worker.shops.count(), log.errors().len()), (0, 0), "{url}: no alarm");
        let lines = log.lines();
        assert!(lines.iter().any(|line| line["level"] == "WARN" && line["orderId"] == json!(order_id)), "{lines:?}");
        let text = json!(lines).to_string();
        assert!(!text.contains("status?") && !text.contains("user:password") && !text.contains("https://"), "{text}");
    }
}

#[tokio::test]
async fn whether_a_url_can_be_called_depends_on_the_shop() {
    let worker = TestWorker::new().await;
    let notify = json!({"keys": [NOTIFY_KEY], "hosts": ["Shop.Example"]});
    worker.set_secret(secret_with([
        ("shop-a", "key-a", notify),
        ("shop-b", "key-b", json!({"format": "standard-webhooks", "keys": WEBHOOK_KEYS})),
        ("shop-c", "key-c", Value::Null),
    ]));
    worker.pass(301);
    for (shop, url, is_warned) in [
        (SHOP_A, "https://SHOP.example/status?x=1&x=2", false),
        (SHOP_A, "https://shop.example:8443/", false),
        (SHOP_A, "https://other.example/status", true),
        // Reserved names matter only in the format `front-payment`.
        (SHOP_B, "https://shop.example/?status=mine&a[]=1", false),
        (SHOP_B, "http://shop.example/", true),
        (SHOP_B, "https://10.0.0.1/", true),
        // SHOP_C is not notified, so nobody checks its URL.
        (SHOP_C, "http://10.0.0.1/?status=mine", false),
    ] {
        let reply = worker.post(shop, url, sent("ODR1")).await;
        let codes: Vec<_> = reply.warnings().into_iter().map(|(_, code)| code).collect();
        assert_eq!((reply.status, codes.contains(&"not_notifiable".to_owned())), (201, is_warned), "{url}");
    }
}
