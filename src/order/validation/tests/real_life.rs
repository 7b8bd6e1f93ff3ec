//! Orders like those of real shops. None of them may be warned about.

use super::*;

/// Lines and sums, as different shops compute them.
const FIGURES: [(&str, &str); 18] = [
    (
        "prices that include tax",
        r#"{"products": [{"name": "Ullgenser", "quantity": 2, "rate": "999.00", "tax": 25, "amount": "1998.00"}],
            "orderSummary": {"subTotal": "1598.40", "totalTax": "399.60", "totalDiscount": "0", "grandTotal": "1998.00"}}"#,
    ),
    (
        "rates without tax, amounts with tax",
        r#"{"products": [{"name": "Router", "quantity": 1, "rate": 1000, "discount": 0, "tax": 25, "amount": 1250}],
            "orderSummary": {"subTotal": 1000, "totalTax": 250, "totalDiscount": 0, "grandTotal": 1250}}"#,
    ),
    (
        "a coupon of 10 %, rounded on each line",
        r#"{"products": [
                {"name": "Kaffe", "quantity": 3, "rate": 33.33, "discount": 10.00, "tax": 25, "amount": 89.99},
                {"name": "Kanne", "quantity": 1, "rate": 149.95, "discount": 15.00, "tax": 25, "amount": 134.95},
                {"name": "Filter", "quantity": 2, "rate": 24.90, "discount": 4.98, "tax": 25, "amount": 44.82}],
            "orderSummary": {"subTotal": 299.74, "totalTax": 67.44, "totalDiscount": 29.98, "grandTotal": 337.20}}"#,
    ),
    (
        "a discount that includes tax, of a rate without",
        r#"{"products": [{"name": "Bukse", "quantity": 1, "rate": "200", "discount": "30", "tax": "25", "amount": "220"}],
            "orderSummary": {"subTotal": "200", "totalTax": "44", "totalDiscount": "24", "grandTotal": "220"}}"#,
    ),
    (
        "a discount without tax, an amount with tax",
        r#"{"products": [{"name": "Bukse", "quantity": 3, "rate": "200", "discount": "60", "tax": "25", "amount": "675"}],
            "orderSummary": {"subTotal": "600", "totalTax": "135", "totalDiscount": "60", "grandTotal": "675"}}"#,
    ),
    (
        "prices and discount that include tax",
        r#"{"products": [{"name": "Lue", "quantity": 2, "rate": 125, "discount": 25, "tax": 25, "amount": 225}],
            "orderSummary": {"subTotal": 180, "totalTax": 45, "totalDiscount": 0, "grandTotal": 225}}"#,
    ),
    (
        "a discount on the whole order, not on its lines",
        r#"{"products": [{"name": "Stol", "quantity": 2, "rate": 500, "tax": 25, "amount": 1000}],
            "orderSummary": {"subTotal": 1000, "totalTax": 225, "totalDiscount": 100, "grandTotal": 1125}}"#,
    ),
    (
        "a gift card as a negative line",
        r#"{"products": [
                {"name": "Jakke", "quantity": 1, "rate": 1200, "tax": 25, "amount": 1200},
                {"name": "Gavekort", "quantity": 1, "rate": -500, "tax": 0, "amount": -500}],
            "orderSummary": {"subTotal": 700, "totalTax": 300, "totalDiscount": 0, "grandTotal": 1000}}"#,
    ),
    (
        "a gift card as a negative line, which counts as a discount",
        r#"{"products": [
                {"name": "Jakke", "quantity": 1, "rate": 1200, "tax": 25, "amount": 1500},
                {"name": "Gavekort", "quantity": "1", "rate": "-500.00", "tax": "0", "amount": "-500.00"}],
            "orderSummary": {"subTotal": 1200, "totalTax": 300, "totalDiscount": 500, "grandTotal": 1000}}"#,
    ),
    (
        "shipping and a fee as lines",
        r#"{"products": [
                {"name": "Sko", "productId": "S-42", "quantity": 1, "rate": "799.20", "discount": 0, "tax": 25, "amount": "799.20"},
                {"name": "Frakt", "quantity": 1, "rate": "79.20", "discount": null, "tax": 25, "amount": "79.20"},
                {"name": "Fakturagebyr", "quantity": 1, "rate": "39.20", "discount": "", "tax": 25, "amount": "39.20"}],
            "orderSummary": {"subTotal": "917.60", "totalTax": "229.40", "totalDiscount": "0.00", "grandTotal": "1147.00"}}"#,
    ),
    (
        "free shipping and a gift",
        r#"{"products": [
                {"name": "Bok", "quantity": 1, "rate": 349, "tax": 0, "amount": 349},
                {"name": "Bokmerke", "quantity": 1, "rate": 0, "tax": 25, "amount": 0},
                {"name": "Fri frakt", "quantity": 1, "rate": "49.00", "discount": "49.00", "tax": 25, "amount": "0.00"}],
            "orderSummary": {"subTotal": 398, "totalTax": 0, "totalDiscount": 49, "grandTotal": 349}}"#,
    ),
    (
        "fractional quantities",
        r#"{"products": [
                {"name": "Laks, kg", "quantity": "1.375", "rate": "189.90", "tax": 15, "amount": "261.11"},
                {"name": "Poteter, kg", "quantity": 0.75, "rate": 32.50, "tax": 15, "amount": 24.38}],
            "orderSummary": {"subTotal": "285.49", "totalTax": "42.82", "totalDiscount": "0", "grandTotal": "328.31"}}"#,
    ),
    (
        "four tax rates",
        r#"{"products": [
                {"name": "Roman", "quantity": 1, "rate": 349, "tax": 0, "amount": 349},
                {"name": "Sjokolade", "quantity": 4, "rate": 27.90, "tax": 15, "amount": 111.60},
                {"name": "Kinobillett", "quantity": 2, "rate": 125, "tax": 12, "amount": 250},
                {"name": "Lampe", "quantity": 1, "rate": 599.20, "tax": 25, "amount": 599.20}],
            "orderSummary": {"subTotal": 1309.80, "totalTax": 196.54, "totalDiscount": 0, "grandTotal": 1506.34}}"#,
    ),
    (
        "a total that is rounded to whole kroner",
        r#"{"products": [{"name": "Sykkelhjelm", "quantity": 1, "rate": "1079.60", "tax": 25, "amount": "1079.60"}],
            "orderSummary": {"subTotal": "1079.60", "totalTax": "269.90", "totalDiscount": "0", "grandTotal": "1350"}}"#,
    ),
    (
        "a price for a hundred, rounded to each",
        r#"{"products": [{"name": "Skruer", "quantity": 150, "rate": 0.67, "tax": 25, "amount": 100.00}],
            "orderSummary": {"subTotal": 100, "totalTax": 25, "totalDiscount": 0, "grandTotal": 125}}"#,
    ),
    (
        "a rate finer than an øre",
        r#"{"products": [{"name": "Strøm, kWh", "quantity": "412.7", "rate": "0.98765", "tax": 25, "amount": "407.60"}],
            "orderSummary": {"subTotal": "407.60", "totalTax": "101.90", "totalDiscount": "0", "grandTotal": "509.50"}}"#,
    ),
    (
        "four decimals, the last two of them zeros",
        r#"{"products": [{"name": "Teppe", "quantity": "1.0000", "rate": "250.0000", "discount": "0.0000", "tax": "25.0000",
                "amount": "250.0000"}],
            "orderSummary": {"subTotal": "250.0000", "totalTax": "62.5000", "totalDiscount": "0.000000", "grandTotal": 312.500}}"#,
    ),
    (
        "an order that is paid in full by a coupon",
        r#"{"products": [
                {"name": "Vin", "quantity": 6, "rate": 150, "discount": 900, "tax": 25, "amount": 0}],
            "orderSummary": {"subTotal": 900, "totalTax": 0, "totalDiscount": 900, "grandTotal": 0}}"#,
    ),
];

