//! What a shop and the operator do after an order is placed.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Running, answer, shell};

impl Running {
    async fn cancel(&self, order: &Value) -> (u16, Value) {
        let url = format!("{}/orders/{}/cancel", self.base, order["orderId"].as_str().unwrap());
        answer(self.client.post(url).bearer_auth(local::API_KEY)).await
    }

    fn operator(&self, event: &Value) -> Value {
        let said = shell(&format!("cargo run -- operator --url {} '{event}'", self.base));
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"))
    }
}

#[tokio::test]
async fn a_cancellation_goes_well_or_wrong() {
    let local = Running::start(&["--in-memory"]);
    let expected = [
        ("Dhaka", 202, "CANCELLED", Value::Null),
        ("cancel-refused", 409, "SENT", json!("urn:front-payment-bridge:cannot-be-cancelled")),
        ("cancel-lost", 504, "CANCELLED", json!("urn:front-payment-bridge:outcome-unknown")),
    ];
    let checks = expected.map(async |(word, status, then, problem)| {
        let (_, order) = local.submit(word, word).await;
        let (answered, reply) = local.cancel(&order).await;
        assert_eq!((answered, &reply["type"]), (status, &problem), "{word}: {reply}");
        local.until_status(&order, then).await;
    });
    let hangs = async {
        let (_, order) = local.submit("cancel-hangs", "cancel-hangs").await;
        let answered = tokio::time::timeout(Duration::from_secs(5), local.cancel(&order)).await;
        assert!(answered.is_err(), "the sandbox answered: {answered:?}");
        local.until_status(&order, "SENT").await;
    };
    tokio::join!(futures_util::future::join_all(checks), hangs);
}

#[tokio::test]
async fn a_refund_is_read_with_its_amount() {
    let local = Running::start(&["--in-memory"]);
    let (_, order) = local.submit("Dhaka", "refunded").await;
    local.press(&order, "sign").await;
    let refund = format!("cargo run -- trigger --url {} refund {} 10.50", local.base, order["orderId"].as_str().unwrap());
    assert!(shell(&refund).contains("it is PARTIAL_REFUNDED at the bridge"));
    let read = local.read(&order).await;
    assert_eq!((&read["status"], &read["refundedAmount"]), (&json!("PARTIAL_REFUNDED"), &json!("10.5")), "{read}");
}

#[tokio::test]
async fn the_operator_settles_what_nobody_knows() {
    let local = Running::start(&["--in-memory"]);
    let (_, lost) = local.submit("lost-reply", "lost").await;
    let (_, never) = local.submit("lost-request", "never").await;
    // An order waits for the operator as soon as its attempt is a minute old.
    let forward = async |step: &str| {
        let clock = local.client.post(format!("{}/front-payment/clock", local.base));
        assert_eq!(answer(clock.body(json!({ "forward": step }).to_string())).await.0, 200);
    };
    forward("2m").await;
    let waiting = local.operator(&json!({"waiting": {}}));
    let orders = waiting["waiting"].as_array().unwrap().iter();
    let mut references: Vec<_> = orders.map(|order| order["referenceNo"].as_str().unwrap()).collect();
    references.sort_unstable(); // both have the same second, so their sequence is random
    assert_eq!(references, ["lost-reply", "lost-request"]);

    let portal = local.page("/front-payment/portal").await;
    let uuid = portal.split_once("/front-payment/portal/").unwrap().1.split('"').next().unwrap();
    let settle = json!({"settle": {"orderId": lost["orderId"], "orderUuid": uuid, "referenceNo": "lost-reply"}});
    let settled = local.operator(&settle);
    assert_eq!((&settled["status"], &settled["orderUuid"]), (&json!("SENT"), &json!(uuid)), "{settled}");
    let not_created = json!({"settle": {"orderId": never["orderId"], "created": false}});
    let early = shell(&format!("cargo run -- operator --url {} '{not_created}'; echo $?", local.base));
    assert!(early.starts_with("1\n"), "less than ten minutes ago: {early}");
    forward("11m").await;
    assert_eq!(local.operator(&not_created)["status"], "FAILED");
    assert_eq!(local.operator(&json!({"waiting": {}}))["waiting"], json!([]));
}
