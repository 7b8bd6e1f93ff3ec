//! The contract, row by row. Expectations are literal; nothing here computes them with the code under test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod callbacks;
mod connections;
mod faults;
mod idempotency;
mod isolation;
mod lambda;
mod local;
mod markers;
mod operator;
mod orders;
mod outages;
mod policies;
mod provider;
mod races;
mod store;
mod support;
mod verification;
