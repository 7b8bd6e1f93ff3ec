//! Which fields are required, and of which type.

use super::*;

#[test]
fn the_pages_example_is_taken() {
    assert_eq!((faults(&example()), warnings(&example())), (vec![], vec![]));
}

#[test]
fn every_required_field_is_required() {
    for pointer in [
        "/products/0/name",
        "/products/0/quantity",
        "/products/0/rate",
        "/products/0/tax",
        "/products/0/amount",
        "/orderSummary/subTotal",
        "/orderSummary/totalTax",
        "/orderSummary/totalDiscount",
        "/orderSummary/grandTotal",
        "/products",
        "/orderDate",
        "/invoiceFeeApplicable",
        "/customerDetails/type",
        "/customerDetails/countryCode",
        "/customerDetails/msisdn",
        "/customerDetails/email",
        "/customerDetails/name",
        "/customerDetails/address/street",
        "/customerDetails/address/zip",
        "/customerDetails/address/city",
        "/customerDetails/address/country",
        "/callback/callbackUrl",
        "/callback/success",
        "/callback/failure",
    ] {
        let required = [(pointer.to_owned(), Code::Required)];
        assert_eq!(faults(&without(pointer)), required, "{pointer} missing");
        assert_eq!(faults(&with(pointer, Value::Null)), required, "{pointer} null");
        let is_text = !["/products", "/invoiceFeeApplicable"].contains(&pointer);
        let code = if is_text { Code::Required } else { Code::WrongType };
        assert_eq!(faults(&with(pointer, json!(""))), [(pointer.to_owned(), code)], "{pointer} empty");
    }
    for pointer in ["/products/0/name", "/customerDetails/name", "/customerDetails/address/city"] {
        refused(pointer, json!(" \t"), Code::Required);
    }
}

#[test]
fn a_missing_object_lacks_all_its_required_fields() {
    let pointers: Vec<_> = faults(&without("/callback")).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/callback", "/callback/callbackUrl", "/callback/success", "/callback/failure"]);
    let all = faults(&json!({}));
    assert!(all.iter().all(|(_, code)| *code == Code::Required));
    let pointers: Vec<_> = all.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/products",
            "/orderSummary",
            "/orderSummary/subTotal",
            "/orderSummary/totalTax",
            "/orderSummary/totalDiscount",
            "/orderSummary/grandTotal",
            "/orderDate",
            "/customerDetails",
            "/customerDetails/type",
            "/customerDetails/countryCode",
            "/customerDetails/msisdn",
            "/customerDetails/email",
            "/customerDetails/name",
            "/customerDetails/address",
            "/customerDetails/address/street",
            "/customerDetails/address/zip",
            "/customerDetails/address/city",
            "/customerDetails/address/country",
            "/invoiceFeeApplicable",
            "/callback",
            "/callback/callbackUrl",
            "/callback/success",
            "/callback/failure",
        ]
    );
}

#[test]
fn every_optional_field_may_be_absent_null_or_empty() {
    for pointer in [
        "/products/0/productId",
        "/products/0/discount",
        "/customerReference",
        "/invoiceInterval",
        "/separateInvoices",
        "/invoiceMaturity",
        "/customerDetails/preferredLanguage",
        "/customerDetails/organizationId",
    ] {
        assert_eq!(faults(&without(pointer)), [], "{pointer}");
        taken(pointer, Value::Null);
        taken(pointer, json!(""));
    }
    for absent in [Value::Null, json!("")] {
        valid("/referenceNo", absent); // only recommended
    }
    taken("/settings", Value::Null);
    taken("/settings", json!({}));
    taken("/settings", json!({"secureDetails": true}));
}

#[test]
fn wrong_types_are_told() {
    for (pointer, value) in [
        ("/products", json!({})),
        ("/products", json!({"1": {}})),
        ("/products", json!({"name": "Router"})),
        ("/products", json!("x")),
        ("/products/0", json!(5)),
        ("/products/0", json!([])),
        ("/products/0/name", json!(5)),
        ("/products/0/productId", json!(1)),
        ("/products/0/quantity", json!(true)),
        ("/products/0/rate", json!([])),
        ("/products/0/tax", json!({})),
        ("/orderSummary", json!([])),
        ("/orderSummary/grandTotal", json!(false)),
        ("/orderDate", json!(NOW)),
        ("/customerDetails", json!("x")),
        ("/customerDetails/type", json!(1)),
        ("/customerDetails/personalNumber", json!(30908299902i64)),
        ("/customerDetails/address", json!(true)),
        ("/callback", json!("")),
        ("/customerDetails/address/zip", json!(7030)),
        ("/referenceNo", json!(1)),
        ("/customerReference", json!(3500)),
        ("/separateInvoices", json!("true")),
        ("/separateInvoices", json!(2)),
        ("/separateInvoices", json!("01")),
        ("/separateInvoices", json!([])),
        ("/invoiceFeeApplicable", json!("")),
        ("/invoiceFeeApplicable", json!("yes")),
        ("/invoiceInterval", json!(true)),
        ("/callback", json!([])),
        ("/callback/success", json!(1)),
        ("/settings", json!(true)),
        ("/settings", json!([1])),
        ("/settings", json!({"secureDetails": "true"})),
    ] {
        let pointer = if value == json!({"secureDetails": "true"}) { "/settings/secureDetails" } else { pointer };
        let order = if pointer == "/settings/secureDetails" { with("/settings", value) } else { with(pointer, value) };
        assert_eq!(faults(&order), [(pointer.to_owned(), Code::WrongType)], "{pointer}");
    }
    for whole in ["[]", "5", "\"x\"", "true", "null"] {
        let (violations, _) = refusal(whole, false);
        assert_eq!((violations.len(), violations[0].pointer.as_str(), violations[0].code), (1, "", Code::WrongType));
    }
}

#[test]
fn a_person_needs_a_number_and_a_company_another() {
    let as_company = |personal: Value, organization: Value| {
        let mut order = example();
        order["customerDetails"]["type"] = json!("corporate");
        order["customerDetails"]["personalNumber"] = personal;
        order["customerDetails"]["organizationId"] = organization;
        order
    };
    for absent in [Value::Null, json!("")] {
        refused("/customerDetails/personalNumber", absent.clone(), Code::Required);
        assert_eq!(faults(&as_company(absent.clone(), json!("974760673"))), []);
        assert_eq!(faults(&as_company(absent.clone(), absent)), [("/customerDetails/organizationId".to_owned(), Code::Required)]);
    }
    assert_eq!(
        faults(&as_company(json!("123"), json!("974760673"))),
        [("/customerDetails/personalNumber".to_owned(), Code::InvalidFormat)]
    );
    for bad in ["3090829990", "309082999022"] {
        refused("/customerDetails/personalNumber", json!(bad), Code::InvalidFormat);
    }
    refused("/customerDetails/organizationId", json!("974 760 673"), Code::InvalidFormat);
    assert_eq!(faults(&with("/customerDetails/type", json!("person"))), [("/customerDetails/type".to_owned(), Code::NotAllowed)]);
}

#[test]
fn another_order_cannot_be_named() {
    for value in [json!("ODR1"), json!(1), json!({})] {
        refused("/fpgoUuid", value.clone(), Code::NotAllowed);
        refused("/orderFrom", value, Code::NotAllowed);
    }
    taken("/fpgoUuid", Value::Null);
    taken("/orderFrom", json!(""));
}
