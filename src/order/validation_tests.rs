use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{MAX_ERRORS, MAX_WARNINGS};
use super::*;

/// 2026-06-15, a summer's day: Oslo is two hours ahead of UTC.
const NOW: i64 = 1_781_481_600;

/// The provider page's example, with a date of today, an e-mail address, and a synthetic person.
fn example() -> Value {
    json!({
        "products": [{"name": "Router", "productId": "R_1", "quantity": "1", "rate": 40, "discount": 0, "tax": "0", "amount": 40}],
        "orderSummary": {"subTotal": "40", "totalTax": "0", "totalDiscount": "0.00", "grandTotal": "40"},
        "orderDate": NOW.to_string(),
        "customerDetails": {
            "type": "private", "countryCode": "+47", "msisdn": "46567468", "email": "kari@example.com", "name": "Kari Nordmann",
            "preferredLanguage": "en", "personalNumber": "30908299902", "organizationId": "",
            "address": {"street": "Klosterenget 144", "zip": "7030", "city": "Trondheim", "country": "NO"}
        },
        "referenceNo": "Dhaka", "customerReference": "3500", "invoiceInterval": 0, "separateInvoices": true,
        "invoiceFeeApplicable": true, "invoiceMaturity": 10,
        "callback": {
            "callbackUrl": "https://shop.example/?order_identifier=rRbl1FWZG59o&order_status=success",
            "success": "https://shop.example/?order_identifier=rRbl1FWZG59o&order_status=success",
            "failure": "https://shop.example/?order_identifier=rRbl1FWZG59o&order_status=failed"
        }
    })
}

fn rates() -> Vec<Decimal> {
    parse_tax_rates("0,12,15,25").unwrap()
}

fn check(document: &str, enforce_advisories: bool) -> Result<Validated, Invalid> {
    let rules = Rules { now: Timestamp::from_second(NOW).unwrap(), tax_rates: &rates(), enforce_advisories };
    validate(document.as_bytes(), &rules)
}

fn with(pointer: &str, value: Value) -> Value {
    let mut order = example();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match order.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer}"),
    }
    order
}

fn without(pointer: &str) -> Value {
    let mut order = example();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    order.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    order
}

/// Pointer and code of everything that forbids to send an order.
fn faults(order: &Value) -> Vec<(String, Code)> {
    let violations = match check(&order.to_string(), false) {
        Ok(validated) => validated.against_fresh,
        Err(Invalid::Violations(violations)) => violations,
        Err(Invalid::Malformed(malformed)) => panic!("{malformed}"),
    };
    violations.into_iter().map(|violation| (violation.pointer, violation.code)).collect()
}

fn warnings(order: &Value) -> Vec<(String, Code)> {
    let validated = check(&order.to_string(), false).unwrap_or_else(|invalid| panic!("{invalid:?}"));
    validated.warnings.into_iter().map(|violation| (violation.pointer, violation.code)).collect()
}

impl std::fmt::Debug for Validated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Validated")
    }
}

#[track_caller]
fn refused(pointer: &str, value: Value, code: Code) {
    assert_eq!(faults(&with(pointer, value.clone())), [(pointer.to_owned(), code)], "{pointer} = {value}");
}

#[track_caller]
fn taken(pointer: &str, value: Value) {
    let order = with(pointer, value.clone());
    assert_eq!((faults(&order), warnings(&order)), (vec![], vec![]), "{pointer} = {value}");
}

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
    assert_eq!(validated.against_fresh, validated.warnings);
    assert_eq!(validated.against_fresh[0].code, Code::TotalsMismatch);
    assert!(check(&order, false).unwrap().against_fresh.is_empty());
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
    assert_eq!(check(&many.to_string(), true).unwrap().against_fresh.len(), 150, "enforced, they are errors");
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
                Ok(validated) => format!("{:?}{:?}", validated.against_fresh, validated.warnings),
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

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,4}", inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

/// Every place of the example, whole objects included.
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
        let rules = Rules { now: Timestamp::from_second(NOW).unwrap(), tax_rates: &rates(), enforce_advisories: false };
        prop_assert!(validate(&bytes, &rules).is_err());
    }

    #[test]
    fn any_value_at_any_place_gets_an_answer_that_points_there(place in any_place(), value in any_json()) {
        for (pointer, _) in faults(&with(&place, value)) {
            prop_assert!(pointer.starts_with(&place) || place == "/customerDetails/type", "{} for {}", pointer, place);
        }
    }
}
