//! Front Payment's English sentences, and the field that each one names.

use serde_json::Value;

use crate::order::{Code, MAX_ERRORS, Violation};

/// Every field of Front Payment's page. Its sentences write the names as words: "customer details.personal number".
const FIELDS: [&str; 43] = [
    "products",
    "products.*",
    "products.*.name",
    "products.*.productId",
    "products.*.quantity",
    "products.*.rate",
    "products.*.discount",
    "products.*.tax",
    "products.*.amount",
    "orderSummary",
    "orderSummary.subTotal",
    "orderSummary.totalTax",
    "orderSummary.totalDiscount",
    "orderSummary.grandTotal",
    "orderDate",
    "customerDetails",
    "customerDetails.type",
    "customerDetails.countryCode",
    "customerDetails.msisdn",
    "customerDetails.email",
    "customerDetails.name",
    "customerDetails.preferredLanguage",
    "customerDetails.personalNumber",
    "customerDetails.organizationId",
    "customerDetails.address",
    "customerDetails.address.street",
    "customerDetails.address.zip",
    "customerDetails.address.city",
    "customerDetails.address.country",
    "referenceNo",
    "customerReference",
    "invoiceInterval",
    "separateInvoices",
    "invoiceFeeApplicable",
    "invoiceMaturity",
    "callback",
    "callback.callbackUrl",
    "callback.success",
    "callback.failure",
    "settings",
    "settings.secureDetails",
    "fpgoUuid",
    "orderFrom",
];

