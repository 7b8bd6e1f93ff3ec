//! Notifications: a shop hears of its orders' statuses at its own callbackUrl.

mod address;

pub use address::is_public;
