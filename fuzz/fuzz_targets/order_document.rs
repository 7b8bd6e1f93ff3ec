//! An input is a shop's document. It must be refused only for real mistakes, and an accepted one must be forwarded
//! unchanged.
#![no_main]

use std::sync::LazyLock;

use front_payment_bridge::front_payment::wire;
use front_payment_bridge::order::json::Malformed;
use front_payment_bridge::order::{Decimal, Invalid, Rules, Validated, Violation, parse_tax_rates, validate};
use front_payment_bridge_fuzz::advice::{Advice, MAX_WARNINGS, are_unknown};
use front_payment_bridge_fuzz::json::{self, Fault};
use front_payment_bridge_fuzz::rules::{self, Findings, MAX_ERRORS, agree};
use front_payment_bridge_fuzz::tree::Tree;
use front_payment_bridge_fuzz::{ADVISORY, ERRORS, NOW, code, fields, is_plain_decimal, is_pointer};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

/// How many findings of one document are checked one by one; further ones are of the same kinds, and slow.
const LOOKED_AT: usize = 40;

static TAX_RATES: LazyLock<Vec<Decimal>> = LazyLock::new(|| parse_tax_rates("0,12,15,25").expect("the default"));

fuzz_target!(|document: &[u8]| {
    // An arbitrary choice that depends on the input only.
    let has_key = document.len() % 2 == 0;
    let (warn, enforce) = (judge(document, false, has_key), judge(document, true, has_key));
    let skipped = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let tree = match std::str::from_utf8(skipped).map(|text| (text, json::read(text))) {
        Ok((_, Ok(tree))) => tree,
        not_json => {
            let (Err(Invalid::Malformed(said)), Err(Invalid::Malformed(again))) = (warn, enforce) else {
                panic!("this is no JSON")
            };
            assert_eq!(said, again);
            is_named(&said, skipped, not_json.ok().and_then(|(text, read)| Some((text, read.err()?))));
            return;
        }
    };
    let findings = rules::judge(&tree);
    match (&warn, &enforce) {
        (Err(Invalid::Violations { errors, warnings }), Err(Invalid::Violations { errors: enforced, warnings: none })) => {
            let both = findings.errors.clone().into_iter().chain(findings.fresh_only.clone()).collect();
            agree(errors, &both);
            assert!(!errors.is_empty() && enforced.starts_with(errors) && none.is_empty(), "{errors:?} and {enforced:?}");
            check(enforced, MAX_ERRORS, |code| ERRORS.contains(&code) || ADVISORY.contains(&code), &tree);
            check(warnings, MAX_WARNINGS, |code| code == "unknown_field", &tree);
            are_unknown(&warnings.iter().collect::<Vec<_>>(), &findings.unknown);
            assert_eq!(warnings.len(), findings.unknown.len().min(MAX_WARNINGS), "{warnings:?}");
        }
        (Ok(warned), Ok(enforced)) => {
            agree(&[], &findings.errors);
            agree(&warned.fresh_only, &findings.fresh_only);
            check(&warned.fresh_only, MAX_ERRORS, |code| ERRORS.contains(&code), &tree);
            check(&warned.warnings, MAX_WARNINGS, |code| ADVISORY.contains(&code), &tree);
            Advice::of(&tree, &findings, has_key).agrees(&warned.warnings);
            let unknown: Vec<_> = warned.warnings.iter().filter(|warning| code(warning) == "unknown_field").collect();
            are_unknown(&unknown, &findings.unknown);
            let both: Vec<_> = warned.fresh_only.iter().chain(&warned.warnings).take(MAX_ERRORS).cloned().collect();
            assert!(enforced.fresh_only.starts_with(&both) && enforced.fresh_only.len() <= MAX_ERRORS);
            assert_eq!(warned.warnings, enforced.warnings);
            let forwarded = is_forwarded(&tree, warned, &findings, has_key);
            is_the_same_order(forwarded, warned, document.len());
        }
        _ => panic!("judged otherwise where advisories are enforced, or not read: {findings:?}", findings = findings.errors),
    }
});

