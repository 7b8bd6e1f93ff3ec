//! The status of an order, and its rank.

use serde::{Deserialize, Serialize};

/// Where an order stands. The order of the variants is the rank: callbacks only ever raise it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// An attempt was claimed and may be on its way to Front Payment.
    Submitting,
    /// Front Payment refused it; nothing was created.
    Rejected,
    /// Front Payment, or the lack of a connection, says that nothing was created.
    Failed,
    /// It may or may not have been created.
    Unknown,
    /// CreatedOrder; waits for the customer's signature.
    Sent,
    /// Signed.
    Reserved,
    /// The customer did not sign in time.
    Expired,
    /// The invoice is out.
    Invoiced,
    /// A reminder is out.
    Purring,
    /// With a debt collector.
    Inkasso,
    /// Charged.
    Charged,
    /// Captured.
    Captured,
    /// Paid.
    Paid,
    /// Cancelled; the customer declined, or the shop or Front Payment took it back.
    Cancelled,
    /// A refund is on its way.
    RefundPending,
    /// Part of it is refunded.
    PartialRefunded,
    /// All of it is refunded.
    Refunded,
}

impl Status {
    /// The name, as it is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Submitting => "SUBMITTING",
            Self::Rejected => "REJECTED",
            Self::Failed => "FAILED",
            Self::Unknown => "UNKNOWN",
            Self::Sent => "SENT",
            Self::Reserved => "RESERVED",
            Self::Expired => "EXPIRED",
            Self::Invoiced => "INVOICED",
            Self::Purring => "PURRING",
            Self::Inkasso => "INKASSO",
            Self::Charged => "CHARGED",
            Self::Captured => "CAPTURED",
            Self::Paid => "PAID",
            Self::Cancelled => "CANCELLED",
            Self::RefundPending => "REFUND_PENDING",
            Self::PartialRefunded => "PARTIAL_REFUNDED",
            Self::Refunded => "REFUNDED",
        }
    }

    /// Front Payment's own statuses, lowest rank first.
    pub const OF_THE_PROVIDER: [Self; 13] = [
        Self::Sent,
        Self::Reserved,
        Self::Expired,
        Self::Invoiced,
        Self::Purring,
        Self::Inkasso,
        Self::Charged,
        Self::Captured,
        Self::Paid,
        Self::Cancelled,
        Self::RefundPending,
        Self::PartialRefunded,
        Self::Refunded,
    ];
}

/// A status word of Front Payment's: an open set, so a word may be unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusWord {
    /// One that has a rank.
    Known(Status),
    /// Another one (`SUCCESS`, from the documented example), in capitals and underscores.
    Unknown(String),
}

impl StatusWord {
    /// Reads a word whatever its case, spaces and underscores alike, and with the page's misspelling of RESERVED.
    ///
    /// The bridge's own states are no words of Front Payment's: "failed" is unknown.
    ///
    /// ```
    /// use front_payment_bridge::order::{Status, StatusWord};
    ///
    /// assert_eq!(StatusWord::read("partial refunded"), StatusWord::Known(Status::PartialRefunded));
    /// assert_eq!(StatusWord::read("success"), StatusWord::Unknown("SUCCESS".to_owned()));
    /// ```
    #[must_use]
    pub fn read(word: &str) -> Self {
        let name = word.trim().to_ascii_uppercase().replace(' ', "_");
        if name == "RESEVRED" {
            return Self::Known(Status::Reserved);
        }
        Status::OF_THE_PROVIDER.into_iter().find(|status| status.name() == name).map_or(Self::Unknown(name), Self::Known)
    }

    #[must_use]
    pub fn known(&self) -> Option<Status> {
        match self {
            Self::Known(status) => Some(*status),
            Self::Unknown(_) => None,
        }
    }

    /// The word in capitals and underscores.
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
        assert_eq!(ranked, Status::OF_THE_PROVIDER);
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
        ] {
            assert_eq!(StatusWord::read(word), StatusWord::Unknown(name.to_owned()));
        }
    }

    #[test]
    fn names_are_those_that_are_stored() {
        for status in Status::OF_THE_PROVIDER {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
        for status in [Status::Submitting, Status::Rejected, Status::Failed, Status::Unknown] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
    }
}
