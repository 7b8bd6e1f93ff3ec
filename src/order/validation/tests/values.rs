//! Single values, at the limits of each rule.

use super::*;

#[test]
fn figures_are_plain_decimals() {
    for pointer in ["/products/0/rate", "/products/0/discount", "/products/0/amount"] {
        for good in
            [json!(40), json!("40"), json!("4017.86"), json!(-1.5), json!("-0.01"), json!("007"), json!("12345678901234567890")]
        {
            valid(pointer, good);
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
        valid(pointer, json!("1234567890123456789012345678"));
    }
    let exponent = example().to_string().replace("\"rate\":40", "\"rate\":1e3");
    let (violations, _) = refusal(&exponent, false);
    assert_eq!((violations[0].pointer.as_str(), violations[0].code), ("/products/0/rate", Code::InvalidFormat));
}

#[test]
fn quantities_and_sums_have_bounds() {
    for zero in [json!(0), json!("0.00"), json!("-0"), json!(-1)] {
        refused("/products/0/quantity", zero, Code::OutOfRange);
    }
    valid("/products/0/quantity", json!("0.0001"));
    for pointer in ["/orderSummary/subTotal", "/orderSummary/totalTax", "/orderSummary/totalDiscount", "/orderSummary/grandTotal"]
    {
        refused(pointer, json!("-0.01"), Code::OutOfRange);
    }
    taken("/orderSummary/totalTax", json!("-0.00"));
}

#[test]
fn tax_rates_are_the_configured_ones() {
    for good in [json!(0), json!("12"), json!("15.00"), json!(25)] {
        valid("/products/0/tax", good);
    }
    for bad in [json!(6), json!("25.5"), json!(-25)] {
        refused("/products/0/tax", bad, Code::NotAllowed);
    }
}

#[test]
fn lines_are_one_to_a_thousand() {
    let line = example()["products"][0].clone();
    refused("/products", json!([]), Code::OutOfRange);
    valid("/products", json!(vec![line.clone(); 1_000]));
    refused("/products", json!(vec![line; 1_001]), Code::OutOfRange);
    taken("/products/0/productId", json!("ø".repeat(25)));
    refused("/products/0/productId", json!("x".repeat(26)), Code::TooLong);
}

#[test]
fn the_order_date_is_today_in_oslo_or_later() {
    // 15 June 2026 began in Oslo at 22:00 UTC on the day before.
    let midnight = 1_781_474_400;
    taken("/orderDate", json!(midnight.to_string()));
    refused("/orderDate", json!((midnight - 1).to_string()), Code::OutOfRange);
    taken("/orderDate", json!("9999999999"));
    refused("/orderDate", json!("0"), Code::OutOfRange);
    for bad in [json!("2026-06-15"), json!("-1"), json!("1781481600.0"), json!(" 1781481600")] {
        refused("/orderDate", bad, Code::InvalidFormat);
    }
    refused("/orderDate", json!("1781481600000"), Code::OutOfRange);
    let (violations, _) = refusal(&with("/orderDate", json!("1781481600000")).to_string(), false);
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
