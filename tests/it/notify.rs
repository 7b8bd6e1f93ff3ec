//! Shops are told of their orders.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use front_payment_bridge::notify::{Failure, ShopCall};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::documents::get_event;
use crate::support::log::Log;
use crate::support::scripted::{failed, invoiced, rejected, sent, unknown};
use crate::support::shops::{answered, answered_with_retry_after};
use crate::support::worker::{
    NOTIFY_KEY, SHOP_A, SHOP_B, SHOP_C, TestWorker, WEBHOOK_KEYS, repeat_event, secret_with, stream_event,
};

/// The host of [`SHOP_A`].
const HOST_A: &str = "shop.example";

/// The seconds from now until the next attempt.
async fn wait(worker: &TestWorker, order_id: &str) -> i64 {
    let next_at = worker.stored(order_id).await.notifications.unwrap().next_at.expect("no attempt is due");
    next_at.duration_since(worker.now()).as_secs()
}

async fn version(worker: &TestWorker, order_id: &str) -> u64 {
    worker.stored(order_id).await.version
}

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

    // A new status starts anew.
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
        // The names are taken in Front Payment's own format only.
        (SHOP_B, "https://shop.example/?status=mine&a[]=1", false),
        (SHOP_B, "http://shop.example/", true),
        (SHOP_B, "https://10.0.0.1/", true),
        // Nobody is going to call it.
        (SHOP_C, "http://10.0.0.1/?status=mine", false),
    ] {
        let reply = worker.post(shop, url, sent("ODR1")).await;
        let codes: Vec<_> = reply.warnings().into_iter().map(|(_, code)| code).collect();
        assert_eq!((reply.status, codes.contains(&"not_notifiable".to_owned())), (201, is_warned), "{url}");
    }
}

#[tokio::test]
async fn of_two_workers_one_tells() {
    // The other worker comes between the reading and the claim.
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    let (other, event) = (worker.clone(), stream_event(&[&order_id]));
    worker.store().before_write(move || async move {
        other.invoke_other(event).await;
    });
    worker.wake(&[&order_id]).await;
    assert_eq!((worker.shops.count(), &worker.notified(&order_id, SHOP_A).await["attempts"]), (1, &json!(1)));

    // The other worker comes while the shop has not answered.
    worker.call_back(&order_id, "PAID").await;
    let (other, event) = (worker.clone(), stream_event(&[&order_id]));
    worker.shops.meanwhile(move || async move {
        other.invoke_other(event).await;
        other.invoke_other(json!({})).await;
    });
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.statuses(), ["INVOICED", "PAID"]);

    // Both at once.
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
        // The write of the result wakes a worker.
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
async fn a_result_that_the_store_refuses_is_written_again() {
    let worker = TestWorker::new().await;
    let order_id = worker.place_invoiced(SHOP_A).await;
    let failing = worker.clone();
    worker.shops.meanwhile(move || async move { failing.store().fail(3) });
    worker.wake(&[&order_id]).await;
    worker.pass(3_600);
    worker.wake(&[&order_id]).await;
    assert_eq!((worker.shops.count(), &worker.notified(&order_id, SHOP_A).await["state"]), (1, &json!("delivered")));

    // A claim that cannot be written sends nothing, and is written the next time.
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
    assert_eq!((worker.shops.count(), log.errors().len()), (12, 1));
}

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
    // PAID, and by a reading INVOICED again, before a worker came.
    worker.call_back(&order_id, "PAID").await;
    worker.provider().will_tell(Ok("INVOICED"));
    worker.api(get_event(&order_id, "Bearer key-a", "refresh=true")).await;
    assert_eq!(worker.notified(&order_id, SHOP_A).await["state"], "pending");
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.statuses(), ["INVOICED", "INVOICED"]);
    worker.call_back(&order_id, "PAID").await;
    worker.wake(&[&order_id]).await;
    // A callback with the stored status, or with a lower one, tells nothing.
    worker.call_back(&order_id, "PAID").await;
    worker.provider().will_tell(Ok("PAID"));
    worker.call_back(&order_id, "INVOICED").await;
    worker.wake(&[&order_id]).await;
    assert_eq!(worker.shops.statuses(), ["INVOICED", "INVOICED", "PAID"]);
}

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
    for call in [answered(500), answered(503), ShopCall::Failed(Failure::Timeout), ShopCall::Failed(Failure::Connection)] {
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

        worker.pass_to(60);
        worker.shops.always_answers(HOST_A, answered(200));
        worker.sweep().await;
        for order_id in &order_ids[5..] {
            let notified = worker.notified(order_id, SHOP_A).await;
            assert_eq!((&notified["state"], &notified["attempts"]), (&json!("delivered"), &json!(1)));
        }
    }
    // Failures that are this URL's alone do not count.
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
    // Eight of a shop are worked on at once, so that an order may be overtaken by the seven after it.
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
    for event in [json!(null), json!("text"), json!([]), json!({"source": "aws.scheduler"}), json!({"backfill": "yes"})] {
        assert_eq!(worker.invoke(event).await, json!({}));
    }
    assert_eq!(worker.shops.statuses(), ["INVOICED"], "each of them is a sweep");
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

    // Of a change that failed, and of the SENT that the 201 told.
    worker.shops.will_answer("webhooks.example", answered(410));
    worker.call_back(&order_id, "PAID").await;
    worker.wake(&[&order_id]).await;
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
