//! Every input gets a result, and no panic.

use proptest::prelude::*;

use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Any number that JSON can express, digit for digit.
        "-?(0|[1-9][0-9]{0,30})([.][0-9]{1,30})?([eE][+-]?[0-9]{1,3})?"
            .prop_map(|number| serde_json::from_str(&number).expect("a JSON number")),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

/// A pointer to any place of the example, whole objects included.
fn any_place() -> impl Strategy<Value = String> {
    fn places(value: &Value, at: &str, found: &mut Vec<String>) {
        let members: Vec<(String, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
            _ => Vec::new(),
        };
        for (name, value) in members {
            found.push(format!("{at}/{name}"));
            places(value, &format!("{at}/{name}"), found);
        }
    }
    let mut found = Vec::new();
    places(&example(), "", &mut found);
    proptest::sample::select(found)
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let now = Timestamp::from_second(NOW).unwrap();
        let rules = Rules { now, tax_rates: &rates(), enforce_advisories: false, has_idempotency_key: false };
        prop_assert!(validate(&bytes, &rules).is_err());
    }

    #[test]
    fn any_value_at_any_place_gets_an_answer_that_points_there(place in any_place(), value in any_json()) {
        for (pointer, _) in faults(&with(&place, value)) {
            prop_assert!(pointer.starts_with(&place) || place == "/customerDetails/type", "{} for {}", pointer, place);
        }
    }
}
