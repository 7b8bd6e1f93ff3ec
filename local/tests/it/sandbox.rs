//! The sandbox, and how it misbehaves.

use local::{API_KEY, example_order};
use serde_json::json;

use super::{Running, answer};

#[tokio::test]
async fn misbehaviour_on_demand() {
    let local = Running::start(&["--in-memory"]);
    for (word, status, slug) in [
        ("error-500", 502, "front-payment-failed"),
        ("error-510", 502, "front-payment-failed"),
        ("rate-limited", 503, "front-payment-unavailable"),
        ("unavailable", 503, "front-payment-unavailable"),
    ] {
        let (answered, problem) = local.submit(word, word).await;
        assert_eq!((answered, &problem["type"]), (status, &json!(format!("urn:front-payment-bridge:{slug}"))), "{word}");
    }
    // A lost reply: UNKNOWN until the order in the portal is signed.
    let (status, lost) = local.submit("lost-reply", "lost").await;
    assert_eq!((status, &lost["type"]), (504, &json!("urn:front-payment-bridge:outcome-unknown")));
    assert_eq!(local.submit("lost-reply", "lost").await.0, 409);
    let portal = local.page("/front-payment/portal").await;
    let sign = portal.split('"').find(|part| part.ends_with("/sign")).unwrap();
    local.client.post(sign).send().await.unwrap();
    assert_eq!((local.submit("lost-reply", "lost").await.0, local.status(&lost).await.as_str()), (201, "INVOICED"));

    // The bridge only warns of this, but the sandbox refuses it. Its sentence gets a pointer.
    let mut order = example_order(&local.base, "Dhaka");
    order["customerDetails"]["personalNumber"] = json!("abcdefghijk");
    let request = local.client.post(format!("{}/orders", local.base)).bearer_auth(API_KEY).body(order.to_string());
    let (status, refused) = answer(request).await;
    assert_eq!((status, &refused["type"]), (422, &json!("urn:front-payment-bridge:rejected-by-front-payment")));
    let sentence = "The customer details.personal number must be 11 digits.";
    assert_eq!(
        refused["errors"],
        json!([{"pointer": "/customerDetails/personalNumber", "code": "provider", "detail": sentence}])
    );

    let (status, early) = local.submit("early-callback", "early").await;
    assert_eq!((status, &early["status"], early.get("bankIdUrl")), (201, &json!("INVOICED"), None));
    for (word, entries) in [("duplicate-callback", 2), ("reversed-callbacks", 3), ("unknown-status", 3), ("bad-checksum", 2)] {
        let (status, order) = local.submit(word, word).await;
        assert_eq!(status, 201, "{word}");
        local.press(&order, "sign").await;
        let read = local.read(&order).await;
        assert_eq!((&read["status"], read["history"].as_array().unwrap().len()), (&json!("INVOICED"), entries), "{word}: {read}");
    }
    let (status, slow) = local.submit("slow", "slow").await;
    assert_eq!((status, &slow["status"]), (201, &json!("SENT")));
}

#[tokio::test]
async fn a_lost_request_is_not_sent_again_and_a_denied_order_is_noticed_when_it_calls_back() {
    let local = Running::start(&["--in-memory"]);
    let portal = || local.page("/front-payment/portal");
    // The bridge cannot know that nothing was created, so the order stays UNKNOWN.
    let (status, lost) = local.submit("lost-request", "lost").await;
    assert_eq!((status, local.status(&lost).await.as_str()), (504, "UNKNOWN"));
    assert_eq!(local.submit("Dhaka", "lost").await.0, 409);
    assert!(!portal().await.contains("lost-request"));

    // Front Payment says that nothing was created, so the same key creates another order.
    assert_eq!(local.submit("error-500-created", "denied").await.0, 502);
    let page = portal().await;
    let sign = page.split('"').find(|part| part.ends_with("/sign")).unwrap();
    let (status, created) = local.submit("Dhaka", "denied").await;
    assert_eq!((status, &created["status"]), (201, &json!("SENT")));
    assert!(!sign.contains(created["orderUuid"].as_str().unwrap()));
    local.client.post(sign).send().await.unwrap();
    let read = local.read(&created).await;
    let entries: Vec<_> = read["history"].as_array().unwrap().iter().map(|entry| (&entry["source"], &entry["status"])).collect();
    let (submit, callback) = (&json!("submit"), &json!("callback"));
    let expected = [(submit, &json!("FAILED")), (submit, &json!("SENT")), (callback, &json!("INVOICED"))];
    assert_eq!((&entries[..], &read["orderUuid"]), (&expected[..], &created["orderUuid"]), "the other order is only noted");
    assert_eq!(read["status"], "SENT");
}

