//! Notifications: a shop hears of its orders' statuses at its own callbackUrl.

mod address;
pub mod front_payment;
#[cfg(test)]
mod interop_tests;
mod php_query;
pub mod standard_webhooks;
mod target;

pub use address::is_public;
pub use target::{NotCallable, PrivateHosts, Target};
