//! A call to a shop, and what its answer means.

use std::future::Future;
use std::time::Duration;

use super::message::Message;
use crate::order::AttemptEnd;

/// Calls shops.
pub trait Shops: Send + Sync {
    /// Calls a shop once. The answer's body is not read, and redirects are not followed.
    fn call(&self, message: &Message, within: Duration) -> impl Future<Output = ShopCall> + Send;
}

/// The result of a call to a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopCall {
    Answered {
        http_status: u16,
        /// `Retry-After`
        retry_after: Option<Duration>,
    },
    Failed(Failure),
}

/// Why a call got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Failure {
    /// The host has an address that is not public.
    Address,
    /// The host has no address, or its look-up failed.
    Dns,
    Tls,
    /// There was no connection, it broke, or what came over it was not HTTP.
    Connection,
    Timeout,
}

impl ShopCall {
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        match self {
            Self::Answered { http_status, .. } => Some(*http_status),
            Self::Failed(_) => None,
        }
    }

    /// The value of `lastError`; `None` for a 2xx.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        match *self {
            Self::Answered { http_status: 200..=299, .. } => None,
            Self::Answered { http_status: 300..=399, .. } => Some("redirect".to_owned()),
            Self::Answered { http_status, .. } => Some(format!("http-{http_status}")),
            Self::Failed(failure) => Some(<&str>::from(failure).to_owned()),
        }
    }

    /// Whether the host itself has trouble, not only this order's URL.
    #[must_use]
    pub fn is_host_failing(&self) -> bool {
        match self {
            Self::Answered { http_status, .. } => *http_status >= 500,
            Self::Failed(failure) => matches!(failure, Failure::Timeout | Failure::Connection),
        }
    }

    /// The time that is counted for the call. A timeout counts as slow, even if the call had only little time.
    #[must_use]
    pub fn took(&self, elapsed: Duration) -> Duration {
        if *self == Self::Failed(Failure::Timeout) { Duration::MAX } else { elapsed }
    }

    /// The result of the notification attempt.
    #[must_use]
    pub fn end(&self) -> AttemptEnd {
        let Some(error) = self.error() else { return AttemptEnd::Delivered };
        match *self {
            Self::Answered { http_status, retry_after } => AttemptEnd::Failed { error, retry_after, is_gone: http_status == 410 },
            Self::Failed(_) => AttemptEnd::Failed { error, retry_after: None, is_gone: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(http_status: u16) -> ShopCall {
        ShopCall::Answered { http_status, retry_after: None }
    }

    #[test]
    fn any_2xx_is_delivered_and_anything_else_has_a_name() {
        for status in [200, 202, 204, 299] {
            assert_eq!(answered(status).end(), AttemptEnd::Delivered, "{status}");
        }
        for (call, error, is_gone, is_host_failing) in [
            (answered(301), "redirect", false, false),
            (answered(404), "http-404", false, false),
            (answered(410), "http-410", true, false),
            (answered(503), "http-503", false, true),
            (ShopCall::Failed(Failure::Timeout), "timeout", false, true),
            (ShopCall::Failed(Failure::Connection), "connection", false, true),
            (ShopCall::Failed(Failure::Dns), "dns", false, false),
            (ShopCall::Failed(Failure::Tls), "tls", false, false),
            (ShopCall::Failed(Failure::Address), "address", false, false),
        ] {
            assert_eq!(call.end(), AttemptEnd::Failed { error: error.to_owned(), retry_after: None, is_gone });
            assert_eq!(call.is_host_failing(), is_host_failing, "{error}");
        }
    }
}
