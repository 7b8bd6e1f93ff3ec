//! How the submission of an order ended.

use super::{Status, Violation};

/// The result of sending an order to Front Payment.
#[derive(Clone, PartialEq, Eq)]
pub enum SubmitReply {
    Created(CreatedOrder),
    /// Front Payment refused the order, and said why. Nothing was created.
    Rejected(Vec<Violation>),
    /// The token was rejected. Nothing was created.
    Unauthorized,
    /// There was no connection, or Front Payment asks to try later. Nothing was created.
    Unavailable,
    /// Front Payment says that it did not accept the order. Nothing was created.
    Failed,
    /// The order may or may not have been created.
    Unknown,
}

/// An order that Front Payment created. It has no `Debug`, because it holds a personal login link.
#[derive(Clone, PartialEq, Eq)]
pub struct CreatedOrder {
    pub order_uuid: String,
    pub customer_uuid: Option<String>,
    pub bank_id_url: Option<String>,
    /// There is a link, but it is unusable, so the customer cannot sign.
    pub has_unusable_link: bool,
    /// SENT if the customer has to sign, else INVOICED.
    pub status: Status,
}

impl SubmitReply {
    /// The status of an order of which only this reply is known.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Created(created) => created.status,
            Self::Rejected(_) => Status::Rejected,
            Self::Unauthorized | Self::Unavailable | Self::Failed => Status::Failed,
            Self::Unknown => Status::Unknown,
        }
    }
}
