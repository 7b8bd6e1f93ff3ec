//! Each advisory, at its limits. Orders that must not be warned about: [`super::real_life`].

use super::*;

/// Lines as `[quantity, rate, discount, tax, amount]`, sums as `[subTotal, totalTax, totalDiscount, grandTotal]`.
#[track_caller]
fn warnings_of(lines: &[[&str; 5]], sums: [&str; 4]) -> Vec<String> {
    let mut order = example();
    let line = |[quantity, rate, discount, tax, amount]: &[&str; 5]| json!({"name": "x", "quantity": quantity, "rate": rate, "discount": discount, "tax": tax, "amount": amount});
    order["products"] = lines.iter().map(line).collect();
    let [sub_total, total_tax, total_discount, grand_total] = sums;
    order["orderSummary"] =
        json!({"subTotal": sub_total, "totalTax": total_tax, "totalDiscount": total_discount, "grandTotal": grand_total});
    assert_eq!(faults(&order), []);
    // Left out, because these figures test the other sums.
    let other = warnings(&order).into_iter().filter(|(_, code)| *code != Code::TaxMismatch);
    other.map(|(pointer, code)| format!("{pointer} {code:?}")).collect()
}

#[test]
fn totals_may_be_one_krone_off() {
    let line = ["1", "100", "", "25", "100"];
    let mismatch = ["/orderSummary/grandTotal TotalsMismatch"];
    for (sums, expected) in [
        (["100", "25", "5", "120"], &[][..]),
        (["100", "25", "5", "121"], &[]),
        (["100", "25", "5", "119.00"], &[]),
        (["100", "25", "5", "121.01"], &mismatch),
        (["100", "25", "5", "118.99"], &mismatch),
        (["100", "25", "5", "12"], &mismatch),
        (["100.5", "0.2", "0", "101.7"], &[]),
    ] {
        assert_eq!(warnings_of(&[line], sums), expected, "{sums:?}");
    }
    let big = "9999999999999999999999999998";
    let line = ["1", big, "", "0", big];
    assert_eq!(warnings_of(&[line], [big, "0", "0", "9999999999999999999999999999"]), [""; 0]);
    let fraction = ["/orderSummary/totalTax TooPrecise", "/orderSummary/grandTotal TotalsMismatch"];
    assert_eq!(warnings_of(&[line], [big, "1.000000000000000000000000001", "0", big]), fraction, "no digit gets lost");
}

#[test]
fn an_amount_may_be_one_krone_off_what_its_line_comes_to() {
    // 3 × 100 is 300, with tax 375; less the discount of 20 it is 280, with tax 350; with the discount after the tax it is
    // 355.
    for good in ["300", "299", "301.00", "375", "374", "376", "280", "279", "281", "350", "349", "351", "355", "354", "356"] {
        let sums = ["300", "70", "20", "350"];
        assert_eq!(warnings_of(&[["3", "100", "20", "25", good]], sums), [""; 0], "{good}");
    }
    for bad in ["301.01", "298.99", "281.01", "278.99", "376.01", "373.99", "348.99", "352.5", "356.01", "100", "0", "-300", "30"]
    {
        let found = warnings_of(&[["3", "100", "20", "25", bad]], ["300", "70", "20", "350"]);
        assert_eq!(found, ["/products/0/amount LinesMismatch"], "{bad}");
    }
    // Without a discount, only two amounts are right: 300 without tax, and 375 with it.
    assert_eq!(warnings_of(&[["3", "100", "", "25", "280"]], ["300", "75", "0", "375"]), ["/products/0/amount LinesMismatch"]);
    let lines = [["1", "10", "", "0", "10"], ["1", "20", "", "0", "2"], ["1", "30", "", "0", "30"], ["2", "10", "", "0", "2000"]];
    let found = warnings_of(&lines, ["80", "0", "0", "80"]);
    assert_eq!(found, ["/products/1/amount LinesMismatch", "/products/3/amount LinesMismatch"]);
}

