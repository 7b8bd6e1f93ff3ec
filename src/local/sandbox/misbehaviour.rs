//! How the sandbox misbehaves when it is asked to.

use serde::{Deserialize, Serialize};

/// A misbehaviour, chosen by its word in `referenceNo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misbehaviour {
    /// The order is created, and the connection breaks in the middle of the reply.
    LostReply,
    /// The connection breaks likewise; nothing is created.
    LostRequest,
    /// A 500 in Front Payment's own form, but the order is created.
    Error500Created,
    /// A 500 in Front Payment's own form; nothing is created.
    Error500,
    /// A 510 in Front Payment's own form; nothing is created.
    Error510,
    /// A 429; nothing is created.
    RateLimited,
    /// A 503 as nginx gives it; nothing is created.
    Unavailable,
    /// The reply takes eight seconds.
    Slow,
    /// The callback comes twice, at once.
    DuplicateCallback,
    /// The order is invoiced, and its callback comes, before the reply.
    EarlyCallback,
    /// The callback of the later status comes first.
    ReversedCallbacks,
    /// The callback has a status word that is not documented.
    UnknownStatus,
    /// The callback is signed with something else.
    BadChecksum,
}

impl Misbehaviour {
    /// A word that begins with another one stands before it.
    const ALL: [(&'static str, Self); 13] = [
        ("lost-reply", Self::LostReply),
        ("lost-request", Self::LostRequest),
        ("error-500-created", Self::Error500Created),
        ("error-500", Self::Error500),
        ("error-510", Self::Error510),
        ("rate-limited", Self::RateLimited),
        ("unavailable", Self::Unavailable),
        ("slow", Self::Slow),
        ("duplicate-callback", Self::DuplicateCallback),
        ("early-callback", Self::EarlyCallback),
        ("reversed-callbacks", Self::ReversedCallbacks),
        ("unknown-status", Self::UnknownStatus),
        ("bad-checksum", Self::BadChecksum),
    ];

    /// The words, for whoever wants to choose.
    #[must_use]
    pub fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|(word, _)| *word).collect()
    }

    /// What a reference asks for.
    #[must_use]
    pub fn asked_by(reference_no: &str) -> Option<Self> {
        let reference_no = reference_no.to_ascii_lowercase();
        Self::ALL.iter().find(|(word, _)| reference_no.contains(word)).map(|(_, misbehaviour)| *misbehaviour)
    }
}
