//! What an update writes: the attributes in which two versions of an order differ.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

pub type Item = HashMap<String, AttributeValue>;

const HISTORY: &str = "history";

/// An update expression with its names and values. The condition on the replaced version is `#version = :current`.
#[derive(Default)]
pub(super) struct ItemUpdate {
    set: Vec<String>,
    remove: Vec<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl ItemUpdate {
    pub(super) fn between(mut current: Item, next: Item) -> Self {
        let mut update = Self::default();
        for (name, value) in next {
            match (current.remove(&name), value) {
                (Some(current), value) if current == value => {}
                // The history may be long, so only what is new is sent.
                (Some(AttributeValue::L(current)), AttributeValue::L(next)) if name == HISTORY && next.starts_with(&current) => {
                    update.append(&name, next.into_iter().skip(current.len()).collect());
                }
                (current, value) => {
                    if name == "version" {
                        update.values.extend(current.map(|version| (":current".to_owned(), version)));
                    }
                    update.set(&name, value);
                }
            }
        }
        for name in current.into_keys() {
            let placeholder = update.name(&name);
            update.remove.push(placeholder);
        }
        update
    }

    fn set(&mut self, name: &str, value: AttributeValue) {
        let placeholder = self.name(name);
        self.set.push(format!("{placeholder} = :{name}"));
        self.values.insert(format!(":{name}"), value);
    }

    fn append(&mut self, name: &str, items: Vec<AttributeValue>) {
        let placeholder = self.name(name);
        self.set.push(format!("{placeholder} = list_append({placeholder}, :{name})"));
        self.values.insert(format!(":{name}"), AttributeValue::L(items));
    }

    /// A placeholder for an attribute's name: some are words that DynamoDB reserves.
    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
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
