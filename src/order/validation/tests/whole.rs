//! Rules about a whole order: the lists of findings, and the fingerprint.

use super::*;

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
    assert_eq!(refusal(&with("/products", lines).to_string(), false).0.len(), MAX_ERRORS);
    let lines = json!(vec![json!({"sku": 1}); 1_001]);
    let (errors, warnings) = refusal(&with("/products", lines).to_string(), false);
    assert_eq!((errors.len(), errors[0].pointer.as_str(), errors[0].code), (MAX_ERRORS, "/products", Code::OutOfRange));
    assert_eq!(errors[1].pointer, "/products/0/name", "and the lines are read all the same");
    assert_eq!((warnings.len(), warnings[99].pointer.as_str()), (MAX_WARNINGS, "/products/99/sku"));
}

#[test]
fn no_warning_is_crowded_out_by_those_that_every_line_has() {
    let mut many = with("/orderSummary/grandTotal", json!("99"));
    let mut line = many["products"][0].clone();
    line["amount"] = json!(99);
    line["sku"] = json!("R-1");
    many["products"] = json!(vec![line; 150]);
    many["customerDetails"]["address"]["zip"] = json!("703");
    many["referenceNo"] = Value::Null;
    let pointers: Vec<_> = check(&many.to_string(), false).unwrap().warnings.into_iter().map(|warning| warning.pointer).collect();
    assert_eq!(pointers.len(), MAX_WARNINGS);
    assert_eq!(
        pointers[..5],
        [
            "/orderSummary/grandTotal",
            "/orderSummary/subTotal",
            "/customerDetails/address/zip",
            "/referenceNo",
            "/products/0/amount"
        ]
    );
    let enforced = check(&many.to_string(), true).unwrap().fresh_only;
    assert_eq!((enforced.len(), enforced[303].pointer.as_str()), (304, "/products/149/sku"), "enforced, they are errors");
}

#[test]
fn a_refusal_lists_unknown_members_beside_its_errors() {
    let mut order = with("/products/0/ammount", json!(40));
    order["products"][0].as_object_mut().unwrap().remove("amount");
    order["orderSummary"]["grandTotal"] = json!("99"); // also looks wrong, but an invalid order gets no such warning
    let (errors, warnings) = refusal(&order.to_string(), false);
    assert_eq!((errors.len(), errors[0].pointer.as_str(), errors[0].code), (1, "/products/0/amount", Code::Required));
    assert_eq!((warnings.len(), warnings[0].pointer.as_str()), (1, "/products/0/ammount"));
    assert_eq!(warnings[0].code, Code::UnknownField);
    let (errors, warnings) = refusal(&order.to_string(), true);
    let codes: Vec<_> = errors.iter().map(|error| error.code).collect();
    assert_eq!(
        (codes, warnings),
        (vec![Code::Required, Code::TotalsMismatch, Code::UnknownField], vec![]),
        "enforced: all errors"
    );
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
    let Err(Invalid::Malformed(malformed)) = check("{\"zqxmarkerzqx\": \"zqx\", \"a\": zqx", false) else { panic!() };
    assert!(!malformed.to_string().contains("zqx"), "{malformed}");
}

#[test]
fn the_fingerprint_is_of_the_order_by_value() {
    let print = |order: &Value, key: &str| check(&order.to_string(), false).unwrap().order.fingerprint(key);
    let fingerprint = print(&example(), "key-1");
    // A literal, because a changed canonical form would refuse every retry during a deployment.
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
        ("/customerDetails/email", json!(" kari@example.com\t")),
        ("/separateInvoices", json!("1")),
        ("/orderDate", json!("1781568000")),
        ("/callback/callbackUrl", json!("https://shop.example/status?attempt=2")),
        ("/callback/success", json!("https://shop.example/")),
        ("/callback/failure", json!("https://shop.example/?session=2")),
        ("/products", json!({"0": example()["products"][0]})),
        ("/settings", json!([])),
    ] {
        assert_eq!(print(&with(pointer, same), "key-1"), fingerprint, "{pointer}");
    }
    for (pointer, other) in [
        ("/products/0/rate", json!("40.01")),
        ("/products/0/productId", Value::Null),
        ("/referenceNo", json!("dhaka")),
        ("/customerDetails/name", json!("Kari Normann")),
        ("/customerDetails/preferredLanguage", Value::Null),
        ("/separateInvoices", json!(0)),
        ("/settings", json!({"secureDetails": false})),
        ("/invoiceInterval", json!(1)),
    ] {
        assert_ne!(print(&with(pointer, other), "key-1"), fingerprint, "{pointer}");
    }
}

// Computed without this code: HMAC-SHA-256 with the key "key-1" of the canonical JSON of the example.
const PINNED: &str = "7c03fb5e09ebd9df0a93374782379ae02952cd1fd20596e5d7c26724d8ee7ecc";
