//! `POST /orders` and `GET /orders/{orderId}`.

use front_payment_bridge::config::Settings;
use front_payment_bridge::front_payment::SubmitReply;
use serde_json::{Value, json};

use crate::support::scripted::{created, refused};
use crate::support::{TestBridge, example, id, post_event, secret};

/// What becomes of an order, for each answer of Front Payment.
struct Row {
    answer: fn() -> SubmitReply,
    status: u16,
    slug: &'static str,
    stored: &'static str,
    retry_after: bool,
}

const OUTCOMES: [Row; 8] = [
    Row {
        answer: || created("ODR1", Some("https://b.example/x")),
        status: 201,
        slug: "none",
        stored: "SENT",
        retry_after: false,
    },
    Row { answer: || created("ODR1", None), status: 201, slug: "none", stored: "INVOICED", retry_after: false },
    Row { answer: refused, status: 422, slug: "rejected-by-front-payment", stored: "REJECTED", retry_after: false },
    Row { answer: || SubmitReply::Unauthorized, status: 502, slug: "front-payment-failed", stored: "FAILED", retry_after: false },
    Row {
        answer: || SubmitReply::Unavailable,
        status: 503,
        slug: "front-payment-unavailable",
        stored: "FAILED",
        retry_after: true,
    },
    Row {
        answer: || SubmitReply::Failed { unproven: true },
        status: 502,
        slug: "front-payment-failed",
        stored: "FAILED",
        retry_after: false,
    },
    Row {
        answer: || SubmitReply::Failed { unproven: false },
        status: 502,
        slug: "front-payment-failed",
        stored: "FAILED",
        retry_after: false,
    },
    Row { answer: || SubmitReply::Unknown, status: 504, slug: "outcome-unknown", stored: "UNKNOWN", retry_after: false },
];

#[tokio::test]
async fn every_answer_of_front_payment_is_stored_and_told() {
    for row in OUTCOMES {
        let bench = TestBridge::new().await;
        bench.provider().will_answer((row.answer)());
        let read = bench.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, read.slug()), (row.status, row.slug), "{read:?}");
        assert_eq!(read.header("retry-after").is_some(), row.retry_after, "{read:?}");
        assert_eq!(bench.status(&id(&read)).await, row.stored);
        assert_eq!(bench.provider().submitted(), 1);
        if read.status != 201 {
            assert_eq!(read.header("content-type"), Some("application/problem+json"));
            assert_eq!((&read.body["status"], read.body["title"].is_string()), (&json!(row.status), true));
        }
    }
}

#[tokio::test]
async fn an_order_takes_one_write_one_call_and_one_write() {
    let bench = TestBridge::new().await;
    assert_eq!(bench.post(&example(), Some("key-1")).await.status, 201);
    assert_eq!((bench.store().operations(), bench.provider().submitted()), (vec!["create", "replace"], 1));
    bench.provider().will_answer(SubmitReply::Unavailable);
    bench.post(&example(), Some("key-2")).await;
    bench.store().operations();
    assert_eq!(bench.post(&example(), Some("key-2")).await.status, 201);
    assert_eq!(bench.store().operations(), ["create", "replace", "replace"], "a re-attempt is one write more");
}

#[tokio::test]
async fn a_201_has_the_ids_and_the_link() {
    let bench = TestBridge::new().await;
    let read = bench.post(&example(), None).await;
    let order_id = id(&read);
    assert_eq!(
        read.body,
        json!({"orderId": order_id, "status": "SENT", "orderUuid": "ODR1", "customerUuid": "CSRT1", "bankIdUrl": "https://bankid.example/login"})
    );
    assert_eq!((read.status, read.header("location")), (201, Some(format!("/orders/{order_id}").as_str())));
    assert_eq!((read.header("content-type"), read.header("idempotency-replayed")), (Some("application/json"), None));
    assert_eq!(order_id.as_bytes()[14], b'7', "a UUID v7 without a key");

    let seen = bench.get(&order_id, "key-a").await;
    assert_eq!(
        seen.body,
        json!({"orderId": order_id, "status": "SENT", "orderUuid": "ODR1", "customerUuid": "CSRT1", "bankIdUrl": "https://bankid.example/login",
            "referenceNo": "Dhaka", "customerReference": "3500", "grandTotal": "40",
            "createdAt": "2026-06-15T00:00:00Z", "updatedAt": "2026-06-15T00:00:00Z",
            "history": [{"status": "SENT", "at": "2026-06-15T00:00:00Z", "source": "submit"}]})
    );
}

