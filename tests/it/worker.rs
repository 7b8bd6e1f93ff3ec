//! The binary `worker` as Lambda runs it.

use std::process::Command;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use front_payment_bridge::order::{Queue, Status, StoredOrder};
use front_payment_bridge::store::{DynamoDbStore, OrderQueue, OrderStore};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::markers::metric_fields;
use crate::support::documents::{callback_event, example, hex_sha256, signed, stored_item};
use crate::support::lambda::Lambda;
use crate::support::peer::{Behaviour, NOBODY, Peer, reply};
use crate::support::queue::store_with_index;
use crate::support::worker::{NOTIFY_KEY, WEBHOOK_KEYS, repeat_event, stream_event};
use crate::support::world::{API_KEY, CALLBACKS, ORDERS, SECRET_KEY, World, body, eventually, get, post};

pub const WORKER: &str = env!("CARGO_BIN_EXE_worker");
const TABLE: &str = "orders-with-index";

/// The world with an index, and the demo shop on a socket.
pub struct Scene {
    pub world: World,
    store: DynamoDbStore,
    shop: Peer,
}

impl Scene {
    async fn new(notify: Value, shop: Behaviour) -> Self {
        let world = World::new().await;
        let store = store_with_index(&world.moto, TABLE, None).await;
        let secret = json!({
            "token": "sandbox-token", "callbackSecret": SECRET_KEY,
            "shops": {"demo-shop": {"apiKeySha256": [hex_sha256(API_KEY)], "notify": notify}},
        });
        world.secrets.put_secret_value().secret_id("front-payment").secret_string(secret.to_string()).send().await.unwrap();
        Self { world, store, shop: Peer::start(shop).await }
    }

    /// A shop that is notified in Front Payment's own format, and answers 200.
    pub async fn front_payment() -> Self {
        Self::new(json!({"keys": [NOTIFY_KEY], "hosts": ["127.0.0.1"]}), reply(200, "", "OK")).await
    }

    pub async fn start(&self, binary: &str, more: &[(&str, &str)]) -> Lambda {
        let mut variables = vec![("ORDERS_TABLE", TABLE), ("PRIVATE_SHOP_HOSTS", "127.0.0.1")];
        variables.extend(more);
        self.world.start(binary, &variables).await
    }

    /// An order of the demo shop that is SENT. Returns its id.
    async fn place(&self, path: &str) -> String {
        let orders = self.start(ORDERS, &[]).await;
        let mut order = example();
        order["callback"]["callbackUrl"] = json!(format!("{}{path}", self.shop.base_url));
        let reply = orders.invoke(&post(&order, None)).await;
        assert_eq!(reply["statusCode"], 201, "{reply}");
        let created = body(&reply);
        let codes: Vec<_> = created["warnings"].as_array().into_iter().flatten().map(|warning| &warning["code"]).collect();
        assert!(!codes.contains(&&json!("not_notifiable")), "{created}");
        created["orderId"].as_str().unwrap().to_owned()
    }

    /// An order of the demo shop that is INVOICED, which its shop does not know yet.
    pub async fn place_invoiced(&self, path: &str) -> StoredOrder {
        let order_id = self.place(path).await;
        let (callbacks, sent) = (self.start(CALLBACKS, &[]).await, self.stored(&order_id).await);
        let query = signed(sent.order_uuid.as_ref().unwrap(), "INVOICED", "40", SECRET_KEY);
        let reply = callbacks.invoke(&callback_event(&order_id, &sent.callback_token, &query)).await;
        assert_eq!(reply["statusCode"], 200);
        self.stored(&order_id).await
    }

    async fn stored(&self, order_id: &str) -> StoredOrder {
        self.store.load(order_id.parse().unwrap()).await.unwrap().expect("nothing is stored")
    }

    /// Overwrites attributes of an item, as an operator's command does.
    async fn command(&self, order_id: &str, update: &str, values: &[(&str, AttributeValue)]) {
        let mut command = self.world.moto.dynamodb().update_item().table_name(TABLE).update_expression(update);
        command = command.key("orderId", AttributeValue::S(order_id.to_owned()));
        if update.contains("#status") {
            command = command.expression_attribute_names("#status", "status");
        }
        for (name, value) in values {
            command = command.expression_attribute_values(*name, value.clone());
        }
        command.send().await.unwrap();
    }

    async fn attribute(&self, order_id: &str, name: &str) -> Option<AttributeValue> {
        let get = self.world.moto.dynamodb().get_item().table_name(TABLE);
        let item = get.key("orderId", AttributeValue::S(order_id.to_owned())).send().await.unwrap().item.unwrap();
        item.get(name).cloned()
    }

    async fn put_item(&self, item: Value) {
        let item = stored_item(&item);
        self.world.moto.dynamodb().put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }
}

/// Wakes the worker by the table's stream.
pub async fn wake(worker: &Lambda, order_ids: &[&str]) {
    assert_eq!(worker.run(29, stream_event(order_ids).to_string()).await, json!({"batchItemFailures": []}));
}

pub async fn sweep(worker: &Lambda) {
    assert_eq!(worker.run(29, "{}".to_owned()).await, json!({}));
}

/// The line of a request's head, and its headers in lower case.
fn head(request: &str) -> (&str, Vec<(String, String)>) {
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let first = lines.next().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    (first, headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect())
}

fn seconds(moment: Timestamp) -> String {
    moment.as_second().to_string()
}

fn logged(worker: &Lambda, route: &str) -> Vec<Value> {
    let lines = worker.log();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("not JSON: {line}")));
    lines.filter(|line| line["route"] == route).collect()
}

