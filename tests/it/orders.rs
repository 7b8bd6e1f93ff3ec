//! `POST /orders` and `GET /orders/{orderId}`.

use front_payment_bridge::bridge::Settings;
use front_payment_bridge::front_payment::Answer;
use serde_json::{Value, json};

use crate::support::faulty_store::Fault;
use crate::support::scripted::{created, refused};
use crate::support::{Bench, Read, example, post_event, secret, signed};

fn id(read: &Read) -> String {
    read.body["orderId"].as_str().unwrap().to_owned()
}

/// What becomes of an order, for each answer of Front Payment.
struct Row {
    answer: fn() -> Answer,
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
    Row { answer: || Answer::Unauthorized, status: 502, slug: "front-payment-failed", stored: "FAILED", retry_after: false },
    Row { answer: || Answer::Unavailable, status: 503, slug: "front-payment-unavailable", stored: "FAILED", retry_after: true },
    Row {
        answer: || Answer::Failed { its_word: true },
        status: 502,
        slug: "front-payment-failed",
        stored: "FAILED",
        retry_after: false,
    },
    Row {
        answer: || Answer::Failed { its_word: false },
        status: 502,
        slug: "front-payment-failed",
        stored: "FAILED",
        retry_after: false,
    },
    Row { answer: || Answer::Unknown, status: 504, slug: "outcome-unknown", stored: "UNKNOWN", retry_after: false },
];