#[test]
fn the_lines_add_up_to_one_of_the_sums() {
    let mismatch = ["/orderSummary/subTotal LinesMismatch"];
    // The prices add up to 100, the amounts to 125. Two lines have a tolerance of 1.02.
    let lines = [["1", "40", "", "25", "50"], ["2", "30", "", "25", "75"]];
    for (sums, expected) in [
        (["100", "25", "0", "125"], &[][..]),
        (["101.02", "25", "0", "126.02"], &[]),
        (["98.98", "25", "0", "123.98"], &[]),
        (["101.03", "27", "0", "128.03"], &mismatch),
        (["98.97", "23", "0", "121.97"], &mismatch),
        (["150", "25", "50", "125"], &[]),  // subTotal - totalDiscount is the sum of the prices
        (["500", "25", "375", "150"], &[]), // subTotal - totalDiscount is the sum of the amounts
        (["80", "20", "0", "100"], &[]),    // grandTotal is the sum of the prices
        (["50", "12.5", "0", "62.5"], &mismatch),
        (["200", "50", "0", "250"], &mismatch),
        (["0", "0", "0", "0"], &mismatch),
    ] {
        assert_eq!(warnings_of(&lines, sums), expected, "{sums:?}");
    }
    // Forty lines, each of them rounded up by half an øre.
    let lines = [["1", "10.005", "", "0", "10.01"]; 40];
    assert_eq!(warnings_of(&lines, ["401.80", "0", "0", "401.80"]), [""; 0], "within 1.40 of 400.40");
    assert_eq!(warnings_of(&lines, ["401.81", "0", "0", "401.81"]), mismatch);
}

#[test]
fn a_line_with_an_error_is_not_judged() {
    let mut order = with("/products/0/discount", json!("1e1"));
    order["products"][0]["amount"] = json!(30);
    let codes: Vec<_> = refusal(&order.to_string(), true).0.into_iter().map(|error| error.code).collect();
    assert_eq!(codes, [Code::InvalidFormat]);
}

#[test]
fn sums_have_two_decimals() {
    for (name, figure) in
        [("subTotal", "40.001"), ("totalTax", "0.005"), ("totalDiscount", "0.0000001"), ("grandTotal", "40.123400")]
    {
        let pointer = format!("/orderSummary/{name}");
        let expected = [(pointer.clone(), Code::TooPrecise)];
        assert_eq!(warnings(&with(&pointer, json!(figure))), expected);
    }
    for same in ["40", "40.0", "40.10", "40.990000", "040.5"] {
        taken("/orderSummary/grandTotal", json!(same));
    }
}

#[test]
fn numbers_that_no_norwegian_register_issued() {
    let at = |pointer: &str| [(pointer.to_owned(), Code::BadCheckDigits)];
    let in_country = |member: &str, number: &str, country: &str| {
        let mut order = with(&format!("/customerDetails/{member}"), json!(number));
        order["customerDetails"]["address"]["country"] = json!(country);
        warnings(&order)
    };
    for country in ["NO", "SJ", "BV"] {
        for number in ["20036914712", "29020105729", "00000000000", "abcdefghijk", "3090829990 "] {
            assert_eq!(in_country("personalNumber", number, country), at("/customerDetails/personalNumber"), "{number}");
        }
        for number in ["123456789", "123456785", "000000000", "700000001", "97476067", "9747606733", "NO", "MVA", "NO97476067x"] {
            assert_eq!(in_country("organizationId", number, country), at("/customerDetails/organizationId"), "{number}");
        }
    }
    assert_eq!(in_country("personalNumber", "20036914712", "SE"), []);
    assert_eq!(in_country("organizationId", "5560360793", "SE"), []);
    for (number, expected) in [
        ("974760673MVA", "has MVA behind the organisation number"),
        ("NO974760673", "has NO before the organisation number"),
        ("no974760673mva", "has NO before and MVA behind the organisation number"),
        ("974760674mva", "has MVA behind the organisation number"),
        ("MVA", "is no organisation number"),
        ("974760674", "is no organisation number"),
    ] {
        let order = with("/customerDetails/organizationId", json!(number));
        let found = check(&order.to_string(), false).unwrap().warnings;
        assert!(found.len() == 1 && found[0].detail.starts_with(expected), "{number}: {found:?}");
    }
    // With enforced advisories, valid fields are judged even if another field is invalid.
    let mut order = with("/customerDetails/personalNumber", json!("20036914712"));
    order["customerDetails"]["address"]["street"] = json!(null);
    let codes: Vec<_> = refusal(&order.to_string(), true).0.into_iter().map(|error| error.code).collect();
    assert_eq!(codes, [Code::Required, Code::BadCheckDigits]);
}