fn assert_clean(worker: &Lambda, scene: &Scene, order: &StoredOrder) {
    let log = worker.log();
    let port = scene.shop.base_url.rsplit(':').next().unwrap();
    for secret in [
        "sandbox-token",
        SECRET_KEY,
        NOTIFY_KEY,
        WEBHOOK_KEYS[0],
        API_KEY,
        order.callback_token.as_str(),
        &format!("127.0.0.1:{port}"),
        "/status?",
        "Kari",
        "Nordmann",
        "kari@example.com",
        "46567468",
        "30908299902",
        "Klosterenget",
        "/bankid/",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

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

    // What a reading logs is seen where there is one.
    let fields = metric_fields("WorkerLogs");
    let of_readings = ["otherOrderUuid", "providerMs", "providerRateLimitRemaining"];
    assert!(fields.contains("ageMs") && fields.contains("oldestUndeliveredSeconds"), "{fields:?}");
    let log = worker.log();
    for field in fields.iter().filter(|field| !of_readings.contains(field)) {
        assert!(log.contains(&format!("\"{field}\":")), "a metric counts {field}, which no line has: {log}");
    }
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
        let wait = notifications.next_at.unwrap().duration_since(Timestamp::now()).as_secs();
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
    assert!(notifications.has_failed && notifications.last_error.as_deref() == Some("address"));
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
    assert!((100..=121).contains(&(due_at - Timestamp::now().as_second())), "two minutes after the command");
    let log = worker.log();
    let line = log.lines().find(|line| line.contains("\"waiting\"")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(line).unwrap()["waiting"], 1, "{line}");

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
    assert_eq!(scene.shop.requests().len(), 1);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_killed_in_a_call_repeats_it_after_a_minute() {
    let notify = json!({"keys": [NOTIFY_KEY], "hosts": ["127.0.0.1"]});
    let scene = Scene::new(notify, Behaviour::WritesAfter(Duration::from_secs(5), b"HTTP/1.1 200 X\r\n\r\n".to_vec())).await;
    let order_id = scene.place_invoiced("/status").await.order_id.to_string();
    let killed = std::sync::Arc::new(scene.start(WORKER, &[]).await);
    let waiting = tokio::spawn({
        let (killed, event) = (killed.clone(), stream_event(&[&order_id]).to_string());
        async move { killed.run(29, event).await }
    });
    eventually(|| scene.shop.requests().len() == 1).await;
    killed.kill().await;
    waiting.abort();

    let worker = scene.start(WORKER, &[]).await;
    sweep(&worker).await;
    wake(&worker, &[&order_id]).await;
    assert_eq!(scene.shop.requests().len(), 1, "the attempt may still be running");
    // A minute later. The item is all that the new process knows of the old one.
    let stored = scene.stored(&order_id).await;
    let mut later = StoredOrder { version: stored.version + 1, ..stored.clone() };
    let notifications = later.notifications.as_mut().unwrap();
    let since = &mut notifications.running.as_mut().unwrap().since;
    *since -= SignedDuration::from_secs(61);
    notifications.next_at = Some(*since);
    scene.store.replace(&stored, &later).await.unwrap();
    sweep(&worker).await;
    sweep(&worker).await;
    assert_eq!(scene.shop.requests().len(), 2, "once more");
    let notifications = scene.stored(&order_id).await.notifications.unwrap();
    assert_eq!((notifications.attempts, notifications.told_status), (2, Some(Status::Invoiced)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_services_are_down_answers_all_the_same() {
    let scene = Scene::front_payment().await;
    let order = scene.place_invoiced("/status").await;
    let order_id = order.order_id.to_string();
    for variable in ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_DYNAMODB"] {
        let worker = scene.start(WORKER, &[(variable, NOBODY)]).await;
        wake(&worker, &[&order_id]).await;
        sweep(&worker).await;
        assert!(worker.log().contains("\"level\":\"ERROR\"") || worker.log().contains("\"level\":\"WARN\""), "{}", worker.log());
        assert_clean(&worker, &scene, &order);
    }
    assert_eq!(scene.shop.requests().len(), 0);
    let worker = scene.start(WORKER, &[]).await;
    for event in ["null", "[]", "\"text\"", "{\"Records\":[{}]}", "{\"backfill\":5}"] {
        assert!(worker.run(29, event.to_owned()).await.is_object(), "{event}");
    }
    assert_eq!(scene.shop.requests().len(), 1, "each of them is a sweep");
}

#[test]
fn a_bad_configuration_ends_init_with_one_line_that_names_it() {
    let good =
        [("ORDERS_TABLE", "orders"), ("SECRET_ID", "s"), ("FRONT_PAYMENT_BASE_URL", "https://demo-api.frontpayment.no/api/v1")];
    for (variable, value) in [
        ("ORDERS_TABLE", ""),
        ("SECRET_ID", ""),
        ("FRONT_PAYMENT_BASE_URL", ""),
        ("FRONT_PAYMENT_BASE_URL", "http://example.com"),
        ("ORDER_RETENTION_DAYS", "30"),
        ("PRIVATE_SHOP_HOSTS", "http://shop.internal/"),
        ("PRIVATE_SHOP_HOSTS", "shop.internal:0"),
        ("SSL_CERT_FILE", "/does/not/exist"),
    ] {
        let started = Command::new(WORKER).env_clear().envs(good).env(variable, value).output().unwrap();
        let line = String::from_utf8(started.stderr).unwrap();
        assert!(line.starts_with(&format!("{variable}: ")) && line.ends_with('\n') && line.lines().count() == 1, "{line:?}");
        assert_eq!((started.status.code(), started.stdout.len()), (Some(1), 0));
    }
}
