//! A worker that is killed, interrupted or misconfigured.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_killed_in_a_call_repeats_it_after_a_minute() {
    let notify = json!({"keys": [NOTIFY_KEY], "hosts": ["127.0.0.1"]});
    let scene = Scene::new(notify, Behaviour::WritesAfter(Duration::from_secs(5), b"HTTP/1.1 200 X\r\n\r\n".to_vec())).await;
    let order_id = scene.place_invoiced("/status").await.order_id.to_string();
    let killed = std::sync::Arc::new(scene.start(WORKER, &[]).await);
    let waiting = tokio::spawn({
        let (killed, event) = (killed.clone(), stream_event(&[&order_id]).to_string());
        async move { killed.run(29, event).await }
    });
    eventually(|| scene.shop.requests().len() == 1).await;
    killed.kill().await;
    waiting.abort();

    let worker = scene.start(WORKER, &[]).await;
    sweep(&worker).await;
    wake(&worker, &[&order_id]).await;
    assert_eq!(scene.shop.requests().len(), 1, "the attempt may still be running");
    // A minute later, in a new process, which knows only the stored item.
    let stored = scene.stored(&order_id).await;
    let mut later = StoredOrder { version: stored.version + 1, ..stored.clone() };
    let notifications = later.notifications.as_mut().unwrap();
    let since = &mut notifications.running.as_mut().unwrap().since;
    *since -= SignedDuration::from_secs(61);
    notifications.next_at = *since;
    later.derive(None);
    scene.store.replace(&stored, &later).await.unwrap();
    sweep(&worker).await;
    sweep(&worker).await;
    assert_eq!(scene.shop.requests().len(), 2, "once more");
    let notifications = scene.stored(&order_id).await.notifications.unwrap();
    assert_eq!((notifications.attempts, notifications.told_status), (2, Some(Status::Invoiced)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_services_are_down_answers_all_the_same() {
    let scene = Scene::front_payment().await;
    let order = scene.place_invoiced("/status").await;
    let order_id = order.order_id.to_string();
    for variable in ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_DYNAMODB"] {
        let worker = scene.start(WORKER, &[(variable, NOBODY)]).await;
        wake(&worker, &[&order_id]).await;
        sweep(&worker).await;
        assert!(worker.log().contains("\"level\":\"ERROR\"") || worker.log().contains("\"level\":\"WARN\""), "{}", worker.log());
        assert_clean(&worker, &scene, &order);
    }
    assert_eq!(scene.shop.requests().len(), 0);
    let worker = scene.start(WORKER, &[]).await;
    for event in ["null", "[]", "\"text\"", "{\"backfill\":5}"] {
        assert!(worker.run(29, event.to_owned()).await["error"].is_string(), "{event}");
    }
    assert_eq!(worker.run(29, "{\"Records\":[{}]}".to_owned()).await, json!({"batchItemFailures": []}));
    assert_eq!(scene.shop.requests().len(), 0, "none of them is a sweep");
    sweep(&worker).await;
    assert_eq!(scene.shop.requests().len(), 1);
}

#[test]
fn a_bad_configuration_ends_init_with_one_line_that_names_it() {
    let good =
        [("ORDERS_TABLE", "orders"), ("SECRET_ID", "s"), ("FRONT_PAYMENT_BASE_URL", "https://demo-api.frontpayment.no/api/v1")];
    for (variable, value) in [
        ("ORDERS_TABLE", ""),
        ("SECRET_ID", ""),
        ("FRONT_PAYMENT_BASE_URL", ""),
        ("FRONT_PAYMENT_BASE_URL", "http://example.com"),
        ("ORDER_RETENTION_DAYS", "30"),
        ("PRIVATE_SHOP_HOSTS", "http://shop.internal/"),
        ("PRIVATE_SHOP_HOSTS", "shop.internal:0"),
        ("SSL_CERT_FILE", "/does/not/exist"),
    ] {
        let started = Command::new(WORKER).env_clear().envs(good).env(variable, value).output().unwrap();
        let line = String::from_utf8(started.stderr).unwrap();
        assert!(line.starts_with(&format!("{variable}: ")) && line.ends_with('\n') && line.lines().count() == 1, "{line:?}");
        assert_eq!((started.status.code(), started.stdout.len()), (Some(1), 0));
    }
}
