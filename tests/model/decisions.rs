//! What the model decides at each step.

/// The result of a step of I/O.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The step succeeds.
    Done,
    /// The step is not done, and fails.
    Down,
    /// The step is done, but its reply is lost.
    ReplyLost,
    /// The step fails, but the store may still do it later.
    Late,
    /// The process is killed before the step.
    KilledBefore,
    /// The process is killed after the step.
    KilledAfter,
    /// Front Payment's reply to an order, and whether it created the order.
    Answers(ProviderReply, bool),
    /// Front Payment's reply to a status read.
    Tells(StatusReply),
    /// Front Payment's reply to a cancellation, and whether it cancelled the order.
    Cancels(CancelAnswer, bool),
    /// The shop's answer to a notification.
    Shop(ShopAnswer),
}

impl Decision {
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Down | Self::ReplyLost | Self::Late | Self::KilledBefore | Self::KilledAfter)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderReply {
    Created201,
    Rejected417,
    Unauthorized401,
    /// 429, or no connection.
    Unavailable503,
    /// No whole reply, or a reply after which the order may exist, like a 500.
    Hangs,
}

impl ProviderReply {
    pub const ALL: [Self; 5] = [Self::Created201, Self::Rejected417, Self::Unauthorized401, Self::Unavailable503, Self::Hangs];

    /// Whether the reply says that nothing was created.
    pub fn is_nothing(self) -> bool {
        !matches!(self, Self::Created201 | Self::Hangs)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusReply {
    /// The status that the order has there; a 404 if it does not exist.
    Status,
    /// An error, or no reply.
    Nothing,
    /// A status word that the bridge does not know.
    UnknownWord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAnswer {
    /// A 202: only the status tells whether the order is cancelled.
    Accepted,
    Refused,
    /// No reply.
    Hangs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopAnswer {
    Ok200,
    Gone410,
    /// The shop gets the request, but does not answer in time.
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
    Cancel,
    Tell,
}

/// Which body a request has: 0 or 1. The two have different totals.
pub type Body = u8;

/// The status word of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Reserved,
    Paid,
    Expired,
    Cancelled,
    PartialRefunded,
    /// A word that the bridge does not know.
    Unknown,
}

impl Word {
    pub const ALL: [Self; 6] = [Self::Reserved, Self::Paid, Self::Expired, Self::Cancelled, Self::PartialRefunded, Self::Unknown];

    pub fn text(self) -> &'static str {
        match self {
            Self::Reserved => "RESERVED",
            Self::Paid => "PAID",
            Self::Expired => "EXPIRED",
            Self::Cancelled => "CANCELLED",
            Self::PartialRefunded => "PARTIAL_REFUNDED",
            Self::Unknown => "UNHEARD",
        }
    }

    pub fn is_dead(self) -> bool {
        matches!(self, Self::Expired | Self::Cancelled)
    }
}