#[tokio::test]
async fn the_callback_url_is_ours_and_has_a_random_token() {
    let bench = TestBridge::new().await;
    let first = id(&bench.post(&example(), None).await);
    let mut event = post_event(&example().to_string(), "Bearer key-a", None);
    event["rawPath"] = json!("/prod/orders");
    let second = id(&bench.orders(event).await);
    let submits = bench.provider().submits.lock().unwrap().clone();
    let token = submits[0].callback_url.strip_prefix(&format!("https://api.example.no/callbacks/{first}/")).unwrap();
    assert!(token.len() >= 22 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{token}");
    let other = submits[1].callback_url.strip_prefix(&format!("https://api.example.no/prod/callbacks/{second}/")).unwrap();
    assert_ne!(token, other);
    assert_eq!(bench.stored(&first).await.details.shop_callback_url, "https://shop.example/status?x=1");

    let base = Settings { callback_base_url: Some("https://pay.example.no/go/".parse().unwrap()), ..Settings::default() };
    let bench = TestBridge::with(base).await;
    bench.post(&example(), None).await;
    assert!(bench.provider().submits.lock().unwrap()[0].callback_url.starts_with("https://pay.example.no/go/callbacks/"));
}

#[tokio::test]
async fn without_a_public_address_nothing_is_sent() {
    let bench = TestBridge::new().await;
    let mut event = post_event(&example().to_string(), "Bearer key-a", None);
    event["requestContext"] = json!({"domainName": "a b"});
    let read = bench.orders(event).await;
    assert_eq!((read.status, read.slug(), bench.provider().submitted()), (500, "internal", 0));
}

#[tokio::test]
async fn warnings_come_with_the_201_and_may_be_enforced() {
    let mut order = example();
    order["orderSummary"]["grandTotal"] = json!("50");
    order["coupon"] = json!("SUMMER");
    let bench = TestBridge::new().await;
    let read = bench.post(&order, None).await;
    let codes: Vec<_> =
        read.body["warnings"].as_array().unwrap().iter().map(|w| (w["pointer"].clone(), w["code"].clone())).collect();
    assert_eq!(
        codes,
        [(json!("/orderSummary/grandTotal"), json!("totals_mismatch")), (json!("/coupon"), json!("unknown_field"))]
    );

    let bench = TestBridge::with(Settings { enforce_advisories: true, ..Settings::default() }).await;
    let read = bench.post(&order, None).await;
    assert_eq!((read.status, read.slug(), read.errors().len(), bench.provider().submitted()), (422, "validation-failed", 2, 0));
}

#[tokio::test]
async fn a_shop_without_a_known_key_gets_a_401() {
    let bench = TestBridge::new().await;
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
        let read = bench.orders(post_event(&example().to_string(), authorization, None)).await;
        assert_eq!(
            (read.status, read.slug(), read.header("www-authenticate")),
            (401, "unauthorized", Some("Bearer")),
            "{authorization:?}"
        );
    }
    let mut event = post_event("{", "", None);
    event["headers"] = Value::Null;
    assert_eq!(bench.orders(event).await.status, 401);
    assert_eq!(bench.secret.asked.load(std::sync::atomic::Ordering::SeqCst), 2, "unknown keys cost one refresh in 30 s");
    bench.pass(30);
    bench.set_secret(secret("token-1", json!("test-secret")).replace("shop-a", "shop-c"));
    assert_eq!(bench.post(&example(), None).await.status, 201, "a known key needs no refresh");
}

#[tokio::test]
async fn one_shop_does_not_see_another_ones_orders() {
    let bench = TestBridge::new().await;
    let order_id = id(&bench.post(&example(), Some("key-1")).await);
    let none = bench.get("0198c2f0-7e4a-7000-8000-000000000001", "key-b").await;
    let foreign = bench.get(&order_id, "key-b").await;
    assert_eq!((foreign.status, &foreign.body, foreign.slug()), (404, &none.body, "not-found"));
    for odd in ["", "x", "%00", "../orders", &order_id.to_uppercase()] {
        assert_eq!(bench.get(odd, "key-a").await.body, none.body, "{odd}");
    }
}

#[tokio::test]
async fn bad_input_gets_its_reply() {
    let bench = TestBridge::new().await;
    let mut nested = "[".repeat(65);
    nested.push_str(&"]".repeat(65));
    for body in ["", "no json", "{\"products\": [", "{\"a\":1,\"a\":2}", "{\"a\": NaN}", "\"\u{1}\"", nested.as_str()] {
        let read = bench.orders(post_event(body, "Bearer key-a", None)).await;
        assert_eq!((read.status, read.slug()), (400, "malformed-json"), "{body:?}");
    }
    let mut event = post_event("/w==", "Bearer key-a", None); // one byte, 0xff
    event["isBase64Encoded"] = json!(true);
    assert_eq!(bench.orders(event.clone()).await.slug(), "malformed-json");
    event["body"] = json!("%%%");
    assert_eq!(bench.orders(event.clone()).await.slug(), "malformed-json");
    event["body"] = json!("e30=");
    assert_eq!(bench.orders(event.clone()).await.slug(), "validation-failed");
    event["body"] = Value::Null;
    assert_eq!(bench.orders(event).await.slug(), "malformed-json");
    let full = format!("{}{}", example(), " ".repeat(256 * 1024 - example().to_string().len()));
    assert_eq!(bench.orders(post_event(&full, "Bearer key-a", None)).await.status, 201);
    let read = bench.orders(post_event(&format!("{full} "), "Bearer key-a", None)).await;
    assert_eq!((read.status, read.slug()), (413, "payload-too-large"));
    for route in [json!("GET /orders"), json!("$default"), Value::Null] {
        let read = bench.orders(json!({"routeKey": route})).await;
        assert_eq!((read.status, read.slug()), (404, "not-found"));
    }
}

#[tokio::test]
async fn the_stored_item_holds_no_personal_data_and_no_key() {
    let bench = TestBridge::new().await;
    let read = bench.post(&example(), Some("the-idempotency-key")).await;
    let stored = serde_json::to_string(&bench.stored(&id(&read)).await).unwrap();
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
    let seen = bench.get(&id(&read), "key-a").await.body.to_string();
    for absent in ["callbackToken", "fingerprint", "attempt", "shop-a", "shop.example"] {
        assert!(!seen.contains(absent), "{absent} in {seen}");
    }
}