fn judge(document: &[u8], enforce_advisories: bool, has_idempotency_key: bool) -> Result<Validated, Invalid> {
    let now = Timestamp::from_second(NOW).expect("a time");
    validate(document, &Rules { now, tax_rates: &TAX_RATES, enforce_advisories, has_idempotency_key })
}

/// A document that is not JSON is refused with what it is instead, or with the place and the reason of the fault.
fn is_named(malformed: &Malformed, document: &[u8], fault: Option<(&str, Fault)>) {
    let start = document.trim_ascii_start();
    let said = malformed.to_string();
    assert!(said.len() < 700 && said.chars().all(|c| !c.is_control()), "{said}");
    match malformed {
        Malformed::Empty => assert!(start.is_empty()),
        Malformed::Compressed => assert!(document.starts_with(b"\x1f\x8b")),
        Malformed::Form => assert!(start.contains(&b'=') || start.starts_with(b"--"), "{start:?}"),
        Malformed::Encoding(byte) => {
            let error = std::str::from_utf8(document).expect_err("not UTF-8");
            assert_eq!(*byte, error.valid_up_to() + 1);
        }
        Malformed::Syntax { line, column, reason } => {
            let (text, fault) = fault.expect("it is UTF-8");
            assert!(fault.is_at(text, *line, *column), "{said}, not {fault:?}");
            let quoted = fault.repeated.map(|name| format!("{:?}", name.chars().take(40).collect::<String>()));
            assert!(quoted.is_none_or(|name| reason.contains(&name)), "{said}");
            let is_name = |byte: &u8| byte.is_ascii_lowercase();
            let name = start.iter().take_while(|byte| is_name(byte)).count();
            assert!(!start.is_empty() && !start.starts_with(b"\x1f\x8b"), "{said}");
            assert!(name == 0 || start.get(name) != Some(&b'='), "a form: {said}");
        }
    }
}

/// Findings are not too many and of a known kind. They point at an existing place, and do not quote its value.
fn check(found: &[Violation], most: usize, is_allowed: impl Fn(&str) -> bool, tree: &Tree) {
    assert!(found.len() <= most, "{} findings", found.len());
    let telling = |text: &&str| text.len() >= 5 && text.bytes().filter(u8::is_ascii_digit).count() >= 5;
    for violation in found.iter().take(LOOKED_AT) {
        let (code, pointer) = (code(violation), &violation.pointer);
        assert!(is_allowed(&code) && is_pointer(pointer) && !violation.detail.is_empty(), "{violation:?}");
        let place = tree.at(pointer);
        assert!(place.is_some() || ["required", "recommended"].contains(&code.as_str()), "{violation:?} points nowhere");
        if let Some(value) = place.and_then(Tree::text).filter(telling) {
            assert!(!violation.detail.contains(value), "{violation:?} quotes the value");
        }
    }
}

