//! Runs the commands of docs/data-protection.md as they are written there.

use serde_json::json;

use crate::support::documents::{callback_event, example, signed};
use crate::support::shell::run_in;
use crate::support::world::{CALLBACKS, ORDERS, SECRET_KEY, World, body, get, post, slug};

const PAGE: &str = include_str!("../../docs/data-protection.md");

fn command(about: &str) -> &'static str {
    let mut blocks = PAGE.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.find(|block| block.contains(about)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_order_is_not_sent_again_and_goes_on() {
    let world = World::new().await;
    let orders = world.start(ORDERS, &[]).await;
    let created = body(&orders.invoke(&post(&example(), Some("key"))).await);
    let order_id = created["orderId"].as_str().unwrap();
    let token = world.stored(order_id).await.callback_token;
    let here = std::env::current_dir().unwrap();
    let (is_done, said) = run_in(&world, &here, command("get-item"), &[("ORDER", order_id)]).await;
    assert!(is_done && said.contains("customerReference"), "{said}");

    let (is_done, said) = run_in(&world, &here, command("update-item"), &[("ORDER", order_id)]).await;
    assert!(is_done, "{said}");
    let (_, item) = run_in(&world, &here, command("get-item"), &[("ORDER", order_id)]).await;
    for erased in ["referenceNo", "customerReference", "customerUuid", "bankIdUrl", "fingerprint"] {
        assert!(!item.contains(erased), "{erased} in {item}");
    }
    assert_eq!(slug(&orders.invoke(&post(&example(), Some("key"))).await), "idempotency-key-reused");
    assert_eq!(world.sandbox.orders().unwrap().len(), 1);
    let event = callback_event(order_id, &token, &signed(created["orderUuid"].as_str().unwrap(), "INVOICED", "40", SECRET_KEY));
    assert_eq!(world.start(CALLBACKS, &[]).await.invoke(&event).await["statusCode"], 200);
    assert_eq!(body(&orders.invoke(&get(order_id)).await)["status"], json!("INVOICED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_which_nobody_knows_is_not_erased() {
    let world = World::new().await;
    let peer = crate::support::peer::Peer::start(crate::support::peer::Behaviour::Closes).await;
    let orders = world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &peer.base_url)]).await;
    let unknown = body(&orders.invoke(&post(&example(), Some("key"))).await);
    let order_id = unknown["orderId"].as_str().unwrap();
    let here = std::env::current_dir().unwrap();
    let (is_done, said) = run_in(&world, &here, command("update-item"), &[("ORDER", order_id)]).await;
    assert!(!is_done && said.contains("ConditionalCheckFailedException"), "{said}");
}
