//! The simple Lambda that one would write first: default features, the multi-threaded runtime, and a secret that the first
//! request fetches. It only does what an order needs (put, submit, update): hardly any validation, no idempotency, no
//! recovery. The bridge, which has to do more, is compared with it.

use std::env;

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Error, Request, Response, run, service_fn, tracing};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    secrets: aws_sdk_secretsmanager::Client,
    http: reqwest::Client,
    secret: OnceCell<Secret>,
    table: String,
    secret_id: String,
    base_url: String,
}

#[derive(Deserialize)]
struct Secret {
    token: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    products: Vec<Product>,
    order_summary: Value,
    order_date: String,
    customer_details: Value,
    reference_no: Option<String>,
    customer_reference: Option<String>,
    invoice_interval: Option<u8>,
    separate_invoices: Option<bool>,
    invoice_fee_applicable: bool,
    callback: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    name: String,
    product_id: Option<String>,
    quantity: Value,
    rate: Value,
    discount: Option<Value>,
    tax: Value,
    amount: Value,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let clients = &Clients {
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        secrets: aws_sdk_secretsmanager::Client::new(&config),
        http: reqwest::Client::new(),
        secret: OnceCell::new(),
        table: env::var("ORDERS_TABLE")?,
        secret_id: env::var("SECRET_ID")?,
        base_url: env::var("FRONT_PAYMENT_BASE_URL")?,
    };
    run(service_fn(move |request| handle(clients, request))).await
}

async fn handle(clients: &Clients, request: Request) -> Result<Response<Body>, Error> {
    let secret = clients.secret.get_or_try_init(|| fetch_secret(clients)).await?;
    let mut order: Order = serde_json::from_slice(request.body().as_ref())?;
    let order_id = Uuid::new_v4().to_string();
    if let Some(callback) = order.callback.as_object_mut() {
        callback.insert("callbackUrl".to_owned(), json!(format!("https://api.example.no/callbacks/{order_id}")));
    }
    let put = clients.dynamodb.put_item().table_name(&clients.table);
    put.item("orderId", AttributeValue::S(order_id.clone()))
        .item("status", AttributeValue::S("SUBMITTING".to_owned()))
        .item("order", AttributeValue::S(serde_json::to_string(&order)?))
        .condition_expression("attribute_not_exists(orderId)")
        .send()
        .await?;
    let submit = clients.http.post(format!("{}/connect/orders/invoice/submit", clients.base_url));
    let reply = submit.bearer_auth(&secret.token).json(&order).send().await?.error_for_status()?;
    let created: Value = reply.json().await?;
    let text = |pointer: &str| created.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (order_uuid, link) = (text("/data/orderUuid"), text("/data/bankIdUrl"));
    let update = clients.dynamodb.update_item().table_name(&clients.table);
    update
        .key("orderId", AttributeValue::S(order_id.clone()))
        .update_expression("SET #status = :status, orderUuid = :uuid")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":status", AttributeValue::S("SENT".to_owned()))
        .expression_attribute_values(":uuid", AttributeValue::S(order_uuid.clone()))
        .send()
        .await?;
    tracing::info!(order_id, order_uuid, "submitted");
    let body = json!({"orderId": order_id, "status": "SENT", "orderUuid": order_uuid, "bankIdUrl": link});
    let response = Response::builder().status(StatusCode::CREATED).header("content-type", "application/json");
    Ok(response.body(body.to_string().into())?)
}

async fn fetch_secret(clients: &Clients) -> Result<Secret, Error> {
    let got = clients.secrets.get_secret_value().secret_id(&clients.secret_id).send().await?;
    Ok(serde_json::from_str(got.secret_string().unwrap_or_default())?)
}