#[test]
fn phone_numbers_with_too_much_in_front() {
    for (country_code, msisdn, expected) in [
        ("+47", "4746567468", "begins with the digits of countryCode"),
        ("+47", "470123456", "begins with the digits of countryCode"),
        ("+46", "46701234567", "begins with the digits of countryCode"),
        ("+45", "4520123456", "begins with the digits of countryCode"),
        ("+358", "358401234567", "begins with the digits of countryCode"),
        ("+49", "4915112345678", "begins with the digits of countryCode"),
        ("+1", "12125550123", "begins with the digits of countryCode"),
        ("+47", "004746567468", "begins with 00"),
        ("+39", "00390612345678", "begins with 00"),
        ("+55", "0055912345678", "begins with 00"),
        ("+46", "0701234567", "begins with 0,"),
        ("+47", "046567468", "begins with 0,"),
        ("+7", "012345", "begins with 0,"),
    ] {
        let mut order = with("/customerDetails/countryCode", json!(country_code));
        order["customerDetails"]["msisdn"] = json!(msisdn);
        let found = check(&order.to_string(), false).unwrap().warnings;
        assert_eq!((found.len(), found[0].pointer.as_str()), (1, "/customerDetails/msisdn"), "{country_code} {msisdn}");
        assert_eq!(found[0].code, Code::UnlikelyFormat);
        assert!(found[0].detail.starts_with(expected), "{country_code} {msisdn}: {}", found[0].detail);
    }
}

#[test]
fn norwegian_postal_codes() {
    for zip in ["703", "70300", "N-7030", "NO-7030", "7030 Trondheim", "70 30", "７０３０", "abcd"] {
        let expected = [("/customerDetails/address/zip".to_owned(), Code::UnlikelyFormat)];
        assert_eq!(warnings(&with("/customerDetails/address/zip", json!(zip))), expected, "{zip}");
    }
}

#[test]
fn a_reference_and_a_key_are_recommended() {
    let expected = [("/referenceNo".to_owned(), Code::Recommended)];
    assert_eq!(warnings(&without("/referenceNo")), expected);
    for missing in [json!(null), json!(""), json!("  ")] {
        assert_eq!(warnings(&with("/referenceNo", missing)), expected);
    }
    let wrong = refusal(&with("/referenceNo", json!(1001)).to_string(), true).0;
    assert_eq!((wrong.len(), wrong[0].code), (1, Code::WrongType), "wrong is not missing");

    let now = Timestamp::from_second(NOW).unwrap();
    let without_key = |enforce_advisories| {
        let rules = Rules { now, tax_rates: &rates(), enforce_advisories, has_idempotency_key: false };
        validate(example().to_string().as_bytes(), &rules).unwrap()
    };
    let warned = without_key(false);
    assert_eq!((warned.warnings.len(), warned.warnings[0].pointer.as_str()), (1, ""));
    assert_eq!((warned.warnings[0].code, warned.fresh_only.len()), (Code::Recommended, 0));
    assert_eq!(without_key(true).fresh_only, warned.warnings);
}

