//! Each function may do what its code does, and nothing else.

use std::collections::BTreeSet;

use serde_json::json;

use crate::lambda::{CALLBACKS, ORDERS, World, body, callback};
use crate::support::{example, post_event, signed};

const TEMPLATE: &str = include_str!("../../template.yaml");
/// The places in the source that call AWS.
const CALLERS: [&str; 2] = [include_str!("../../src/store/dynamodb.rs"), include_str!("../../src/secrets/secrets_manager.rs")];

/// A function's `Policies` in the template, without comments.
fn policies(function: &str) -> String {
    let resource = TEMPLATE.split(&format!("\n  {function}:\n")).nth(1).unwrap();
    let policies = resource.split("      Policies:\n").nth(1).unwrap();
    let policies = policies.lines().take_while(|line| line.starts_with("        "));
    policies.map(|line| line.split('#').next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Every `service:Action` in a text.
fn actions(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':' && c != '*');
    let services = ["dynamodb:", "secretsmanager:"];
    words
        .filter(|word| services.iter().any(|service| word.starts_with(service)))
        .filter(|word| !word.ends_with(':'))
        .map(str::to_owned)
        .collect()
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

    let [of_orders, of_callbacks] = ["OrdersFunction", "CallbacksFunction"].map(|function| actions(&policies(function)));
    let literal = |actions: &[&str]| actions.iter().map(|action| (*action).to_owned()).collect::<BTreeSet<_>>();
    let expected = literal(&["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "secretsmanager:GetSecretValue"]);
    assert_eq!(of_orders, expected);
    assert_eq!(called(&aws_of_orders.operations()), expected);
    let expected = literal(&["dynamodb:GetItem", "dynamodb:UpdateItem", "secretsmanager:GetSecretValue"]);
    assert_eq!(of_callbacks, expected);
    assert_eq!(called(&aws_of_callbacks.operations()), expected);
}

#[test]
fn the_source_calls_nothing_that_no_policy_allows() {
    let mut in_source = BTreeSet::new();
    for caller in CALLERS {
        let dense: String = caller.split_whitespace().collect();
        for call in dense.split("self.client.").skip(1) {
            let operation = call.split('(').next().unwrap();
            in_source.insert(operation.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<String>());
        }
    }
    let allowed = actions(&policies("OrdersFunction")).into_iter().chain(actions(&policies("CallbacksFunction")));
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
