//! Notifications over real sockets: what shops get, and how they answer.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_verifies_front_payments_callbacks_can_verify_a_notification() {
    let scene = Scene::front_payment().await;
    let order = scene.place_invoiced("/status?shop=a+b&x=%C3%A6#fragment").await;
    let order_id = order.order_id.to_string();
    let worker = scene.start(WORKER, &[("RUST_LOG", "trace"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")]).await;
    wake(&worker, &[&order_id]).await;
    wake(&worker, &[&order_id]).await;
    sweep(&worker).await;

    let requests = scene.shop.requests();
    assert_eq!(requests.len(), 1, "once");
    let (line, headers) = head(&requests[0]);
    let target = line.strip_prefix("GET ").unwrap().strip_suffix(" HTTP/1.1").unwrap();
    let (path, query) = target.split_once('?').unwrap();
    let parameters: Vec<(&str, &str)> = query.split('&').map(|parameter| parameter.split_once('=').unwrap()).collect();
    let checksum = parameters.last().unwrap().1;
    let (created_at, changed_at) = (seconds(order.created_at), seconds(order.notifications.as_ref().unwrap().changed_at));
    assert_eq!(path, "/status");
    assert_eq!(
        parameters,
        [
            ("shop", "a+b"),
            ("x", "%C3%A6"),
            ("orderUuid", order.order_uuid.as_deref().unwrap()),
            ("status", "INVOICED"),
            ("paymentMethod", "Invoice"),
            ("amount", "40"),
            ("createdAt", &created_at),
            ("timestamp", &changed_at),
            ("checksum", checksum),
        ]
    );
    let values = ["a b", "æ", order.order_uuid.as_deref().unwrap(), "INVOICED", "Invoice", "40", &created_at, &changed_at];
    assert_eq!(checksum, hex_sha256(&format!("{}{NOTIFY_KEY}", values.concat())));
    assert!(headers.iter().all(|(name, _)| name != "authorization" && name != "cookie"), "{headers:?}");

    let shown = body(&scene.start(ORDERS, &[]).await.invoke(&get(&order_id)).await);
    assert_eq!(
        (&shown["notified"]["state"], &shown["notified"]["status"], &shown["notified"]["attempts"]),
        (&json!("delivered"), &json!("INVOICED"), &json!(1))
    );
    let lines = logged(&worker, "notification");
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["shopId"], &lines[0]["orderId"], &lines[0]["outcome"], &lines[0]["shopStatusCode"]),
        (&json!("demo-shop"), &json!(order_id), &json!("delivered"), &json!(200))
    );
    assert!(lines[0]["totalMs"].is_u64(), "{}", lines[0]);
    assert_clean(&worker, &scene, &order);

    let logged: Vec<Value> = worker.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_alarms_count_real_lines("WorkerLogs", &logged, &["delivered"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_with_a_library_of_standard_webhooks_can_verify_a_notification() {
    let notify = json!({"format": "standard-webhooks", "keys": WEBHOOK_KEYS, "hosts": ["127.0.0.1"]});
    let scene = Scene::new(notify, reply(204, "", "")).await;
    let order = scene.place_invoiced("/status?x=1").await;
    let order_id = order.order_id.to_string();
    let worker = scene.start(WORKER, &[("RUST_LOG", "trace")]).await;
    wake(&worker, &[&order_id]).await;

    let requests = scene.shop.requests();
    assert_eq!(requests.len(), 1);
    let ((line, headers), (_, sent)) = (head(&requests[0]), requests[0].split_once("\r\n\r\n").unwrap());
    assert_eq!(line, "POST /status?x=1 HTTP/1.1");
    let header = |name: &str| &headers.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1;
    assert_eq!(header("content-type"), "application/json");
    let sent_at: i64 = header("webhook-timestamp").parse().unwrap();
    assert!((Timestamp::now().as_second() - sent_at).abs() < 60);
    let signatures = WEBHOOK_KEYS.map(|key| {
        let key = BASE64_STANDARD.decode(key.strip_prefix("whsec_").unwrap()).unwrap();
        let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let mac = mac.chain_update(format!("{}.{sent_at}.{sent}", header("webhook-id")));
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    });
    assert_eq!(header("webhook-signature"), &signatures.join(" "));
    let sent: Value = serde_json::from_str(sent).unwrap();
    let mut expected = body(&scene.start(ORDERS, &[]).await.invoke(&get(&order_id)).await);
    for left_out in ["notified", "history"] {
        expected.as_object_mut().unwrap().remove(left_out).unwrap();
    }
    assert_eq!((&sent["type"], &sent["data"]), (&json!("order.status"), &expected));
    assert_eq!(sent["data"].get("bankIdUrl"), None);
    assert_eq!(sent["timestamp"], expected["updatedAt"], "of the status");
    assert_eq!(sent.as_object().unwrap().len(), 3);
    assert_clean(&worker, &scene, &order);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_does_not_answer_is_told_later() {
    let notify = json!({"keys": [NOTIFY_KEY], "hosts": ["127.0.0.1"]});
    for (behaviour, error) in [
        (reply(503, "retry-after: 7200\r\n", ""), "http-503"),
        (reply(302, "location: http://127.0.0.1:1/\r\n", ""), "redirect"),
        (Behaviour::Closes, "connection"),
        (Behaviour::Writes(b"not HTTP\r\n\r\n".to_vec()), "connection"),
        (Behaviour::Hangs, "timeout"),
        (Behaviour::WritesAndHangs(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()), "timeout"),
    ] {
        let scene = Scene::new(notify.clone(), behaviour).await;
        let order = scene.place_invoiced("/status").await;
        let worker = scene.start(WORKER, &[]).await;
        let began = std::time::Instant::now();
        wake(&worker, &[&order.order_id.to_string()]).await;
        assert!(began.elapsed() < Duration::from_secs(15), "an attempt ends after ten seconds");
        let notifications = scene.stored(&order.order_id.to_string()).await.notifications.unwrap();
        assert_eq!((notifications.last_error.as_deref(), notifications.attempts), (Some(error), 1));
        let wait = notifications.next_at.duration_since(Timestamp::now()).as_secs();
        let expected = if error == "http-503" { 7_180..=7_200 } else { 30..=72 };
        assert!(expected.contains(&wait), "{error}: {wait}");
        assert_eq!(scene.shop.requests().len(), 1);
        assert_clean(&worker, &scene, &order);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_of_an_answer_is_not_waited_for() {
    let notify = json!({"keys": [NOTIFY_KEY], "hosts": ["127.0.0.1"]});
    let endless = Behaviour::WritesAndHangs(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nno end".to_vec());
    let scene = Scene::new(notify, endless).await;
    let order_id = scene.place_invoiced("/status").await.order_id.to_string();
    let worker = scene.start(WORKER, &[]).await;
    let began = std::time::Instant::now();
    wake(&worker, &[&order_id]).await;
    assert!(began.elapsed() < Duration::from_secs(8));
    assert_eq!(logged(&worker, "notification")[0]["outcome"], "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_shop_is_called_only_where_the_operator_and_the_secret_name_it() {
    let scene = Scene::front_payment().await;
    let order_id = scene.place_invoiced("/status").await.order_id.to_string();
    let worker = scene.start(WORKER, &[("PRIVATE_SHOP_HOSTS", "")]).await;
    wake(&worker, &[&order_id]).await;
    let notifications = scene.stored(&order_id).await.notifications.unwrap();
    assert!(notifications.state == NotificationState::Failed && notifications.last_error.as_deref() == Some("address"));
    assert_eq!(scene.shop.requests().len(), 0);

    let scene = Scene::new(json!({"keys": [NOTIFY_KEY]}), reply(200, "", "")).await;
    let orders = scene.start(ORDERS, &[]).await;
    let mut order = example();
    order["callback"]["callbackUrl"] = json!(format!("{}/status", scene.shop.base_url));
    let created = body(&orders.invoke(&post(&order, None)).await);
    let warned =
        created["warnings"].as_array().unwrap().iter().any(|warning| {
            (&warning["code"], &warning["pointer"]) == (&json!("not_notifiable"), &json!("/callback/callbackUrl"))
        });
    assert!(warned, "{created}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_asks_for_its_present_status_again() {
    let scene = Scene::front_payment().await;
    let order_id = scene.place("/status").await;
    let orders = scene.start(ORDERS, &[]).await;
    let reply = orders.invoke(&repeat_event(&order_id, &format!("Bearer {API_KEY}"))).await;
    assert_eq!((&reply["statusCode"], &body(&reply)["notified"]["state"]), (&json!(202), &json!("pending")), "{reply}");
    let worker = scene.start(WORKER, &[]).await;
    wake(&worker, &[&order_id]).await;
    assert!(scene.shop.requests().len() == 1 && scene.shop.requests()[0].contains("status=SENT"));
}
