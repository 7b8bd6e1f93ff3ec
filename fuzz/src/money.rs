//! Whether lines and sums fit together. Computed in integers, not with the decimals of the code under test; so for small
//! figures only.

use crate::by_value;
use crate::tree::Tree;

/// 1.00 in the unit of [`Line`]: quantity × rate × (1 + tax) has four, four and six decimal places.
const ONE: i128 = 100_000_000_000_000;

/// A figure in ten-thousandths, if it has at most six digits before the point and four behind it.
fn small(text: &str) -> Option<i128> {
    let value = by_value(text);
    let (whole, fraction) = value.trim_start_matches('-').split_once('.')?;
    if whole.len() > 6 || fraction.len() > 4 {
        return None;
    }
    let figure: i128 = format!("0{whole}{fraction:0<4}").parse().ok()?;
    Some(if value.starts_with('-') { -figure } else { figure })
}

fn is_near(one: i128, other: i128, room: i128) -> bool {
    (one - other).abs() <= room
}

struct Line {
    /// Quantity × rate.
    price: i128,
    with_tax: i128,
    discount: Option<i128>,
    amount: i128,
    /// The price less the discount, with tax.
    less_with_tax: Option<i128>,
}

impl Line {
    fn read(line: &Tree) -> Option<Self> {
        let figure = |name: &str| small(line.text_at(&format!("/{name}"))?);
        let product = figure("quantity")? * figure("rate")?;
        let per_million = 1_000_000 + figure("tax")?;
        let discount = match line.text_at("/discount") {
            None => None,
            Some(text) => Some(small(text)?),
        };
        Some(Self {
            price: product * 1_000_000,
            with_tax: product * per_million,
            discount: discount.map(|discount| discount * ONE / 10_000),
            amount: figure("amount")? * (ONE / 10_000),
            less_with_tax: discount.map(|discount| (product - discount * 10_000) * per_million),
        })
    }

    fn is_plausible(&self) -> bool {
        let less = |price: i128| self.discount.map(|discount| price - discount);
        let computed = [Some(self.price), Some(self.with_tax), less(self.price), less(self.with_tax), self.less_with_tax];
        computed.into_iter().flatten().any(|amount| is_near(amount, self.amount, ONE))
    }
}

/// Whether the amount of a line can be computed from its other figures; `None` if a figure is not small.
pub fn is_amount_plausible(line: &Tree) -> Option<bool> {
    Line::read(line).map(|line| line.is_plausible())
}

/// Whether the lines add up to one of the sums; `None` if a figure is not small.
pub fn is_sub_total_plausible(document: &Tree) -> Option<bool> {
    let lines = document.at("/products")?.items()?;
    let lines: Vec<Line> = lines.into_iter().map(Line::read).collect::<Option<_>>()?;
    let sum = |name: &str| Some(small(document.text_at(&format!("/orderSummary/{name}"))?)? * (ONE / 10_000));
    let totals = [sum("subTotal")?, sum("subTotal")? - sum("totalDiscount")?, sum("grandTotal")?];
    let prices: i128 = lines.iter().map(|line| line.price).sum();
    let amounts: i128 = lines.iter().map(|line| line.amount).sum();
    let room = ONE + ONE / 100 * i128::try_from(lines.len()).ok()?;
    Some(totals.into_iter().any(|total| is_near(prices, total, room) || is_near(amounts, total, room)))
}

/// Whether the grand total follows from the other sums; `None` if a figure is not small.
pub fn is_grand_total_plausible(document: &Tree) -> Option<bool> {
    let sum = |name: &str| small(document.text_at(&format!("/orderSummary/{name}"))?);
    let total = sum("subTotal")? + sum("totalTax")? - sum("totalDiscount")?;
    Some(is_near(total, sum("grandTotal")?, 10_000))
}
