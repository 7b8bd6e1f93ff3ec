//! Every rule of docs/api.md. Expectations are literal: no test computes them with the code under test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

// The handlers, with a scripted store and a scripted Front Payment.
mod attempts;
mod callbacks;
mod cancel;
mod cancel_replies;
mod data_protection;
mod faults;
mod found_faults;
mod health;
mod idempotency;
mod isolation;
mod list;
mod list_paging;
mod next_step;
mod notify;
mod operations;
mod operator;
mod orders;
mod reconcile;
mod reconcile_queue;
mod replies;
mod restore;
mod retention;
mod settle;
mod status_reads;
mod verification;
mod waiting;

// The parts that talk to other services, over real sockets.
mod connections;
mod index;
mod provider;
mod store;
mod stored_items;

// The built binaries.
mod after_the_sale;
mod lambda;
mod markers;
mod outages;
mod policies;
mod races;
mod trusted_failures;
mod worker;

mod support;