#[test]
fn unknown_members_are_told_and_asked_about() {
    assert_eq!(warnings(&with("/products/0/sku", json!(null))), [("/products/0/sku".to_owned(), Code::UnknownField)]);
    let mut order = example();
    order["customerDetails"]["a~b/c"] = json!({"x": 1});
    assert_eq!(warnings(&order), [("/customerDetails/a~0b~1c".to_owned(), Code::UnknownField)]);

    let detail = |pointer: &str| {
        let found = check(&with(pointer, json!("x")).to_string(), false).unwrap().warnings;
        assert_eq!((found.len(), found[0].pointer.as_str(), found[0].code), (1, pointer, Code::UnknownField));
        found[0].detail.clone()
    };
    for (unknown, meant) in [
        ("/refrenceNo", "referenceNo"),
        ("/reference_no", "referenceNo"),
        ("/ReferenceNo", "referenceNo"),
        ("/customerRefrence", "customerReference"),
        ("/orderdate", "orderDate"),
        ("/fpgo_uuid", "fpgoUuid"),
        ("/customerDetails/emial", "email"),
        ("/customerDetails/Email", "email"),
        ("/customerDetails/organisationId", "organizationId"),
        ("/customerDetails/preferedLanguage", "preferredLanguage"),
        ("/customerDetails/address/contry", "country"),
        ("/orderSummary/grand-total", "grandTotal"),
        ("/orderSummary/totaltax", "totalTax"),
        ("/products/0/quantitiy", "quantity"),
        ("/products/0/product_id", "productId"),
        ("/products/0/discounts", "discount"),
        ("/callback/callbackURL", "callbackUrl"),
        ("/callback/sucess", "success"),
    ] {
        let detail = detail(unknown);
        assert!(detail.contains(&format!(" Was {meant} meant?")), "{unknown}: {detail}");
    }
    let long = format!("/{}", "referenceNo".repeat(1_000));
    for other in [
        "/coupon",
        "/currency",
        "/orderId",
        "/shippingMethod",
        "/lines",
        "/customerDetails/phone",
        "/customerDetails/birthday",
        "/customerDetails/address/state",
        "/products/0/sku",
        "/products/0/vat",
        "/products/0/image",
        "/products/0/unit",
        "/products/0/weight",
        "/orderSummary/shippingCost",
        &long,
    ] {
        let detail = detail(other);
        assert!(!detail.contains('?'), "{other}: {detail}");
    }
}

#[test]
fn enforced_advisories_stand_against_a_fresh_attempt_alone() {
    let order = with("/orderSummary/grandTotal", json!("50")).to_string();
    let validated = check(&order, true).unwrap();
    assert_eq!(validated.fresh_only, validated.warnings);
    assert_eq!(validated.fresh_only[0].code, Code::TotalsMismatch);
    assert!(check(&order, false).unwrap().fresh_only.is_empty());
    let validated = check(&with("/coupon", json!("SUMMER")).to_string(), true).unwrap();
    assert_eq!((validated.fresh_only.len(), validated.fresh_only[0].code), (1, Code::UnknownField));
}

#[test]
fn no_advice_can_be_obeyed_into_a_second_invoice() {
    let mut order = without("/referenceNo");
    order["coupon"] = json!("SUMMER");
    order["refrenceNo"] = json!("1001");
    order["products"][0]["amount"] = json!(400);
    order["orderSummary"] = json!({"subTotal": "90.001", "totalTax": "0", "totalDiscount": "0", "grandTotal": "80"});
    order["customerDetails"]["msisdn"] = json!("046567468");
    order["customerDetails"]["personalNumber"] = json!("20036914712");
    order["customerDetails"]["organizationId"] = json!("NO974760673MVA");
    order["customerDetails"]["address"]["zip"] = json!("703");
    let now = Timestamp::from_second(NOW).unwrap();
    let rules = Rules { now, tax_rates: &rates(), enforce_advisories: false, has_idempotency_key: false };
    let found = validate(order.to_string().as_bytes(), &rules).unwrap().warnings;
    assert_eq!(found.len(), 12, "{found:?}");
    for Violation { detail, .. } in found {
        assert!(detail.ends_with(" A 201 means that Front Payment has the order: do not send it again."), "{detail}");
    }
}

/// Whether the tax is warned about. Lines are `[tax, amount]`, sums as above.
fn is_tax_odd(lines: &[[&str; 2]], sums: [&str; 4]) -> bool {
    let mut order = example();
    let line = |[tax, amount]: &[&str; 2]| json!({"name": "x", "quantity": 1, "rate": amount, "tax": tax, "amount": amount});
    order["products"] = lines.iter().map(line).collect();
    let [sub_total, total_tax, total_discount, grand_total] = sums;
    order["orderSummary"] =
        json!({"subTotal": sub_total, "totalTax": total_tax, "totalDiscount": total_discount, "grandTotal": grand_total});
    warnings(&order).contains(&("/orderSummary/totalTax".to_owned(), Code::TaxMismatch))
}

