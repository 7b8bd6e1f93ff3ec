//! The CSV file: written for spreadsheets, read as they save it.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::order::{Finding, StoredOrder};

/// A cell that begins with one of these is a formula to a spreadsheet.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

/// A line of the list, with what helps to find the order in the portal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    order_id: Uuid,
    shop_id: String,
    /// The shop's own text.
    reference_no: String,
    grand_total: String,
    /// When the latest attempt began.
    attempted_at: String,
    /// How many attempts Front Payment may have.
    attempts: u32,
    decision: &'static str,
}

/// The columns that are read. Others may be missing, and the order does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Decided {
    pub(super) order_id: String,
    #[serde(default)]
    pub(super) decision: String,
}

impl Row {
    pub(super) fn of(order: &StoredOrder) -> Self {
        Self {
            order_id: order.order_id,
            shop_id: order.shop_id.clone(),
            reference_no: as_text(order.details.reference_no.as_deref().unwrap_or_default()),
            grand_total: order.details.grand_total.clone(),
            attempted_at: format!("{:.0}", order.attempted_at),
            attempts: order.attempts_that_may_exist(),
            decision: "",
        }
    }
}

impl Decided {
    /// `None` if there is no decision yet.
    ///
    /// # Errors
    /// What a decision may be.
    pub(super) fn finding(&self) -> Result<Option<Finding>, &'static str> {
        let is_uuid = |text: &str| {
            let of_uuid = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
            (1..=64).contains(&text.len()) && text.chars().all(of_uuid)
        };
        match self.decision.trim() {
            "" => Ok(None),
            "not-created" => Ok(Some(Finding::NotCreated)),
            uuid if is_uuid(uuid) => Ok(Some(Finding::Order(uuid.to_owned()))),
            _ => Err("a decision is an orderUuid of Front Payment's, not-created, or empty"),
        }
    }
}

/// Escapes a text that a spreadsheet would run as a formula.
fn as_text(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

pub(super) fn write(rows: &[Row], to: impl Write) -> Result<(), SheetError> {
    let mut sheet = csv::Writer::from_writer(to);
    if rows.is_empty() {
        sheet.write_record(["orderId", "shopId", "referenceNo", "grandTotal", "attemptedAt", "attempts", "decision"])?;
    }
    for row in rows {
        sheet.serialize(row)?;
    }
    Ok(sheet.flush()?)
}

/// Accepts commas or semicolons: where the decimal sign is a comma, spreadsheets save semicolons.
pub(super) fn read(file: &Path) -> Result<Vec<Decided>, SheetError> {
    let text = fs::read_to_string(file)?;
    let text = text.trim_start_matches('\u{feff}');
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains(';') { b';' } else { b',' };
    let mut sheet = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    Ok(sheet.deserialize().collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(text: &str) -> Result<Vec<Decided>, SheetError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        read(file.path())
    }

    #[test]
    fn a_sheet_is_read_as_spreadsheets_write_it() {
        for text in [
            "orderId,decision\na,ODR1\nb,\n",
            "\u{feff}orderId;shopId;decision\r\na;s;ODR1\r\nb;s;\r\n",
            "decision,referenceNo,orderId\nODR1,\"1,5\",a\n,x,b\n",
        ] {
            let row = |order_id: &str, decision: &str| Decided { order_id: order_id.to_owned(), decision: decision.to_owned() };
            assert_eq!(decided(text).unwrap(), [row("a", "ODR1"), row("b", "")], "{text}");
        }
        assert!(decided("shopId,decision\na,b\n").is_err());
    }

    #[test]
    fn a_decision_is_a_uuid_or_a_word_or_nothing() {
        let finding = |decision: &str| Decided { order_id: String::new(), decision: decision.to_owned() }.finding();
        assert_eq!(finding(" "), Ok(None));
        assert_eq!(finding("not-created"), Ok(Some(Finding::NotCreated)));
        assert_eq!(finding(" ODR1 "), Ok(Some(Finding::Order("ODR1".to_owned()))));
        for wrong in ["ODR 1", "not created", &"O".repeat(65), "ØDR1"] {
            assert!(finding(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reference_is_no_formula() {
        assert_eq!(as_text("=HYPERLINK(\"https://x\")"), "'=HYPERLINK(\"https://x\")");
        assert_eq!(as_text("1001"), "1001");
    }
}
