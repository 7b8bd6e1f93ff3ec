//! Notifications: a shop hears of its orders' statuses at its own callbackUrl.

mod address;
mod target;

pub use address::is_public;
pub use target::{NotCallable, PrivateHosts, Target};
