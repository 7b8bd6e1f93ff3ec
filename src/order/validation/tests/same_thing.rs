//! Different spellings of the same value in shops' languages: accepted, and forwarded in the form of the provider's page.

use super::*;
use crate::front_payment::wire;

#[track_caller]
fn forwarded(order: &Value) -> Value {
    let order = check(&order.to_string(), false).unwrap_or_else(|invalid| panic!("{invalid:?}")).order;
    serde_json::from_slice(&wire::body(&order, &order.callback.callback).unwrap()).unwrap()
}

#[test]
fn products_may_be_an_object_with_the_numbers_of_the_lines_as_names() {
    let line = |name: usize| json!({"name": name.to_string(), "quantity": 1, "rate": 40, "tax": 0, "amount": 40});
    let numbered: serde_json::Map<_, _> = (0..12).map(|index| (index.to_string(), line(index))).collect();
    let names: Vec<_> = forwarded(&with("/products", json!(numbered)))["products"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|line| line["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"], "in the order of the numbers");

    let mut bad = numbered.clone();
    bad["10"]["quantity"] = json!(0);
    bad["2"] = json!([]);
    let mut order = with("/products", json!(bad));
    let expected = [("/products/2".to_owned(), Code::WrongType), ("/products/10/quantity".to_owned(), Code::OutOfRange)];
    assert_eq!(faults(&order), expected);
    order["products"] = json!({"0": {"name": "Router", "quantity": 1, "rate": 40, "tax": 0, "amount": 99, "sku": "x"}});
    let expected = [("/products/0/amount".to_owned(), Code::LinesMismatch), ("/products/0/sku".to_owned(), Code::UnknownField)];
    assert_eq!(warnings(&order), expected);

    let thousand: serde_json::Map<_, _> = (0..1_001).map(|index| (index.to_string(), line(index))).collect();
    refused("/products", json!(thousand), Code::OutOfRange);
}

#[test]
fn other_objects_are_no_products() {
    for names in [&["1"][..], &["0", "2"], &["0", "1", "name"], &["00"], &["0", "01"], &["-0"], &["0.0"], &["zero"], &[]] {
        let object: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
        refused("/products", json!(object), Code::WrongType);
    }
}

#[test]
fn an_empty_array_is_settings_without_members() {
    taken("/settings", json!([]));
    assert_eq!(forwarded(&with("/settings", json!([]))).get("settings"), None);
    refused("/settings", json!([{}]), Code::WrongType);
    for pointer in ["/orderSummary", "/customerDetails", "/customerDetails/address", "/callback", "/products/0"] {
        refused(pointer, json!([]), Code::WrongType);
    }
}

#[test]
fn zero_and_one_are_booleans() {
    for (value, flag) in [(json!(0), false), (json!(1), true), (json!("0"), false), (json!("1"), true)] {
        let mut order = with("/invoiceFeeApplicable", value.clone());
        order["separateInvoices"] = value.clone();
        order["settings"] = json!({"secureDetails": value});
        let sent = forwarded(&order);
        let expected = json!([flag, flag, {"secureDetails": flag}]);
        assert_eq!(json!([sent["invoiceFeeApplicable"], sent["separateInvoices"], sent["settings"]]), expected);
    }
    let escaped = example().to_string().replace("\"invoiceFeeApplicable\":true", "\"invoiceFeeApplicable\":\"\\u0031\"");
    assert!(check(&escaped, false).is_ok());
    for other in [json!(2), json!(-1), json!(1.0), json!("true"), json!("on"), json!(" 1"), json!("00"), json!([]), json!({})] {
        refused("/invoiceFeeApplicable", other.clone(), Code::WrongType);
        refused("/separateInvoices", other, Code::WrongType);
    }
    let exponent = example().to_string().replace("\"separateInvoices\":true", "\"separateInvoices\":1e0");
    assert_eq!(refusal(&exponent, false).0[0].code, Code::WrongType);
}

#[test]
fn an_email_address_loses_the_white_space_around_it() {
    for sent in [" kari@example.com", "kari@example.com ", "\tkari@example.com\r\n", "\u{a0}kari@example.com"] {
        taken("/customerDetails/email", json!(sent));
        let forwarded = forwarded(&with("/customerDetails/email", json!(sent)));
        assert_eq!(forwarded["customerDetails"]["email"], "kari@example.com", "{sent:?}");
    }
    refused("/customerDetails/email", json!("kari @example.com"), Code::InvalidFormat);
    refused("/customerDetails/email", json!(" \t"), Code::Required);
    // Front Payment itself trims other texts.
    let forwarded = forwarded(&with("/customerDetails/name", json!(" Kari ")));
    assert_eq!(forwarded["customerDetails"]["name"], " Kari ");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_document() {
    let marked = format!("\u{feff}{}", example());
    assert!(check(&marked, false).is_ok());
}
