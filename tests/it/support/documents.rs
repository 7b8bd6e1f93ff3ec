//! Documents that the tests send: orders, events, callbacks, secrets.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use front_payment_bridge::order::{Order, Rules, parse_tax_rates, validate};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The example order of the provider's page, with a date, an e-mail address and a synthetic person.
pub fn example() -> Value {
    json!({
        "products": [{"name": "Router", "productId": "R_1", "quantity": "1", "rate": 40, "discount": 0, "tax": "0", "amount": 40}],
        "orderSummary": {"subTotal": "40", "totalTax": "0", "totalDiscount": "0.00", "grandTotal": "40"},
        "orderDate": "4070908800",
        "customerDetails": {
            "type": "private", "countryCode": "+47", "msisdn": "46567468", "email": "kari@example.com", "name": "Kari Nordmann",
            "preferredLanguage": "en", "personalNumber": "30908299902", "organizationId": "",
            "address": {"street": "Klosterenget 144", "zip": "7030", "city": "Trondheim", "country": "NO"}
        },
        "referenceNo": "Dhaka", "customerReference": "3500", "invoiceInterval": 0, "separateInvoices": true,
        "invoiceFeeApplicable": true, "invoiceMaturity": 10,
        "callback": {
            "callbackUrl": "https://shop.example/status?x=1",
            "success": "https://shop.example/thanks",
            "failure": "https://shop.example/sorry"
        }
    })
}

/// The example order with another grandTotal.
pub fn example_of(total: &str) -> Value {
    let mut order = example();
    order["orderSummary"]["grandTotal"] = json!(total);
    order
}

pub fn validated(document: &str) -> Order {
    let tax_rates = parse_tax_rates("0,12,15,25").unwrap();
    let rules = Rules {
        now: "2026-06-15T00:00:00Z".parse().unwrap(),
        tax_rates: &tax_rates,
        enforce_advisories: false,
        has_idempotency_key: true,
    };
    validate(document.as_bytes(), &rules).unwrap_or_else(|invalid| panic!("{invalid:?}")).order
}

/// `POST /orders` as API Gateway sends it.
pub fn post_event(body: &str, authorization: &str, key: Option<&str>) -> Value {
    let mut event = json!({
        "version": "2.0", "routeKey": "POST /orders", "rawPath": "/orders", "rawQueryString": "",
        "headers": {"authorization": authorization, "content-type": "application/json"},
        "requestContext": {"domainName": "api.example.no", "http": {"method": "POST", "path": "/orders"}},
        "body": body, "isBase64Encoded": false,
    });
    if let Some(key) = key {
        event["headers"]["idempotency-key"] = json!(key);
    }
    event
}

/// `GET /orders/{orderId}` as API Gateway sends it.
pub fn get_event(order_id: &str, authorization: &str, raw_query: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "GET /orders/{orderId}", "rawPath": format!("/orders/{order_id}"),
        "rawQueryString": raw_query, "headers": {"authorization": authorization}, "pathParameters": {"orderId": order_id},
    })
}

/// `GET /orders` as API Gateway sends it.
pub fn list_event(authorization: &str, raw_query: &str, key: Option<&str>) -> Value {
    let mut event = json!({
        "version": "2.0", "routeKey": "GET /orders", "rawPath": "/orders", "rawQueryString": raw_query,
        "headers": {"authorization": authorization},
    });
    if let Some(key) = key {
        event["headers"]["idempotency-key"] = json!(key);
    }
    event
}

/// `POST /orders/{orderId}/cancel` as API Gateway sends it.
pub fn cancel_event(order_id: &str, authorization: &str, body: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "POST /orders/{orderId}/cancel", "rawPath": format!("/orders/{order_id}/cancel"),
        "rawQueryString": "", "headers": {"authorization": authorization}, "pathParameters": {"orderId": order_id},
        "body": body, "isBase64Encoded": false,
    })
}

/// `GET /health` as API Gateway sends it.
pub fn health_event() -> Value {
    json!({"version": "2.0", "routeKey": "GET /health", "rawPath": "/health", "rawQueryString": "", "headers": {}})
}

/// `GET /callbacks/{orderId}/{token}` as API Gateway sends it.
pub fn callback_event(order_id: &str, token: &str, raw_query: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "GET /callbacks/{orderId}/{token}", "rawPath": format!("/callbacks/{order_id}/{token}"),
        "rawQueryString": raw_query, "headers": {}, "pathParameters": {"orderId": order_id, "token": token},
    })
}

/// The query of a callback, signed with a key as Front Payment documents it.
pub fn signed(order_uuid: &str, status: &str, amount: &str, key: &str) -> String {
    signed_at("1755764131", order_uuid, status, amount, key)
}

/// Like [`signed`], with a timestamp: callbacks with different timestamps are different callbacks.
pub fn signed_at(timestamp: &str, order_uuid: &str, status: &str, amount: &str, key: &str) -> String {
    let checksum = hex_sha256(&format!("{order_uuid}{status}Invoice{amount}1755764131{timestamp}{key}"));
    let status = status.replace(' ', "+");
    format!(
        "orderUuid={order_uuid}&status={status}&paymentMethod=Invoice&amount={amount}&createdAt=1755764131&timestamp={timestamp}&checksum={checksum}"
    )
}

/// The secret's document, with shops and their API keys.
pub fn secret(token: &str, callback_secret: &Value, shops: &[(&str, &str)]) -> String {
    let shops: serde_json::Map<_, _> =
        shops.iter().map(|(shop_id, key)| ((*shop_id).to_owned(), json!({"apiKeySha256": [hex_sha256(key)]}))).collect();
    json!({"token": token, "callbackSecret": callback_secret, "shops": shops}).to_string()
}

pub fn hex_sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// A JSON object as an item of the table.
pub fn stored_item(item: &Value) -> HashMap<String, AttributeValue> {
    fn attribute(value: &Value) -> AttributeValue {
        match value {
            Value::Null => AttributeValue::Null(true),
            Value::Bool(value) => AttributeValue::Bool(*value),
            Value::Number(number) => AttributeValue::N(number.to_string()),
            Value::String(text) => AttributeValue::S(text.clone()),
            Value::Array(values) => AttributeValue::L(values.iter().map(attribute).collect()),
            Value::Object(_) => AttributeValue::M(stored_item(value)),
        }
    }
    item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}
