//! The pages about the bridge, and the clock.

use serde_json::{Value, json};

use super::{Running, answer};

impl Running {
    async fn forward(&self, step: &Value) -> (u16, Value) {
        let body = json!({ "forward": step }).to_string();
        answer(self.client.post(format!("{}/front-payment/clock", self.base)).body(body)).await
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
    for step in
        ["submit → 201", "POST /orders → 201 accepted", "the order is INVOICED", "callback INVOICED → 200", "callback applied"]
    {
        assert!(life.contains(step), "{step} is missing: {life}");
    }
    let life = local.page(&format!("/console/orders/{}", id(&lost))).await;
    assert!(life.contains("submit → no answer") && life.contains("POST /orders → 504 outcome-unknown"), "{life}");
}

#[tokio::test]
async fn the_clock_moves_all_of_it_forward() {
    let local = Running::start(&["--in-memory"]);
    for step in [json!("1x"), json!("-1h"), json!("0s"), json!("401d"), json!(60), json!(null)] {
        assert_eq!(local.forward(&step).await.0, 422, "{step}");
    }
    let (_, order) = local.submit("Dhaka", "clock").await;
    let (status, moved) = local.forward(&json!("13d 23h")).await;
    assert_eq!(status, 200, "{moved}");
    assert_eq!(local.status(&order).await, "SENT");
    local.forward(&json!("1h")).await;
    assert_eq!(local.status(&order).await, "EXPIRED", "after 14 days, and Front Payment has called back");
    let created = |order: &Value| order["createdAt"].as_str().unwrap().to_owned();
    let (_, later) = local.submit("Dhaka", "later").await;
    assert_eq!(later["errors"][0]["pointer"], "/orderDate", "a past day, since the clock was moved: {later}");
    assert!(moved["now"].as_str().unwrap() > created(&local.read(&order).await).as_str());
}

#[tokio::test]
async fn a_clock_that_was_moved_stays_ahead_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let arguments = ["--data-dir", data_dir.to_str().unwrap()];
    let mut local = Running::start(&arguments);
    let moved = local.forward(&json!("30d")).await.1;
    local.interrupt();
    let local = Running::start(&arguments);
    let again = local.forward(&json!("1s")).await.1;
    assert!(again["now"].as_str() > moved["now"].as_str(), "{moved} {again}");
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
