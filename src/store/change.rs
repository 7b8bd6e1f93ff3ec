//! What an update writes: the attributes in which two versions of an order differ, and nothing else.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::Unavailable;
use crate::order::{Particulars, Record};

/// An update's expression, and what it refers to. The version that is replaced is `#version = :current`.
#[derive(Default)]
pub(super) struct Change {
    set: Vec<String>,
    remove: Vec<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl Change {
    /// From one version to the next, which is to expire at a moment of its own.
    pub(super) fn between(current: &Record, next: &Record, expires_at: Option<i64>) -> Result<Self, Unavailable> {
        // Without `..`: what is added to a record has to be added here.
        let Record {
            order_id: _,
            version,
            status,
            attempt,
            attempted_at,
            shop_id,
            callback_token,
            order_uuid,
            customer_uuid,
            bank_id_url,
            particulars,
            earlier_attempts,
            created_at,
            updated_at,
            expires_at: _,
            history,
        } = next;
        let Particulars {
            fingerprint,
            reference_no,
            customer_reference,
            grand_total,
            shop_callback_url,
            customer_type,
            preferred_language,
            country,
        } = particulars;
        let before = &current.particulars;
        let mut change = Self::default();
        change.names.insert("#version".to_owned(), "version".to_owned());
        change.values.insert(":current".to_owned(), AttributeValue::N(current.version.to_string()));
        change.attribute("version", &current.version, version)?;
        change.attribute("status", &current.status, status)?;
        change.attribute("attempt", &current.attempt, attempt)?;
        change.attribute("attemptedAt", &current.attempted_at, attempted_at)?;
        change.attribute("shopId", &current.shop_id, shop_id)?;
        change.attribute("callbackToken", &current.callback_token, callback_token)?;
        change.attribute("orderUuid", &current.order_uuid, order_uuid)?;
        change.attribute("customerUuid", &current.customer_uuid, customer_uuid)?;
        change.attribute("bankIdUrl", &current.bank_id_url, bank_id_url)?;
        change.attribute("fingerprint", &before.fingerprint, fingerprint)?;
        change.attribute("referenceNo", &before.reference_no, reference_no)?;
        change.attribute("customerReference", &before.customer_reference, customer_reference)?;
        change.attribute("grandTotal", &before.grand_total, grand_total)?;
        change.attribute("shopCallbackUrl", &before.shop_callback_url, shop_callback_url)?;
        change.attribute("customerType", &before.customer_type, customer_type)?;
        change.attribute("preferredLanguage", &before.preferred_language, preferred_language)?;
        change.attribute("country", &before.country, country)?;
        change.attribute("earlierAttempts", &current.earlier_attempts, earlier_attempts)?;
        change.attribute("createdAt", &current.created_at, created_at)?;
        change.attribute("updatedAt", &current.updated_at, updated_at)?;
        change.attribute("expiresAt", &current.expires_at, &expires_at)?;
        match history.strip_prefix(current.history.as_slice()) {
            Some([]) => {}
            Some(added) => {
                change.names.insert("#history".to_owned(), "history".to_owned());
                change.values.insert(":added".to_owned(), value(&added)?);
                change.set.push("#history = list_append(#history, :added)".to_owned());
            }
            // Only an order that may be forgotten makes way for one without its history.
            None => change.attribute("history", &current.history, history)?,
        }
        Ok(change)
    }

    /// The attribute as it is to be, if it is not so yet. What is not there any more is removed.
    fn attribute<T: PartialEq + Serialize>(&mut self, name: &str, current: &T, next: &T) -> Result<(), Unavailable> {
        if current == next {
            return Ok(());
        }
        self.names.insert(format!("#{name}"), name.to_owned());
        match value(next)? {
            AttributeValue::Null(_) => self.remove.push(format!("#{name}")),
            value => {
                self.set.push(format!("#{name} = :{name}"));
                self.values.insert(format!(":{name}"), value);
            }
        }
        Ok(())
    }

    pub(super) fn expression(&self) -> String {
        let clause = |verb: &str, parts: &[String]| {
            if parts.is_empty() { String::new() } else { format!("{verb} {} ", parts.join(", ")) }
        };
        clause("SET", &self.set) + &clause("REMOVE", &self.remove)
    }
}

fn value(value: &impl Serialize) -> Result<AttributeValue, Unavailable> {
    serde_dynamo::to_attribute_value(value).map_err(|error| Unavailable(error.to_string()))
}
