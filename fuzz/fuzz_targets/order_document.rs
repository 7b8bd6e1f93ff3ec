//! A shop's document: what is refused is refused by the contract's words, and what is accepted goes
//! to Front Payment as it came.
#![no_main]

use std::sync::LazyLock;

use front_payment_bridge::front_payment::wire;
use front_payment_bridge::order::{Decimal, Invalid, Rules, Validated, Violation, parse_tax_rates, validate};
use front_payment_bridge_fuzz::tree::Tree;
use front_payment_bridge_fuzz::{ADVISORY, CODES, NOW, by_value, code, is_plain_decimal, is_pointer, significant_digits};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const DAY: i64 = 86_400;
const MAX_ERRORS: usize = 1_000;
const MAX_WARNINGS: usize = 100;
/// How many findings of one document are looked at closely: beyond, they repeat themselves.
const LOOKED_AT: usize = 40;

/// The provider's page, and `settings.secureDetails` of its later revisions.
const PAGE: [&str; 36] = [
    "/products/*/name",
    "/products/*/productId",
    "/products/*/quantity",
    "/products/*/rate",
    "/products/*/discount",
    "/products/*/tax",
    "/products/*/amount",
    "/orderSummary/subTotal",
    "/orderSummary/totalTax",
    "/orderSummary/totalDiscount",
    "/orderSummary/grandTotal",
    "/orderDate",
    "/customerDetails/type",
    "/customerDetails/countryCode",
    "/customerDetails/msisdn",
    "/customerDetails/email",
    "/customerDetails/name",
    "/customerDetails/preferredLanguage",
    "/customerDetails/personalNumber",
    "/customerDetails/organizationId",
    "/customerDetails/address/street",
    "/customerDetails/address/zip",
    "/customerDetails/address/city",
    "/customerDetails/address/country",
    "/referenceNo",
    "/customerReference",
    "/invoiceInterval",
    "/separateInvoices",
    "/invoiceFeeApplicable",
    "/invoiceMaturity",
    "/callback/callbackUrl",
    "/callback/success",
    "/callback/failure",
    "/settings/secureDetails",
    "/fpgoUuid",
    "/orderFrom",
];

static TAX_RATES: LazyLock<Vec<Decimal>> = LazyLock::new(|| parse_tax_rates("0,12,15,25").expect("the default"));

fuzz_target!(|document: &[u8]| {
    let tree = Tree::read(document);
    let warn = judge(document, false);
    let enforce = judge(document, true);
    match (&tree, &warn, &enforce) {
        (None, Err(Invalid::Malformed(malformed)), Err(Invalid::Malformed(_))) => {
            // It says where, never what.
            let said = malformed.to_string();
            assert!(said.len() < 100 && said.is_ascii(), "{said}");
        }
        (Some(tree), Err(Invalid::Violations(errors)), Err(Invalid::Violations(enforced))) => {
            assert!(!errors.is_empty() && enforced.starts_with(errors), "{errors:?} and {enforced:?}");
            check(enforced, MAX_ERRORS, |_| true, tree);
        }
        (Some(tree), Ok(warned), Ok(enforced)) => {
            check(&warned.fresh_only, MAX_ERRORS, |code| !ADVISORY.contains(&code), tree);
            check(&warned.warnings, MAX_WARNINGS, |code| ADVISORY.contains(&code), tree);
            let both: Vec<_> = warned.fresh_only.iter().chain(&warned.warnings).take(MAX_ERRORS).cloned().collect();
            assert!(enforced.fresh_only.starts_with(&both) && enforced.fresh_only.len() <= MAX_ERRORS);
            assert_eq!(warned.warnings, enforced.warnings);
            is_forwarded(tree, warned);
            obeys(tree, warned);
        }
        _ => panic!("read as {tree:?}, but judged otherwise"),
    }
});

fn judge(document: &[u8], enforce_advisories: bool) -> Result<Validated, Invalid> {
    let now = Timestamp::from_second(NOW).expect("a time");
    validate(document, &Rules { now, tax_rates: &TAX_RATES, enforce_advisories })
}

/// Findings are few enough, of a known kind, and point at what they are about, without quoting it.
fn check(found: &[Violation], most: usize, is_allowed: impl Fn(&str) -> bool, tree: &Tree) {
    assert!(found.len() <= most, "{} findings", found.len());
    let telling = |text: &&str| text.len() >= 5 && text.bytes().filter(u8::is_ascii_digit).count() >= 5;
    for violation in found.iter().take(LOOKED_AT) {
        let (code, pointer) = (code(violation), &violation.pointer);
        assert!(CODES.contains(&code.as_str()) && code != "provider" && is_allowed(&code), "{violation:?}");
        assert!(is_pointer(pointer), "{violation:?}");
        let place = tree.at(pointer);
        if code == "required" {
            let is_blank = |place: &Tree| place.is_absent() || place.text().is_some_and(|text| text.trim().is_empty());
            assert!(place.is_none_or(is_blank), "{violation:?}");
        } else {
            assert!(place.is_some(), "{violation:?} points nowhere");
        }
        if let Some(value) = place.and_then(Tree::text).filter(telling) {
            assert!(!violation.detail.contains(value), "{violation:?} quotes the value");
        }
    }
}