#[tokio::test]
async fn every_answer_of_front_payment_is_stored_and_told() {
    for row in OUTCOMES {
        let bench = Bench::new().await;
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
    let bench = Bench::new().await;
    assert_eq!(bench.post(&example(), Some("key-1")).await.status, 201);
    assert_eq!((bench.store().operations(), bench.provider().submitted()), (vec!["create", "replace"], 1));
    bench.provider().will_answer(Answer::Unavailable);
    bench.post(&example(), Some("key-2")).await;
    bench.store().operations();
    assert_eq!(bench.post(&example(), Some("key-2")).await.status, 201);
    assert_eq!(bench.store().operations(), ["create", "replace", "replace"], "a re-attempt is one write more");
}

#[tokio::test]
async fn a_201_has_the_ids_and_the_link() {
    let bench = Bench::new().await;
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
    let bench = Bench::new().await;
    let first = id(&bench.post(&example(), None).await);
    let mut event = post_event(&example().to_string(), "Bearer key-a", None);
    event["rawPath"] = json!("/prod/orders");
    let second = id(&bench.orders(event).await);
    let submits = bench.provider().submits.lock().unwrap().clone();
    let token = submits[0].callback_url.strip_prefix(&format!("https://api.example.no/callbacks/{first}/")).unwrap();
    assert!(token.len() >= 22 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{token}");
    let other = submits[1].callback_url.strip_prefix(&format!("https://api.example.no/prod/callbacks/{second}/")).unwrap();
    assert_ne!(token, other);
    assert_eq!(bench.stored(&first).await.particulars.shop_callback_url, "https://shop.example/status?x=1");

    let base = Settings { callback_base_url: Some("https://pay.example.no/go/".parse().unwrap()), ..Settings::default() };
    let bench = Bench::with(base).await;
    bench.post(&example(), None).await;
    assert!(bench.provider().submits.lock().unwrap()[0].callback_url.starts_with("https://pay.example.no/go/callbacks/"));
}

#[tokio::test]
async fn without_a_public_address_nothing_is_sent() {
    let bench = Bench::new().await;
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
    let bench = Bench::new().await;
    let read = bench.post(&order, None).await;
    let codes: Vec<_> =
        read.body["warnings"].as_array().unwrap().iter().map(|w| (w["pointer"].clone(), w["code"].clone())).collect();
    assert_eq!(
        codes,
        [(json!("/orderSummary/grandTotal"), json!("totals_mismatch")), (json!("/coupon"), json!("unknown_field"))]
    );

    let bench = Bench::with(Settings { enforce_advisories: true, ..Settings::default() }).await;
    let read = bench.post(&order, None).await;
    assert_eq!((read.status, read.slug(), read.errors().len(), bench.provider().submitted()), (422, "validation-failed", 2, 0));
}

#[tokio::test]
async fn the_idempotency_table() {
    // accepted, same order: the 201 again, also in another spelling, and Front Payment is not called
    let bench = Bench::new().await;
    let first = bench.post(&example(), Some("key-1")).await;
    assert_eq!(id(&first).as_bytes()[14], b'5', "a UUID v5 with a key");
    let mut respelled = example();
    respelled["products"][0]["rate"] = json!("40.00");
    respelled["extra"] = json!(1);
    let replayed = bench.post(&respelled, Some("key-1")).await;
    assert_eq!((replayed.status, replayed.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!((id(&replayed), &replayed.body["bankIdUrl"]), (id(&first), &first.body["bankIdUrl"]));
    assert_eq!(replayed.body["warnings"][0]["code"], "unknown_field", "the warnings of the body just sent");
    assert_eq!(bench.provider().submitted(), 1);

    // accepted, other order
    let mut other = example();
    other["orderSummary"]["grandTotal"] = json!("40.01");
    let reused = bench.post(&other, Some("key-1")).await;
    assert_eq!((reused.status, reused.slug(), id(&reused)), (422, "idempotency-key-reused", id(&first)));
    assert_eq!(bench.provider().submitted(), 1);

    // another key, or another shop's: another order
    assert_ne!(id(&bench.post(&example(), Some("key-2")).await), id(&first));
    let foreign = bench.orders(post_event(&example().to_string(), "Bearer key-b", Some("key-1"))).await;
    assert_ne!(id(&foreign), id(&first));
    assert_eq!(bench.provider().submitted(), 3);
}

#[tokio::test]
async fn nothing_created_allows_a_fresh_attempt_whatever_the_body() {
    for failure in [refused, || Answer::Failed { its_word: true }, || Answer::Unavailable] {
        let bench = Bench::new().await;
        bench.provider().will_answer(failure());
        let first = bench.post(&example(), Some("key-1")).await;
        bench.pass(5);
        let token = bench.stored(&id(&first)).await.callback_token;
        let mut other = example();
        other["orderSummary"]["grandTotal"] = json!("39.50");
        other["referenceNo"] = json!("second");
        let second = bench.post(&other, Some("key-1")).await;
        assert_eq!((second.status, id(&second)), (201, id(&first)));
        assert_eq!(second.header("idempotency-replayed"), None);
        let stored = bench.stored(&id(&first)).await;
        assert_eq!((stored.callback_token, stored.particulars.grand_total.as_str()), (token, "39.50"));
        assert_eq!((stored.earlier_attempts[0].grand_total.as_str(), stored.history.len()), ("40", 2));
        let seen = bench.get(&id(&first), "key-a").await;
        assert_eq!(seen.body["createdAt"], "2026-06-15T00:00:00Z");
        assert_eq!(seen.body["referenceNo"], "second");
    }
}

#[tokio::test]
async fn an_attempt_on_its_way_is_waited_for_and_then_unknown() {
    let bench = Bench::new().await;
    let retried = bench.clone();
    bench.provider().meanwhile(move |_| async move {
        retried.pass(60);
        let read = retried.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, read.slug()), (409, "submission-in-progress"));
        assert!(read.header("retry-after").is_some());
        retried.pass(1);
        let read = retried.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, read.slug()), (409, "outcome-unknown"));
        assert_eq!(retried.status(&id(&read)).await, "UNKNOWN");
    });
    let first = bench.orders_within(post_event(&example().to_string(), "Bearer key-a", Some("key-1")), 100).await;
    assert_eq!(first.status, 201, "a 201 that comes when the order is already UNKNOWN is recorded like any other");
    assert_eq!(bench.status(&id(&first)).await, "SENT");
    assert_eq!(bench.provider().submitted(), 1);
}

#[tokio::test]
async fn an_unknown_outcome_is_never_sent_again() {
    let bench = Bench::new().await;
    bench.provider().will_answer(Answer::Unknown);
    let first = bench.post(&example(), Some("key-1")).await;
    assert!(first.body["detail"].as_str().unwrap().contains("portal"));
    for seconds in [0, 10, 100_000] {
        bench.pass(seconds);
        let mut other = example();
        other["referenceNo"] = json!(seconds.to_string());
        for order in [example(), other] {
            let again = bench.post(&order, Some("key-1")).await;
            assert_eq!((again.status, again.slug(), id(&again)), (409, "outcome-unknown", id(&first)));
        }
    }
    assert_eq!(bench.provider().submitted(), 1);
}

