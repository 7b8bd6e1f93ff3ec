//! The runbook's commands, run as they are written there.

use std::path::Path;
use std::process::Command;

use aws_sdk_dynamodb::types::AttributeValue;
use front_payment_bridge::order::{Status, StoredOrder};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::documents::{callback_event, example, hex_sha256, secret, signed, stored_item};
use crate::support::lambda::Lambda;
use crate::support::moto;
use crate::support::peer::{Behaviour, Peer, status_reply};
use crate::support::world::{API_KEY, CALLBACKS, ORDERS, SECRET_KEY, World, body, post, slug};

const RUNBOOK: &str = include_str!("../../docs/runbook.md");

/// The first block of commands in a section of the runbook that has this in it.
pub fn block(heading: &str, about: &str) -> &'static str {
    let section = RUNBOOK.split(heading).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let mut blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.find(|block| block.contains(about)).unwrap_or_else(|| panic!("no {about}"))
}

/// The same of the section about settling, from the first `aws`: what is before it, a test sets.
fn command(about: &str) -> &'static str {
    let block = block("### Settling an UNKNOWN order", about);
    &block[block.find("aws ").unwrap()..]
}

/// Runs a command for an order. Whether it succeeds, and what it prints.
async fn run(world: &World, command: &str, order_id: &str) -> (bool, String) {
    run_in(world, Path::new("."), command, &[("ORDER", order_id), ("UUID", "ODR7")]).await
}

