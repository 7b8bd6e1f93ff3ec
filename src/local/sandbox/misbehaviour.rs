//! How Front Payment and the shop misbehave on demand, by words in `referenceNo`.

use serde::{Deserialize, Serialize};

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
    /// A word that begins with another one comes before it.
    const ALL: [(&'static str, Self); 16] = [
        ("lost-reply", Self::LostReply),
        ("lost-request", Self::LostRequest),
        ("error-500-created", Self::Error500Created),
        ("error-500", Self::Error500),
        ("error-510", Self::Error510),
        ("rate-limited", Self::RateLimited),
        ("unavailable", Self::Unavailable),
        ("rejected", Self::Rejected),
        ("slow", Self::Slow),
        ("expired", Self::Expired),
        ("duplicate-callback", Self::DuplicateCallback),
        ("early-callback", Self::EarlyCallback),
        ("lost-callback", Self::LostCallback),
        ("reversed-callbacks", Self::ReversedCallbacks),
        ("unknown-status", Self::UnknownStatus),
        ("bad-checksum", Self::BadChecksum),
    ];

    #[must_use]
    pub fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|(word, _)| *word).collect()
    }

    /// The first one whose word is in `reference_no`.
    #[must_use]
    pub fn asked_by(reference_no: &str) -> Option<Self> {
        // Without the shop's words: `shop-slow` is not `slow`.
        let of_shop = ShopMisbehaviour::words();
        let reference_no =
            of_shop.into_iter().fold(reference_no.to_ascii_lowercase(), |reference_no, word| reference_no.replace(word, ""));
        Self::ALL.iter().find(|(word, _)| reference_no.contains(word)).map(|(_, misbehaviour)| *misbehaviour)
    }
}

/// A misbehaviour of the shop when it is notified. Several can be combined, and one of Front Payment's with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopMisbehaviour {
    /// No answer until two minutes after the first notification.
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
    const ALL: [(&'static str, Self); 5] = [
        ("shop-down", Self::Down),
        ("shop-slow", Self::Slow),
        ("shop-500", Self::Error500),
        ("shop-410", Self::Gone),
        ("shop-redirect", Self::Redirect),
    ];

    #[must_use]
    pub fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|(word, _)| *word).collect()
    }

    /// Every one whose word is in `reference_no`.
    #[must_use]
    pub fn asked_by(reference_no: &str) -> Vec<Self> {
        let reference_no = reference_no.to_ascii_lowercase();
        Self::ALL.iter().filter(|(word, _)| reference_no.contains(word)).map(|(_, misbehaviour)| *misbehaviour).collect()
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
    }
}
