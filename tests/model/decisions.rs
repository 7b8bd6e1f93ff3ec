//! What can be decided at each step.

/// What comes of a step of I/O.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It works.
    Done,
    /// It is not done, and fails.
    Down,
    /// It is done, and its reply is lost.
    ReplyLost,
    /// It fails. The store does it later, or never.
    Late,
    /// The process is killed before it.
    KilledBefore,
    /// The process is killed after it.
    KilledAfter,
    /// Front Payment's reply to an order, and whether it created the order.
    Answers(ProviderReply, bool),
    /// Front Payment's reply to a status read.
    Tells(StatusReply),
    /// The shop's answer to a notification.
    Shop(ShopAnswer),
}

impl Decision {
    pub fn is_fault(self) -> bool {
        !matches!(self, Self::Done | Self::Answers(..) | Self::Tells(_) | Self::Shop(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderReply {
    Created201,
    Rejected417,
    Unauthorized401,
    TooMany429,
    Error500,
    Unavailable503,
    /// No reply, or only a part of it.
    Hangs,
}

impl ProviderReply {
    pub const ALL: [Self; 7] = [
        Self::Created201,
        Self::Rejected417,
        Self::Unauthorized401,
        Self::TooMany429,
        Self::Error500,
        Self::Unavailable503,
        Self::Hangs,
    ];

    /// Whether it says that nothing was created.
    pub fn is_nothing(self) -> bool {
        !matches!(self, Self::Created201 | Self::Hangs)
    }

    /// Whether it proves that nothing was created: the order was refused, or not let in.
    pub fn is_proof(self) -> bool {
        matches!(self, Self::Rejected417 | Self::Unauthorized401 | Self::TooMany429)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusReply {
    /// The status that the order has there.
    Status,
    /// An error, or no reply.
    Nothing,
    /// A status word that the bridge does not know.
    UnknownWord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopAnswer {
    Ok200,
    Gone410,
    /// The shop heard it, and does not answer in time.
    Timeout,
}

/// A step of I/O at which a task waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Create,
    Load,
    Replace,
    Submit,
    Status,
    Tell,
}

/// Which body a request has: 0 and 2 have the same total, 1 has another one. No two have the same fingerprint.
pub type Body = u8;

/// The status word of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Reserved,
    Paid,
    Expired,
    Cancelled,
    /// A word that the bridge does not know.
    Unknown,
}

impl Word {
    pub const ALL: [Self; 5] = [Self::Reserved, Self::Paid, Self::Expired, Self::Cancelled, Self::Unknown];

    pub fn text(self) -> &'static str {
        match self {
            Self::Reserved => "RESERVED",
            Self::Paid => "PAID",
            Self::Expired => "EXPIRED",
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNHEARD",
        }
    }

    pub fn is_dead(self) -> bool {
        matches!(self, Self::Expired | Self::Cancelled)
    }
}
