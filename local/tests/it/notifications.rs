//! The shop is told of each status, and it may misbehave.

use std::time::Duration;

use local::{API_KEY, WEBHOOKS_API_KEY};
use serde_json::{Value, json};

use super::{Running, answer};

impl Running {
    /// `notified` of the order, after an attempt has ended.
    async fn notified(&self, api_key: &str, order: &Value) -> Value {
        for _ in 0..200 {
            let notified = self.read_as(api_key, order).await["notified"].take();
            if notified["attempts"] != 0 && (notified["state"] != "pending" || notified.get("lastError").is_some()) {
                return notified;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the shop was not notified of {order}");
    }

    /// The first notification about an order.
    pub(super) async fn told_of(&self, order_uuid: &Value) -> Value {
        for _ in 0..200 {
            if let Some(told) = self.told(order_uuid).await.pop() {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the shop was not told of {order_uuid}");
    }

    /// The notifications about an order, latest first.
    async fn told(&self, order_uuid: &Value) -> Vec<Value> {
        let told: Vec<Value> = serde_json::from_str(&self.page("/front-payment/shop/notifications").await).unwrap();
        told.into_iter().filter(|told| told["orderUuid"] == *order_uuid).collect()
    }
}

#[tokio::test]
async fn the_shop_is_told_at_once_and_verifies_it() {
    let local = Running::start(&["--in-memory"]);
    for (api_key, format) in [(API_KEY, "front-payment"), (WEBHOOKS_API_KEY, "standard-webhooks")] {
        let (_, order) = local.submit_as(api_key, "Dhaka", format).await;
        assert_eq!((&order["status"], order.get("warnings")), (&json!("SENT"), None));
        let notified = &local.read_as(api_key, &order).await["notified"];
        assert_eq!((&notified["state"], &notified["status"]), (&json!("delivered"), &json!("SENT")), "the 201 told it");
        local.press(&order, "sign").await;
        let notified = local.notified(api_key, &order).await;
        assert_eq!(
            (&notified["state"], &notified["status"], &notified["attempts"]),
            (&json!("delivered"), &json!("INVOICED"), &json!(1))
        );
        let told = local.told(&order["orderUuid"]).await;
        let [told] = &told[..] else { panic!("told once: {told:?}") };
        assert_eq!((&told["status"], &told["format"]), (&json!("INVOICED"), &json!(format)));
        assert_eq!((&told["verified"], &told["answer"]), (&json!(true), &json!(200)), "{told}");
        assert!(local.page("/front-payment/shop").await.contains(order["orderUuid"].as_str().unwrap()));

        // The shop asks to be told again.
        let url = format!("{}/orders/{}/notifications", local.base, order["orderId"].as_str().unwrap());
        let (status, again) = answer(local.client.post(url).bearer_auth(api_key)).await;
        assert_eq!((status, &again["notified"]["state"]), (202, &json!("pending")));
        local.notified(api_key, &order).await;
        assert_eq!(local.told(&order["orderUuid"]).await.len(), 2);
    }
}

#[tokio::test]
async fn a_shop_misbehaves_on_demand() {
    let local = Running::start(&["--in-memory"]);
    let expected = [
        ("shop-500", "pending", json!("http-500"), json!(500)),
        ("shop-410", "failed", json!("http-410"), json!(410)),
        ("shop-redirect", "pending", json!("redirect"), json!(302)),
        ("early-callback shop-slow", "delivered", Value::Null, json!(200)),
        ("early-callback shop-slow shop-410", "failed", json!("http-410"), json!(410)),
        ("early-callback shop-down", "pending", json!("timeout"), Value::Null),
    ];
    let checks = expected.map(async |(word, state, error, answer)| {
        let (status, order) = local.submit(word, &word.replace(' ', "_")).await;
        assert_eq!(status, 201, "{word}: {order}");
        if order.get("bankIdUrl").is_some() {
            local.press(&order, "sign").await;
        }
        let notified = local.notified(API_KEY, &order).await;
        assert_eq!((&notified["state"], &notified["lastError"]), (&json!(state), &error), "{word}: {notified}");
        assert_eq!((&notified["attempts"], notified.get("nextAt").is_some()), (&json!(1), state == "pending"), "{word}");
        let told = local.told(&order["orderUuid"]).await;
        assert_eq!((told.len(), &told[0]["answer"], &told[0]["verified"]), (1, &answer, &json!(true)), "{word}: {told:?}");
    });
    futures_util::future::join_all(checks).await;
}

#[tokio::test]
async fn the_shop_refuses_what_it_cannot_verify() {
    let local = Running::start(&["--in-memory"]);
    let url = format!("{}/front-payment/shop/status", local.base);
    let get = |query: &str| local.client.get(format!("{url}?orderUuid=ODR1&status=PAID{query}"));
    let post = || local.client.post(&url).body(r#"{"data": {"orderUuid": "ODR1", "status": "PAID"}}"#);
    let signature = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let now = jiff::Timestamp::now().as_second();
    for (request, reason) in [
        (get(""), "there is no checksum"),
        (get("&checksum=00"), "the checksum is wrong"),
        (post(), "there is no webhook-signature"),
        (post().header("webhook-signature", signature), "the webhook-timestamp is more than five minutes away"),
        (post().header("webhook-signature", signature).header("webhook-timestamp", now), "no webhook-signature is right"),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 403, "{reason}");
        let told = &local.told(&json!("ODR1")).await[0];
        assert_eq!((&told["reason"], &told["verified"], &told["status"]), (&json!(reason), &json!(false), &json!("PAID")));
        assert!(local.page("/front-payment/shop").await.contains(reason));
    }
}
