//! The status of an order, and its rank.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// The variants are in the order of their rank. A callback can only raise the rank.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// A submission attempt was claimed and may be running.
    Submitting,
    /// Front Payment refused the order; nothing was created.
    Rejected,
    /// Front Payment says that nothing was created.
    Failed,
    /// The order may or may not have been created.
    Unknown,
    /// Created; waits for the customer's signature.
    Sent,
    /// Signed.
    Reserved,
    /// The customer did not sign in time.
    Expired,
    Invoiced,
    /// A reminder was sent.
    Purring,
    /// A debt collector has the invoice.
    Inkasso,
    Charged,
    Captured,
    Paid,
    Cancelled,
    RefundPending,
    PartialRefunded,
    Refunded,
}

impl Status {
    /// Front Payment's own statuses, lowest rank first. The four before them are the bridge's.
    pub const OF_THE_PROVIDER: &'static [Self] = Self::VARIANTS.split_at(4).1;

    /// Whether Front Payment has ended the order without an invoice. Such an order makes way for another uuid that is alive.
    #[must_use]
    pub fn is_dead(self) -> bool {
        match self {
            Self::Expired | Self::Cancelled => true,
            Self::Submitting | Self::Rejected | Self::Failed | Self::Unknown | Self::Sent | Self::Reserved => false,
            Self::Invoiced | Self::Purring | Self::Inkasso | Self::Charged | Self::Captured | Self::Paid => false,
            Self::RefundPending | Self::PartialRefunded | Self::Refunded => false,
        }
    }

    /// Whether a status read must tell how much was refunded.
    #[must_use]
    pub fn is_about_refund(self) -> bool {
        matches!(self, Self::RefundPending | Self::PartialRefunded | Self::Refunded)
    }

    /// The name in the store and in replies.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// One of Front Payment's status words. Front Payment may add words, so a word can be unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusWord {
    Known(Status),
    /// In capitals with underscores, like `SUCCESS` of the documented example.
    Unknown(String),
}

impl StatusWord {
    /// Case does not matter, nor whether words are joined by spaces or underscores. Front Payment's page has the misspelling
    /// `RESEVRED`. Names of the bridge's own statuses, like "failed", are unknown words.
    ///
    /// ```
    /// use front_payment_bridge::order::{Status, StatusWord};
    ///
    /// assert_eq!(StatusWord::read("partial refunded"), StatusWord::Known(Status::PartialRefunded));
    /// assert_eq!(StatusWord::read("success"), StatusWord::Unknown("SUCCESS".to_owned()));
    /// ```
    #[must_use]
    pub fn read(word: &str) -> Self {
        let trimmed = word.trim();
        let name = if trimmed.is_empty() { word } else { trimmed }.to_ascii_uppercase().replace(' ', "_");
        if name == "RESEVRED" {
            return Self::Known(Status::Reserved);
        }
        match name.parse() {
            Ok(status) if status >= Status::Sent => Self::Known(status),
            _ => Self::Unknown(name),
        }
    }

    #[must_use]
    pub fn known(&self) -> Option<Status> {
        match self {
            Self::Known(status) => Some(*status),
            Self::Unknown(_) => None,
        }
    }

    /// The word in capitals with underscores.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Known(status) => status.name(),
            Self::Unknown(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_is_the_contracts() {
        use Status::*;
        let ranked = [
            Sent,
            Reserved,
            Expired,
            Invoiced,
            Purring,
            Inkasso,
            Charged,
            Captured,
            Paid,
            Cancelled,
            RefundPending,
            PartialRefunded,
            Refunded,
        ];
        assert!(ranked.is_sorted_by(|a, b| a < b));
        assert_eq!(ranked.as_slice(), Status::OF_THE_PROVIDER);
        for before in [Submitting, Rejected, Failed, Unknown] {
            assert!(before < Sent);
        }
    }

    #[test]
    fn every_word_seen_on_a_page_is_read() {
        for (word, status) in [
            ("SENT", Status::Sent),
            ("RESEVRED", Status::Reserved),
            ("RESERVED", Status::Reserved),
            ("EXPIRED", Status::Expired),
            ("INVOICED", Status::Invoiced),
            ("Purring", Status::Purring),
            ("Inkasso", Status::Inkasso),
            ("CHARGED", Status::Charged),
            ("CAPTURED", Status::Captured),
            ("PAID", Status::Paid),
            ("CANCELLED", Status::Cancelled),
            ("refund pending", Status::RefundPending),
            ("PARTIAL REFUNDED", Status::PartialRefunded),
            ("partial_refunded", Status::PartialRefunded),
            ("REFUNDED", Status::Refunded),
        ] {
            assert_eq!(StatusWord::read(word), StatusWord::Known(status), "{word}");
        }
    }

    #[test]
    fn the_bridges_own_states_and_new_words_are_unknown() {
        for (word, name) in [
            ("success", "SUCCESS"),
            ("FAILED", "FAILED"),
            ("rejected", "REJECTED"),
            ("unknown", "UNKNOWN"),
            ("Submitting", "SUBMITTING"),
            ("brand new", "BRAND_NEW"),
            ("", ""),
            ("  ", "__"),
        ] {
            assert_eq!(StatusWord::read(word), StatusWord::Unknown(name.to_owned()));
        }
    }

    #[test]
    fn names_are_those_that_are_stored() {
        for status in Status::VARIANTS {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
    }
}
