//! What may be decided, and what defences may be taken out.

use front_payment_bridge::order::Status;

/// A defence that is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    None,
    /// Every attempt takes the stored one for its own.
    NoAttemptId,
    /// A write succeeds whatever version is stored.
    NoVersionCondition,
    /// A fresh attempt has a callback URL of its own, and the earlier one's leads nowhere.
    NoKeptToken,
    /// The claim is not written before the order is sent.
    NoWriteBeforeSend,
}

/// What comes of an I/O step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It works.
    Done,
    /// It is not done, and fails.
    Down,
    /// It is done, and its reply is lost.
    ReplyLost,
    /// It fails, and is done later, or too late.
    Late,
    /// The process is killed before it.
    KilledBefore,
    /// The process is killed after it.
    KilledAfter,
    /// Front Payment answers so, and has created the order or not.
    Answers(Says, bool),
}

impl Decision {
    pub fn is_fault(self) -> bool {
        !matches!(self, Self::Done | Self::Answers(..))
    }
}

/// Front Payment's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Created201,
    Refused417,
    Denied401,
    Error500,
    Error510,
    Unavailable503,
    Hangs,
    Resets,
}

impl Says {
    pub const ALL: [Self; 8] = [
        Self::Created201,
        Self::Refused417,
        Self::Denied401,
        Self::Error500,
        Self::Error510,
        Self::Unavailable503,
        Self::Hangs,
        Self::Resets,
    ];

    /// It says that nothing was created.
    pub fn is_nothing(self) -> bool {
        !matches!(self, Self::Created201 | Self::Hangs | Self::Resets)
    }
}

/// An I/O step that a task waits at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Create,
    Load,
    Replace,
    Submit,
    Status,
}

/// Which of two bodies a submit has: of 40, or of 50.
pub type Body = u8;

/// What a callback says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Reserved,
    Paid,
    /// A word that is not known: the status is read from Front Payment.
    Unheard,
}

impl Word {
    pub const ALL: [Self; 3] = [Self::Reserved, Self::Paid, Self::Unheard];

    pub fn text(self) -> &'static str {
        match self {
            Self::Reserved => "RESERVED",
            Self::Paid => "PAID",
            Self::Unheard => "UNHEARD",
        }
    }
}

/// An order that Front Payment was asked for: the n-th one is `ODRn`, if it exists.
#[derive(Debug, Clone)]
pub struct Asked {
    pub task: usize,
    pub body: Body,
    pub url: String,
    pub says: Option<Says>,
    pub exists: bool,
    /// Callbacks with each [`Word`] that were sent, and those that were answered with a 200.
    pub sent: [u8; 3],
    pub taken: [u8; 3],
}

impl Asked {
    /// Where the order stands at Front Payment: it has called back with what it says.
    pub fn status(&self) -> Status {
        let has_sent = |word| self.sent[word as usize] > 0;
        if has_sent(Word::Paid) {
            Status::Paid
        } else if has_sent(Word::Reserved) {
            Status::Reserved
        } else {
            Status::Sent
        }
    }

    pub fn has_called(&self) -> bool {
        self.taken.iter().any(|&times| times > 0)
    }
}