#[tokio::test]
async fn a_retry_after_midnight_still_gets_its_row() {
    let mut today = example();
    today["orderDate"] = json!("1781481600");
    let bench = Bench::with(Settings { enforce_advisories: true, ..Settings::default() }).await;
    let first = bench.post(&today, Some("key-1")).await;
    assert_eq!(first.status, 201);
    bench.provider().will_answer(Answer::Unknown);
    bench.post(&today, Some("key-2")).await;
    bench.provider().will_answer(Answer::Unavailable);
    bench.post(&today, Some("key-3")).await;
    bench.pass(86_400);
    let replayed = bench.post(&today, Some("key-1")).await;
    assert_eq!((replayed.status, replayed.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(bench.post(&today, Some("key-2")).await.slug(), "outcome-unknown");
    for key in [Some("key-3"), Some("key-4"), None] {
        let fresh = bench.post(&today, key).await;
        assert_eq!((fresh.status, fresh.errors()), (422, vec![("/orderDate".to_owned(), "out_of_range".to_owned())]), "{key:?}");
    }
    assert_eq!(bench.provider().submitted(), 3);
}

#[tokio::test]
async fn a_callback_may_be_faster_than_the_reply() {
    for answer in
        [|| created("ODR1", Some("https://b.example/")), || Answer::Unknown, || Answer::Failed { its_word: true }, refused]
    {
        let bench = Bench::new().await;
        let caller = bench.clone();
        bench.provider().meanwhile(move |url| async move {
            let (order_id, token) = parts(&url);
            let read = caller.callback(&order_id, &token, &signed("ODR1", "INVOICED", "40", "test-secret")).await;
            assert_eq!(read.status, 200);
        });
        bench.provider().will_answer(answer());
        let read = bench.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, &read.body["status"], &read.body["orderUuid"]), (201, &json!("INVOICED"), &json!("ODR1")));
        assert_eq!(read.body.get("bankIdUrl"), None);
        assert_eq!(bench.post(&example(), Some("key-1")).await.header("idempotency-replayed"), Some("true"));
    }
}

#[tokio::test]
async fn an_order_that_front_payment_has_twice_stays_what_it_was() {
    let bench = Bench::new().await;
    let caller = bench.clone();
    bench.provider().meanwhile(move |url| async move {
        let (order_id, token) = parts(&url);
        caller.callback(&order_id, &token, &signed("ODR-OTHER", "SENT", "40", "test-secret")).await;
    });
    let read = bench.post(&example(), None).await;
    assert_eq!((read.status, &read.body["orderUuid"]), (201, &json!("ODR-OTHER")), "the stored one is what the shop gets");
    let history = bench.stored(&id(&read)).await.history;
    assert_eq!(history.last().unwrap().other_order_uuid.as_deref(), Some("ODR1"));
}

fn parts(callback_url: &str) -> (String, String) {
    let mut segments = callback_url.rsplit('/');
    let token = segments.next().unwrap().to_owned();
    (segments.next().unwrap().to_owned(), token)
}

#[tokio::test]
async fn a_401_refreshes_the_token_and_sends_once_more() {
    let bench = Bench::new().await;
    bench.set_secret(secret("token-2", json!("test-secret")));
    bench.provider().will_answer(Answer::Unauthorized);
    assert_eq!(bench.post(&example(), None).await.status, 201);
    let tokens: Vec<_> = bench.provider().submits.lock().unwrap().iter().map(|asked| asked.token.clone()).collect();
    assert_eq!(tokens, ["token-1", "token-2"]);

    // The same token again: it is not sent again, nor is the secret asked for at every request.
    bench.provider().will_answer(Answer::Unauthorized);
    let read = bench.post(&example(), None).await;
    assert_eq!((read.status, read.slug(), bench.provider().submitted()), (502, "front-payment-failed", 3));
}

#[tokio::test]
async fn where_the_order_cannot_be_written_first_nothing_is_sent() {
    for (faults, stored) in [
        (vec![Fault::Down], Some("FAILED")),
        (vec![Fault::Down, Fault::Down], Some("FAILED")),
        (vec![Fault::Down, Fault::None, Fault::Down], Some("FAILED")),
        (vec![Fault::ReplyLost], Some("FAILED")),
        (vec![Fault::ReplyLost, Fault::Down], Some("FAILED")),
        (vec![Fault::ReplyLost, Fault::None, Fault::Down], Some("FAILED")),
        (vec![Fault::ReplyLost, Fault::None, Fault::ReplyLost], Some("FAILED")),
    ] {
        let bench = Bench::new().await;
        bench.store().will(faults.clone());
        let read = bench.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, read.slug(), bench.provider().submitted()), (503, "storage-unavailable", 0), "{faults:?}");
        let seen = bench.get(&id(&read), "key-a").await;
        assert_eq!(seen.body["status"].as_str(), stored, "{faults:?}");
        assert_eq!(bench.post(&example(), Some("key-1")).await.status, 201, "and it may be tried again");
    }
}

