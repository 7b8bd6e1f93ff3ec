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
mod worker;
mod world;

use std::sync::Mutex;
use std::time::Instant;
use std::{env, thread};

use bounds::{
    Bounds, CANCELLED, CANCELLED_BESIDE, COMES_BACK, EVERY_RUN, GENERATIONS, LARGE, READ_BESIDE, SAME_TOTAL, SIDE_BY_SIDE,
    WORKERS,
};
use explore::explore;
use mutants::Mutant;

/// `MODEL=large` covers more. `MODEL="the operator"` covers only the bounds that have this in their name.
#[test]
fn every_interleaving_keeps_the_promises() {
    let bounds: Vec<&Bounds> = match env::var("MODEL").as_deref() {
        Err(_) => EVERY_RUN.iter().collect(),
        Ok("large") => LARGE.iter().collect(),
        Ok(name) => EVERY_RUN.iter().chain(LARGE).filter(|bounds| bounds.name.contains(name)).collect(),
    };
    assert!(!bounds.is_empty(), "no bounds have that name");
    let totals = Mutex::new((0, 0));
    thread::scope(|scope| {
        for bounds in bounds {
            let totals = &totals;
            scope.spawn(move || {
                let began = Instant::now();
                let covered = explore(bounds, Mutant::None);
                println!("{}: {covered}, in {} s", bounds.name, began.elapsed().as_secs());
                if let Some(broken) = covered.broken {
                    panic!("{}: {broken}", bounds.name);
                }
                let mut totals = totals.lock().unwrap();
                *totals = (totals.0 + covered.interleavings, totals.1 + covered.states);
            });
        }
    });
    let (interleavings, states) = totals.into_inner().unwrap();
    println!("together: {interleavings} interleavings over {states} states");
}

/// A check that cannot fail proves nothing: without any one of the defences, it does.
#[test]
fn without_a_defence_a_promise_is_broken() {
    let earlier_generation = "the callback URL of one generation leads to another one";
    for (mutant, bounds, expected) in [
        (Mutant::NoAttemptId, SIDE_BY_SIDE, "sent again although an earlier attempt ended with None"),
        (Mutant::NoVersionCondition, SIDE_BY_SIDE, "ODR1 was created, and is forgotten"),
        (Mutant::VersionsFromOne, GENERATIONS, earlier_generation),
        (Mutant::NoGenerationCheck, GENERATIONS, "ODR0 is of an earlier generation"),
        (Mutant::NoKeptToken, SIDE_BY_SIDE, earlier_generation),
        (Mutant::NoWriteBeforeSend, SIDE_BY_SIDE, "an order was sent, and the store does not have it"),
        (Mutant::NoEarlierAttempts, SIDE_BY_SIDE, "a good callback was answered: not verified"),
        (Mutant::RefusedMayExist, SAME_TOTAL, "ODR1 can only be body 2, and nobody gets its reply again"),
        (Mutant::LatestBody, SAME_TOTAL, "ODR0 is body 0, and the store has the details of another one"),
        (Mutant::No201Body, SAME_TOTAL, "ODR1 can only be body 2, and nobody gets its reply again"),
        (Mutant::DeadMakesOrder, CANCELLED, "ODR0 is dead, and has become the order of an attempt that had failed"),
        (Mutant::DeadOfSeveral, CANCELLED, "ODR0 is dead, and has become the order, although it can be of 1 other"),
        (Mutant::DeadMakesNone, CANCELLED, "a callback was taken, and the order is Unknown"),
        (Mutant::NoWayForEarlier, CANCELLED, "the order is ODR1, which is Expired, and ODR0 lives"),
        (Mutant::NoWayForLater, CANCELLED, "ODR0 calls back with PAID, and the order is Some(\"ODR1\")"),
        (Mutant::NoWayAfterRead, READ_BESIDE, "the order is ODR1, which is Cancelled, and ODR0 lives"),
        (Mutant::NoWayFor201, CANCELLED_BESIDE, "the order is ODR0, which is Cancelled, and ODR1 lives"),
        (Mutant::NoFold, CANCELLED, "the status of ODR0 is Sent, and its entries come to Some(\"RESERVED\")"),
        (Mutant::NoRank, CANCELLED, "the status of ODR0 is Reserved, and its entries come to Some(\"CANCELLED\")"),
        (Mutant::NoTellClaim, WORKERS, "the shop heard RESERVED of ODR0, when it was Some((\"ODR0\", Paid))"),
        (Mutant::NoTellLease, WORKERS, "two workers tell the shop of one order at once"),
        (Mutant::NoChangeNumbers, COMES_BACK, "the shop never hears that the order is Reserved"),
        (Mutant::NoDerivation, WORKERS, "the order is"),
        (Mutant::NoDoubt, CANCELLED, "the status of ODR0 is in doubt, and is not due to be read"),
    ] {
        let broken = explore(&bounds, mutant).broken.unwrap_or_else(|| panic!("{mutant:?} goes unnoticed"));
        assert!(broken.starts_with(expected), "{mutant:?}: {broken}");
        println!("{mutant:?} is noticed: {broken}");
    }
}