/// Nothing is added but the two defaults, nothing is changed, nothing is lost; and it is the same order still.
fn is_forwarded(tree: &Tree, validated: &Validated) {
    let order = &validated.order;
    let body = wire::body(order, &order.callback.callback).expect("an order can be written");
    let forwarded = Tree::read(&body).expect("what is sent is JSON");
    for (pointer, value) in forwarded.leaves() {
        assert!(PAGE.contains(&on_page(&pointer).as_str()), "{pointer} is not on the page");
        assert!(!["/fpgoUuid", "/orderFrom"].contains(&pointer.as_str()), "{pointer} changes another order");
        let sent = tree.at(&pointer).filter(|sent| !sent.is_absent());
        let default = match pointer.as_str() {
            "/invoiceMaturity" => Some(Tree::Bare("10".to_owned())),
            "/customerDetails/preferredLanguage" => Some(Tree::Text("no".to_owned())),
            _ => None,
        };
        assert!(sent.or(default.as_ref()) == Some(value), "{pointer} was {sent:?} and became {value:?}");
    }
    for (pointer, value) in tree.leaves() {
        if !value.is_absent() && PAGE.contains(&on_page(&pointer).as_str()) {
            assert!(forwarded.at(&pointer).is_some(), "{pointer} is lost");
        }
    }

    let again = judge(&body, false).unwrap_or_else(|invalid| panic!("accepted once, then {invalid:?}"));
    assert_eq!(again.order.fingerprint("key"), order.fingerprint("key"), "another order");
    assert_eq!(wire::body(&again.order, &order.callback.callback).expect("as before"), body);
    assert_eq!(again.fresh_only, validated.fresh_only);
    let known: Vec<_> = validated.warnings.iter().filter(|warning| code(warning) != "unknown_field").cloned().collect();
    assert_eq!(again.warnings, known);
}

/// `/products/17/tax` is `/products/*/tax`.
fn on_page(pointer: &str) -> String {
    match pointer.strip_prefix("/products/").and_then(|rest| rest.split_once('/')) {
        Some((_, name)) => format!("/products/*/{name}"),
        None => pointer.to_owned(),
    }
}

/// The rules for single values, once more.
fn obeys(tree: &Tree, validated: &Validated) {
    let text = |pointer: &str| tree.at(pointer).filter(|value| !value.is_absent()).and_then(Tree::text);
    let is_told = |pointer: &str| validated.fresh_only.iter().any(|violation| violation.pointer == pointer);
    let Some(Tree::Array(lines)) = tree.at("/products") else { panic!("no products") };
    assert!((1..=1_000).contains(&lines.len()));
    let figures = |line: &str, names: &[&str]| names.iter().map(|name| format!("{line}/{name}")).collect::<Vec<_>>();
    for index in 0..lines.len() {
        let line = format!("/products/{index}");
        for figure in figures(&line, &["quantity", "rate", "discount", "tax", "amount"]) {
            text(&figure).into_iter().for_each(is_figure);
        }
        let quantity = by_value(text(&format!("{line}/quantity")).expect("a quantity"));
        assert!(quantity != "." && !quantity.starts_with('-'), "a quantity of {quantity}");
        let tax = by_value(text(&format!("{line}/tax")).expect("a tax rate"));
        let is_allowed = [".", "12.", "15.", "25."].contains(&tax.as_str());
        // Of more than a thousand findings some are not listed.
        if validated.fresh_only.len() < MAX_ERRORS {
            assert_eq!(is_told(&format!("{line}/tax")), !is_allowed, "a tax rate of {tax}");
        }
        assert!(text(&format!("{line}/productId")).is_none_or(|id| id.chars().count() <= 25));
    }
    for sum in figures("/orderSummary", &["subTotal", "totalTax", "totalDiscount", "grandTotal"]) {
        let figure = text(&sum).expect("a sum");
        is_figure(figure);
        assert!(!by_value(figure).starts_with('-'), "{sum} is {figure}");
    }
    let date: i64 = text("/orderDate").filter(|date| date.len() <= 10).and_then(|date| date.parse().ok()).expect("a date");
    if !(NOW - DAY..NOW).contains(&date) {
        assert_eq!(is_told("/orderDate"), date < NOW, "dated {date}");
    }
    let (number, organization) = (text("/customerDetails/personalNumber"), text("/customerDetails/organizationId"));
    match text("/customerDetails/type") {
        Some("private") => assert!(number.is_some()),
        Some("corporate") => assert!(organization.is_some()),
        other => panic!("a customer of type {other:?}"),
    }
    assert!(number.is_none_or(|number| number.chars().count() == 11));
    assert!(organization.is_none_or(|id| id.chars().all(|c| c.is_ascii_alphanumeric())));
    for url in ["/callback/callbackUrl", "/callback/success", "/callback/failure"] {
        let parsed = url::Url::parse(text(url).expect("a URL")).expect("it is one");
        assert!(["http", "https"].contains(&parsed.scheme()) && parsed.host_str().is_some_and(|host| !host.is_empty()));
    }
    let is_one_of =
        |pointer: &str, allowed: &[&str]| text(pointer).is_none_or(|figure| allowed.contains(&by_value(figure).as_str()));
    assert!(is_one_of("/invoiceInterval", &[".", "1.", "2."]) && is_one_of("/invoiceMaturity", &["1.", "10."]));
    for refused in ["/fpgoUuid", "/orderFrom"] {
        assert!(tree.at(refused).is_none_or(Tree::is_absent), "{refused} was taken");
    }
}

fn is_figure(text: &str) {
    assert!(is_plain_decimal(text) && significant_digits(text) <= 28, "a figure of {text}");
}
