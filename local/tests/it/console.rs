//! The pages about the bridge, and the clock.

use jiff::Timestamp;
use local::WEBHOOKS_API_KEY;
use serde_json::{Value, json};

use super::{Running, answer, shell};

impl Running {
    async fn forward(&self, step: &Value) -> (u16, Value) {
        self.clock(&json!({ "forward": step })).await
    }

    async fn clock(&self, change: &Value) -> (u16, Value) {
        answer(self.client.post(format!("{}/front-payment/clock", self.base)).body(change.to_string())).await
    }
}

#[tokio::test]
async fn an_order_is_found_and_its_life_is_drawn() {
    let local = Running::start(&["--in-memory"]);
    let (_, order) = local.submit("find me", "found").await;
    let (_, lost) = local.submit("lost-reply", "lost").await;
    let id = |order: &Value| order["orderId"].as_str().unwrap().to_owned();
    let all = local.page("/console/orders").await;
    assert!(all.contains(&id(&order)) && all.contains(&id(&lost)), "{all}");
    for search in ["sent", "FIND", "demo-shop", &id(&order)[..13], order["orderUuid"].as_str().unwrap()] {
        let found = local.page(&format!("/console/orders?search={}", search.replace(' ', "+"))).await;
        assert!(found.contains(&id(&order)), "{search}: {found}");
    }
    assert!(!local.page("/console/orders?search=sent").await.contains(&id(&lost)), "it is UNKNOWN");

    local.press(&order, "sign").await;
    let life = local.page(&format!("/console/orders/{}", id(&order))).await;
    let place = |text: &str| life.find(text).unwrap_or_else(|| panic!("{text} is missing: {life}"));
    let causes = ["POST /orders → 201", "submit → 201", "the order is INVOICED", "callback INVOICED → 200", "callback applied"];
    assert!(causes.map(place).is_sorted(), "a cause comes before its effect: {life}");
    for step in
        ["submit → 201", "POST /orders → 201 accepted", "the order is INVOICED", "callback INVOICED → 200", "callback applied"]
    {
        assert!(life.contains(step), "{step} is missing: {life}");
    }
    let life = local.page(&format!("/console/orders/{}", id(&lost))).await;
    assert!(life.contains("submit → no answer") && life.contains("POST /orders → 504 outcome-unknown"), "{life}");
}

#[tokio::test]
async fn what_is_wrong_is_a_page() {
    let local = Running::start(&["--in-memory"]);
    let nobody = "00000000-0000-0000-0000-000000000000";
    for (path, title) in [
        ("/console/orders/nope", "No such order"),
        (&*format!("/console/orders/{nobody}"), "No such order"),
        ("/console/nope", "Page not found"),
        ("/front-payment/portal/ODR404", "Page not found"),
        ("/front-payment/nope", "Page not found"),
    ] {
        let reply = local.client.get(format!("{}{path}", local.base)).send().await.unwrap();
        assert_eq!(
            (reply.status().as_u16(), reply.headers()["content-type"].to_str().unwrap()),
            (404, "text/html; charset=utf-8")
        );
        let page = reply.text().await.unwrap();
        assert!(page.contains(&format!("<h1>{title}</h1>")) && page.contains("/console/orders"), "{path}: {page}");
    }
    assert!(local.page("/console/orders").await.contains("There are no orders yet"));
    local.submit("Dhaka", "one").await;
    assert!(local.page("/console/orders?search=nothing").await.contains("No order matches"));
}

#[tokio::test]
async fn the_portal_offers_the_status_that_an_order_has() {
    let local = Running::start(&["--in-memory"]);
    let (_, order) = local.submit("Dhaka", "reminded").await;
    local.press(&order, "sign").await;
    local.forward(&json!("14d")).await;
    let portal = local.page(&format!("/front-payment/portal/{}", order["orderUuid"].as_str().unwrap())).await;
    assert!(portal.contains("<option selected>Purring</option>"), "{portal}");
}

