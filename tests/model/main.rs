//! Never twice, never lost: every interleaving of an order's submits, retries and callbacks, with every reply of Front
//! Payment and with faults at every step, against what the bridge promises.
//!
//! The use cases under test are the real ones. The services that they call are those of a [`world::World`], which stops
//! them at each step of I/O and asks what comes of it. [`explore`] tries everything that may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bounds;
mod choices;
mod decisions;
mod explore;
mod invariants;
mod mutants;
mod operator;
mod provider;
mod services;
mod state;
mod store;
mod tasks;
mod world;

use std::thread;
use std::time::Instant;

use bounds::{EVERY_RUN, LARGE, SIDE_BY_SIDE};
use explore::explore;
use mutants::Mutant;

#[test]
fn every_interleaving_keeps_the_promises() {
    let bounds = if std::env::var_os("MODEL").is_some_and(|size| size == "large") { LARGE } else { EVERY_RUN };
    thread::scope(|scope| {
        for bounds in bounds {
            scope.spawn(move || {
                let began = Instant::now();
                let covered = explore(bounds, Mutant::None);
                println!("{}: {covered}, in {} s", bounds.name, began.elapsed().as_secs());
                if let Some(broken) = covered.broken {
                    panic!("{}: {broken}", bounds.name);
                }
            });
        }
    });
}

/// A check that cannot fail proves nothing: without any one of the defences, it does.
#[test]
fn without_a_defence_a_promise_is_broken() {
    for (mutant, bounds, expected) in [
        (Mutant::NoAttemptId, SIDE_BY_SIDE, "sent again although an earlier attempt ended with None"),
        (Mutant::NoVersionCondition, SIDE_BY_SIDE, "a shop was told of ODR1, and the store has"),
        (Mutant::NoKeptToken, SIDE_BY_SIDE, "the callback URL of one generation leads to another one"),
        (Mutant::NoWriteBeforeSend, SIDE_BY_SIDE, "an order was sent, and the store does not have it"),
    ] {
        let broken = explore(&bounds, mutant).broken.unwrap_or_else(|| panic!("{mutant:?} goes unnoticed"));
        assert!(broken.starts_with(expected), "{mutant:?}: {broken}");
        println!("{mutant:?} is noticed: {broken}");
    }
}
