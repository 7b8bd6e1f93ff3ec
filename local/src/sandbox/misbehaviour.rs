//! Misbehaviour of Front Payment and the shop on demand: a word in `referenceNo` asks for it.

use serde::{Deserialize, Serialize};

/// Words about the same kind of misbehaviour.
pub struct WordGroup {
    /// Who misbehaves, and when.
    pub title: &'static str,
    /// Each word, and what it does.
    pub words: Vec<(&'static str, &'static str)>,
}

/// Every word with its meaning, for people to choose from.
#[must_use]
pub fn word_groups() -> [WordGroup; 4] {
    let of_order = |is_of_callback: bool| {
        let words = Misbehaviour::ALL.into_iter().filter(|(_, misbehaviour, _)| misbehaviour.is_of_callback() == is_of_callback);
        words.map(|(word, _, meaning)| (word, meaning)).collect()
    };
    [
        WordGroup { title: "Front Payment, when it gets the order", words: of_order(false) },
        WordGroup { title: "Front Payment, when it calls back", words: of_order(true) },
        WordGroup {
            title: "Front Payment, when the order is cancelled",
            words: CancelMisbehaviour::ALL.into_iter().map(|(word, _, meaning)| (word, meaning)).collect(),
        },
        WordGroup {
            title: "The shop, when it is notified",
            words: ShopMisbehaviour::ALL.into_iter().map(|(word, _, meaning)| (word, meaning)).collect(),
        },
    ]
}

/// A misbehaviour of Front Payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misbehaviour {
    /// The order is created, but the connection breaks in the middle of the reply.
    LostReply,
    /// The connection breaks in the same way, but nothing is created.
    LostRequest,
    /// A 500 in Front Payment's own form, but the order is created.
    Error500Created,
    /// A 500 in Front Payment's own form; nothing is created.
    Error500,
    /// A 510 in Front Payment's own form; nothing is created.
    Error510,
    /// A 429; nothing is created.
    RateLimited,
    /// A 503 as nginx sends it; nothing is created.
    Unavailable,
    /// A 417: Front Payment refuses the order; nothing is created.
    Rejected,
    /// The reply takes eight seconds.
    Slow,
    /// The customer does not sign: the order expires after a second.
    Expired,
    /// The callback comes twice at once.
    DuplicateCallback,
    /// The order is invoiced, and its callback comes, before the reply.
    EarlyCallback,
    /// The callback never comes.
    LostCallback,
    /// The callback of the later status comes first.
    ReversedCallbacks,
    /// The callback has a status word that is not documented.
    UnknownStatus,
    /// The callback is signed with another key.
    BadChecksum,
}

impl Misbehaviour {
    /// If one word begins with another, the longer one comes first.
    const ALL: [(&'static str, Self, &'static str); 16] = [
        ("lost-reply", Self::LostReply, "creates the order, and loses the reply"),
        ("lost-request", Self::LostRequest, "creates nothing, and loses the reply"),
        ("error-500-created", Self::Error500Created, "creates the order, and answers 500"),
        ("error-500", Self::Error500, "answers 500, and creates nothing"),
        ("error-510", Self::Error510, "answers 510, and creates nothing"),
        ("rate-limited", Self::RateLimited, "answers 429, and creates nothing"),
        ("unavailable", Self::Unavailable, "answers 503, and creates nothing"),
        ("rejected", Self::Rejected, "answers 417: it refuses the order"),
        ("slow", Self::Slow, "takes eight seconds to reply"),
        ("expired", Self::Expired, "lets the order expire after a second"),
        ("duplicate-callback", Self::DuplicateCallback, "sends the callback twice at once"),
        ("early-callback", Self::EarlyCallback, "invoices the order, and calls back before it replies"),
        ("lost-callback", Self::LostCallback, "never calls back"),
        ("reversed-callbacks", Self::ReversedCallbacks, "sends the callback of the later status first"),
        ("unknown-status", Self::UnknownStatus, "sends a callback with an undocumented status"),
        ("bad-checksum", Self::BadChecksum, "signs the callback with another key"),
    ];

    fn is_of_callback(self) -> bool {
        use Misbehaviour as M;
        matches!(
            self,
            M::DuplicateCallback | M::EarlyCallback | M::LostCallback | M::ReversedCallbacks | M::UnknownStatus | M::BadChecksum
        )
    }

