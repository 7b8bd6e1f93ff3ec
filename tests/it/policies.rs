//! Each function may do what its code does, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use crate::lambda::{CALLBACKS, ORDERS, World, body, callback};
use crate::support::{example, post_event, signed};

const TEMPLATE: &str = include_str!("../../template.yaml");

/// A function's `Policies` in the template, without comments.
fn policies(function: &str) -> String {
    let resource = TEMPLATE.split(&format!("\n  {function}:\n")).nth(1).unwrap();
    let policies = resource.split("      Policies:\n").nth(1).unwrap();
    let policies = policies.lines().take_while(|line| line.starts_with("        "));
    policies.map(|line| line.split('#').next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// What a function's policies allow: all of them, whatever they are about.
fn allowed(function: &str) -> BTreeSet<String> {
    let policies = policies(function);
    assert_eq!(
        policies.lines().filter(|line| line.starts_with("        - ")).count(),
        1,
        "one policy, and no managed one: {policies}"
    );
    let statements = policies.lines().filter(|line| line.contains("- Effect: ")).count();
    let actions: Vec<_> = policies.lines().filter_map(|line| line.trim().strip_prefix("Action: ")).collect();
    assert_eq!(statements, actions.len(), "each statement has its actions on one line: {policies}");
    let names = actions.iter().flat_map(|actions| actions.trim_matches(['[', ']']).split(", "));
    names.map(str::to_owned).collect()
}

/// What was called, as a policy names it, of `DynamoDB_20120810.PutItem` and the like.
fn called(operations: &[String]) -> BTreeSet<String> {
    let named = operations.iter().map(|operation| {
        let (service, action) = operation.split_once('.').unwrap();
        format!("{}:{action}", service.split('_').next().unwrap().to_lowercase())
    });
    named.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policies_are_what_the_functions_call() {
    let world = World::new().await;
    let (aws_of_orders, aws_of_callbacks) = (world.proxy().await, world.proxy().await);
    let orders = world.start(ORDERS, &[("AWS_ENDPOINT_URL", &aws_of_orders.endpoint)]).await;
    let created = body(&orders.invoke(&post_event(&example().to_string(), "Bearer demo-shop-key", None)).await);
    let order_id = created["orderId"].as_str().unwrap();
    let read = json!({"routeKey": "GET /orders/{orderId}", "pathParameters": {"orderId": order_id},
        "headers": {"authorization": "Bearer demo-shop-key"}});
    assert_eq!(orders.invoke(&read).await["statusCode"], 200);
    let callbacks = world.start(CALLBACKS, &[("AWS_ENDPOINT_URL", &aws_of_callbacks.endpoint)]).await;
    let token = world.stored(order_id).await.callback_token;
    let query = signed(created["orderUuid"].as_str().unwrap(), "INVOICED", "40", "sandbox-secret-key");
    assert_eq!(callbacks.invoke(&callback(order_id, &token, &query)).await["statusCode"], 200);

    let [of_orders, of_callbacks] = ["OrdersFunction", "CallbacksFunction"].map(allowed);
    let literal = |actions: &[&str]| actions.iter().map(|action| (*action).to_owned()).collect::<BTreeSet<_>>();
    let expected = literal(&["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "secretsmanager:GetSecretValue"]);
    assert_eq!(of_orders, expected);
    assert_eq!(called(&aws_of_orders.operations()), expected);
    let expected = literal(&["dynamodb:GetItem", "dynamodb:UpdateItem", "secretsmanager:GetSecretValue"]);
    assert_eq!(of_callbacks, expected);
    assert_eq!(called(&aws_of_callbacks.operations()), expected);
}

/// Every file of the source.
fn sources(directory: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { sources(&path, found) } else { found.push(std::fs::read_to_string(path).unwrap()) }
    }
}

#[test]
fn the_source_calls_nothing_that_no_policy_allows() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut in_source = BTreeSet::new();
    for file in files.iter().filter(|file| file.contains("aws_sdk_")) {
        let dense: String = file.split_whitespace().collect();
        for call in dense.split("self.client.").skip(1) {
            let operation = call.split('(').next().unwrap();
            in_source.insert(operation.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<String>());
        }
        // Whoever calls otherwise than through `self.client` is not seen above.
        assert_eq!(dense.matches(".send()").count(), dense.matches("self.client.").count(), "{file}");
    }
    let allowed = allowed("OrdersFunction").into_iter().chain(allowed("CallbacksFunction"));
    let allowed: BTreeSet<_> = allowed.map(|action| action.split_once(':').unwrap().1.to_owned()).collect();
    assert_eq!(in_source, allowed);
}

#[test]
fn a_policy_names_its_one_table_and_its_one_secret() {
    for function in ["OrdersFunction", "CallbacksFunction"] {
        let policies = policies(function);
        assert!(!policies.contains('*') && !policies.contains("NotAction") && !policies.contains("NotResource"), "{policies}");
        let resources: Vec<_> = policies.lines().filter_map(|line| line.trim().strip_prefix("Resource: ")).collect();
        let [table, secret] = resources[..] else { panic!("{resources:?}") };
        assert!(table.contains("!GetAtt OrdersTable.Arn") && table.contains(":table/${RestoredTable}'"), "{table}");
        assert_eq!(secret, "!If [HasOwnSecret, !Ref Secret, !Ref SecretArn]");
    }
}