/// A forwarded document has nothing new but the defaults, loses nothing, and changes only what programming languages write
/// differently.
fn is_forwarded(tree: &Tree, validated: &Validated, findings: &Findings, has_key: bool) -> Tree {
    let order = &validated.order;
    let body = wire::body(order, &order.callback.callback).expect("an order can be written");
    let forwarded = std::str::from_utf8(&body).ok().and_then(|body| json::read(body).ok()).expect("what is sent is JSON");
    let is_unknown = |pointer: &str| findings.unknown.keys().any(|known| pointer.strip_prefix(known.as_str()).is_some_and(ends));
    for (pointer, value) in forwarded.leaves() {
        let default = match pointer.as_str() {
            "/invoiceMaturity" => Some(Tree::Bare("10".to_owned())),
            "/customerDetails/preferredLanguage" => Some(Tree::Text("no".to_owned())),
            _ => None,
        };
        let sent = tree.given(&pointer).filter(|_| !is_unknown(&pointer)).map(|sent| as_forwarded(&pointer, sent));
        assert!(sent.as_ref().or(default.as_ref()) == Some(value), "{pointer} was {sent:?} and became {value:?}");
    }
    for (pointer, value) in tree.leaves() {
        assert!(value.is_absent() || is_unknown(&pointer) || forwarded.at(&pointer).is_some(), "{pointer} is lost");
    }
    assert!(matches!(forwarded.at("/products"), Some(Tree::Array(_))), "products are an array");

    let again = judge(&body, false, has_key).unwrap_or_else(|invalid| panic!("accepted once, then {invalid:?}"));
    assert_eq!(again.order.fingerprint("key"), order.fingerprint("key"), "another order");
    assert_eq!(wire::body(&again.order, &order.callback.callback).expect("as before"), body);
    assert_eq!(again.fresh_only, validated.fresh_only);
    let known: Vec<_> = validated.warnings.iter().filter(|warning| code(warning) != "unknown_field").cloned().collect();
    assert_eq!(again.warnings, known);
    forwarded
}

/// Whether the rest of a pointer is empty or leads to a member inside.
fn ends(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

fn as_forwarded(pointer: &str, sent: &Tree) -> Tree {
    match pointer {
        "/invoiceFeeApplicable" | "/separateInvoices" | "/settings/secureDetails" => {
            Tree::Bare(fields::flag(sent).expect("a boolean").to_string())
        }
        "/customerDetails/email" => Tree::Text(sent.text().expect("an address").trim().to_owned()),
        _ => sent.clone(),
    }
}

/// A changed value makes another order, except for fields that the comparison leaves out. Figures are compared by value.
fn is_the_same_order(mut forwarded: Tree, validated: &Validated, choice: usize) {
    let pointers: Vec<String> = forwarded.leaves().into_iter().map(|(pointer, _)| pointer).collect();
    let pointer = &pointers[choice / 2 % pointers.len()];
    let does_not_count =
        ["/orderDate", "/callback/callbackUrl", "/callback/success", "/callback/failure", "/customerDetails/personalNumber"];
    let name = pointer.rsplit('/').next().unwrap_or_default();
    let texts = ["msisdn", "personalNumber", "organizationId", "referenceNo", "customerReference", "name", "productId", "zip"];
    let is_text = texts.contains(&name) || ["street", "city", "orderDate"].contains(&name);
    let (changed, is_same) = match forwarded.at(pointer).expect("a leaf") {
        Tree::Bare(flag) if flag == "true" => (Tree::Bare("false".to_owned()), false),
        Tree::Bare(flag) if flag == "false" => (Tree::Bare("true".to_owned()), false),
        Tree::Bare(figure) | Tree::Text(figure) if !is_text && is_plain_decimal(figure) && choice % 4 < 2 => {
            (Tree::Text(format!("{figure}{}", if figure.contains('.') { "0" } else { ".0" })), true)
        }
        Tree::Bare(figure) => (Tree::Bare(format!("{figure}{}", if figure.contains('.') { "1" } else { ".1" })), false),
        Tree::Text(_) if name == "orderDate" => (Tree::Text("4070908801".to_owned()), true),
        Tree::Text(_) if name == "personalNumber" => (Tree::Text("abcdefghijk".to_owned()), true),
        Tree::Text(text) => (Tree::Text(format!("{text}1")), does_not_count.contains(&pointer.as_str())),
        Tree::Array(_) | Tree::Object(_) => return,
    };
    *forwarded.at_mut(pointer).expect("a leaf") = changed;
    // Most changes make the order invalid. Then there is nothing to compare.
    if let Ok(other) = judge(forwarded.to_string().as_bytes(), false, true) {
        let (one, other) = (validated.order.fingerprint("key"), other.order.fingerprint("key"));
        assert_eq!(one == other, is_same, "{pointer} of {forwarded}");
        assert_ne!(one, validated.order.fingerprint("another key"));
    }
}