#[tokio::test]
async fn a_claim_that_is_given_up_cannot_come_to_stand_later() {
    // The first write of a first attempt, and that of a second one, are still on their way when they are given up.
    for attempts_before in [0, 1] {
        let bench = Bench::new().await;
        if attempts_before == 1 {
            bench.provider().will_answer(Answer::Unavailable);
            bench.post(&example(), Some("key-1")).await;
        }
        let faults = if attempts_before == 1 { vec![Fault::None, Fault::Late] } else { vec![Fault::Late] };
        bench.store().will(faults);
        let read = bench.post(&example(), Some("key-1")).await;
        assert_eq!((read.status, bench.status(&id(&read)).await.as_str()), (503, "FAILED"));
        bench.store().late_writes_arrive().await;
        assert_eq!(bench.status(&id(&read)).await, "FAILED");
        assert_eq!(bench.post(&example(), Some("key-1")).await.status, 201);
    }
}

#[tokio::test]
async fn a_result_is_written_again_until_it_stands() {
    use Fault::{Down, None as Fine, ReplyLost};
    for faults in [vec![Fine, Down], vec![Fine, Down, Down, Down], vec![Fine, ReplyLost], vec![Fine, ReplyLost, Down, Fine]] {
        let bench = Bench::new().await;
        bench.store().will(faults.clone());
        let read = bench.post(&example(), None).await;
        assert_eq!(read.status, 201);
        let stored = bench.stored(&id(&read)).await;
        assert_eq!((stored.status.name(), stored.history.len(), stored.version), ("SENT", 1, 2), "{faults:?}");
    }
}

#[tokio::test]
async fn a_result_that_cannot_be_written_is_still_told_and_a_callback_completes_the_order() {
    let bench = Bench::new().await;
    bench.store().will(std::iter::once(Fault::None).chain([Fault::Down; 2_000]));
    let ticking = bench.clone();
    let time = tokio::spawn(async move {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            ticking.pass(1);
        }
    });
    let read = bench.post(&example(), Some("key-1")).await;
    time.abort();
    assert_eq!((read.status, &read.body["orderUuid"], &read.body["status"]), (201, &json!("ODR1"), &json!("SENT")));
    bench.store().will([]);
    let token = bench.stored(&id(&read)).await.callback_token;
    assert_eq!(bench.callback(&id(&read), &token, &signed("ODR1", "INVOICED", "40", "test-secret")).await.status, 200);
    assert_eq!(bench.post(&example(), Some("key-1")).await.body["status"], "INVOICED");
    assert_eq!(bench.provider().submitted(), 1);
}

#[tokio::test]
async fn with_too_little_time_left_nothing_is_sent() {
    let bench = Bench::new().await;
    let read = bench.orders_within(post_event(&example().to_string(), "Bearer key-a", Some("key-1")), 7).await;
    assert_eq!((read.status, read.slug(), bench.provider().submitted()), (503, "front-payment-unavailable", 0));
    assert!(read.header("retry-after").is_some());
    assert_eq!(bench.status(&id(&read)).await, "FAILED");
    for (left, within) in [(8, 3), (20, 15), (29, 20), (300, 20)] {
        let bench = Bench::new().await;
        bench.orders_within(post_event(&example().to_string(), "Bearer key-a", None), left).await;
        assert_eq!(bench.provider().submits.lock().unwrap()[0].within.as_secs(), within, "{left} seconds left");
    }
}

