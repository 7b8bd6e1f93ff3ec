//! What looks wrong in an order that can be sent. A wrong warning is worse than none: each rule leaves room for every way
//! in which shops compute.

use bigdecimal::{BigDecimal, One, Zero};

use super::{check_digits, phone, texts};
use crate::order::{Code, Decimal, Line, Summary};

/// What a rule says of an order that looks wrong.
pub(super) type Advice = (Code, &'static str);

/// Countries whose numbers and addresses the Norwegian registers contain: Norway, Svalbard and Jan Mayen, Bouvet Island.
const NORWEGIAN: [&str; 3] = ["NO", "SJ", "BV"];

pub(super) fn figure(figure: &Decimal) -> Option<Advice> {
    (figure.places() > 2).then_some((Code::TooPrecise, texts::TOO_PRECISE))
}

pub(super) fn summary(summary: &Summary) -> Option<Advice> {
    let total = summary.sub_total.value() + summary.total_tax.value() - summary.total_discount.value();
    let is_plausible = is_near(&total, &summary.grand_total.value(), &BigDecimal::one());
    (!is_plausible).then_some((Code::TotalsMismatch, texts::TOTALS))
}

/// A line's amount is quantity × rate, less the discount or not, with its tax or not. The discount may be subtracted before
/// the tax is added or after it.
pub(super) fn line(line: &Line) -> Option<Advice> {
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
    (!is_plausible).then_some((Code::LinesMismatch, texts::LINE_AMOUNT))
}

/// The sum of the lines' prices or of their amounts is one of three totals: before the discount, after it, or with tax.
pub(super) fn lines(lines: &[Line], summary: &Summary) -> Option<Advice> {
    let prices = || lines.iter().map(|line| line.quantity.value() * line.rate.value()).sum();
    let amounts = || lines.iter().map(|line| line.amount.value()).sum();
    let (sub_total, grand_total) = (summary.sub_total.value(), summary.grand_total.value());
    let less_discount = &sub_total - summary.total_discount.value();
    // Allows for the rounding of each line.
    let room = BigDecimal::new((100 + lines.len()).into(), 2);
    let is_plausible =
        |sum: BigDecimal| [&sub_total, &less_discount, &grand_total].iter().any(|total| is_near(&sum, total, &room));
    (!is_plausible(prices()) && !is_plausible(amounts())).then_some((Code::LinesMismatch, texts::LINES_SUM))
}

/// The tax is computed on the amounts, or is contained in them. How much of it totalDiscount removes is unknown, because a
/// coupon may apply to some lines only, with tax or without. It is at least nothing and at most the highest rate.
pub(super) fn tax(lines: &[Line], summary: &Summary) -> Option<Advice> {
    if lines.iter().any(|line| line.tax.is_negative()) {
        return None; // not an allowed rate, and -100 would divide by zero
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
    (!is_plausible(on_amounts()) && !is_plausible(within_amounts())).then_some((Code::TaxMismatch, texts::TAX))
}

/// A tax of 25 is 25 of these.
fn percent() -> BigDecimal {
    BigDecimal::new(1.into(), 2)
}

fn is_near(one: &BigDecimal, other: &BigDecimal, room: &BigDecimal) -> bool {
    one == other || (one - other).abs() <= *room
}

pub(super) fn personal_number(number: &str, country: &str) -> Option<Advice> {
    let is_wrong = NORWEGIAN.contains(&country) && !check_digits::is_personal_number(number);
    is_wrong.then_some((Code::BadCheckDigits, texts::PERSONAL_NUMBER_DIGITS))
}

pub(super) fn organization_id(number: &str, country: &str) -> Option<Advice> {
    if !NORWEGIAN.contains(&country) || check_digits::is_organization_number(number) {
        return None;
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
    Some((Code::BadCheckDigits, detail))
}

pub(super) fn msisdn(country_code: &str, msisdn: &str) -> Option<Advice> {
    phone::doubt(country_code, msisdn).map(|doubt| (Code::UnlikelyFormat, doubt))
}

pub(super) fn zip(zip: &str, country: &str) -> Option<Advice> {
    let zip = zip.trim();
    let is_wrong = country == "NO" && !(zip.len() == 4 && zip.bytes().all(|byte| byte.is_ascii_digit()));
    is_wrong.then_some((Code::UnlikelyFormat, texts::ZIP))
}

/// `is_given`: whether the order has a referenceNo, even an invalid one.
pub(super) fn reference_no(is_given: bool) -> Option<Advice> {
    (!is_given).then_some((Code::Recommended, texts::NO_REFERENCE))
}

pub(super) fn idempotency_key(is_given: bool) -> Option<Advice> {
    (!is_given).then_some((Code::Recommended, texts::NO_KEY))
}
