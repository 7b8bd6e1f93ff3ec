//! Every warning that an accepted document must get, by docs/api.md.

use std::collections::{BTreeMap, BTreeSet};

use front_payment_bridge::order::Violation;
use jiff::civil::Date;

use crate::rules::Findings;
use crate::tree::Tree;
use crate::{by_value, code, money};

/// The most warnings of one reply.
pub const MAX_WARNINGS: usize = 100;

type Finding = (String, &'static str);

/// Warnings that must be there, and warnings that this check leaves open because it does not compute the rule.
#[derive(Default)]
pub struct Advice {
    must: BTreeSet<Finding>,
    open: BTreeSet<Finding>,
}

impl Advice {
    pub fn of(document: &Tree, findings: &Findings, has_key: bool) -> Self {
        let mut advice = Self::default();
        let text = |pointer: &str| document.text_at(pointer);
        for pointer in findings.unknown.keys() {
            advice.if_true(Some(true), pointer, "unknown_field");
        }
        for index in 0..document.at("/products").and_then(Tree::items).map_or(0, |lines| lines.len()) {
            let is_plausible = document.at(&format!("/products/{index}")).and_then(money::is_amount_plausible);
            advice.if_true(is_plausible.map(|is| !is), &format!("/products/{index}/amount"), "lines_mismatch");
        }
        advice.if_true(money::is_sub_total_plausible(document).map(|is| !is), "/orderSummary/subTotal", "lines_mismatch");
        advice.if_true(money::is_grand_total_plausible(document).map(|is| !is), "/orderSummary/grandTotal", "totals_mismatch");
        // Left open: which part of a discount is tax needs the rule itself.
        advice.if_true(None, "/orderSummary/totalTax", "tax_mismatch");
        for sum in ["subTotal", "totalTax", "totalDiscount", "grandTotal"] {
            let pointer = format!("/orderSummary/{sum}");
            let is_finer =
                text(&pointer).is_some_and(|figure| by_value(figure).split_once('.').is_some_and(|(_, f)| f.len() > 2));
            advice.if_true(Some(is_finer), &pointer, "too_precise");
        }
        for (pointer, value) in document.leaves() {
            let is_perhaps_garbled = value.text().is_some_and(|text| text.contains(|c| ('\u{80}'..='\u{ff}').contains(&c)));
            advice.if_true(if is_perhaps_garbled { None } else { Some(false) }, &pointer, "unlikely_format");
        }
        let reference = text("/referenceNo").is_some_and(|reference| !reference.trim().is_empty());
        advice.if_true(Some(!reference), "/referenceNo", "recommended");
        advice.if_true(Some(!has_key), "", "recommended");

        let country = text("/customerDetails/address/country").unwrap_or_default();
        let is_norwegian = ["NO", "SJ", "BV"].contains(&country);
        let bad = |pointer: &str, is_number: fn(&[u32]) -> bool| {
            let digits = text(pointer).map(|text| text.chars().map(|c| c.to_digit(10)).collect::<Option<Vec<_>>>());
            Some(is_norwegian && digits.is_some_and(|digits| !digits.is_some_and(|digits| is_number(&digits))))
        };
        let (person, organization) = ("/customerDetails/personalNumber", "/customerDetails/organizationId");
        advice.if_true(bad(person, is_personal_number), person, "bad_check_digits");
        advice.if_true(bad(organization, is_organization_number), organization, "bad_check_digits");

        let zip = text("/customerDetails/address/zip").unwrap_or_default().trim();
        let is_zip = zip.len() == 4 && zip.bytes().all(|byte| byte.is_ascii_digit());
        advice.if_true(Some(country == "NO" && !is_zip), "/customerDetails/address/zip", "unlikely_format");
        let msisdn = text("/customerDetails/msisdn").unwrap_or_default();
        let is_odd = is_phone_odd(text("/customerDetails/countryCode").unwrap_or_default(), msisdn);
        advice.if_true(is_odd, "/customerDetails/msisdn", "unlikely_format");
        advice
    }

    fn if_true(&mut self, is: Option<bool>, pointer: &str, code: &'static str) {
        match is {
            Some(true) => self.must.insert((pointer.to_owned(), code)),
            None => self.open.insert((pointer.to_owned(), code)),
            Some(false) => false,
        };
    }

    /// Fails unless the warnings are exactly the expected ones, with or without the open ones.
    pub fn agrees(&self, warnings: &[Violation]) {
        let found: BTreeSet<(&str, String)> = warnings.iter().map(|warning| (warning.pointer.as_str(), code(warning))).collect();
        assert_eq!(found.len(), warnings.len(), "a warning twice: {warnings:?}");
        let has = |list: &BTreeSet<Finding>, (pointer, code): &(&str, String)| {
            list.iter().any(|(known, known_code)| known == pointer && known_code == code)
        };
        // Left open at every text: whether it is garbled, this check does not compute.
        let is_open = |warning: &(&str, String)| has(&self.open, warning) || warning.1 == "unlikely_format";
        let odd = found.iter().find(|warning| !has(&self.must, warning) && !is_open(warning));
        assert!(odd.is_none(), "{odd:?}, where nothing is odd");
        if self.must.len() + self.open.len() <= MAX_WARNINGS {
            let missed = self.must.iter().find(|(pointer, code)| !found.contains(&(pointer.as_str(), (*code).to_owned())));
            assert!(missed.is_none(), "{missed:?} is not warned of");
        }
    }
}

/// Each unknown member is reported. If it differs from a known member only in capitals, the report suggests that one.
pub fn are_unknown(reported: &[&Violation], unknown: &BTreeMap<String, Option<&'static str>>) {
    for violation in reported {
        let meant = unknown.get(&violation.pointer).unwrap_or_else(|| panic!("{violation:?} is on the page"));
        assert!(meant.is_none_or(|meant| violation.detail.contains(meant)), "{violation:?}, not {meant:?}");
    }
}

fn weigh(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 11
}

/// Eleven digits with a date of birth since 1900, and check digits by today's rule or by the rule from 2032.
fn is_personal_number(digits: &[u32]) -> bool {
    let [d1, d2, m1, m2, y1, y2, ..] = digits else { return false };
    let part = |tens: u32, ones: u32| i16::try_from(tens * 10 + ones).unwrap_or_default();
    let is_day = |day: i16, month: i16| {
        let narrow = |number: i16| i8::try_from(number).unwrap_or_default();
        [1900, 2000].iter().any(|century| Date::new(century + part(*y1, *y2), narrow(month), narrow(day)).is_ok())
    };
    let (day, month) = (part(*d1, *d2), part(*m1, *m2));
    let is_date =
        [day, day - 40].into_iter().any(|day| [month, month - 40, month - 80].into_iter().any(|month| is_day(day, month)));
    let first = weigh(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]);
    digits.len() == 11 && is_date && first <= 3 && weigh(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) == 0
}

fn is_organization_number(digits: &[u32]) -> bool {
    digits.len() == 9 && [2, 3, 8, 9].contains(&digits[0]) && weigh(digits, &[3, 2, 7, 6, 5, 4, 3, 2, 1]) == 0
}

/// `None`, left open, for all countries but Norway and Denmark: this check does not know how long their numbers are.
fn is_phone_odd(country_code: &str, msisdn: &str) -> Option<bool> {
    let code = country_code.trim_start_matches('+');
    if msisdn.starts_with("00") || (msisdn.starts_with('0') && country_code != "+39") {
        Some(true)
    } else if !msisdn.starts_with(code) {
        Some(false)
    } else if ["+47", "+45"].contains(&country_code) {
        Some(msisdn.len() > 8)
    } else {
        None
    }
}
