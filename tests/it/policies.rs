//! The policies in template.yaml allow what each function calls, and nothing else.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::documents::{callback_event, example, list_event, signed};
use crate::support::world::{API_KEY, CALLBACKS, ORDERS, SECRET_KEY, World, body, get, post};
use crate::worker::{Scene, WORKER, sweep, wake};

const TEMPLATE: &str = include_str!("../../template.yaml");
const FUNCTIONS: [&str; 3] = ["OrdersFunction", "CallbacksFunction", "WorkerFunction"];

/// A function's `Policies` in the template, without comments.
fn policies(function: &str) -> String {
    let resource = TEMPLATE.split(&format!("\n  {function}:\n")).nth(1).unwrap();
    let policies = resource.split("      Policies:\n").nth(1).unwrap();
    // Left out: what Lambda itself reads from the table's stream. The function does not call it.
    let policies = policies.lines().take_while(|line| line.starts_with("        ") && line.trim() != "- !If");
    policies.map(|line| line.split('#').next().unwrap().trim_end()).collect::<Vec<_>>().join("\n")
}

/// The actions that a function's policies allow.
fn allowed(function: &str) -> BTreeSet<String> {
    let policies = policies(function);
    assert_eq!(
        policies.lines().filter(|line| line.starts_with("        - ")).count(),
        1,
        "one policy, which is written out: {policies}"
    );
    let statements = policies.lines().filter(|line| line.contains("- Effect: ")).count();
    let actions: Vec<_> = policies.lines().filter_map(|line| line.trim().strip_prefix("Action: ")).collect();
    assert_eq!(statements, actions.len(), "each statement has its actions on one line: {policies}");
    let names = actions.iter().flat_map(|actions| actions.trim_matches(['[', ']']).split(", "));
    names.map(str::to_owned).collect()
}

fn names(actions: &[&str]) -> BTreeSet<String> {
    actions.iter().map(|action| (*action).to_owned()).collect()
}

/// The actions of operations like `DynamoDB_20120810.PutItem`.
fn called(operations: &[String]) -> BTreeSet<String> {
    let named = operations.iter().map(|operation| {
        let (service, action) = operation.split_once('.').unwrap();
        format!("{}:{action}", service.split('_').next().unwrap().to_lowercase())
    });
    named.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policies_allow_what_the_functions_call() {
    let world = World::new().await;
    let aws = world.proxy().await;
    let orders = world.start(ORDERS, &[("AWS_ENDPOINT_URL", &aws.endpoint)]).await;
    let created = body(&orders.invoke(&post(&example(), None)).await);
    let order_id = created["orderId"].as_str().unwrap();
    assert_eq!(orders.invoke(&get(order_id)).await["statusCode"], 200);
    let list = list_event(&format!("Bearer {API_KEY}"), "updatedSince=2026-01-01T00:00:00Z", None);
    assert_eq!(orders.invoke(&list).await["statusCode"], 200);
    let expected =
        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem", "secretsmanager:GetSecretValue"];
    assert_eq!(allowed("OrdersFunction"), names(&expected));
    assert_eq!(called(&aws.operations()), names(&expected));

    let aws = world.proxy().await;
    let callbacks = world.start(CALLBACKS, &[("AWS_ENDPOINT_URL", &aws.endpoint)]).await;
    let token = world.stored(order_id).await.callback_token;
    let query = signed(created["orderUuid"].as_str().unwrap(), "INVOICED", "40", SECRET_KEY);
    assert_eq!(callbacks.invoke(&callback_event(order_id, &token, &query)).await["statusCode"], 200);
    let expected = ["dynamodb:GetItem", "dynamodb:UpdateItem", "secretsmanager:GetSecretValue"];
    assert_eq!(allowed("CallbacksFunction"), names(&expected));
    assert_eq!(called(&aws.operations()), names(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_the_worker_allows_what_it_calls() {
    let scene = Scene::front_payment().await;
    let order_id = scene.place_invoiced("/status").await.order_id.to_string();
    let aws = scene.world.proxy().await;
    let worker = scene.start(WORKER, &[("AWS_ENDPOINT_URL", &aws.endpoint)]).await;
    wake(&worker, &[&order_id]).await;
    sweep(&worker).await;
    worker.run(29, json!({"backfill": true}).to_string()).await;
    let expected =
        ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem", "secretsmanager:GetSecretValue"];
    assert_eq!(allowed("WorkerFunction"), names(&expected));
    assert_eq!(called(&aws.operations()), names(&expected));
}

#[test]
fn every_function_of_the_template_is_compared() {
    let resources = TEMPLATE.split("\nResources:\n").nth(1).unwrap().split("\nOutputs:\n").next().unwrap();
    let mut functions = Vec::new();
    let mut name = "";
    for line in resources.lines() {
        match line.strip_prefix("  ").filter(|line| !line.starts_with([' ', '#'])) {
            Some(resource) => name = resource.trim_end_matches(':'),
            None if line == "    Type: AWS::Serverless::Function" => functions.push(name),
            None => {}
        }
    }
    assert_eq!(functions, FUNCTIONS);
}

#[test]
fn a_policy_names_its_one_table_and_its_one_secret() {
    for function in FUNCTIONS {
        let policies = policies(function);
        assert!(!policies.contains('*') && !policies.contains("NotAction") && !policies.contains("NotResource"), "{policies}");
        // A statement has one resource, or a list of them.
        let resources = policies.lines().map(|line| line.trim().trim_start_matches("Resource: ").trim_start_matches("- "));
        let resources: Vec<_> = resources.filter(|resource| resource.starts_with("!If [")).collect();
        let [table, indexes @ .., secret] = &resources[..] else { panic!("{resources:?}") };
        assert!(table.contains("!GetAtt OrdersTable.Arn") && table.contains(":table/${RestoredTable}'"), "{table}");
        assert_eq!(*secret, "!If [HasOwnSecret, !Ref Secret, !Ref SecretArn]");
        let expected: &[&str] = match function {
            "OrdersFunction" => &["shop"],
            "WorkerFunction" => &["ask", "tell", "shop"],
            _ => &[],
        };
        assert_eq!(indexes.len(), expected.len(), "{function}");
        for (index, name) in indexes.iter().zip(expected) {
            assert_eq!(index.matches(&format!("/index/{name}'")).count(), 2, "{index}");
        }
    }
}