/// Adds every sentence in `errors`, which may be an array, an object, or one string.
pub(super) fn collect(errors: &Value, found: &mut Vec<Violation>) {
    match errors {
        _ if found.len() >= MAX_ERRORS => {}
        Value::String(sentence) => found.push(violation(sentence)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Makes a violation of one of Front Payment's sentences.
pub(super) fn violation(sentence: &str) -> Violation {
    Violation::new(pointer(sentence).unwrap_or_default(), Code::Provider, sentence)
}

/// The JSON pointer of the first field that a sentence names. If two names begin at the same word, the longer one.
fn pointer(sentence: &str) -> Option<String> {
    let sentence = format!(" {} ", sentence.to_ascii_lowercase());
    FIELDS
        .iter()
        .filter_map(|field| {
            let path = field.split('.').map(words).collect::<Vec<_>>().join(".");
            let (place, path) = find(&sentence, &path)?;
            Some((place, std::cmp::Reverse(path.len()), field, path))
        })
        .min()
        .map(|(_, _, field, path)| {
            let index = path.split('.').nth(1).unwrap_or_default().to_owned();
            field.split('.').map(|name| format!("/{}", if name == "*" { index.as_str() } else { name })).collect()
        })
}

/// `personalNumber` → `personal number`
fn words(name: &str) -> String {
    name.chars().flat_map(|c| [c.is_ascii_uppercase().then_some(' '), Some(c.to_ascii_lowercase())]).flatten().collect()
}

/// Where a sentence contains a path as whole words, with any number for `*`. Also returns the path with that number.
fn find(sentence: &str, path: &str) -> Option<(usize, String)> {
    let whole = |place: usize, path: &str| {
        let before = sentence.get(..place)?.chars().next_back()?;
        let after = sentence.get(place + path.len()..)?.chars().next()?;
        (!before.is_ascii_alphanumeric() && before != '.' && !after.is_ascii_alphanumeric()).then_some(())
    };
    let Some((head, _)) = path.split_once('*') else {
        return sentence.match_indices(path).find_map(|(place, _)| whole(place, path).map(|()| (place, path.to_owned())));
    };
    sentence.match_indices(head).find_map(|(place, _)| {
        let rest = sentence.get(place + head.len()..)?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).take(9).collect();
        let path = path.replacen('*', &digits, 1);
        (!digits.is_empty() && sentence.get(place..)?.starts_with(&path)).then_some(())?;
        whole(place, &path).map(|()| (place, path))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::front_payment::wire;
    use crate::order::{Decimal, Rules, validate};
    use serde_json::json;

    #[test]
    fn a_named_field_is_found() {
        for (sentence, expected) in [
            ("The order date does not match the format d M, Y.", "/orderDate"),
            (
                "The customer details.personal number field is required when customer details.type is private.",
                "/customerDetails/personalNumber",
            ),
            ("The customer details.email must be a valid email address.", "/customerDetails/email"),
            ("The customer details.address.zip field is required.", "/customerDetails/address/zip"),
            ("The products.0.tax must be a number.", "/products/0/tax"),
            ("The products.12.product id must not be greater than 25 characters.", "/products/12/productId"),
            ("The products.3 field is required.", "/products/3"),
            ("The products field is required.", "/products"),
            ("The callback.callback url format is invalid.", "/callback/callbackUrl"),
            ("The selected invoice interval is invalid.", "/invoiceInterval"),
            ("The order summary.grand total field is required.", "/orderSummary/grandTotal"),
            ("Something Went Wrong", ""),
            ("", ""),
            ("The customer details.shoe size is invalid.", "/customerDetails"),
        ] {
            assert_eq!(violation(sentence).pointer, expected, "{sentence}");
            assert_eq!(violation(sentence).detail, sentence);
        }
    }

    /// The paths of a document, with `*` for the index of an array.
    fn paths(at: &str, value: &Value, found: &mut BTreeSet<String>) {
        let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| paths(&below(name), value, found)),
            Value::Array(items) => items.iter().for_each(|item| paths(&below("*"), item, found)),
            _ => {}
        }
        if !at.is_empty() {
            found.insert(at.to_owned());
        }
    }

    #[test]
    fn the_fields_are_those_that_are_sent_and_the_two_that_are_refused() {
        let document = r#"{"products":[{"name":"A","productId":"1","quantity":1,"rate":40,"discount":0,"tax":0,"amount":40}],
            "orderSummary":{"subTotal":40,"totalTax":0,"totalDiscount":0,"grandTotal":40},"orderDate":"4070908800",
            "customerDetails":{"type":"private","countryCode":"+47","msisdn":"46567468","email":"a@example.com","name":"K",
            "preferredLanguage":"no","personalNumber":"30908299902","organizationId":"974760673",
            "address":{"street":"S","zip":"7030","city":"C","country":"NO"}},"referenceNo":"1","customerReference":"2",
            "invoiceInterval":0,"separateInvoices":true,"invoiceFeeApplicable":true,"invoiceMaturity":10,
            "settings":{"secureDetails":true},
            "callback":{"callbackUrl":"https://s.example","success":"https://s.example","failure":"https://s.example"}}"#;
        let tax_rates = [Decimal::from(0)];
        let now = "2026-06-15T00:00:00Z".parse().unwrap();
        let rules = Rules { now, tax_rates: &tax_rates, enforce_advisories: false, has_idempotency_key: true };
        let order = validate(document.as_bytes(), &rules).unwrap_or_else(|_| panic!("the order is not valid")).order;
        let sent: Value = serde_json::from_slice(&wire::body(&order, "https://b.example").unwrap()).unwrap();
        let mut expected = BTreeSet::from(["fpgoUuid".to_owned(), "orderFrom".to_owned()]);
        paths("", &sent, &mut expected);
        assert_eq!(FIELDS.map(str::to_owned).into_iter().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn errors_of_any_shape_are_read() {
        let read = |errors: Value| {
            let mut found = Vec::new();
            collect(&errors, &mut found);
            found.into_iter().map(|violation| violation.detail).collect::<Vec<_>>()
        };
        assert_eq!(read(json!(["a", "b"])), ["a", "b"]);
        assert_eq!(read(json!("a")), ["a"]);
        assert_eq!(read(json!({"orderDate": ["a"], "happenedAt": "b"})), ["b", "a"]);
        assert_eq!(read(json!([1, null, ["a"]])), ["a"]);
        assert_eq!(read(json!(vec!["a"; 2_000])).len(), 1_000);
    }
}
