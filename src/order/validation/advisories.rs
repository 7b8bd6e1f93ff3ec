//! What looks wrong in an order that can be sent. A wrong warning is worse than none: each rule leaves room for every way
//! in which shops compute.

use bigdecimal::{BigDecimal, One, Zero};

use super::fields::Findings;
use super::{check_digits, phone, texts};
use crate::order::{Code, Decimal, Line, Summary};

/// Countries whose numbers and addresses the Norwegian registers contain: Norway, Svalbard and Jan Mayen, Bouvet Island.
const NORWEGIAN: [&str; 3] = ["NO", "SJ", "BV"];

pub(super) fn figure(at: String, figure: &Decimal, findings: &mut Findings) {
    if figure.places() > 2 {
        findings.advise(at, Code::TooPrecise, texts::TOO_PRECISE);
    }
}

pub(super) fn summary(at: String, summary: &Summary, findings: &mut Findings) {
    let total = summary.sub_total.value() + summary.total_tax.value() - summary.total_discount.value();
    if !is_near(&total, &summary.grand_total.value(), &BigDecimal::one()) {
        findings.advise(at, Code::TotalsMismatch, texts::TOTALS);
    }
}

/// A line's amount is quantity × rate, less the discount or not, with its tax or not. The discount may be subtracted before
/// the tax is added or after it.
pub(super) fn line(at: String, line: &Line, findings: &mut Findings) {
    let (amount, one) = (line.amount.value(), BigDecimal::one());
    let price = line.quantity.value() * line.rate.value();
    let with_tax = |price: &BigDecimal| price + price * line.tax.value() * percent();
    let is_near = |computed: &BigDecimal| is_near(computed, &amount, &one);
    let is_plausible = is_near(&price)
        || is_near(&with_tax(&price))
        || line.discount.as_ref().map(Decimal::value).is_some_and(|discount| {
            let less = &price - &discount;
            is_near(&less) || is_near(&with_tax(&less)) || is_near(&(with_tax(&price) - discount))
        });
    if !is_plausible {
        findings.advise_line(at, Code::LinesMismatch, texts::LINE_AMOUNT);
    }
}

/// The sum of the lines' prices or of their amounts is one of three totals: before the discount, after it, or with tax.
pub(super) fn lines(lines: &[Line], summary: &Summary, findings: &mut Findings) {
    let prices: BigDecimal = lines.iter().map(|line| line.quantity.value() * line.rate.value()).sum();
    let amounts: BigDecimal = lines.iter().map(|line| line.amount.value()).sum();
    let (sub_total, grand_total) = (summary.sub_total.value(), summary.grand_total.value());
    let less_discount = &sub_total - summary.total_discount.value();
    // Allows for the rounding of each line.
    let room = BigDecimal::new((100 + lines.len()).into(), 2);
    let is_plausible = [prices, amounts]
        .iter()
        .any(|sum| [&sub_total, &less_discount, &grand_total].iter().any(|total| is_near(sum, total, &room)));
    if !is_plausible {
        findings.advise("/orderSummary/subTotal", Code::LinesMismatch, texts::LINES_SUM);
    }
}

/// The tax is computed on the amounts, or is contained in them. How much of it totalDiscount removes is unknown, because a
/// coupon may apply to some lines only, with tax or without. It is at least nothing and at most the highest rate.
pub(super) fn tax(lines: &[Line], summary: &Summary, findings: &mut Findings) {
    if lines.iter().any(|line| line.tax.is_negative()) {
        return; // not an allowed rate, and -100 would divide by zero
    }
    let mut amounts: Vec<(&Decimal, BigDecimal)> = Vec::new();
    for line in lines {
        match amounts.iter_mut().find(|(rate, _)| **rate == line.tax) {
            Some((_, sum)) => *sum += line.amount.value(),
            None => amounts.push((&line.tax, line.amount.value())),
        }
    }
    let amounts: Vec<_> = amounts.into_iter().map(|(rate, sum)| (rate.value() * percent(), sum)).collect();
    let room = BigDecimal::new((100 + lines.len()).into(), 2);
    let highest = amounts.iter().map(|(rate, _)| rate).max().map_or_else(BigDecimal::zero, BigDecimal::clone);
    let most = &room + summary.total_discount.value() * highest;
    let is_plausible = |tax: BigDecimal| {
        let less = tax - summary.total_tax.value();
        less >= -&room && less <= most
    };
    let on_amounts = || amounts.iter().map(|(rate, sum)| sum * rate).sum();
    // The division keeps 100 digits, so its error is negligible.
    let within_amounts = || amounts.iter().map(|(rate, sum)| sum * rate / (BigDecimal::one() + rate)).sum();
    if !is_plausible(on_amounts()) && !is_plausible(within_amounts()) {
        findings.advise("/orderSummary/totalTax", Code::TaxMismatch, texts::TAX);
    }
}

/// A tax of 25 is 25 of these.
fn percent() -> BigDecimal {
    BigDecimal::new(1.into(), 2)
}

fn is_near(one: &BigDecimal, other: &BigDecimal, room: &BigDecimal) -> bool {
    (one - other).abs() <= *room
}

pub(super) fn personal_number(at: String, number: &str, country: &str, findings: &mut Findings) {
    if NORWEGIAN.contains(&country) && !check_digits::is_personal_number(number) {
        findings.advise(at, Code::BadCheckDigits, texts::PERSONAL_NUMBER_DIGITS);
    }
}

pub(super) fn organization_id(at: String, number: &str, country: &str, findings: &mut Findings) {
    if !NORWEGIAN.contains(&country) || check_digits::is_organization_number(number) {
        return;
    }
    let capitals = number.to_ascii_uppercase();
    let (is_no, rest) = capitals.strip_prefix("NO").map_or((false, capitals.as_str()), |rest| (true, rest));
    let (is_mva, rest) = rest.strip_suffix("MVA").map_or((false, rest), |rest| (true, rest));
    let is_number = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let detail = match (is_no, is_mva) {
        (true, true) if is_number => texts::ORGANIZATION_NO_MVA,
        (true, false) if is_number => texts::ORGANIZATION_NO,
        (false, true) if is_number => texts::ORGANIZATION_MVA,
        _ => texts::ORGANIZATION_DIGITS,
    };
    findings.advise(at, Code::BadCheckDigits, detail);
}

pub(super) fn msisdn(at: String, country_code: &str, msisdn: &str, findings: &mut Findings) {
    if let Some(doubt) = phone::doubt(country_code, msisdn) {
        findings.advise(at, Code::UnlikelyFormat, doubt);
    }
}

pub(super) fn zip(at: String, zip: &str, country: &str, findings: &mut Findings) {
    let zip = zip.trim();
    if country == "NO" && !(zip.len() == 4 && zip.bytes().all(|byte| byte.is_ascii_digit())) {
        findings.advise(at, Code::UnlikelyFormat, texts::ZIP);
    }
}

/// `is_given`: whether the order has a referenceNo, even an invalid one.
pub(super) fn reference_no(at: String, is_given: bool, findings: &mut Findings) {
    if !is_given {
        findings.advise(at, Code::Recommended, texts::NO_REFERENCE);
    }
}

pub(super) fn idempotency_key(is_given: bool, findings: &mut Findings) {
    if !is_given {
        findings.advise("", Code::Recommended, texts::NO_KEY);
    }
}
