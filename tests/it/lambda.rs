//! The binaries `orders` and `callbacks` as Lambda runs them, with the event files of events/.

use std::process::Command;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::join;

use crate::support::documents::{callback_event, example, post_event, signed};
use crate::support::peer::{Behaviour, NOBODY, Peer, reply};
use crate::support::world::{API_KEY, CALLBACKS, ORDERS, SECRET_KEY, World, body, eventually, get, post, slug};

fn event(name: &str) -> Value {
    let file = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The event of a callback file, changed to the URL of a stored order.
fn callback_file(name: &str, order_id: &str, token: &str) -> Value {
    let mut event = event(name);
    event["pathParameters"] = json!({"orderId": order_id, "token": token});
    event["rawPath"] = json!(format!("/callbacks/{order_id}/{token}"));
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_run_end_to_end() {
    let world = World::new().await;
    let orders = world.start(ORDERS, &[]).await;

    let created = orders.invoke(&event("private-order")).await;
    let order = body(&created);
    assert_eq!((&created["statusCode"], &order["status"]), (&json!(201), &json!("SENT")), "{created}");
    assert_eq!(created["headers"]["content-type"], "application/json");
    assert!(order["bankIdUrl"].as_str().unwrap().contains("/bankid/"));
    let (order_id, order_uuid) = (order["orderId"].as_str().unwrap(), order["orderUuid"].as_str().unwrap());
    assert_eq!(created["headers"]["location"], format!("/orders/{order_id}"));

    let replayed = orders.invoke(&event("private-order")).await;
    assert_eq!((&replayed["headers"]["idempotency-replayed"], body(&replayed)), (&json!("true"), order.clone()));

    let company = orders.invoke(&event("corporate-order")).await;
    assert_eq!((&company["statusCode"], &body(&company)["status"]), (&json!(201), &json!("INVOICED")), "{company}");

    let invalid = orders.invoke(&event("invalid-order")).await;
    assert_eq!((&invalid["statusCode"], slug(&invalid).as_str()), (&json!(422), "validation-failed"));
    assert!(body(&invalid)["errors"].as_array().unwrap().len() > 1, "{invalid}");

    let read = orders.invoke(&event("read-order")).await;
    assert_eq!(
        (&read["statusCode"], &body(&read)["orderId"]),
        (&json!(200), &json!(order_id)),
        "events/read-order.json reads it"
    );
    let found = orders.invoke(&event("find-order")).await;
    assert_eq!((&found["statusCode"], &body(&found)["orders"][0]["orderId"]), (&json!(200), &json!(order_id)), "{found}");
    let listed = orders.invoke(&event("list-orders")).await;
    assert_eq!((&listed["statusCode"], body(&listed)["orders"].is_array()), (&json!(200), true), "{listed}");
    let health = orders.invoke(&event("health")).await;
    assert_eq!((&health["statusCode"], body(&health)), (&json!(200), json!({"status": "ok"})), "{health}");

    let callbacks = world.start(CALLBACKS, &[]).await;
    let stored = world.stored(order_id).await;
    let unverified = callback_file("unverified-callback", order_id, &stored.callback_token);
    assert_eq!(callbacks.invoke(&unverified).await["statusCode"], 200, "the status is read: Front Payment says SENT");
    let read = body(&orders.invoke(&event("read-order")).await);
    assert_eq!((&read["status"], read["checkedAt"].is_string()), (&json!("SENT"), true));
    let mut verified = callback_file("callback", order_id, &stored.callback_token);
    verified["rawQueryString"] = json!(signed(order_uuid, "INVOICED", &stored.grand_total, SECRET_KEY));
    let reply = callbacks.invoke(&verified).await;
    assert_eq!((&reply["statusCode"], &reply["body"]), (&json!(200), &json!("OK")));
    let read = body(&orders.invoke(&event("read-order")).await);
    assert_eq!((&read["status"], read.get("bankIdUrl")), (&json!("INVOICED"), None));
    assert_eq!(callbacks.invoke(&callback_event(order_id, "wrong", "")).await["statusCode"], 404);
    let cancelled = orders.invoke(&event("cancel-order")).await;
    assert_eq!((&cancelled["statusCode"], &body(&cancelled)["status"]), (&json!(202), &json!("CANCELLED")), "{cancelled}");

    for lambda in [&orders, &callbacks] {
        let log = lambda.log();
        assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "not JSON lines: {log}");
        for secret in
            ["sandbox-token", "sandbox-secret-key", "demo-shop-key", "/bankid/", &stored.callback_token, "Kari", "Nordmann"]
        {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }
    let log = orders.log();
    let summary: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    for (field, value) in [
        ("route", json!("POST /orders")),
        ("shopId", json!("demo-shop")),
        ("orderId", json!(order_id)),
        ("outcome", json!("accepted")),
        ("statusCode", json!(201)),
        ("providerStatusCode", json!(201)),
        ("level", json!("INFO")),
    ] {
        assert_eq!(summary[field], value, "{summary}");
    }
    assert!(summary["totalMs"].is_u64() && summary["providerMs"].is_u64(), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_events_get_a_reply_and_do_not_end_the_process() {
    let world = World::new().await;
    // At no log level may another crate log anything of a request.
    let orders = world.start(ORDERS, &[("RUST_LOG", "trace"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")]).await;
    let text = |body: &str| post_event(body, &format!("Bearer {API_KEY}"), None);
    let order = example().to_string();
    let base64 = |body: &str| {
        let mut event = text(body);
        event["isBase64Encoded"] = json!(true);
        event
    };
    let with = |name: &str, value: Value| {
        let mut event = text(&order);
        event[name] = value;
        event
    };
    let mut strange_header = text(&order);
    strange_header["headers"]["bad name\u{0}"] = json!("bad\r\nvalue");
    let mut strange_key = text(&order);
    strange_key["headers"]["idempotency-key"] = json!("a\u{0}b");
    let mut strange_host = text(&order);
    strange_host["headers"]["host"] = json!("<not a host>");
    for (event, status, expected) in [
        (text(""), 400, "malformed-json"),
        (text("{"), 400, "malformed-json"),
        (text(&" ".repeat(300 * 1024)), 413, "payload-too-large"),
        (base64("***"), 400, "malformed-json"),
        (base64("/w=="), 400, "malformed-json"),
        (post_event(&order, "Bearer \u{0}\u{7f}<>", None), 401, "unauthorized"),
        (post_event(&order, "", None), 401, "unauthorized"),
        (strange_key, 422, "validation-failed"),
        (with("routeKey", json!("GET /%00")), 404, "not-found"),
        (json!({}), 404, "not-found"),
        (json!("text"), 400, "malformed-json"),
        (json!({"routeKey": 5}), 400, "malformed-json"),
    ] {
        let reply = orders.invoke(&event).await;
        assert_eq!((&reply["statusCode"], slug(&reply).as_str()), (&json!(status), expected), "{reply}");
    }
    let callbacks = world.start(CALLBACKS, &[]).await;
    for event in [json!("text"), json!({"routeKey": 5}), json!({})] {
        let reply = callbacks.invoke(&event).await;
        assert_eq!(body(&reply).get("nextStep"), None, "only shops have a next step: {reply}");
        assert_eq!(body(&orders.invoke(&event).await)["nextStep"], "correct");
    }
    for event in [
        strange_header,
        strange_host,
        with("rawQueryString", json!("<raw> & control \u{1}=%ZZ%00&&=")),
        with("cookies", json!(["a=b"])),
    ] {
        assert_eq!(orders.invoke(&event).await["statusCode"], 201);
    }
    let log = orders.log();
    for secret in
        ["sandbox-token", "demo-shop-key", "Kari", "30908299902", "46567468", "kari@example.com", "Klosterenget", "/bankid/"]
    {
        assert!(!log.contains(secret), "{secret} in {log}");
    }

    let callbacks = world.start(CALLBACKS, &[]).await;
    let created = body(&orders.invoke(&text(&order)).await);
    let order_id = created["orderId"].as_str().unwrap();
    let token = world.stored(order_id).await.callback_token;
    for query in ["", "<>", "a b", "\u{1}", "%00", "%ZZ", "a=1&a=1", "=&=&", "æ=ø", "orderUuid=%FF"] {
        assert_eq!(callbacks.invoke(&callback_event(order_id, &token, query)).await["statusCode"], 200, "{query:?}");
        assert_eq!(callbacks.invoke(&callback_event(order_id, "%00", query)).await["statusCode"], 404, "{query:?}");
        assert_eq!(callbacks.invoke(&callback_event("%ZZ<>", &token, query)).await["statusCode"], 404, "{query:?}");
    }
    assert_eq!(callbacks.invoke(&json!({"routeKey": null})).await["statusCode"], 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_names_its_request_as_the_log_does() {
    let world = World::new().await;
    let orders = world.start(ORDERS, &[]).await;
    for event in [json!({}), post(&json!({}), None), get("x"), json!("no request")] {
        let instance = body(&orders.invoke(&event).await)["instance"].clone();
        assert_eq!(instance, format!("urn:uuid:{}", orders.summary()["requestId"].as_str().unwrap()));
        assert_eq!(instance.as_str().unwrap().len(), 45);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_is_a_503() {
    let world = &World::new().await;
    let order = &post(&example(), None);
    let is_down = async |variable, expected, retry_after| {
        let reply = world.start(ORDERS, &[(variable, NOBODY)]).await.invoke(order).await;
        assert_eq!((&reply["statusCode"], slug(&reply).as_str()), (&json!(503), expected));
        assert_eq!(reply["headers"]["retry-after"], retry_after);
    };
    let unreadable = Peer::start(reply(500, "", "<html>")).await;
    // The log quotes nothing of the order if DynamoDB's reply is unreadable or its endpoint unusable.
    let is_unreadable = async |endpoint| {
        let orders = world.start(ORDERS, &[("AWS_ENDPOINT_URL_DYNAMODB", endpoint), ("RUST_LOG", "trace")]).await;
        assert_eq!(orders.invoke(order).await["statusCode"], 503);
        let log = orders.log();
        assert!(log.contains("\"level\":\"ERROR\""), "{log}");
        for secret in ["callbackToken", "shop.example", "Dhaka", "demo-shop-key", "sandbox-token"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    };
    join!(
        is_down("AWS_ENDPOINT_URL_SECRETS_MANAGER", "secret-unavailable", "5"),
        is_down("AWS_ENDPOINT_URL_DYNAMODB", "storage-unavailable", "5"),
        is_down("FRONT_PAYMENT_BASE_URL", "front-payment-unavailable", "30"),
        is_unreadable(&unreadable.base_url),
        is_unreadable("unix:/nowhere"),
        is_unreadable("http://127.0.0.1:1/ /"),
        async {
            // An empty variable counts as absent, also for the AWS SDK.
            let empty =
                ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "CALLBACK_BASE_URL"].map(|name| (name, ""));
            assert_eq!(world.start(ORDERS, &empty).await.invoke(order).await["statusCode"], 201);
        },
        async {
            let hangs = Peer::start(Behaviour::Hangs).await;
            let orders = world.start(ORDERS, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &hangs.base_url)]).await;
            let began = std::time::Instant::now();
            assert_eq!(orders.invoke(order).await["statusCode"], 503);
            assert!(began.elapsed().as_secs() < 20, "init waits two seconds at most");
        },
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_an_order_that_its_callback_completes() {
    let world = World::new().await;
    let hangs = Peer::start(Behaviour::Hangs).await;
    let orders = Arc::new(world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &hangs.base_url)]).await);
    let submit = post(&example(), Some("killed"));
    let waiting = tokio::spawn({
        let (orders, submit) = (orders.clone(), submit.clone());
        async move { orders.invoke(&submit).await }
    });
    eventually(|| hangs.requests().len() == 1).await;
    orders.kill().await;
    waiting.abort();

    let orders = world.start(ORDERS, &[]).await;
    let reply = orders.invoke(&submit).await;
    assert_eq!((&reply["statusCode"], slug(&reply).as_str()), (&json!(409), "submission-in-progress"));
    let order_id = body(&reply)["orderId"].as_str().unwrap().to_owned();

    // A minute later, in a new process, which knows only the stored item.
    world.change_stored(&order_id, |order| order.attempted_at -= SignedDuration::from_secs(61)).await;
    for _ in 0..2 {
        let reply = orders.invoke(&submit).await;
        assert_eq!((&reply["statusCode"], slug(&reply).as_str()), (&json!(409), "outcome-unknown"));
        assert_eq!(reply["headers"].get("retry-after"), None);
        assert_eq!(world.stored(&order_id).await.status.name(), "UNKNOWN");
    }

    let token = world.stored(&order_id).await.callback_token;
    let callbacks = world.start(CALLBACKS, &[]).await;
    let query = signed("ODR1", "INVOICED", "40", SECRET_KEY);
    assert_eq!(callbacks.invoke(&callback_event(&order_id, &token, &query)).await["statusCode"], 200);
    let reply = orders.invoke(&submit).await;
    assert_eq!((&reply["statusCode"], &body(&reply)["status"]), (&json!(201), &json!("INVOICED")));
    assert_eq!(reply["headers"]["idempotency-replayed"], "true");
    assert_eq!((hangs.requests().len(), world.sandbox.orders().unwrap().len()), (1, 0), "sent once");
}

/// What a binary writes to stderr when a variable is bad, and its exit code.
fn start_with(binary: &str, variable: &str, value: &str) -> (String, Option<i32>) {
    let good =
        [("ORDERS_TABLE", "orders"), ("SECRET_ID", "s"), ("FRONT_PAYMENT_BASE_URL", "https://demo-api.frontpayment.no/api/v1")];
    let started = Command::new(binary).env_clear().envs(good).env(variable, value).output().unwrap();
    assert!(started.stdout.is_empty());
    (String::from_utf8(started.stderr).unwrap(), started.status.code())
}

#[test]
fn a_bad_configuration_ends_init_with_one_line_that_names_it() {
    for binary in [ORDERS, CALLBACKS] {
        for (variable, value) in [
            ("ORDERS_TABLE", ""),
            ("SECRET_ID", ""),
            ("FRONT_PAYMENT_BASE_URL", ""),
            ("FRONT_PAYMENT_BASE_URL", "http://example.com"),
            ("SSL_CERT_FILE", "/does/not/exist"),
            ("SSL_CERT_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
        ] {
            let (line, code) = start_with(binary, variable, value);
            assert!(line.starts_with(&format!("{variable}: ")) && line.ends_with('\n') && line.lines().count() == 1, "{line:?}");
            assert_eq!(code, Some(1));
        }
    }
    for (variable, value) in [("ALLOWED_TAX_RATES", "x"), ("ADVISORY_CHECKS", "maybe"), ("CALLBACK_BASE_URL", "x")] {
        assert!(start_with(ORDERS, variable, value).0.starts_with(&format!("{variable}: ")));
    }
}
