//! Every error of a document, and every member that is not on the provider's page, by docs/api.md.

use std::collections::BTreeMap;

use front_payment_bridge::order::Violation;

use crate::fields::{
    ADDRESS, CALLBACK, CUSTOMER, Field, LINE, NOT_ALLOWED, ORGANIZATION_ID, OUT_OF_RANGE, PERSONAL_NUMBER, ROOT, SETTINGS,
    SUMMARY, Verdict, WRONG_TYPE, wrong,
};
use crate::tree::{Tree, member};
use crate::{NOW, by_value, code};

/// The start of 15 June 2026 in Oslo, which is two hours ahead of UTC.
const TODAY: i64 = NOW - 7_200;
/// The most errors of one reply.
pub const MAX_ERRORS: usize = 1_000;

/// What is wrong with a document, by JSON pointer.
#[derive(Default)]
pub struct Findings {
    pub errors: BTreeMap<String, Verdict>,
    /// Mistakes that matter only for a fresh submission attempt, not for a repetition.
    pub fresh_only: BTreeMap<String, Verdict>,
    /// Members that are not on the provider's page, each with the known member that differs only in capitals.
    pub unknown: BTreeMap<String, Option<&'static str>>,
}

pub fn judge(document: &Tree) -> Findings {
    let mut findings = Findings::default();
    let Tree::Object(_) = document else {
        findings.errors.insert(String::new(), WRONG_TYPE);
        return findings;
    };
    const OBJECTS: &[&str] = &["products", "orderSummary", "customerDetails", "callback", "settings"];
    findings.fields("", Some(document), ROOT.iter(), OBJECTS);
    findings.products(document.at("/products"));
    findings.object("/orderSummary", document, |findings, at, value| findings.fields(at, value, SUMMARY.iter(), &[]));
    findings.object("/customerDetails", document, Findings::customer);
    findings.object("/callback", document, |findings, at, value| findings.fields(at, value, CALLBACK.iter(), &[]));
    match document.given("/settings") {
        None => {}
        Some(Tree::Array(items)) if items.is_empty() => {}
        Some(settings @ Tree::Object(_)) => findings.fields("/settings", Some(settings), SETTINGS.iter(), &[]),
        Some(_) => findings.error("/settings".to_owned(), WRONG_TYPE),
    }
    let date = document.text_at("/orderDate").filter(|_| !findings.errors.contains_key("/orderDate"));
    if date.and_then(|date| date.parse().ok()).is_some_and(|date: i64| date < TODAY) {
        findings.fresh_only.insert("/orderDate".to_owned(), OUT_OF_RANGE);
    }
    findings
}

impl Findings {
    fn error(&mut self, pointer: String, verdict: Verdict) {
        if !verdict.codes.is_empty() {
            self.errors.insert(pointer, verdict);
        }
    }

    /// A required object. If it is missing, its required members count as missing too.
    fn object(&mut self, at: &str, document: &Tree, members: impl FnOnce(&mut Self, &str, Option<&Tree>)) {
        match document.at(at) {
            Some(Tree::Bare(null)) if null == "null" => self.missing(at, members),
            None => self.missing(at, members),
            Some(object @ Tree::Object(_)) => members(self, at, Some(object)),
            Some(Tree::Text(text)) if text.trim().is_empty() => self.error(at.to_owned(), wrong(&["required", "wrong_type"])),
            Some(_) => self.error(at.to_owned(), WRONG_TYPE),
        }
    }

    fn missing(&mut self, at: &str, members: impl FnOnce(&mut Self, &str, Option<&Tree>)) {
        self.error(at.to_owned(), wrong(&["required"]));
        members(self, at, None);
    }

    fn fields<'f>(&mut self, at: &str, object: Option<&Tree>, fields: impl Iterator<Item = &'f Field>, others: &[&'static str]) {
        let members = match object {
            Some(Tree::Object(members)) => Some(members),
            _ => None,
        };
        let mut known = others.to_vec();
        for field in fields {
            known.push(field.name);
            let value = members.and_then(|members| members.get(field.name));
            let verdict = match value.filter(|value| **value != Tree::Bare("null".to_owned())) {
                None if field.is_required => wrong(&["required"]),
                None => continue,
                Some(Tree::Text(text)) if field.is_required && text.trim().is_empty() => wrong(&["required", "wrong_type"]),
                Some(value) if value.is_absent() => continue,
                Some(value) => (field.check)(value),
            };
            self.error(member(at, field.name), verdict);
        }
        for name in members.into_iter().flatten().map(|(name, _)| name).filter(|name| !known.contains(&name.as_str())) {
            let meant = known.iter().find(|known| known.eq_ignore_ascii_case(name)).copied();
            self.unknown.insert(member(at, name), meant);
        }
    }

    fn products(&mut self, products: Option<&Tree>) {
        let at = "/products";
        let products = match products {
            None => return self.error(at.to_owned(), wrong(&["required"])),
            Some(value) if value.is_absent() => return self.error(at.to_owned(), wrong(&["required", "wrong_type"])),
            Some(products) => products,
        };
        let Some(lines) = products.items() else { return self.error(at.to_owned(), WRONG_TYPE) };
        if !(1..=1_000).contains(&lines.len()) {
            self.error(at.to_owned(), OUT_OF_RANGE);
        }
        for (index, line) in lines.into_iter().enumerate() {
            let at = format!("{at}/{index}");
            let Tree::Object(_) = line else {
                self.error(at, WRONG_TYPE);
                continue;
            };
            self.fields(&at, Some(line), LINE.iter(), &[]);
            let tax = line.text_at("/tax").filter(|_| !self.errors.contains_key(&format!("{at}/tax"))).map(by_value);
            if tax.is_some_and(|tax| ![".", "12.", "15.", "25."].contains(&tax.as_str())) {
                self.fresh_only.insert(format!("{at}/tax"), NOT_ALLOWED);
            }
        }
    }

    fn customer(&mut self, at: &str, customer: Option<&Tree>) {
        let kind = customer.and_then(|customer| customer.text_at("/type"));
        let number = Field { is_required: kind == Some("private"), ..PERSONAL_NUMBER };
        let organization = Field { is_required: kind == Some("corporate"), ..ORGANIZATION_ID };
        self.fields(at, customer, CUSTOMER.iter().chain([&number, &organization]), &["address"]);
        let nothing = Tree::Object(BTreeMap::new());
        let mut inside = Self::default();
        inside.object("/address", customer.unwrap_or(&nothing), |findings, at, value| {
            findings.fields(at, value, ADDRESS.iter(), &[]);
        });
        self.errors.extend(inside.errors.into_iter().map(|(pointer, verdict)| (format!("{at}{pointer}"), verdict)));
        self.unknown.extend(inside.unknown.into_iter().map(|(pointer, meant)| (format!("{at}{pointer}"), meant)));
    }
}

/// Fails unless the bridge found exactly the expected errors.
pub fn agree(found: &[Violation], expected: &BTreeMap<String, Verdict>) {
    let mut codes = BTreeMap::new();
    for violation in found {
        let verdict = expected.get(&violation.pointer).unwrap_or_else(|| panic!("{violation:?}, where nothing is wrong"));
        assert!(verdict.codes.contains(&code(violation).as_str()), "{violation:?}, where it is {verdict:?}");
        assert!(codes.insert(&violation.pointer, code(violation)).is_none(), "{} twice", violation.pointer);
    }
    if found.len() < MAX_ERRORS {
        let missed = expected.iter().find(|(pointer, verdict)| verdict.must && !codes.contains_key(pointer));
        assert!(missed.is_none(), "{missed:?} is not found");
    }
}
