//! The sweep and the backfill.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_asks_front_payment_and_tells_the_news() {
    let scene = Scene::front_payment().await;
    let order_id = scene.place("/status").await;
    // The customer signs, and the callback gets lost.
    let uuid = scene.stored(&order_id).await.order_uuid.unwrap();
    let tells = Peer::start(crate::support::peer::status_reply(&uuid, "RESERVED")).await;
    let worker = scene.start(WORKER, &[("FRONT_PAYMENT_BASE_URL", &tells.base_url)]).await;
    sweep(&worker).await;
    assert_eq!((tells.requests().len(), scene.shop.requests().len()), (0, 0), "not yet");

    let earlier = AttributeValue::S((Timestamp::now() - SignedDuration::from_secs(121)).to_string());
    let due = AttributeValue::N((Timestamp::now().as_second() - 1).to_string());
    scene.command(&order_id, "SET updatedAt = :earlier, dueAt = :due", &[(":earlier", earlier), (":due", due)]).await;
    wake(&worker, &[&order_id]).await;
    assert_eq!(tells.requests().len(), 0, "the stream only notifies");
    sweep(&worker).await;
    assert_eq!(tells.requests().len(), 1);
    let stored = scene.stored(&order_id).await;
    assert_eq!((stored.status, stored.bank_id_url.as_deref()), (Status::Reserved, None));
    let requests = scene.shop.requests();
    assert!(requests.len() == 1 && requests[0].contains("status=RESERVED"), "{requests:?}");
    let readings = logged(&worker, "reading");
    assert_eq!(readings.len(), 1);
    assert_eq!(
        (&readings[0]["outcome"], &readings[0]["providerStatusCode"], &readings[0]["orderId"]),
        (&json!("news"), &json!(200), &json!(order_id))
    );
    let lines: Vec<Value> = worker.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_alarms_count_real_lines("WorkerLogs", &lines, &["news", "sweep", "waiting"]);
    assert_clean(&worker, &scene, &stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operators_command_left_in_the_wrong_place_is_corrected() {
    let scene = Scene::front_payment().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let worker = scene.start(WORKER, &[]).await;

    // An UNKNOWN order that the operator bound, and one that he marked FAILED; both still wait in the index.
    let unknown = |number: u64| {
        json!({"orderId": format!("0198c2f0-7e4a-7000-8000-00000000000{number}"), "version": 3, "status": "UNKNOWN",
            "attempt": "0198c2f0-7e4a-4000-8000-000000000009", "attemptedAt": "2026-06-15T00:00:00Z", "shopId": "demo-shop",
            "callbackToken": "token", "grandTotal": "40", "shopCallbackUrl": format!("{}/status", scene.shop.base_url),
            "customerType": "private", "preferredLanguage": "no", "country": "NO", "createdAt": "2026-06-15T00:00:00Z",
            "updatedAt": "2026-06-15T00:00:00Z", "history": [], "queue": "settle", "dueAt": 1_781_481_660})
    };
    for number in 1..=3 {
        scene.put_item(unknown(number)).await;
    }
    let [bound, failed, waiting] = [1, 2, 3].map(|number| format!("0198c2f0-7e4a-7000-8000-00000000000{number}"));
    scene
        .command(
            &bound,
            "SET #status = :status, orderUuid = :uuid, updatedAt = :now",
            &[(":status", text("SENT")), (":uuid", text("ODR7")), (":now", text(&Timestamp::now().to_string()))],
        )
        .await;
    scene.command(&failed, "SET #status = :status", &[(":status", text("FAILED"))]).await;
    sweep(&worker).await;
    let places = [(&bound, Some(text("due"))), (&failed, None), (&waiting, Some(text("settle")))];
    for (order_id, queue) in places {
        assert_eq!(scene.attribute(order_id, "queue").await, queue, "{order_id}");
    }
    assert_eq!(scene.attribute(&failed, "dueAt").await, None);
    let due_at = scene.stored(&bound).await.due_at.unwrap();
    assert!(due_at <= Timestamp::now().as_second() + 1, "its shop is to be told that it is SENT");
    let log = worker.log();
    let line = log.lines().find(|line| line.contains("\"waiting\"")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(line).unwrap()["waiting"], 1, "{line}");

    wake(&worker, &[&bound]).await; // by the stream, because the order was corrected
    let told = scene.shop.requests();
    assert!(told.len() == 1 && told[0].contains("orderUuid=ODR7") && told[0].contains("status=SENT"), "{told:?}");
    let due_at = scene.stored(&bound).await.due_at.unwrap();
    assert!((100..=121).contains(&(due_at - Timestamp::now().as_second())), "two minutes after the command");

    // An order that the index has as due, though nothing is.
    let through = scene.place_invoiced("/status").await.order_id.to_string();
    wake(&worker, &[&through]).await;
    let early = AttributeValue::N("1".to_owned());
    scene.command(&through, "SET dueAt = :early", &[(":early", early)]).await;
    sweep(&worker).await;
    let stored = scene.stored(&through).await;
    assert_eq!(
        stored.due_at,
        Some(stored.updated_at.as_second() + 86_400 + i64::from(stored.updated_at.subsec_nanosecond() > 0))
    );
    assert_eq!(scene.shop.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_version_0_1_gets_its_index_and_tells_nothing_of_the_past() {
    let scene = Scene::front_payment().await;
    let details = json!({"fingerprint": "f", "referenceNo": "Dhaka", "grandTotal": "40", "customerType": "private",
        "shopCallbackUrl": format!("{}/status", scene.shop.base_url), "preferredLanguage": "no", "country": "NO"});
    let now = Timestamp::now();
    for (number, status, uuid) in [(1, "INVOICED", true), (2, "UNKNOWN", false), (3, "REFUNDED", true), (4, "FAILED", false)] {
        let mut item = details.clone();
        let rest = json!({"orderId": format!("0198c2f0-7e4a-7000-8000-00000000000{number}"), "version": 3, "status": status,
            "shopId": "demo-shop", "callbackToken": "token", "attempt": "0198c2f0-7e4a-4000-8000-000000000009",
            "attemptedAt": now, "createdAt": now, "updatedAt": now, "history": []});
        item.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        if uuid {
            item["orderUuid"] = json!(format!("ODR{number}"));
        }
        scene.put_item(item).await;
    }
    let worker = scene.start(WORKER, &[]).await;
    assert_eq!(worker.run(29, json!({"backfill": true}).to_string()).await, json!({}));
    let due = async |queue| scene.store.due(queue, i64::MAX, None).await.unwrap().items;
    let (asked, waiting) = (due(Queue::Due).await, due(Queue::Settle).await);
    assert_eq!((asked.len(), asked[0].status, asked[0].shop_id.as_str()), (1, Status::Invoiced, "demo-shop"));
    assert!((86_300..=86_401).contains(&(asked[0].due_at - now.as_second())), "{}", asked[0].due_at);
    assert_eq!((waiting.len(), waiting[0].status), (1, Status::Unknown));
    let log = worker.log();
    let line = log.lines().find(|line| line.contains("\"corrected\"")).unwrap_or_else(|| panic!("{log}"));
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["read"], &line["corrected"]), (&json!(4), &json!(2)), "{line}");

    // Again: nothing is left to do, and no version is raised.
    let invoiced = "0198c2f0-7e4a-7000-8000-000000000001";
    let before = scene.stored(invoiced).await.version;
    worker.run(29, json!({"backfill": true}).to_string()).await;
    sweep(&worker).await;
    wake(&worker, &[invoiced]).await;
    assert_eq!((scene.stored(invoiced).await.version, before, scene.shop.requests().len()), (before, 4, 0));
    let shown = body(&scene.start(ORDERS, &[]).await.invoke(&get(invoiced)).await);
    assert_eq!(shown["notified"]["state"], "off", "{shown}");

    // What changes from now on is told.
    let callbacks = scene.start(CALLBACKS, &[]).await;
    let query = signed("ODR1", "PAID", "40", SECRET_KEY);
    assert_eq!(callbacks.invoke(&callback_event(invoiced, "token", &query)).await["statusCode"], 200);
    wake(&worker, &[invoiced]).await;
    assert!(scene.shop.requests().len() == 1 && scene.shop.requests()[0].contains("status=PAID"));
}
