//! What concerns an order as a whole: advisories, lists of findings, the fingerprint.

use super::*;

#[test]
fn advisory_checks_warn() {
    assert_eq!(warnings(&with("/coupon", json!("X"))), [("/coupon".to_owned(), Code::UnknownField)]);
    assert_eq!(warnings(&with("/products/0/sku", json!(null))), [("/products/0/sku".to_owned(), Code::UnknownField)]);
    let mut order = example();
    order["customerDetails"]["a~b/c"] = json!({"x": 1});
    assert_eq!(warnings(&order), [("/customerDetails/a~0b~1c".to_owned(), Code::UnknownField)]);
}

#[test]
fn advisory_checks_on_totals_and_numbers() {
    let mismatch = [("/orderSummary/grandTotal".to_owned(), Code::TotalsMismatch)];
    assert_eq!(warnings(&with("/orderSummary/grandTotal", json!("41.01"))), mismatch);
    assert_eq!(warnings(&with("/orderSummary/grandTotal", json!("38.99"))), mismatch);
    taken("/orderSummary/grandTotal", json!("41.00"));
    taken("/orderSummary/grandTotal", json!("39"));
    let digits = [("/customerDetails/personalNumber".to_owned(), Code::BadCheckDigits)];
    for number in ["20036914712", "29020105729", "abcdefghijk"] {
        assert_eq!(warnings(&with("/customerDetails/personalNumber", json!(number))), digits, "{number}");
    }
    let mut elsewhere_wrong = with("/customerDetails/personalNumber", json!("20036914712"));
    elsewhere_wrong["customerDetails"]["address"]["street"] = json!(null);
    let Err(Invalid::Violations(violations)) = check(&elsewhere_wrong.to_string(), true) else { panic!() };
    assert_eq!((violations.len(), violations[1].code), (2, Code::BadCheckDigits));
    let mut swedish = with("/customerDetails/personalNumber", json!("20036914712"));
    swedish["customerDetails"]["address"]["country"] = json!("SE");
    assert_eq!(warnings(&swedish), []);
    let organization = [("/customerDetails/organizationId".to_owned(), Code::BadCheckDigits)];
    assert_eq!(warnings(&with("/customerDetails/organizationId", json!("123456789"))), organization);
    taken("/customerDetails/organizationId", json!("925710482"));
}

#[test]
fn enforced_advisories_stand_against_a_fresh_attempt_alone() {
    let order = with("/orderSummary/grandTotal", json!("50")).to_string();
    let validated = check(&order, true).unwrap();
    assert_eq!(validated.fresh_only, validated.warnings);
    assert_eq!(validated.fresh_only[0].code, Code::TotalsMismatch);
    assert!(check(&order, false).unwrap().fresh_only.is_empty());
}

#[test]
fn all_violations_come_at_once() {
    let mut order = with("/orderDate", json!("0"));
    order["products"][0]["tax"] = json!(7);
    order["products"][0]["quantity"] = json!(0);
    order["customerDetails"]["email"] = json!(5);
    order["callback"] = json!(null);
    let pointers: Vec<_> = faults(&order).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(
        pointers,
        [
            "/products/0/quantity",
            "/customerDetails/email",
            "/callback",
            "/callback/callbackUrl",
            "/callback/success",
            "/callback/failure",
            "/products/0/tax",
            "/orderDate",
        ]
    );
}

#[test]
fn lists_are_bounded() {
    let lines = json!(vec![json!({}); 1_000]);
    let Err(Invalid::Violations(violations)) = check(&with("/products", lines).to_string(), false) else { panic!() };
    assert_eq!(violations.len(), MAX_ERRORS);
    let mut many = example();
    for index in 0..150 {
        many[format!("unknown{index}")] = json!(1);
    }
    assert_eq!(check(&many.to_string(), false).unwrap().warnings.len(), MAX_WARNINGS);
    assert_eq!(check(&many.to_string(), true).unwrap().fresh_only.len(), 150, "enforced, they are errors");
    many["orderSummary"]["grandTotal"] = json!("99");
    assert_eq!(check(&many.to_string(), false).unwrap().warnings[0].code, Code::TotalsMismatch, "not crowded out");
    let lines = json!(vec![json!({}); 1_001]);
    let Err(Invalid::Violations(violations)) = check(&with("/products", lines).to_string(), false) else { panic!() };
    assert_eq!(
        (violations.len(), violations[0].pointer.as_str(), violations[0].code),
        (MAX_ERRORS, "/products", Code::OutOfRange)
    );
    assert_eq!(violations[1].pointer, "/products/0/name", "and the lines are read all the same");
}

#[test]
fn no_detail_quotes_a_persons_data() {
    let marker = "zqxmarkerzqx";
    for pointer in [
        "/customerDetails/email",
        "/customerDetails/name",
        "/customerDetails/msisdn",
        "/customerDetails/countryCode",
        "/customerDetails/personalNumber",
        "/customerDetails/organizationId",
        "/customerDetails/address/country",
        "/callback/success",
        "/orderDate",
        "/products/0/rate",
    ] {
        for value in [json!(marker), json!(format!("{marker} {marker}"))] {
            let said = match check(&with(pointer, value).to_string(), true) {
                Ok(validated) => format!("{:?}{:?}", validated.fresh_only, validated.warnings),
                Err(invalid) => format!("{invalid:?}"),
            };
            assert!(!said.contains(marker), "{pointer}: {said}");
        }
    }
    let Err(Invalid::Malformed(malformed)) = check("{\"zqxmarkerzqx\": zqx", false) else { panic!() };
    assert!(!malformed.to_string().contains("zqx"), "{malformed}");
}

#[test]
fn the_fingerprint_is_of_the_order_by_value() {
    let print = |order: &Value, key: &str| check(&order.to_string(), false).unwrap().order.fingerprint(key);
    let fingerprint = print(&example(), "key-1");
    // Pinned: a changed canonical form would refuse every retry that is under way during a deployment.
    assert_eq!(fingerprint, PINNED);
    assert_ne!(fingerprint, print(&example(), "key-2"));
    for (pointer, same) in [
        ("/products/0/rate", json!("40.00")),
        ("/orderSummary/grandTotal", json!(40)),
        ("/invoiceMaturity", json!("10")),
        ("/invoiceMaturity", Value::Null),
        ("/customerDetails/organizationId", Value::Null),
        ("/coupon", json!("X")),
        ("/customerDetails/personalNumber", json!("03851598730")),
    ] {
        assert_eq!(print(&with(pointer, same), "key-1"), fingerprint, "{pointer}");
    }
    for (pointer, other) in [
        ("/products/0/rate", json!("40.01")),
        ("/products/0/productId", Value::Null),
        ("/referenceNo", json!("dhaka")),
        ("/customerDetails/name", json!("Kari Normann")),
        ("/customerDetails/preferredLanguage", Value::Null),
        ("/callback/success", json!("https://shop.example/")),
        ("/separateInvoices", json!(false)),
        ("/settings", json!({"secureDetails": false})),
        ("/invoiceInterval", json!(1)),
    ] {
        assert_ne!(print(&with(pointer, other), "key-1"), fingerprint, "{pointer}");
    }
}

// Computed apart from this code: HMAC-SHA-256, key "key-1", of the canonical JSON of the example.
const PINNED: &str = "9ef0a2077c42895bf2cf8297f6cea86661aa19b3c01e31a557e10ab648dc1b8b";
