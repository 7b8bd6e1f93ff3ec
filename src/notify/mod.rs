//! Use case: the bridge tells a shop the status of its order, at the order's own callbackUrl.

mod address;
mod call;
mod client;
pub mod front_payment;
mod hosts;
mod message;
pub mod php_query;
pub mod standard_webhooks;
mod target;
mod tell;

pub use address::is_public;
pub use call::{Failure, ShopCall, Shops};
pub use client::ShopClient;
pub use hosts::MAX_CALLS_TO_A_HOST;
pub use message::{Message, NotNotifiable, check_callback_url};
pub use target::{NotCallable, PrivateHosts, Target};
pub use tell::{Notifier, Occasion, TellOutcome};
