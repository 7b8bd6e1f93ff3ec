//! The table as it is on AWS, with the index over what is to be done.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use front_payment_bridge::store::DynamoDbStore;
use jiff::SignedDuration;

use super::moto::Moto;

/// A store in a new table with the index `due`.
pub async fn store_with_index(moto: &Moto, table: &str, retention: Option<SignedDuration>) -> DynamoDbStore {
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let attribute = |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap();
    let projection = Projection::builder().projection_type(ProjectionType::Include);
    let projection = projection.non_key_attributes("status").non_key_attributes("shopId").build();
    let index = GlobalSecondaryIndex::builder().index_name("due").projection(projection);
    let index = index.key_schema(key("queue", KeyType::Hash)).key_schema(key("dueAt", KeyType::Range)).build().unwrap();
    let client = moto.dynamodb();
    client
        .create_table()
        .table_name(table)
        .key_schema(key("orderId", KeyType::Hash))
        .attribute_definitions(attribute("orderId", ScalarAttributeType::S))
        .attribute_definitions(attribute("queue", ScalarAttributeType::S))
        .attribute_definitions(attribute("dueAt", ScalarAttributeType::N))
        .global_secondary_indexes(index)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
    DynamoDbStore::new(client, table.to_owned(), retention)
}
