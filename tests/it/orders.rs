//! `POST /orders` and `GET /orders/{orderId}`.

use front_payment_bridge::config::Settings;
use front_payment_bridge::order::SubmitReply;
use serde_json::{Value, json};

use crate::support::documents::{example, post_event};
use crate::support::scripted::{failed, invoiced, rejected, sent, unavailable, unknown};
use crate::support::test_bridge::{TestBridge, test_secret};

/// A reply of Front Payment; then status, slug and `Retry-After` of the reply to the shop; then the stored status.
type Row = (fn() -> SubmitReply, u16, &'static str, Option<&'static str>, &'static str);

const OUTCOMES: [Row; 7] = [
    (|| sent("ODR1"), 201, "none", None, "SENT"),
    (|| invoiced("ODR1"), 201, "none", None, "INVOICED"),
    (rejected, 422, "rejected-by-front-payment", None, "REJECTED"),
    (|| SubmitReply::Unauthorized, 502, "front-payment-failed", None, "FAILED"),
    (unavailable, 503, "front-payment-unavailable", Some("30"), "FAILED"),
    (failed, 502, "front-payment-failed", None, "FAILED"),
    (unknown, 504, "outcome-unknown", None, "UNKNOWN"),
];

#[tokio::test]
async fn every_reply_of_front_payment_has_its_row() {
    for (reply, status, slug, retry_after, stored) in OUTCOMES {
        let bridge = TestBridge::new().await;
        bridge.provider().will_reply(reply());
        let reply = bridge.post(&example(), Some("key-1")).await;
        assert_eq!((reply.status, reply.slug(), reply.header("retry-after")), (status, slug, retry_after), "{reply:?}");
        assert_eq!(bridge.status(&reply.order_id()).await, stored);
        assert_eq!(bridge.provider().submit_count(), 1);
        if reply.status != 201 {
            assert_eq!(reply.header("content-type"), Some("application/problem+json"));
            assert_eq!((&reply.body["status"], reply.body["title"].is_string()), (&json!(status), true));
        }
    }
}

#[tokio::test]
async fn an_order_takes_a_write_a_call_and_a_write() {
    let bridge = TestBridge::new().await;
    assert_eq!(bridge.post(&example(), Some("key-1")).await.status, 201);
    assert_eq!((bridge.store().operations(), bridge.provider().submit_count()), (vec!["create", "replace"], 1));
    bridge.provider().will_reply(unavailable());
    bridge.post(&example(), Some("key-2")).await;
    bridge.store().operations();
    assert_eq!(bridge.post(&example(), Some("key-2")).await.status, 201);
    assert_eq!(bridge.store().operations(), ["create", "replace", "replace"], "a further attempt takes one write more");
}

#[tokio::test]
async fn a_201_has_the_ids_and_the_link() {
    let bridge = TestBridge::new().await;
    bridge.pass_millis(70);
    let mut reply = bridge.post(&example(), None).await;
    let order_id = reply.order_id();
    let warnings = reply.body.as_object_mut().unwrap().remove("warnings").unwrap();
    assert_eq!((&warnings[0]["pointer"], &warnings[0]["code"], &warnings[1]), (&json!(""), &json!("recommended"), &json!(null)));
    assert_eq!(
        reply.body,
        json!({"orderId": order_id, "status": "SENT", "orderUuid": "ODR1", "customerUuid": "CSRT1", "bankIdUrl": "https://bankid.example/login"})
    );
    assert_eq!((reply.status, reply.header("location")), (201, Some(format!("/orders/{order_id}").as_str())));
    assert_eq!((reply.header("content-type"), reply.header("idempotency-replayed")), (Some("application/json"), None));
    assert_eq!(order_id.as_bytes()[14], b'7', "a UUID v7 without a key");

    let shown = bridge.get(&order_id, "key-a").await;
    assert_eq!(
        shown.body,
        json!({"orderId": order_id, "status": "SENT", "orderUuid": "ODR1", "customerUuid": "CSRT1", "bankIdUrl": "https://bankid.example/login",
            "referenceNo": "Dhaka", "customerReference": "3500", "grandTotal": "40",
            "createdAt": "2026-06-15T00:00:00.070Z", "updatedAt": "2026-06-15T00:00:00.070Z",
            "notified": {"state": "delivered", "status": "SENT", "at": "2026-06-15T00:00:00.070Z", "attempts": 0},
            "history": [{"status": "SENT", "at": "2026-06-15T00:00:00.070Z", "source": "submit"}]}),
        "instants have milliseconds"
    );
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("application/json")));
}

