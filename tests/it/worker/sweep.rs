//! The sweep and the backfill.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_asks_front_payment_and_tells_the_news() {
    let scene = Scene::front_payment().await;
    let order_id = scene.place("/status").await;
    // The customer signs, but the callback gets lost.
    let uuid = scene.stored(&order_id).await.order_uuid.unwrap();
    let tells = Peer::start(crate::support::peer::status_reply(&uuid, "RESERVED")).await;
    let worker = scene.start(WORKER, &[("FRONT_PAYMENT_BASE_URL", &tells.base_url)]).await;
    sweep(&worker).await;
    assert_eq!((tells.requests().len(), scene.shop.requests().len()), (0, 0), "not yet");

    let earlier = AttributeValue::S((Timestamp::now() - SignedDuration::from_secs(121)).to_string());
    let due = AttributeValue::N((Timestamp::now().as_second() - 1).to_string());
    scene.command(&order_id, "SET updatedAt = :earlier, askAt = :due", &[(":earlier", earlier), (":due", due)]).await;
    wake(&worker, &[&order_id]).await;
    assert_eq!(tells.requests().len(), 0, "the stream only notifies");
    sweep(&worker).await;
    assert_eq!(tells.requests().len(), 1);
    let stored = scene.stored(&order_id).await;
    assert_eq!((stored.status, stored.bank_id_url.as_deref()), (Status::Reserved, None));
    let requests = scene.shop.requests();
    assert!(requests.len() == 1 && requests[0].contains("status=RESERVED"), "{requests:?}");
    let reads = logged(&worker, "reading");
    assert_eq!(reads.len(), 1);
    assert_eq!(
        (&reads[0]["outcome"], &reads[0]["providerStatusCode"], &reads[0]["orderId"]),
        (&json!("news"), &json!(200), &json!(order_id))
    );
    let lines: Vec<Value> = worker.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_alarms_count_real_lines("WorkerLogs", &lines, &["news", "sweep", "waiting"]);
    assert_clean(&worker, &scene, &stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_derived_wrongly_is_corrected() {
    let scene = Scene::front_payment().await;
    let worker = scene.start(WORKER, &[]).await;
    let number = |number: i64| AttributeValue::N(number.to_string());
    let told = scene.place_invoiced("/status").await.order_id.to_string();
    wake(&worker, &[&told]).await;
    let right = scene.stored(&told).await;
    // The item says that a notification and a status read are due, although neither is.
    let wrong = "SET tellQueue = :shop, tellAt = :early, askAt = :early, changedAt = :early, expiresAt = :late";
    let shop = AttributeValue::S("demo-shop".to_owned());
    scene.command(&told, wrong, &[(":shop", shop), (":early", number(1)), (":late", number(9_000_000_000))]).await;
    sweep(&worker).await;
    let corrected = scene.stored(&told).await;
    assert!(StoredOrder { version: right.version, ..corrected.clone() } == right);
    assert_eq!((corrected.tell_queue, corrected.expires_at, scene.shop.requests().len()), (None, None, 1));

    // The backfill corrects what no queue leads to, also after a change of the retention. A later release may know more queues.
    let later = AttributeValue::S("later".to_owned());
    scene.command(&told, "SET changedAt = :early, askQueue = :later", &[(":early", number(1)), (":later", later)]).await;
    let worker = scene.start(WORKER, &[("ORDER_RETENTION_DAYS", "90")]).await;
    assert_eq!(worker.run(29, json!({"backfill": true, "by": "op-7"}).to_string()).await, json!({}));
    let corrected = scene.stored(&told).await;
    assert_eq!((corrected.ask_queue, corrected.changed_at), (right.ask_queue, right.changed_at));
    assert_eq!(corrected.expires_at, Some(right.updated_at.as_second() + 7_776_000));
    let lines = logged(&worker, "operator");
    assert_eq!((&lines[0]["event"], &lines[0]["by"], &lines[0]["outcome"]), (&json!("backfill"), &json!("op-7"), &json!("done")));
    let version = corrected.version;
    worker.run(29, json!({"backfill": true}).to_string()).await;
    assert_eq!(scene.stored(&told).await.version, version, "what is right is not written");
}