pub async fn run_in(world: &World, directory: &Path, command: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let path = format!("{}:{}", moto::programs().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    // The API is not there, and the program is built.
    let command = command.replace("curl ", "echo called ").replace("cargo run --quiet --", env!("CARGO_BIN_EXE_local"));
    shell.args(["-e", "-c", &command]).current_dir(directory).env("PATH", path).envs([
        ("AWS_ENDPOINT_URL", world.moto.endpoint.as_str()),
        ("AWS_REGION", "eu-north-1"),
        ("AWS_DEFAULT_REGION", "eu-north-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("TABLE", "orders"),
        ("RESTORED", "orders"),
        ("SECRET", "front-payment"),
        ("API", "https://api.example"),
    ]);
    shell.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

async fn succeeds(world: &World, command: &str, order_id: &str) -> String {
    let (is_done, said) = run(world, command, order_id).await;
    assert!(is_done, "{said}");
    said
}

async fn is_refused(world: &World, command: &str, order_id: &str) {
    let before = world.stored(order_id).await;
    let (is_done, said) = run(world, command, order_id).await;
    assert!(!is_done && said.contains("ConditionalCheckFailedException"), "{said}");
    assert!(world.stored(order_id).await == before);
}

/// An order with this key whose reply is lost: UNKNOWN.
async fn lose(world: &World, key: &str) -> String {
    let closes = Peer::start(Behaviour::Closes).await;
    let orders = world.start(ORDERS, &[("FRONT_PAYMENT_BASE_URL", &closes.base_url)]).await;
    let reply = orders.invoke(&post(&example(), Some(key))).await;
    assert_eq!(reply["statusCode"], 504);
    body(&reply)["orderId"].as_str().unwrap().to_owned()
}

/// The `callbacks` function, over a Front Payment that tells this status of `ODR7`.
async fn callbacks_that_read(world: &World, status: &str) -> (Lambda, Peer) {
    let tells = Peer::start(status_reply("ODR7", status)).await;
    (world.start(CALLBACKS, &[("FRONT_PAYMENT_BASE_URL", &tells.base_url)]).await, tells)
}

/// Calls the URL that the last command called.
async fn read_status(world: &World, callbacks: &Lambda, order_id: &str, said: &str) {
    let token = world.stored(order_id).await.callback_token;
    assert!(said.contains(&format!("called https://api.example/callbacks/{order_id}/{token}")), "{said}");
    assert_eq!(callbacks.invoke(&callback_event(order_id, &token, "")).await["statusCode"], 200);
}

/// A callback of Front Payment's about this order; the order's uuid and status afterwards.
async fn call_back(
    world: &World,
    callbacks: &Lambda,
    order_id: &str,
    order_uuid: &str,
    status: &str,
) -> (Option<String>, Status) {
    let token = world.stored(order_id).await.callback_token;
    let query = signed(order_uuid, status, "40", SECRET_KEY);
    assert_eq!(callbacks.invoke(&callback_event(order_id, &token, &query)).await["statusCode"], 200);
    let stored = world.stored(order_id).await;
    (stored.order_uuid, stored.status)
}

fn odr7(status: Status) -> (Option<String>, Status) {
    (Some("ODR7".to_owned()), status)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_the_portal_does_not_have_is_marked_failed() {
    let world = World::new().await;
    let (callbacks, _tells) = callbacks_that_read(&world, "SENT").await;
    let [look, mark, bind] = [command("--query 'Item.{"), command("= :failed"), command(":uuid")];
    let order_id = lose(&world, "not-there").await;
    let shown = succeeds(&world, look, &order_id).await;
    let shown: Value = serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{shown}"));
    assert_eq!(
        (&shown["status"], &shown["referenceNo"], &shown["grandTotal"], &shown["history"][0]["status"]),
        (&json!("UNKNOWN"), &json!("Dhaka"), &json!("40"), &json!("UNKNOWN"))
    );

    let before = world.stored(&order_id).await;
    succeeds(&world, mark, &order_id).await;
    let marked = world.stored(&order_id).await;
    assert_eq!((marked.status, marked.may_exist, marked.version), (Status::Failed, false, before.version + 1));

    // The order that was cancelled in the portal: noted, no more.
    let noted = call_back(&world, &callbacks, &order_id, "ODR9", "CANCELLED").await;
    assert_eq!(noted, (None, Status::Failed));
    let shown: Value = serde_json::from_str(&succeeds(&world, look, &order_id).await).unwrap();
    assert_eq!((&shown["history"][1]["orderUuid"], &shown["orderUuid"]), (&json!("ODR9"), &json!(null)));

    let orders = world.start(ORDERS, &[]).await;
    let again = async || orders.invoke(&post(&example(), Some("not-there"))).await;
    let (sent, replayed) = (again().await, again().await);
    assert_eq!((&sent["statusCode"], sent["headers"].get("idempotency-replayed")), (&json!(201), None));
    assert_eq!(replayed["headers"]["idempotency-replayed"], "true");
    for command in [mark, bind] {
        is_refused(&world, command, &order_id).await; // what is accepted stays as it is
    }
    let shown: Value = serde_json::from_str(&succeeds(&world, look, &order_id).await).unwrap();
    assert_eq!(shown["earlierAttempts"], json!([{"referenceNo": "Dhaka", "grandTotal": "40", "mayExist": "0"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_orders_in_the_portal_the_living_one_is_bound_before_the_other_one_is_cancelled() {
    let world = World::new().await;
    let (callbacks, _tells) = callbacks_that_read(&world, "RESERVED").await;
    let order_id = lose(&world, "twice").await;
    let before = world.stored(&order_id).await.version;
    let said = succeeds(&world, command(":uuid"), &order_id).await;
    let bound = world.stored(&order_id).await;
    assert_eq!((bound.order_uuid.as_deref(), bound.status, bound.version), (Some("ODR7"), Status::Sent, before + 1));
    assert!(bound.doubted_at.is_some());
    read_status(&world, &callbacks, &order_id, &said).await;
    let read = world.stored(&order_id).await;
    assert_eq!((read.status, read.doubted_at, read.checked_at.is_some()), (Status::Reserved, None, true));

    assert_eq!(call_back(&world, &callbacks, &order_id, "ODR8", "CANCELLED").await, odr7(Status::Reserved));
    assert_eq!(call_back(&world, &callbacks, &order_id, "ODR7", "INVOICED").await, odr7(Status::Invoiced));
    let orders = world.start(ORDERS, &[]).await;
    let again = orders.invoke(&post(&example(), Some("twice"))).await;
    assert_eq!((&again["headers"]["idempotency-replayed"], &body(&again)["orderUuid"]), (&json!("true"), &json!("ODR7")));

    // It was the order of an earlier attempt, with another body.
    succeeds(&world, command("REMOVE fingerprint"), &order_id).await;
    let again = orders.invoke(&post(&example(), Some("twice"))).await;
    assert_eq!((&again["statusCode"], slug(&again).as_str()), (&json!(422), "idempotency-key-reused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_order_that_the_portal_has_is_bound() {
    let world = World::new().await;
    let order_id = lose(&world, "failed").await;
    succeeds(&world, command("= :failed"), &order_id).await;
    succeeds(&world, command(":uuid"), &order_id).await;
    let stored = world.stored(&order_id).await;
    assert_eq!((stored.order_uuid, stored.status), odr7(Status::Sent));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_bound_anew() {
    let world = World::new().await;
    let (orders, (callbacks, _tells)) = (world.start(ORDERS, &[]).await, callbacks_that_read(&world, "RESERVED").await);
    let created = body(&orders.invoke(&post(&example(), Some("anew"))).await);
    let [order_id, wrong] = ["orderId", "orderUuid"].map(|name| created[name].as_str().unwrap());
    world.change_stored(order_id, |order| order.checked_at = Some(Timestamp::now())).await;
    let before = world.stored(order_id).await;
    assert!(before.customer_uuid.is_some() && before.bank_id_url.is_some());

    let bind = command(":wrong");
    let bind_from =
        async |wrong| run_in(&world, Path::new("."), bind, &[("ORDER", order_id), ("UUID", "ODR7"), ("WRONG", wrong)]).await;
    let (is_done, said) = bind_from("ODR8").await;
    assert!(!is_done && said.contains("ConditionalCheckFailedException"), "it is bound to another one: {said}");
    let (is_done, said) = bind_from(wrong).await;
    assert!(is_done, "{said}");
    let bound = world.stored(order_id).await;
    assert_eq!((bound.order_uuid.as_deref(), bound.status, bound.version), (Some("ODR7"), Status::Sent, before.version + 1));
    assert_eq!((bound.customer_uuid, bound.bank_id_url, bound.checked_at), (None, None, None));
    assert!(bound.doubted_at.is_some());

    read_status(&world, &callbacks, order_id, &said).await;
    assert_eq!(call_back(&world, &callbacks, order_id, wrong, "CANCELLED").await, odr7(Status::Reserved));
    assert_eq!(call_back(&world, &callbacks, order_id, "ODR7", "INVOICED").await, odr7(Status::Invoiced));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_version_0_1_is_settled_like_any_other() {
    let world = World::new().await;
    let (callbacks, _tells) = callbacks_that_read(&world, "RESERVED").await;
    let details = |total: &str| {
        json!({"fingerprint": "f", "referenceNo": "Dhaka", "grandTotal": total, "shopCallbackUrl": "https://shop.example/",
            "customerType": "private", "preferredLanguage": "no", "country": "NO"})
    };
    let write = async |order_id: &str| {
        let mut item = details("40");
        let rest = json!({"orderId": order_id, "version": 3, "status": "UNKNOWN", "shopId": "demo-shop", "callbackToken": "token",
            "attempt": "0198c2f0-7e4a-4000-8000-000000000009", "attemptedAt": "2025-06-15T12:00:00.25Z",
            "createdAt": "2025-06-15T12:00:00.25Z", "updatedAt": "2025-06-15T12:00:00.25Z", "earlierAttempts": [details("50")],
            "history": [{"status": "PAID", "at": "2025-06-15T12:00:00.25Z", "source": "callback", "id": "x", "otherOrderUuid": "ODR5"}]});
        item.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        let item = stored_item(&item);
        world.moto.dynamodb().put_item().table_name("orders").set_item(Some(item)).send().await.unwrap();
    };
    let [not_there, there, wrong] = [1, 2, 3].map(|number| format!("0198c2f0-7e4a-7000-8000-00000000000{number}"));
    for order_id in [&not_there, &there, &wrong] {
        write(order_id).await;
    }
    let shown: Value = serde_json::from_str(&succeeds(&world, command("--query 'Item.{"), &there).await).unwrap();
    assert_eq!(shown["earlierAttempts"], json!([{"referenceNo": "Dhaka", "grandTotal": "50", "mayExist": null}]));
    assert_eq!(shown["history"][0]["orderUuid"], "ODR5");

    succeeds(&world, command("= :failed"), &not_there).await;
    let marked = world.stored(&not_there).await;
    assert_eq!((marked.status, marked.may_exist, marked.version), (Status::Failed, false, 4));
    assert!(marked.updated_at > Timestamp::now() - SignedDuration::from_mins(5));
    assert_eq!(call_back(&world, &callbacks, &not_there, "ODR9", "EXPIRED").await, (None, Status::Failed));

    let said = succeeds(&world, command(":uuid"), &there).await;
    read_status(&world, &callbacks, &there, &said).await;
    assert_eq!(call_back(&world, &callbacks, &there, "ODR7", "INVOICED").await, odr7(Status::Invoiced));
    assert_eq!(world.stored(&there).await.version, 6);

    world.change_stored(&wrong, |order| (order.order_uuid, order.status) = (Some("ODR4".to_owned()), Status::Sent)).await;
    let variables = [("ORDER", wrong.as_str()), ("UUID", "ODR7"), ("WRONG", "ODR4")];
    let (is_done, said) = run_in(&world, Path::new("."), command(":wrong"), &variables).await;
    assert!(is_done, "{said}");
    read_status(&world, &callbacks, &wrong, &said).await;
    assert_eq!(call_back(&world, &callbacks, &wrong, "ODR4", "CANCELLED").await, odr7(Status::Reserved));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_being_sent_is_not_settled_within_a_minute() {
    let world = World::new().await;
    let order_id = lose(&world, "on-its-way").await;
    let begin = async |age: i64| {
        let change = |order: &mut StoredOrder| {
            (order.status, order.attempted_at) = (Status::Submitting, Timestamp::now() - SignedDuration::from_secs(age));
        };
        world.change_stored(&order_id, change).await;
    };
    begin(50).await;
    for command in [command("= :failed"), command(":uuid")] {
        is_refused(&world, command, &order_id).await;
    }
    begin(70).await;
    succeeds(&world, command("= :failed"), &order_id).await;
    assert_eq!(world.stored(&order_id).await.status, Status::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_table_has_lost_is_not_sent_again() {
    let world = World::new().await;
    let orders = world.start(ORDERS, &[]).await;
    let submit = async |key: &str| orders.invoke(&post(&example(), Some(key))).await;
    let [kept, lost] =
        [submit("kept").await, submit("lost").await].map(|order| body(&order)["orderId"].as_str().unwrap().to_owned());
    let table = world.moto.dynamodb();
    table.delete_item().table_name("orders").key("orderId", AttributeValue::S(lost.clone())).send().await.unwrap();
    // Its latest attempt in the restored table was refused. A later one may not have been.
    let failed = lose(&world, "failed").await;
    succeeds(&world, command("= :failed"), &failed).await;

    let directory = tempfile::tempdir().unwrap();
    let concerned = [&kept, &lost, &failed].map(|order_id| format!("{order_id}\tdemo-shop\n")).concat();
    std::fs::write(directory.path().join("concerned.txt"), concerned).unwrap();
    let mark = block("### Restoring the table", "while read -r ORDER SHOP");
    let (is_done, said) = run_in(&world, directory.path(), mark, &[]).await;
    assert!(is_done && said.contains(&format!("{kept} was not marked")), "{said}");
    assert!(!said.contains(&format!("{lost} was not marked")) && !said.contains(&format!("{failed} was not marked")), "{said}");

    for (key, order_id) in [("lost", &lost), ("failed", &failed)] {
        let reply = submit(key).await;
        assert_eq!((&reply["statusCode"], slug(&reply).as_str()), (&json!(409), "outcome-unknown"), "{key}");
        let marked = world.stored(order_id).await;
        assert_eq!((marked.status, marked.may_exist, marked.shop_id.as_str()), (Status::Unknown, true, "demo-shop"));
        let begins = u64::try_from((Timestamp::now() - SignedDuration::from_mins(5)).as_millisecond()).unwrap();
        assert!(marked.version > begins, "{}", marked.version);
    }
    assert_eq!(submit("kept").await["statusCode"], 201);
    assert_eq!(world.stored(&kept).await.status, Status::Sent);
    assert_eq!(world.sandbox.orders().unwrap().len(), 2, "nothing was sent again");
    succeeds(&world, command(":uuid"), &lost).await; // it is settled like any other
    assert_eq!(world.stored(&lost).await.status, Status::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_lost_orders_is_complete_or_an_error() {
    let world = World::new().await;
    let list = block("### Restoring the table", "logged()");
    let with_a_query_that_is = |status: &str| {
        let logs = format!(
            r#"aws() {{
                case "$*" in
                    *start-query*) echo query-1 ;;
                    *"--query status"*) echo {status} ;;
                    *) printf 'order-1\tdemo-shop\n' ;;
                esac
            }}
            "#
        );
        format!("{logs}{list}")
    };
    let variables = [("STACK", "bridge"), ("SINCE", "2026-11-24T09:30:00Z")];
    for (status, is_good) in [("Complete", true), ("Failed", false), ("Timeout", false), ("Cancelled", false)] {
        let directory = tempfile::tempdir().unwrap();
        let (is_done, said) = run_in(&world, directory.path(), &with_a_query_that_is(status), &variables).await;
        let concerned = std::fs::read_to_string(directory.path().join("concerned.txt")).unwrap_or_default();
        let expected = if is_good { "order-1\tdemo-shop\norder-1\tdemo-shop\n" } else { "" };
        assert_eq!((is_done, concerned.as_str()), (is_good, expected), "{status}: {said}");
        assert_eq!(said.contains(&format!("is {status}")), !is_good, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_before_a_restored_one_gets_a_policy_that_refuses_writes() {
    let world = World::new().await;
    let fence = block("### Restoring the table", "put-resource-policy");
    let (is_done, said) = run_in(&world, Path::new("."), fence, &[("OLD_TABLE", "orders")]).await;
    assert!(is_done, "{said}");
    let read = "aws dynamodb get-resource-policy --resource-arn arn:aws:dynamodb:eu-north-1:123456789012:table/orders \
        --query Policy --output text";
    let (is_done, policy) = run_in(&world, Path::new("."), read, &[]).await;
    let policy: Value = serde_json::from_str(&policy).unwrap_or_else(|error| panic!("{is_done} {error}: {policy}"));
    let statement = &policy["Statement"][0];
    assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*")));
    assert_eq!(statement["Action"], json!(["dynamodb:PutItem", "dynamodb:UpdateItem"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_put_in_only_if_the_bridge_can_use_it() {
    let world = World::new().await;
    let change = block("### Changing the secret", "check-secret");
    let put_in = async |document: &str| {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("edited.json"), document).unwrap();
        let result = run_in(&world, directory.path(), change, &[("EDITOR", "cp edited.json")]).await;
        (result, directory.path().join("secret.json").exists())
    };
    let stored =
        async || world.secrets.get_secret_value().secret_id("front-payment").send().await.unwrap().secret_string.unwrap();

    let good = secret("new-token", &json!(["new", "old"]), &[("demo-shop", API_KEY), ("other-shop", "other-key")]);
    let ((is_done, said), is_left) = put_in(&good).await;
    assert!(is_done && !is_left && said.starts_with("ok\ndemo-shop: 1 API key, not notified\nother-shop: 1 API key"), "{said}");
    assert_eq!(stored().await, good);
    for unusable in [
        secret("token", &json!("s3cret"), &[("demo-shop", API_KEY), ("other-shop", API_KEY)]),
        secret("token", &json!("s3cret\n"), &[("demo-shop", API_KEY)]),
        good.replacen('{', r#"{"shops": {}, "#, 1),
    ] {
        let ((is_done, said), is_left) = put_in(&unusable).await;
        assert!(!is_done && is_left && said.starts_with("the secret's "), "{said}");
        for quoted in ["s3cret", &hex_sha256(API_KEY)] {
            assert!(!said.contains(quoted), "{said}");
        }
        assert_eq!(stored().await, good);
    }

    // From a pipe.
    let pipe = |document: &str| format!("cargo run --quiet -- check-secret - <<'END'\n{document}\nEND\n");
    let (is_done, said) = run_in(&world, Path::new("."), &pipe(&good), &[]).await;
    assert!(is_done && said.starts_with("ok\n"), "{said}");
    let (is_done, said) = run_in(&world, Path::new("."), &pipe("{}"), &[]).await;
    assert!(!is_done && said == "the secret's token: expected a string of visible ASCII characters\n", "{said}");
}