#[tokio::test]
async fn events_of_the_operator_reach_the_worker_from_a_page_and_a_command() {
    let local = Running::start(&["--in-memory"]);
    let operator = |event: &str| shell(&format!("cargo run -- operator --url {} '{event}'; echo $?", local.base));
    assert_eq!(operator(r#"{"backfill":true}"#), "{}\n0\n");
    let wrong = operator("not JSON");
    assert!(wrong.starts_with("1\n") && wrong.contains("the event is not JSON"), "{wrong}");
    let form = "decision=event&event=%7B%22backfill%22%3Atrue%7D";
    let page = local.client.post(format!("{}/console/operator", local.base)).body(form).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("Done"));
}

#[tokio::test]
async fn the_clock_makes_what_is_stored_older() {
    let local = Running::start(&["--in-memory"]);
    for step in [json!("1x"), json!("-1h"), json!("0s"), json!("401d"), json!(60), json!(null)] {
        assert_eq!(local.forward(&step).await.0, 422, "{step}");
    }
    assert_eq!(local.clock(&json!({"reset": false})).await.0, 422);
    let (_, order) = local.submit("Dhaka", "clock").await;
    let before = local.read(&order).await;
    let (status, moved) = local.forward(&json!("13d 23h")).await;
    assert_eq!((status, &moved["aheadSeconds"]), (200, &json!(1_206_000)), "{moved}");
    let after = local.read(&order).await;
    assert_eq!(after["status"], "SENT");
    for pointer in ["/createdAt", "/updatedAt", "/history/0/at", "/notified/at"] {
        let at = |order: &Value| order.pointer(pointer).unwrap().as_str().unwrap().parse::<Timestamp>().unwrap();
        assert_eq!(at(&before).duration_since(at(&after)).as_secs(), 1_206_000, "{pointer}");
    }
    local.forward(&json!("1h")).await;
    assert_eq!(local.status(&order).await, "EXPIRED", "after 14 days, and Front Payment has called back");
}

/// A shop uses the real time: for the dates of its orders, and for the age of a webhook.
#[tokio::test]
async fn a_shop_goes_on_while_the_clock_is_ahead_and_after_a_reset() {
    let local = Running::start(&["--in-memory"]);
    let (_, before) = local.submit_as(WEBHOOKS_API_KEY, "Dhaka", "before").await;
    let mut newest = String::new();
    for (change, key) in [(json!({"forward": "15d"}), "ahead"), (json!({"reset": true}), "after")] {
        let (status, moved) = local.clock(&change).await;
        assert_eq!(status, 200, "{moved}");
        let (status, order) = local.submit_as(WEBHOOKS_API_KEY, "Dhaka", key).await;
        assert_eq!((status, &order["status"]), (201, &json!("SENT")), "today's date is taken: {order}");
        local.press(&order, "sign").await;
        let told = local.told_of(&order["orderUuid"]).await;
        assert_eq!((&told["status"], &told["verified"]), (&json!("INVOICED"), &json!(true)), "{told}");

        // A shop compares these times: they never go back, and are never in the future.
        local.in_portal(&before, if key == "ahead" { "RESERVED" } else { "PAID" }).await;
        let read = local.read_as(WEBHOOKS_API_KEY, &before).await;
        let updated = read["updatedAt"].as_str().unwrap().to_owned();
        assert!(updated > newest && updated.parse::<Timestamp>().unwrap() <= Timestamp::now(), "{read}");
        newest = updated;
    }
    let page = local.page("/console/orders").await;
    assert!(!page.contains("ahead"), "{page}");
}

#[tokio::test]
async fn moves_at_once_all_count_and_last_over_a_restart_until_a_reset() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let arguments = ["--data-dir", data_dir.to_str().unwrap()];
    let mut local = Running::start(&arguments);
    let (_, order) = local.submit("Dhaka", "moved").await;
    let created = |order: &Value| order["createdAt"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let before = created(&local.read(&order).await);
    let day = json!("1d");
    futures_util::future::join_all((0..60).map(|_| local.forward(&day))).await;
    assert_eq!(before.duration_since(created(&local.read(&order).await)).as_hours(), 60 * 24);
    local.interrupt();
    let local = Running::start(&arguments);
    let clock = answer(local.client.get(format!("{}/front-payment/clock", local.base))).await.1;
    assert_eq!(clock["aheadSeconds"], json!(60 * 86_400), "{clock}");
    let page = local.page("/console/orders").await;
    assert!(page.contains("The clock is 60 days ahead.") && page.contains("Reset the clock"), "{page}");
    local.clock(&json!({"reset": true})).await;
    assert_eq!(created(&local.read(&order).await), before);
    assert!(!local.page("/console/orders").await.contains("ahead"));
}

#[tokio::test]
async fn the_api_is_described_as_a_page_and_as_a_document() {
    let local = Running::start(&["--in-memory"]);
    let described = include_str!("../../../openapi.yaml");
    assert_eq!(local.page("/openapi.yaml").await, described);
    let page = local.page("/console/api").await;
    let ids: Vec<_> = described.split("operationId: ").skip(1).map(|rest| rest.lines().next().unwrap()).collect();
    assert!(ids.len() >= 6, "{ids:?}");
    for id in ids.iter().filter(|id| !id.contains(' ')) {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    let links = page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    for link in links {
        assert!(page.contains(&format!("id=\"{link}\"")), "{link} leads nowhere");
    }
    for text in
        ["POST /orders", "Idempotency-Key", "Example: A private customer", "outcome-unknown", "array of <a href=\"#Line\">"]
    {
        assert!(page.contains(text), "{text}");
    }
}