    /// The first misbehaviour whose word is in `reference_no`.
    #[must_use]
    pub fn asked_by(reference_no: &str) -> Option<Self> {
        // Removes the shop's words first: `shop-slow` does not ask for `slow`.
        let of_shop = ShopMisbehaviour::ALL.iter().map(|(word, ..)| *word);
        let reference_no = of_shop.fold(reference_no.to_ascii_lowercase(), |reference_no, word| reference_no.replace(word, ""));
        Self::ALL.iter().find(|(word, ..)| reference_no.contains(word)).map(|(_, misbehaviour, _)| *misbehaviour)
    }
}

/// A misbehaviour of Front Payment when an order is cancelled. It can be combined with the other misbehaviours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelMisbehaviour {
    /// A 400: the order counts as paid, and is not cancelled.
    Refused,
    /// The order is cancelled, but the connection breaks in the middle of the reply.
    Lost,
    /// No answer, and the order is not cancelled.
    Hangs,
}

impl CancelMisbehaviour {
    const ALL: [(&'static str, Self, &'static str); 3] = [
        ("cancel-refused", Self::Refused, "answers 400: the order is paid"),
        ("cancel-lost", Self::Lost, "cancels the order, and loses the reply"),
        ("cancel-hangs", Self::Hangs, "never answers, and cancels nothing"),
    ];

    /// The first misbehaviour whose word is in `reference_no`.
    #[must_use]
    pub fn asked_by(reference_no: &str) -> Option<Self> {
        let reference_no = reference_no.to_ascii_lowercase();
        Self::ALL.iter().find(|(word, ..)| reference_no.contains(word)).map(|(_, misbehaviour, _)| *misbehaviour)
    }
}

/// A misbehaviour of the shop when it is notified. Several can be combined, also with one of Front Payment's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopMisbehaviour {
    /// The shop does not answer until two minutes after the first notification.
    Down,
    /// The answer takes eight seconds.
    Slow,
    Error500,
    /// A 410: the shop does not want to be notified any more.
    Gone,
    /// A redirect to a private address.
    Redirect,
}

impl ShopMisbehaviour {
    const ALL: [(&'static str, Self, &'static str); 5] = [
        ("shop-down", Self::Down, "does not answer for two minutes"),
        ("shop-slow", Self::Slow, "answers after eight seconds"),
        ("shop-500", Self::Error500, "answers 500"),
        ("shop-410", Self::Gone, "answers 410: it does not want to hear any more"),
        ("shop-redirect", Self::Redirect, "redirects to a private address"),
    ];

    /// Every misbehaviour whose word is in `reference_no`.
    #[must_use]
    pub fn asked_by(reference_no: &str) -> Vec<Self> {
        let reference_no = reference_no.to_ascii_lowercase();
        Self::ALL.iter().filter(|(word, ..)| reference_no.contains(word)).map(|(_, misbehaviour, _)| *misbehaviour).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_front_payment_and_of_the_shop_are_told_apart() {
        for (reference_no, of_front_payment, of_shop) in [
            ("Dhaka", None, vec![]),
            ("an ERROR-500-Created order", Some(Misbehaviour::Error500Created), vec![]),
            ("shop-slow", None, vec![ShopMisbehaviour::Slow]),
            ("slow shop-slow", Some(Misbehaviour::Slow), vec![ShopMisbehaviour::Slow]),
            (
                "lost-callback shop-down SHOP-500",
                Some(Misbehaviour::LostCallback),
                vec![ShopMisbehaviour::Down, ShopMisbehaviour::Error500],
            ),
        ] {
            let asked = (Misbehaviour::asked_by(reference_no), ShopMisbehaviour::asked_by(reference_no));
            assert_eq!(asked, (of_front_payment, of_shop), "{reference_no}");
        }
        let both = "LOST-callback Cancel-Lost";
        let asked = (Misbehaviour::asked_by(both), CancelMisbehaviour::asked_by(both));
        assert_eq!(asked, (Some(Misbehaviour::LostCallback), Some(CancelMisbehaviour::Lost)));
        assert_eq!(Misbehaviour::asked_by("cancel-lost"), None);
    }
}