#[test]
fn the_tax_is_that_of_the_lines() {
    for (lines, sums) in [
        (&[["25", "1000"]][..], ["1000", "250", "0", "1250"]),
        (&[["25", "1250"]], ["1000", "250", "0", "1250"]),
        (&[["0", "40"]], ["40", "0", "0", "40"]),
        (&[["25", "1000"], ["25", "79.20"]], ["1079.20", "269.80", "0", "1349"]), // freight
        (&[["15", "115"], ["25", "99"]], ["179.20", "34.80", "0", "214"]),        // food and freight, gross
        (&[["25", "1000"], ["15", "200"], ["12", "100"], ["0", "50"]], ["1350", "292", "0", "1642"]),
        (&[["25", "1250"], ["15", "230"], ["12", "112"], ["0", "50"]], ["1350", "292", "0", "1642"]),
        (&[["25", "1000"], ["25", "-100"]], ["900", "225", "0", "1125"]), // a coupon
        (&[["25", "1250"], ["25", "-125"]], ["900", "225", "0", "1125"]),
        (&[["25", "1250"], ["0", "-250"]], ["1000", "250", "250", "1000"]), // a gift card
        (&[["25", "1000"]], ["1000", "225", "100", "1125"]),                // a discount without tax
        (&[["25", "1000"]], ["1000", "230", "80", "1150"]),                 // a discount of 100 with tax
        (&[["25", "1250"]], ["1000", "225", "100", "1125"]),
        (&[["25", "500"], ["15", "500"]], ["1000", "185", "100", "1085"]), // a discount on food alone
        (&[["25", "500"], ["15", "500"]], ["1000", "180", "100", "1080"]), // the same discount on both lines
        (&[["25", "1000"]], ["1000", "251.01", "0", "1251.01"]),
        (&[["25", "1000"]], ["1000", "248.99", "0", "1248.99"]),
    ] {
        assert!(!is_tax_odd(lines, sums), "{lines:?} {sums:?}");
    }
    for (lines, sums) in [
        (&[["0", "1000"]][..], ["1000", "250", "0", "1250"]),
        (&[["0", "1250"]], ["1000", "250", "0", "1250"]),
        (&[["25", "1000"]], ["1000", "0", "0", "1000"]),
        (&[["25", "1000"]], ["1000", "0", "100", "900"]),
        (&[["25", "1000"]], ["1000", "150", "0", "1150"]),
        (&[["25", "1000"], ["15", "200"]], ["1200", "300", "0", "1500"]),
        (&[["25", "1000"]], ["1000", "251.02", "0", "1251.02"]),
        (&[["25", "1000"]], ["1000", "248.98", "0", "1248.98"]),
        (&[["25", "1000"]], ["1000", "223.98", "100", "1123.98"]),
    ] {
        assert!(is_tax_odd(lines, sums), "{lines:?} {sums:?}");
    }
    // A rate that is not allowed does not make the validation fail.
    for rate in ["-100", "-99.9999999999999999999999999", "9999999999999999999999999999"] {
        let mut order = with("/products/0/tax", json!(rate));
        order["products"][0]["amount"] = json!("-9999999999999999999999999999");
        assert_eq!(faults(&order), [("/products/0/tax".to_owned(), Code::NotAllowed)]);
    }
}

#[test]
fn garbled_texts_are_told() {
    for pointer in ["/customerDetails/name", "/customerDetails/address/city", "/customerReference", "/products/0/name"] {
        assert_eq!(warnings(&with(pointer, json!("TromsÃ¸"))), [(pointer.to_owned(), Code::UnlikelyFormat)]);
        assert_eq!(warnings(&with(pointer, json!("Tromsø"))), []);
    }
    let order = with("/customerDetails/address/city", json!("TromsÃ¸")).to_string();
    assert_eq!(check(&order, true).unwrap().fresh_only[0].code, Code::UnlikelyFormat);
}