#[tokio::test]
async fn an_order_id_in_capitals_is_the_same_one() {
    let bridge = TestBridge::new().await;
    for key in [Some("key-1"), None] {
        let order_id = bridge.post(&example(), key).await.order_id();
        let shown = bridge.get(&order_id.to_uppercase(), "key-a").await;
        assert_eq!((shown.status, &shown.body["orderId"]), (200, &json!(order_id)));
    }
}

#[tokio::test]
async fn the_callback_url_is_the_bridges_and_has_a_random_token() {
    let bridge = TestBridge::new().await;
    let first = bridge.post(&example(), None).await.order_id();
    let mut event = post_event(&example().to_string(), "Bearer key-a", None);
    event["rawPath"] = json!("/prod/orders");
    let second = bridge.orders(event).await.order_id();
    let submits = bridge.provider().submits();
    let token = submits[0].callback_url.strip_prefix(&format!("https://api.example.no/callbacks/{first}/")).unwrap();
    assert!(token.len() >= 22 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{token}");
    let other = submits[1].callback_url.strip_prefix(&format!("https://api.example.no/prod/callbacks/{second}/")).unwrap();
    assert_ne!(token, other);
    assert_eq!(bridge.stored(&first).await.shop_callback_url, "https://shop.example/status?x=1");

    let settings = Settings { callback_base_url: Some("https://pay.example.no/go/".parse().unwrap()), ..Settings::default() };
    let bridge = TestBridge::with(settings).await;
    bridge.post(&example(), None).await;
    assert!(bridge.provider().submits()[0].callback_url.starts_with("https://pay.example.no/go/callbacks/"));
}

#[tokio::test]
async fn without_a_public_address_nothing_is_sent() {
    let bridge = TestBridge::new().await;
    let mut event = post_event(&example().to_string(), "Bearer key-a", None);
    event["requestContext"] = json!({"domainName": "a b"});
    let reply = bridge.orders(event).await;
    assert_eq!((reply.status, reply.slug(), bridge.provider().submit_count()), (500, "internal", 0));
}

#[tokio::test]
async fn warnings_come_with_the_201_and_may_be_enforced() {
    let mut order = example();
    order["orderSummary"]["grandTotal"] = json!("50");
    order["coupon"] = json!("SUMMER");
    let bridge = TestBridge::new().await;
    let expected = [("/orderSummary/grandTotal", "totals_mismatch"), ("/coupon", "unknown_field")];
    let expected = expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
    assert_eq!(bridge.post(&order, Some("key-1")).await.warnings(), expected);

    let bridge = TestBridge::with(Settings { enforce_advisories: true, ..Settings::default() }).await;
    let reply = bridge.post(&order, Some("key-1")).await;
    assert_eq!((reply.status, reply.slug(), reply.errors()), (422, "validation-failed", expected.to_vec()));
    assert_eq!(bridge.provider().submit_count(), 0);
}

#[tokio::test]
async fn unknown_members_are_named_beside_a_key_that_is_refused() {
    let mut order = example();
    order["coupon"] = json!("SUMMER");
    let reply = TestBridge::new().await.post(&order, Some("a b")).await;
    assert_eq!((reply.status, reply.errors()), (422, vec![(String::new(), "invalid_format".to_owned())]));
    assert_eq!(reply.warnings(), [("/coupon".to_owned(), "unknown_field".to_owned())]);
}

#[tokio::test]
async fn a_request_without_a_known_api_key_gets_401() {
    let bridge = TestBridge::new().await;
    for authorization in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        "Basic key-a",
        "key-a",
        "Bearer \u{0}",
        "Bearer æøå",
        "Bearer key-a,Bearer key-a",
    ] {
        let reply = bridge.orders(post_event(&example().to_string(), authorization, None)).await;
        assert_eq!(
            (reply.status, reply.slug(), reply.header("www-authenticate")),
            (401, "unauthorized", Some("Bearer")),
            "{authorization:?}"
        );
    }
    let mut event = post_event("{", "", None);
    event["headers"] = Value::Null;
    assert_eq!(bridge.orders(event).await.status, 401);
    assert_eq!(bridge.secret.fetches(), 2, "unknown keys have the secret fetched once in 30 s");
    bridge.pass(30);
    bridge.set_secret(test_secret("token-1", &json!("test-secret")).replace("shop-a", "shop-c"));
    assert_eq!(bridge.post(&example(), None).await.status, 201, "for a known key it is not fetched");
}

