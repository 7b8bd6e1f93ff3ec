//! Field by field, at the edges of each rule.

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
        "/referenceNo",
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
    taken("/settings", Value::Null);
    taken("/settings", json!({}));
    taken("/settings", json!({"secureDetails": true}));
}

#[test]
fn wrong_types_are_told() {
    for (pointer, value) in [
        ("/products", json!({})),
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
        ("/separateInvoices", json!(1)),
        ("/invoiceFeeApplicable", json!("yes")),
        ("/invoiceInterval", json!(true)),
        ("/callback", json!([])),
        ("/callback/success", json!(1)),
        ("/settings", json!(true)),
        ("/settings", json!({"secureDetails": "true"})),
    ] {
        let pointer = if value == json!({"secureDetails": "true"}) { "/settings/secureDetails" } else { pointer };
        let order = if pointer == "/settings/secureDetails" { with("/settings", value) } else { with(pointer, value) };
        assert_eq!(faults(&order), [(pointer.to_owned(), Code::WrongType)], "{pointer}");
    }
    for whole in ["[]", "5", "\"x\"", "true", "null"] {
        let Err(Invalid::Violations(violations)) = check(whole, false) else { panic!("{whole}") };
        assert_eq!((violations.len(), violations[0].pointer.as_str(), violations[0].code), (1, "", Code::WrongType));
    }
}

#[test]
fn figures_are_plain_decimals() {
    for pointer in ["/products/0/rate", "/products/0/discount", "/products/0/amount"] {
        for good in
            [json!(40), json!("40"), json!("4017.86"), json!(-1.5), json!("-0.01"), json!("007"), json!("12345678901234567890")]
        {
            taken(pointer, good);
        }
        for bad in [
            json!("1e3"),
            json!(" 1"),
            json!("1 "),
            json!("abc"),
            json!("1,5"),
            json!(".5"),
            json!("5."),
            json!("+1"),
            json!("NaN"),
        ] {
            refused(pointer, bad, Code::InvalidFormat);
        }
        refused(pointer, json!("12345678901234567890123456789"), Code::OutOfRange);
        taken(pointer, json!("1234567890123456789012345678"));
    }
    let exponent = example().to_string().replace("\"rate\":40", "\"rate\":1e3");
    let Err(Invalid::Violations(violations)) = check(&exponent, false) else { panic!("1e3 was taken") };
    assert_eq!((violations[0].pointer.as_str(), violations[0].code), ("/products/0/rate", Code::InvalidFormat));
}

#[test]
fn quantities_and_sums_have_bounds() {
    for zero in [json!(0), json!("0.00"), json!("-0"), json!(-1)] {
        refused("/products/0/quantity", zero, Code::OutOfRange);
    }
    taken("/products/0/quantity", json!("0.0001"));
    for pointer in ["/orderSummary/subTotal", "/orderSummary/totalTax", "/orderSummary/totalDiscount", "/orderSummary/grandTotal"]
    {
        refused(pointer, json!("-0.01"), Code::OutOfRange);
    }
    taken("/orderSummary/totalTax", json!("-0.00"));
}

#[test]
fn tax_rates_are_the_configured_ones() {
    for good in [json!(0), json!("12"), json!("15.00"), json!(25)] {
        taken("/products/0/tax", good);
    }
    for bad in [json!(6), json!("25.5"), json!(-25)] {
        refused("/products/0/tax", bad, Code::NotAllowed);
    }
}

#[test]
fn lines_are_one_to_a_thousand() {
    let line = example()["products"][0].clone();
    refused("/products", json!([]), Code::OutOfRange);
    taken("/products", json!(vec![line.clone(); 1_000]));
    refused("/products", json!(vec![line; 1_001]), Code::OutOfRange);
    taken("/products/0/productId", json!("ø".repeat(25)));
    refused("/products/0/productId", json!("x".repeat(26)), Code::TooLong);
}

