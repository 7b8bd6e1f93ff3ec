//! Never twice, never lost: every interleaving of an order's submits, retries and callbacks, with every
//! answer of Front Payment and with faults at every step, checked against what the contract promises.
//!
//! The use cases under test are the real ones. Their neighbours are a [`world::World`] that stops them
//! at each I/O step and asks what comes of it; [`explore`] tries everything that may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod explore;
mod invariants;
mod neighbours;
mod world;

use explore::{Bounds, explore};
use world::Mutant;

/// What is covered on every run. `MODEL=large` covers more, and takes an hour.
const BOUNDS: [Bounds; 4] = [
    // Two requests and a callback, side by side.
    Bounds { attempts: 2, in_flight: 2, faults: 0, callbacks: 1, leases: 1 },
    // Three requests, one after the other.
    Bounds { attempts: 3, in_flight: 1, faults: 0, callbacks: 1, leases: 0 },
    // Faults at every step, alone and in pairs.
    Bounds { attempts: 2, in_flight: 1, faults: 2, callbacks: 1, leases: 1 },
    // Faults at every step while something else goes on.
    Bounds { attempts: 2, in_flight: 2, faults: 1, callbacks: 1, leases: 0 },
];

const LARGE: [Bounds; 1] = [Bounds { attempts: 3, in_flight: 2, faults: 2, callbacks: 2, leases: 1 }];

#[test]
fn every_interleaving_keeps_the_promises() {
    let bounds = if std::env::var_os("MODEL").is_some() { LARGE.as_slice() } else { &BOUNDS };
    for &bounds in bounds {
        let covered = explore(bounds, Mutant::None);
        println!("{bounds:?}: {covered}");
        if let Some(broken) = covered.broken {
            panic!("{broken}");
        }
    }
}

/// A check that cannot fail proves nothing: without any one of the defences, it does.
#[test]
fn without_a_defence_a_promise_is_broken() {
    for mutant in [Mutant::NoAttemptId, Mutant::NoVersionCondition, Mutant::NoKeptToken, Mutant::NoWriteBeforeSend] {
        let covered = explore(BOUNDS[0], mutant);
        let broken = covered.broken.unwrap_or_else(|| panic!("{mutant:?} goes unnoticed"));
        println!("{mutant:?} is noticed: {broken}");
    }
}
