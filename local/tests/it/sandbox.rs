//! The sandbox, and how it misbehaves.

use std::process::Command;

use local::{API_KEY, example_order};
use serde_json::{Value, json};

use super::{LOCAL, Running, answer};

#[tokio::test]
async fn misbehaviour_on_demand() {
    let local = Running::start(&["--in-memory"]);
    for (word, status, slug) in [
        ("error-500", 504, "outcome-unknown"),
        ("error-510", 504, "outcome-unknown"),
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
    local.client.post(format!("{}{sign}", local.base)).send().await.unwrap();
    assert_eq!((local.submit("lost-reply", "lost").await.0, local.status(&lost).await.as_str()), (201, "INVOICED"));

    // The bridge only warns about this number, but the sandbox refuses it. The sandbox's sentence gets a pointer.
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
    let local = Running::start_with(Command::new(LOCAL).arg("--in-memory").env("TRUSTED_FAILURES", "500"));
    let portal = || local.page("/front-payment/portal");
    // The bridge cannot know that nothing was created, so the order stays UNKNOWN.
    let (status, lost) = local.submit("lost-request", "lost").await;
    assert_eq!((status, local.status(&lost).await.as_str()), (504, "UNKNOWN"));
    assert_eq!(local.submit("Dhaka", "lost").await.0, 409);
    assert!(!portal().await.contains("lost-request"));

    // Front Payment says that nothing was created, and is trusted, so the same key creates another order.
    assert_eq!(local.submit("error-500-created", "denied").await.0, 502);
    let page = portal().await;
    let sign = page.split('"').find(|part| part.ends_with("/sign")).unwrap();
    let (status, created) = local.submit("Dhaka", "denied").await;
    assert_eq!((status, &created["status"]), (201, &json!("SENT")));
    assert!(!sign.contains(created["orderUuid"].as_str().unwrap()));
    local.client.post(format!("{}{sign}", local.base)).send().await.unwrap();
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
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await; // the timestamp of a callback has whole seconds
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

impl Running {
    /// Creates an order at the sandbox, without the bridge.
    async fn at_front_payment(&self, reference_no: &str) -> String {
        let mut order = example_order(&self.base, reference_no);
        order["callback"]["callbackUrl"] = json!(format!("{}/nobody", self.base));
        let created = answer(self.front_payment("invoice/submit").body(order.to_string())).await.1;
        created["data"]["orderUuid"].as_str().unwrap().to_owned()
    }

    fn front_payment(&self, call: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/front-payment/api/v1/connect/orders/{call}", self.base)).bearer_auth("sandbox-token")
    }

    /// Status and amounts, as Front Payment tells them.
    async fn at_provider(&self, uuid: &str) -> Value {
        let url = format!("{}/front-payment/api/v1/connect/orders/status/{uuid}", self.base);
        answer(self.client.get(url).bearer_auth("sandbox-token")).await.1["data"].take()
    }

    /// Gives an order a status in the portal.
    pub(super) async fn in_portal(&self, order: &Value, status: &str) {
        let url = format!("{}/front-payment/portal/{}/status", self.base, order["orderUuid"].as_str().unwrap());
        assert_eq!(self.client.post(url).body(format!("status={status}")).send().await.unwrap().status(), 303);
    }

    async fn press_in_portal(&self, uuid: &str, button: &str, form: &'static str) -> u16 {
        let url = format!("{}/front-payment/portal/{uuid}/{button}", self.base);
        self.client.post(url).body(form).send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn front_payment_cancels_what_is_not_paid() {
    let local = Running::start(&["--in-memory"]);
    let cancel = async |uuid: &str, body: &'static str| answer(local.front_payment(&format!("cancel/{uuid}")).body(body)).await;
    const NOTE: &str = r#"{"cancellationNote": "the cart changed"}"#;
    let (status, unknown) = cancel("ODR404", "not JSON").await;
    assert_eq!((status, &unknown["message"], &unknown["is_data"]), (404, &json!("orderNotFound"), &json!(false)));
    let uuid = local.at_front_payment("Dhaka").await;
    for body in ["{}", "", r#"{"cancellationNote": " "}"#, r#"{"cancellationNote": 1}"#] {
        let (status, refused) = cancel(&uuid, body).await;
        assert_eq!((status, &refused["errors"]), (417, &json!(["The cancellation note field is required."])), "{body}");
    }
    assert_eq!(local.at_provider(&uuid).await["status"], "SENT");
    let expected = json!({"status_code": 202, "status_message": "OK", "message": "cancelledOrderSuccessfully", "is_data": false, "data": null});
    assert_eq!(cancel(&uuid, NOTE).await, (202, expected));
    assert_eq!(local.at_provider(&uuid).await["status"], "CANCELLED");
    let (status, again) = cancel(&uuid, NOTE).await;
    assert_eq!((status, &again["message"]), (400, &json!("orderStatusAlreadyCancelled")));
    let paid = local.at_front_payment("Dhaka").await;
    local.press_in_portal(&paid, "status", "status=PAID").await;
    let (status, refused) = cancel(&paid, NOTE).await;
    assert_eq!(
        (status, &refused["status_message"], &refused["message"]),
        (400, &json!("Conflict of Business Logic"), &json!("orderStatusAlreadyPaid"))
    );
    let stranger = local.client.post(format!("{}/front-payment/api/v1/connect/orders/cancel/{uuid}", local.base));
    assert_eq!(answer(stranger.body(NOTE)).await.0, 401);

    // The same refusals, by words.
    let refused = local.at_front_payment("cancel-refused").await;
    assert_eq!(cancel(&refused, NOTE).await.1["message"], "orderStatusAlreadyPaid");
    assert_eq!(local.at_provider(&refused).await["status"], "SENT");
    let lost = local.at_front_payment("cancel-lost").await;
    let request = local.front_payment(&format!("cancel/{lost}")).body(NOTE);
    let reply = async { request.send().await?.text().await };
    assert!(reply.await.is_err(), "the connection breaks");
    assert_eq!(local.at_provider(&lost).await["status"], "CANCELLED");
    let hanging = local.at_front_payment("cancel-hangs").await;
    let reply = local.front_payment(&format!("cancel/{hanging}")).body(NOTE).timeout(std::time::Duration::from_secs(1));
    assert!(reply.send().await.unwrap_err().is_timeout());
    assert_eq!(local.at_provider(&hanging).await["status"], "SENT");
}

#[tokio::test]
async fn a_cancelled_order_is_called_back() {
    let local = Running::start(&["--in-memory"]);
    let (_, order) = local.submit("Dhaka", "cancelled").await;
    let cancelling = local.front_payment(&format!("cancel/{}", order["orderUuid"].as_str().unwrap()));
    assert_eq!(answer(cancelling.body(r#"{"cancellationNote": "regretted"}"#)).await.0, 202);
    local.until_status(&order, "CANCELLED").await;
}

#[tokio::test]
async fn a_refund_of_a_part_is_told_with_its_amount() {
    let local = Running::start(&["--in-memory"]);
    let (_, order) = local.submit("Dhaka", "refunded").await;
    let uuid = order["orderUuid"].as_str().unwrap();
    let told = async || {
        let told = local.at_provider(uuid).await;
        (told["status"].as_str().unwrap().to_owned(), told["refundedAmount"].to_string())
    };
    assert_eq!(local.at_provider(uuid).await, json!({"uuid": uuid, "status": "SENT", "orderAmount": 40, "refundedAmount": 0}));
    assert_eq!(local.press_in_portal(uuid, "refund", "amount=10.50").await, 303);
    assert_eq!(told().await, ("PARTIAL REFUNDED".to_owned(), "10.5".to_owned()));
    assert_eq!(local.status(&order).await, "PARTIAL_REFUNDED", "Front Payment has called back");
    for form in ["amount=29.51", "amount=0", "amount=-1", "amount=1e1", "amount=", ""] {
        assert_eq!(local.press_in_portal(uuid, "refund", form).await, 422, "{form}");
    }
    assert_eq!(local.press_in_portal(uuid, "refund", "amount=29.5&callback=lost").await, 303);
    assert_eq!(told().await, ("REFUNDED".to_owned(), "40".to_owned()));
    assert_eq!(local.press_in_portal("ODR404", "refund", "amount=1").await, 404);
}
