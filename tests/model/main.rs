//! Never twice, never lost: every interleaving of an order's submits, retries and callbacks, with every
//! answer of Front Payment and with faults at every step, checked against what the contract promises.
//!
//! The use cases under test are the real ones, over the embedded store. Their neighbours are a
//! [`world::World`] that stops them at each I/O step and asks what comes of it; [`explore`] tries
//! everything that may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod decisions;
mod explore;
mod invariants;
mod services;
mod state;
mod world;

use std::thread;
use std::time::Instant;

use decisions::Mutant;
use explore::{Bounds, explore};

const NOTHING: Bounds = Bounds { attempts: 0, in_flight: 1, faults: 0, callbacks: 0, words: 2, leases: 0, late: false };
/// Two requests and their callbacks.
const SIDE_BY_SIDE: Bounds = Bounds { attempts: 2, in_flight: 2, callbacks: 1, leases: 1, ..NOTHING };

/// What is covered on every run: all that may happen within each of these.
const BOUNDS: [Bounds; 9] = [
    SIDE_BY_SIDE,
    // Three requests at once.
    Bounds { attempts: 3, in_flight: 3, ..NOTHING },
    // Three requests, one after the other, and their callbacks.
    Bounds { attempts: 3, callbacks: 1, ..NOTHING },
    // A fault at every step, and what follows: a retry, a callback, the end of the lease, nothing.
    Bounds { attempts: 2, faults: 1, callbacks: 1, leases: 1, ..NOTHING },
    // A fault at every step of two requests, side by side.
    Bounds { attempts: 2, in_flight: 2, faults: 1, ..NOTHING },
    // Faults in pairs.
    Bounds { attempts: 2, faults: 2, leases: 1, ..NOTHING },
    // Faults in pairs while a callback comes.
    Bounds { attempts: 1, in_flight: 2, faults: 2, callbacks: 1, ..NOTHING },
    // Callbacks that come twice, overtake each other, or have the status read, with a fault at every step.
    Bounds { attempts: 1, in_flight: 2, faults: 1, callbacks: 2, words: 3, ..NOTHING },
    // Time that is over at any step, for two requests and their callbacks.
    Bounds { attempts: 2, in_flight: 2, callbacks: 1, words: 1, leases: 1, late: true, ..NOTHING },
];

/// What `MODEL=large` covers.
const LARGE: [Bounds; 6] = [
    // A fault at every step while something else goes on.
    Bounds { attempts: 2, in_flight: 2, faults: 1, callbacks: 1, ..NOTHING },
    // Faults in pairs, and whatever follows.
    Bounds { attempts: 2, faults: 2, callbacks: 1, leases: 1, ..NOTHING },
    // Three requests, and a fault at every step.
    Bounds { attempts: 3, in_flight: 2, faults: 1, ..NOTHING },
    // Two requests and a callback, all at once.
    Bounds { attempts: 2, in_flight: 3, callbacks: 1, ..NOTHING },
    // Callbacks twice and in any order, beside two requests.
    Bounds { attempts: 2, in_flight: 2, callbacks: 2, ..NOTHING },
    // Time that is over at any step, with a fault.
    Bounds { attempts: 2, in_flight: 2, faults: 1, callbacks: 1, words: 1, leases: 1, late: true },
];

#[test]
fn every_interleaving_keeps_the_promises() {
    let bounds = if std::env::var_os("MODEL").is_some_and(|size| size == "large") { LARGE.as_slice() } else { &BOUNDS };
    thread::scope(|scope| {
        for &bounds in bounds {
            scope.spawn(move || {
                let began = Instant::now();
                let covered = explore(bounds, Mutant::None);
                println!("{bounds:?}: {covered}, in {} s", began.elapsed().as_secs());
                if let Some(broken) = covered.broken {
                    panic!("{broken}");
                }
            });
        }
    });
}

/// A check that cannot fail proves nothing: without any one of the defences, it does.
#[test]
fn without_a_defence_a_promise_is_broken() {
    for (mutant, expected) in [
        (Mutant::NoAttemptId, "asked again although an earlier attempt ended with None"),
        (Mutant::NoVersionCondition, "a shop was told of ODR1, and the store has another one or none"),
        (Mutant::NoKeptToken, "a good callback was answered: not found"),
        (Mutant::NoWriteBeforeSend, "an order was sent that the store knows nothing of"),
    ] {
        let broken = explore(SIDE_BY_SIDE, mutant).broken.unwrap_or_else(|| panic!("{mutant:?} goes unnoticed"));
        assert!(broken.starts_with(expected), "{mutant:?}: {broken}");
        println!("{mutant:?} is noticed: {broken}");
    }
}
