//! What an update writes: the attributes in which two versions of an order differ.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde_dynamo::to_attribute_value;

use super::StoreError;
use crate::order::StoredOrder;

/// The one word among the attributes' names that DynamoDB reserves, and what stands for it in an expression.
const RESERVED: (&str, &str) = ("status", "#status");

/// An update expression with its names and values. The condition on the replaced version is `version = :current`.
#[derive(Default)]
pub(super) struct ItemUpdate {
    set: Vec<String>,
    remove: Vec<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

/// Compares two versions member by member. Each member has the name of its attribute in the item. A member that is missing
/// here does not compile.
macro_rules! differences {
    ($update:ident, $current:expr, $next:expr, { $($member:ident: $name:literal),+ $(,)? } except { $($other:ident),+ }) => {
        let StoredOrder { $($member: _,)+ $($other: _,)+ } = $current;
        $( $update.attribute($name, &$current.$member, &$next.$member)?; )+
    };
}

impl ItemUpdate {
    pub(super) fn between(current: &StoredOrder, next: &StoredOrder) -> Result<Self, StoreError> {
        let mut update = Self::default();
        differences!(update, current, next, {
            version: "version",
            status: "status",
            attempt: "attempt",
            attempted_at: "attemptedAt",
            callback_token: "callbackToken",
            order_uuid: "orderUuid",
            customer_uuid: "customerUuid",
            bank_id_url: "bankIdUrl",
            fingerprint: "fingerprint",
            reference_no: "referenceNo",
            customer_reference: "customerReference",
            grand_total: "grandTotal",
            shop_callback_url: "shopCallbackUrl",
            customer_type: "customerType",
            preferred_language: "preferredLanguage",
            country: "country",
            created_at: "createdAt",
            updated_at: "updatedAt",
            checked_at: "checkedAt",
            asked_at: "askedAt",
            reason_since: "reasonSince",
            not_found: "notFound",
            payment_method: "paymentMethod",
            refunded_amount: "refundedAmount",
            cancel_requested_at: "cancelRequestedAt",
            replaced_uuids: "replacedUuids",
            notifications: "notifications",
            tell_queue: "tellQueue",
            tell_at: "tellAt",
            ask_queue: "askQueue",
            ask_at: "askAt",
            changed_at: "changedAt",
            expires_at: "expiresAt",
        } except { order_id, shop_id, history });
        update.values.insert(":current".to_owned(), value(&current.version)?);
        update.history(current, next)?;
        Ok(update)
    }

    fn attribute<T: Serialize + PartialEq>(&mut self, name: &str, current: &T, next: &T) -> Result<(), StoreError> {
        if current == next {
            return Ok(());
        }
        let path = self.path(name);
        match value(next)? {
            AttributeValue::Null(_) => self.remove.push(path.to_owned()),
            value => {
                self.set.push(format!("{path} = :{name}"));
                self.values.insert(format!(":{name}"), value);
            }
        }
        Ok(())
    }

    /// Sends only new entries, because the history may be long.
    fn history(&mut self, current: &StoredOrder, next: &StoredOrder) -> Result<(), StoreError> {
        const NAME: &str = "history";
        let Some(new) = next.history.strip_prefix(current.history.as_slice()) else {
            return self.attribute(NAME, &current.history, &next.history);
        };
        if !new.is_empty() {
            self.set.push(format!("{NAME} = list_append({NAME}, :{NAME})"));
            self.values.insert(format!(":{NAME}"), value(&new)?);
        }
        Ok(())
    }

    /// How an expression names an attribute.
    fn path<'n>(&mut self, name: &'n str) -> &'n str {
        let (reserved, placeholder) = RESERVED;
        if name != reserved {
            return name;
        }
        self.names.insert(placeholder.to_owned(), reserved.to_owned());
        placeholder
    }

    pub(super) fn expression(&self) -> String {
        let clause = |verb: &str, parts: &[String]| match parts {
            [] => String::new(),
            parts => format!("{verb} {} ", parts.join(", ")),
        };
        clause("SET", &self.set) + &clause("REMOVE", &self.remove)
    }
}

fn value(member: &impl Serialize) -> Result<AttributeValue, StoreError> {
    to_attribute_value(member).map_err(|error| StoreError::Unwritable(error.into()))
}