#[test]
fn the_order_date_is_today_in_oslo_or_later() {
    // 2026-06-15 began in Oslo at 22:00 UTC of the 14th.
    let midnight = 1_781_474_400;
    taken("/orderDate", json!(midnight.to_string()));
    refused("/orderDate", json!((midnight - 1).to_string()), Code::OutOfRange);
    taken("/orderDate", json!("9999999999"));
    refused("/orderDate", json!("0"), Code::OutOfRange);
    for bad in [json!("2026-06-15"), json!("-1"), json!("1781481600.0"), json!(" 1781481600")] {
        refused("/orderDate", bad, Code::InvalidFormat);
    }
    refused("/orderDate", json!("1781481600000"), Code::OutOfRange);
    let Err(Invalid::Violations(violations)) = check(&with("/orderDate", json!("1781481600000")).to_string(), false) else {
        panic!()
    };
    assert!(violations[0].detail.contains("milliseconds"));
}

#[test]
fn enumerations_have_their_values() {
    for good in [json!(0), json!(1), json!("2"), json!("1.0")] {
        taken("/invoiceInterval", good);
    }
    for bad in [json!(3), json!(-1), json!("0.5")] {
        refused("/invoiceInterval", bad, Code::NotAllowed);
    }
    for good in [json!(1), json!("10")] {
        taken("/invoiceMaturity", good);
    }
    for bad in [json!(0), json!(2), json!("11")] {
        refused("/invoiceMaturity", bad, Code::NotAllowed);
    }
    for language in ["en", "no", "sv", "da", "de"] {
        taken("/customerDetails/preferredLanguage", json!(language));
    }
    for bad in ["EN", "nb", "fr"] {
        refused("/customerDetails/preferredLanguage", json!(bad), Code::NotAllowed);
    }
    refused("/customerDetails/type", json!("Private"), Code::NotAllowed);
}

#[test]
fn the_customer_has_a_phone_an_email_and_a_country() {
    for good in ["+1", "+4712"] {
        taken("/customerDetails/countryCode", json!(good));
    }
    for bad in ["47", "+", "+47123", "+4a", "0047", "+ 47"] {
        refused("/customerDetails/countryCode", json!(bad), Code::InvalidFormat);
    }
    for good in ["1234", "123456789012345"] {
        taken("/customerDetails/msisdn", json!(good));
    }
    for bad in ["123", "1234567890123456", "12 34 56", "+4712345", "١٢٣٤"] {
        refused("/customerDetails/msisdn", json!(bad), Code::InvalidFormat);
    }
    for good in ["a@b.no", "first.last+tag@sub.example.com"] {
        taken("/customerDetails/email", json!(good));
    }
    for bad in ["[email protected]", "a@b", "a", "@b.no", "a@", "a b@c.no", "Kari <kari@example.com>", "a@[127.0.0.1]", "a@b..no"]
    {
        refused("/customerDetails/email", json!(bad), Code::InvalidFormat);
    }
    taken("/customerDetails/address/country", json!("SE"));
    for bad in ["no", "NOR", "N", "Norway", "N1"] {
        refused("/customerDetails/address/country", json!(bad), Code::InvalidFormat);
    }
    refused("/customerDetails/address/country", json!("XX"), Code::NotAllowed);
}

#[test]
fn urls_are_absolute_http_with_a_host() {
    for pointer in ["/callback/callbackUrl", "/callback/success", "/callback/failure"] {
        for good in ["https://shop.example", "http://127.0.0.1:8080/x?y=1#z", "HTTPS://Shop.Example/æ?{id}", "https://[::1]/"] {
            taken(pointer, json!(good));
        }
        for bad in [
            "shop.example",
            "/path",
            "//shop.example",
            "ftp://shop.example",
            "https://",
            "https:///x",
            "https:shop.example",
            "https://a b",
            "https://shop.example/\n",
            "javascript:alert(1)",
            "mailto:a@b.no",
            "https://shop.example:99999",
            "https://?x",
        ] {
            refused(pointer, json!(bad), Code::InvalidFormat);
        }
        taken(pointer, json!(format!("https://shop.example/{}", "x".repeat(2_048 - 21))));
        refused(pointer, json!(format!("https://shop.example/{}", "x".repeat(2_049 - 21))), Code::TooLong);
    }
}

#[test]
fn stored_texts_have_a_length() {
    for pointer in ["/referenceNo", "/customerReference"] {
        taken(pointer, json!("x".repeat(2_048)));
        refused(pointer, json!("x".repeat(2_049)), Code::TooLong);
        refused(pointer, json!("ø".repeat(1_025)), Code::TooLong);
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