#[tokio::test]
async fn many_clicks_sign_or_decline_an_order_once() {
    let local = Running::start(&["--in-memory"]);
    let (_, order) = local.submit("Dhaka", "clicked").await;
    let link = order["bankIdUrl"].as_str().unwrap();
    let clicks = (0..20).map(|click| local.client.post(format!("{link}/{}", ["sign", "decline"][click % 2])).send());
    let pages = futures_util::future::join_all(clicks).await;
    let first = pages[0].as_ref().unwrap().headers()["location"].clone();
    assert!(pages.into_iter().all(|page| page.unwrap().headers()["location"] == first), "all see the same page");
    let read = local.read(&order).await;
    assert_eq!(read["history"].as_array().unwrap().len(), 2, "{read}");
}

#[tokio::test]
async fn a_lost_callback_leaves_the_order_as_it_was() {
    let local = Running::start(&["--in-memory"]);
    let (_, order) = local.submit("lost-callback", "lost").await;
    assert!(local.press(&order, "sign").await.ends_with("/shop/success"));
    assert!(local.page("/front-payment/portal").await.contains("INVOICED"));
    assert_eq!(local.status(&order).await, "SENT");
}

#[tokio::test]
async fn the_rate_limit_is_an_option() {
    let local = Running::start(&["--in-memory", "--rate-limit", "0"]);
    let (status, problem) = local.submit("Dhaka", "limited").await;
    assert_eq!((status, &problem["type"]), (503, &json!("urn:front-payment-bridge:front-payment-unavailable")));
}

#[tokio::test]
async fn a_repeated_callback_has_the_same_values() {
    let local = Running::start(&["--in-memory"]);
    let (_, order) = local.submit("Dhaka", "repeated").await;
    local.press(&order, "sign").await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await; // Unix seconds are in the callback
    let portal = format!("{}/front-payment/portal/{}", local.base, order["orderUuid"].as_str().unwrap());
    assert_eq!(local.client.post(format!("{portal}/callback")).send().await.unwrap().status(), 303);
    let read = local.read(&order).await;
    assert_eq!((&read["status"], read["history"].as_array().unwrap().len()), (&json!("INVOICED"), 2), "{read}");
    let paid = local.client.post(format!("{portal}/status")).body("status=PAID&callback=twice").send().await.unwrap();
    assert_eq!(paid.status(), 303);
    let read = local.read(&order).await;
    assert_eq!((&read["status"], read["history"].as_array().unwrap().len()), (&json!("PAID"), 3), "{read}");
}

#[tokio::test]
async fn an_order_of_another_bridge_is_called_back_there_and_one_of_this_program_at_its_present_port() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let arguments = ["--data-dir", data_dir.to_str().unwrap()];
    let mut local = Running::start(&arguments);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut order = example_order(&local.base, "Dhaka");
    order["callback"]["callbackUrl"] = json!(format!("http://{}/callbacks/id/token", other.local_addr().unwrap()));
    let submit = local.client.post(format!("{}/front-payment/api/v1/connect/orders/invoice/submit", local.base));
    let (status, created) = answer(submit.bearer_auth("sandbox-token").body(order.to_string())).await;
    assert_eq!(status, 201, "{created}");
    let sign = local.client.post(format!("{}/sign", created["data"]["bankIdUrl"].as_str().unwrap()));
    let signing = tokio::spawn(sign.send());
    let called = tokio::task::spawn_blocking(move || {
        let (mut connection, _) = other.accept().unwrap();
        let mut request = [0; 200];
        let length = std::io::Read::read(&mut connection, &mut request).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    assert!(called.await.unwrap().starts_with("GET /callbacks/id/token?orderUuid=ODR"));
    assert_eq!(signing.await.unwrap().unwrap().status(), 303);

    let (_, own) = local.submit("Dhaka", "own").await;
    assert_eq!(local.interrupt(), Some(0));
    let moved = Running::start(&arguments);
    assert_ne!(moved.base, local.base);
    let path = own["bankIdUrl"].as_str().unwrap().strip_prefix(&local.base).unwrap();
    let signed = moved.client.post(format!("{}{path}/sign", moved.base)).send().await.unwrap();
    assert_eq!((signed.status().as_u16(), moved.status(&own).await.as_str()), (303, "INVOICED"));
}