#[tokio::test]
async fn another_shops_order_gets_the_404_of_one_that_does_not_exist() {
    let bridge = TestBridge::new().await;
    let order_id = bridge.post(&example(), Some("key-1")).await.order_id();
    let none = bridge.get("0198c2f0-7e4a-7000-8000-000000000001", "key-b").await;
    let other_shop = bridge.get(&order_id, "key-b").await;
    assert_eq!((other_shop.status, &other_shop.body, other_shop.slug()), (404, &none.body, "not-found"));
    for id in ["", "x", "%00", "../orders", &order_id.replace('-', ""), &format!("{{{order_id}}}")] {
        assert_eq!(bridge.get(id, "key-a").await.body, none.body, "{id}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_gets_its_problem() {
    let bridge = TestBridge::new().await;
    let nested = "[".repeat(65) + &"]".repeat(65);
    for body in ["", "no json", "{\"products\": [", "{\"a\":1,\"a\":2}", "{\"a\": NaN}", "\"\u{1}\"", nested.as_str()] {
        let reply = bridge.orders(post_event(body, "Bearer key-a", None)).await;
        assert_eq!((reply.status, reply.slug()), (400, "malformed-json"), "{body:?}");
    }
    for (body, kind) in
        [("", "it is empty"), ("a=b&c=d", "it is a form"), ("{\"a\": 1,\n \"a\": 2}", "repeated member \"a\" at line 2 column 4")]
    {
        let reply = bridge.orders(post_event(body, "Bearer key-a", None)).await;
        assert!(reply.body["detail"].as_str().unwrap().contains(kind), "{reply:?}");
    }
    let mut event = post_event("/w==", "Bearer key-a", None); // one byte, 0xff
    event["isBase64Encoded"] = json!(true);
    assert_eq!(bridge.orders(event.clone()).await.slug(), "malformed-json");
    event["body"] = json!("%%%");
    assert_eq!(bridge.orders(event.clone()).await.slug(), "malformed-json");
    event["body"] = json!("e30=");
    assert_eq!(bridge.orders(event.clone()).await.slug(), "validation-failed");
    event["body"] = Value::Null;
    assert_eq!(bridge.orders(event).await.slug(), "malformed-json");
    let full = format!("{}{}", example(), " ".repeat(256 * 1024 - example().to_string().len()));
    assert_eq!(bridge.orders(post_event(&full, "Bearer key-a", None)).await.status, 201);
    let reply = bridge.orders(post_event(&format!("{full} "), "Bearer key-a", None)).await;
    assert_eq!((reply.status, reply.slug()), (413, "payload-too-large"));
    for route in [json!("PUT /orders"), json!("$default"), Value::Null] {
        let reply = bridge.orders(json!({"routeKey": route})).await;
        assert_eq!((reply.status, reply.slug()), (404, "not-found"));
    }
}

#[tokio::test]
async fn the_stored_item_has_no_personal_data_and_no_key() {
    let bridge = TestBridge::new().await;
    let order_id = bridge.post(&example(), Some("the-idempotency-key")).await.order_id();
    let stored = serde_json::to_string(&bridge.stored(&order_id).await).unwrap();
    for absent in [
        "Kari",
        "kari@",
        "46567468",
        "30908299902",
        "Klosterenget",
        "7030",
        "Trondheim",
        "Router",
        "the-idempotency-key",
        "thanks",
    ] {
        assert!(!stored.contains(absent), "{absent} in {stored}");
    }
    for present in ["private", "\"en\"", "\"NO\"", "Dhaka", "3500"] {
        assert!(stored.contains(present), "{present} not in {stored}");
    }
    let shown = bridge.get(&order_id, "key-a").await.body.to_string();
    for absent in ["callbackToken", "fingerprint", "attempt\"", "attemptedAt", "shop-a", "shop.example"] {
        assert!(!shown.contains(absent), "{absent} in {shown}");
    }
}