#[tokio::test]
async fn a_shop_without_a_known_key_gets_a_401() {
    let bench = Bench::new().await;
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
async fn a_key_that_was_issued_a_moment_ago_is_found() {
    let bench = Bench::new().await;
    let order = example().to_string();
    assert_eq!(bench.orders(post_event(&order, "Bearer key", None)).await.status, 401);
    let known = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"; // printf key | sha256sum
    bench.set_secret(json!({"token": "t", "callbackSecret": "s", "shops": {"new": {"apiKeySha256": [known]}}}).to_string());
    bench.pass(29);
    assert_eq!(bench.orders(post_event(&order, "Bearer key", None)).await.status, 401);
    bench.pass(1);
    assert_eq!(bench.orders(post_event(&order, "Bearer key", None)).await.status, 201);
}

#[tokio::test]
async fn without_a_usable_secret_requests_are_put_off() {
    let bench = Bench::new().await;
    let fresh = front_payment_bridge::secrets::Secrets::new(bench.secret.clone(), bench.bridge.clock.clone());
    bench.set_secret("{}".to_owned());
    fresh.prefetch().await;
    let store = crate::support::faulty_store::FaultyStore::new(front_payment_bridge::store::Embedded::in_memory().unwrap());
    let bridge = front_payment_bridge::bridge::Bridge {
        store,
        front_payment: crate::support::scripted::Scripted::default(),
        secrets: fresh,
        clock: bench.bridge.clock.clone(),
        settings: Settings::default(),
    };
    let waiting = Bench { bridge: std::sync::Arc::new(bridge), ..bench.clone() };
    let read = waiting.post(&example(), None).await;
    assert_eq!((read.status, read.slug(), read.header("retry-after")), (503, "secret-unavailable", Some("5")));
    let read = waiting.callback("0198c2f0-7e4a-7000-8000-000000000001", "token", "").await;
    assert_eq!((read.status, read.slug()), (503, "secret-unavailable"));
    waiting.set_secret(secret("token-1", json!("s")));
    waiting.pass(5);
    assert_eq!(waiting.post(&example(), None).await.status, 201);
}

#[tokio::test]
async fn one_shop_does_not_see_another_ones_orders() {
    let bench = Bench::new().await;
    let order_id = id(&bench.post(&example(), Some("key-1")).await);
    let none = bench.get("0198c2f0-7e4a-7000-8000-000000000001", "key-b").await;
    let foreign = bench.get(&order_id, "key-b").await;
    assert_eq!((foreign.status, &foreign.body, foreign.slug()), (404, &none.body, "not-found"));
    for odd in ["", "x", "%00", "../orders", &order_id.to_uppercase()] {
        assert_eq!(bench.get(odd, "key-a").await.body, none.body, "{odd}");
    }
}

#[tokio::test]
async fn a_read_that_the_store_does_not_answer_is_put_off() {
    let bench = Bench::new().await;
    let order_id = id(&bench.post(&example(), Some("key-1")).await);
    bench.store().will([Fault::Down]);
    assert_eq!(bench.get(&order_id, "key-a").await.slug(), "storage-unavailable");
    let mut past = example();
    past["orderDate"] = json!("0");
    for key in ["key-1", "key-2"] {
        bench.store().will([Fault::Down]);
        let read = bench.post(&past, Some(key)).await;
        assert_eq!(read.slug(), "storage-unavailable");
        let expected = if key == "key-1" { 200 } else { 404 };
        assert_eq!(bench.get(&id(&read), "key-a").await.status, expected, "a failed look-up writes nothing");
    }
}

#[tokio::test]
async fn bad_input_gets_its_reply() {
    let bench = Bench::new().await;
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
async fn an_idempotency_key_has_a_form() {
    let bench = Bench::new().await;
    for key in ["", "two words", "æ", "tab\t", &"x".repeat(256)] {
        let read = bench.post(&example(), Some(key)).await;
        assert_eq!(
            (read.status, read.slug(), read.errors()),
            (422, "validation-failed", vec![(String::new(), "invalid_format".to_owned())])
        );
    }
    let read = bench.post(&json!({}), Some("")).await;
    assert!(read.errors().len() > 20, "with the violations of the body in the same reply");
    assert_eq!(bench.provider().submitted(), 0);
    assert_eq!(bench.post(&example(), Some(&"~".repeat(255))).await.status, 201);
}

#[tokio::test]
async fn the_stored_item_holds_no_personal_data_and_no_key() {
    let bench = Bench::new().await;
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

#[tokio::test]
async fn an_item_of_another_shop_under_ones_own_id_is_an_internal_error() {
    let bench = Bench::new().await;
    let read = bench.post(&example(), Some("key-1")).await;
    let stored = bench.stored(&id(&read)).await;
    let mut foreign = stored.clone();
    foreign.shop_id = "shop-b".to_owned();
    foreign.version += 1;
    front_payment_bridge::store::OrderStore::replace(bench.store(), &stored, &foreign).await.unwrap();
    let read = bench.post(&example(), Some("key-1")).await;
    assert_eq!((read.status, read.slug()), (500, "internal"));
    assert_eq!(bench.provider().submitted(), 1);
}

#[tokio::test]
async fn fifty_at_once_with_one_key_send_one_order() {
    let bench = Bench::new().await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let bench = bench.clone();
        requests.spawn(async move { bench.post(&example(), Some("key-1")).await.status });
    }
    let statuses = requests.join_all().await;
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&201));
    assert_eq!(bench.provider().submitted(), 1);
}