#[test]
fn shops_compute_in_many_ways() {
    for (name, figures) in FIGURES {
        let figures: Value = serde_json::from_str(figures).expect(name);
        let mut order = example();
        order["products"] = figures["products"].clone();
        order["orderSummary"] = figures["orderSummary"].clone();
        assert_eq!((faults(&order), warnings(&order)), (vec![], vec![]), "{name}");
    }
}

/// Phone numbers, addresses and identity numbers.
const CUSTOMERS: [(&str, &str); 21] = [
    ("a Norwegian number that begins with 47", r#"{"countryCode": "+47", "msisdn": "47123456"}"#),
    ("a Norwegian machine's number", r#"{"countryCode": "+47", "msisdn": "580012345678"}"#),
    ("a Swedish mobile", r#"{"countryCode": "+46", "msisdn": "701234567"}"#),
    ("a Swedish number in Lund", r#"{"countryCode": "+46", "msisdn": "46123456"}"#),
    ("a Danish number that begins with 45", r#"{"countryCode": "+45", "msisdn": "45123456"}"#),
    ("a Finnish mobile", r#"{"countryCode": "+358", "msisdn": "401234567"}"#),
    ("a Finnish number that begins with 358", r#"{"countryCode": "+358", "msisdn": "358123456"}"#),
    ("an Icelandic number", r#"{"countryCode": "+354", "msisdn": "3541234"}"#),
    ("an Italian number, with its 0", r#"{"countryCode": "+39", "msisdn": "0612345678"}"#),
    ("a Polish number in Radom", r#"{"countryCode": "+48", "msisdn": "481234567"}"#),
    ("a German mobile", r#"{"countryCode": "+49", "msisdn": "15112345678"}"#),
    ("a German number in Leer", r#"{"countryCode": "+49", "msisdn": "49112345678"}"#),
    (
        "a Brazilian number with area code 55, of which the bridge knows no length",
        r#"{"countryCode": "+55", "msisdn": "55912345678"}"#,
    ),
    ("an American number", r#"{"countryCode": "+1", "msisdn": "2125550123"}"#),
    (
        "a Swede",
        r#"{"personalNumber": "81020300000", "address": {"street": "Drottninggatan 1", "zip": "111 22", "city": "Stockholm",
            "country": "SE"}}"#,
    ),
    (
        "a Briton",
        r#"{"countryCode": "+44", "msisdn": "7400123456", "personalNumber": "AB123456C12",
            "address": {"street": "Downing Street 10", "zip": "SW1A 1AA", "city": "London", "country": "GB"}}"#,
    ),
    (
        "a person on Svalbard with a D-number",
        r#"{"personalNumber": "41819077906", "address": {"street": "Vei 500", "zip": "9170", "city": "Longyearbyen",
            "country": "SJ"}}"#,
    ),
    (
        "a zip with white space around it",
        r#"{"address": {"street": "Torget 1", "zip": " 0010 ", "city": "Oslo", "country": "NO"}}"#,
    ),
    ("a Norwegian company", r#"{"type": "corporate", "personalNumber": "", "organizationId": "974760673"}"#),
    ("a company of the test register", r#"{"type": "corporate", "personalNumber": null, "organizationId": "310000000"}"#),
    (
        "a Danish company",
        r#"{"type": "corporate", "personalNumber": null, "organizationId": "DK12345678",
            "address": {"street": "Strøget 1", "zip": "1160", "city": "København", "country": "DK"}}"#,
    ),
];

#[test]
fn customers_are_of_many_kinds() {
    let personal = ["30908299902", "03851598730", "30108299939", "20036914700", "29020073150", "55102499947"];
    let customers = CUSTOMERS.map(|(name, customer)| (name, serde_json::from_str(customer).expect(name)));
    let persons = personal.map(|number| (number, json!({"personalNumber": number})));
    let companies = ["925710482", "210000003", "810000007"]
        .map(|number| (number, json!({"type": "corporate", "personalNumber": null, "organizationId": number})));
    for (name, customer) in customers.into_iter().chain(persons).chain(companies) {
        let mut order = example();
        for (member, value) in customer.as_object().expect(name) {
            order["customerDetails"][member] = value.clone();
        }
        assert_eq!((faults(&order), warnings(&order)), (vec![], vec![]), "{name}");
    }
}

#[test]
fn members_of_the_page_and_of_its_later_revisions_are_known() {
    for (pointer, value) in [
        ("/settings", json!({"secureDetails": true})),
        ("/settings", json!({"secureDetails": null})),
        ("/fpgoUuid", json!(null)),
        ("/orderFrom", json!("")),
        ("/customerDetails/organizationId", json!(null)),
        ("/products", json!({"0": example()["products"][0]})),
        ("/products/0/discount", json!("")),
    ] {
        taken(pointer, value);
    }
}

#[test]
fn whatever_can_be_found_is_a_reference() {
    for reference in ["1", "0", "#1001", "ordre 1001/b", " 1001 ", "null", "ø"] {
        taken("/referenceNo", json!(reference));
    }
}
