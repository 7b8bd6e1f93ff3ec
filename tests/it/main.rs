//! The contract, row by row. Expectations are literal: no test computes them with the code under test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

// The handlers, over a store and a Front Payment that do what a test tells them.
mod attempts;
mod callbacks;
mod data_protection;
mod faults;
mod idempotency;
mod isolation;
mod notify;
mod operations;
mod orders;
mod reconcile;
mod replies;
mod restore;
mod retention;
mod status_reads;
mod verification;
mod waiting;

// The parts that speak to other services, over real sockets.
mod connections;
mod index;
mod provider;
mod store;
mod stored_items;

// The built binaries.
mod lambda;
mod markers;
mod outages;
mod policies;
mod races;
mod worker;

mod support;
