//! Never twice, never lost: every interleaving of an order's submits, callbacks, cancellations, workers and operator, with
//! every reply of Front Payment and with faults at every step, against what the bridge promises.
//!
//! The use cases under test are the real ones. The services that they call belong to a [`world::World`], which stops them at
//! each step of I/O and asks for its result. [`explore`] tries every possible result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod actors;
mod bounds;
mod choices;
mod decisions;
mod explore;
mod invariants;
mod mutants;
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

use bounds::*;
use explore::{explore, replay};
use mutants::Mutant;

/// `MODEL=large` explores more bounds. `MODEL="the operator"` explores only those whose name contains this text.
#[test]
fn every_interleaving_keeps_the_promises() {
    let bounds: Vec<&Bounds> = match env::var("MODEL").as_deref() {
        Err(_) => EVERY_RUN.iter().collect(),
        Ok("large") => LARGE.iter().collect(),
        Ok(name) => EVERY_RUN.iter().chain(LARGE).filter(|bounds| bounds.name.contains(name)).collect(),
    };
    assert!(!bounds.is_empty(), "no bounds have that name");
    let (waiting, totals) = (Mutex::new(bounds.into_iter()), Mutex::new((0, 0)));
    let threads = thread::available_parallelism().unwrap().get();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(bounds) = waiting.lock().unwrap().next() else { break };
                    let began = Instant::now();
                    let covered = explore(bounds, Mutant::None);
                    println!("{}: {covered}, in {:.1} s", bounds.name, began.elapsed().as_secs_f32());
                    if let Some(broken) = covered.broken {
                        panic!("{}: {broken}", bounds.name);
                    }
                    let mut totals = totals.lock().unwrap();
                    *totals = (totals.0 + covered.interleavings, totals.1 + covered.states);
                }
            });
        }
    });
    let (interleavings, states) = totals.into_inner().unwrap();
    println!("together: {interleavings} interleavings over {states} states");
}

/// Repeats and describes the path of a failure. `MODEL_REPLAY` is what the failure prints: bounds, mutant, and the numbers
/// of the choices.
#[test]
fn a_failure_is_told_again() {
    let Ok(line) = env::var("MODEL_REPLAY") else { return };
    let mut parts = line.split('/');
    let name = parts.next().unwrap();
    let bounds = EVERY_RUN.iter().chain(LARGE).find(|bounds| bounds.name == name).expect("no bounds have that name");
    let mutant = parts.next().unwrap().parse().unwrap();
    let steps: Vec<usize> = parts.next().unwrap().split('.').map(|step| step.parse().unwrap()).collect();
    println!("{}", replay(bounds, mutant, &steps));
}

/// A check that cannot fail proves nothing: for each defence that is removed, some invariant must break.
#[test]
fn without_a_defence_a_promise_is_broken() {
    let earlier_generation = "the callback URL of one generation leads to another one";
    let mut unnoticed = Vec::new();
    for (mutant, bounds, expected) in [
        (Mutant::EveryConflictIsOwn, SIDE_BY_SIDE, "body 0 again gets Accepted(\"ODR1\") in place of Accepted(\"ODR0\")"),
        (Mutant::NoVersionCondition, SIDE_BY_SIDE, "an entry of the history is lost"),
        (Mutant::VersionsFromOne, GENERATIONS, earlier_generation),
        (Mutant::NoGenerationCheck, GENERATIONS, "ODR0 is of an earlier generation"),
        (Mutant::NoKeptToken, SIDE_BY_SIDE, earlier_generation),
        (Mutant::NoWriteBeforeSend, SIDE_BY_SIDE, "an order was sent, and the store does not have it"),
        (Mutant::UnknownIsFailed, SIDE_BY_SIDE, "the order is FAILED, and an attempt ended with Some(Hangs)"),
        (Mutant::NoAmountCheck, LIES, "ODR0 is of"),
        (Mutant::NoAmountCheckAfterConflict, LIES, "ODR0 is of"),
        (Mutant::DeadMakesOrder, DEAD, "ODR0 is dead, and has become the order of an attempt that had failed"),
        (Mutant::DeadMakesNone, DEAD, "a callback was taken, and the order is Unknown"),
        (Mutant::NoWayForEarlier, DEAD, "the order is ODR1, which is Expired, and ODR0 lives"),
        (Mutant::NoWayForLater, DEAD, "ODR0 calls back with PAID, and the order is Some(\"ODR1\")"),
        (Mutant::NoWayAfterRead, READ_BESIDE, "the order is ODR1, which is Cancelled, and ODR0 lives"),
        (Mutant::NoWayFor201, DEAD_BESIDE, "the order is ODR0, which is Cancelled, and ODR1 lives"),
        (Mutant::CalledOffMakesWay, CANCEL_OF_TWO, "its shop has called off"),
        (Mutant::ReplacedComesBack, INSTEAD, "the operator has replaced"),
        (Mutant::NoFold, DEAD, "the status of ODR0 is Sent, and its entries come to Some(\"RESERVED\")"),
        (Mutant::NoRank, DEAD, "the status of ODR0 is Reserved, and its entries come to Some(\"CANCELLED\")"),
        (Mutant::NoReason, DEAD, "after RESERVED, the status is to be read, and is not due"),
        (Mutant::NoReasonForRefund, REFUNDS, "after PARTIAL_REFUNDED, the status is to be read, and is not due"),
        (Mutant::NoReasonForCancel, CANCEL, "after CANCEL_REQUESTED, the status is to be read, and is not due"),
        (
            Mutant::NoReadAgain,
            Bounds { attempts: 1, callbacks: 2, ..READ_BESIDE },
            "RESERVED was read before the callback CANCELLED",
        ),
        (Mutant::NoWriteBeforeCancel, CANCEL, "a cancellation was sent, and is not written down"),
        (Mutant::NoTenMinutes, OPERATOR, "the order is FAILED, and an attempt ended with"),
        (Mutant::NoReadBeforeSettle, OPERATOR, "the operator has settled ODR0"),
        (Mutant::NoTellClaim, WORKERS, "the shop heard RESERVED of ODR0, when it was Some((\"ODR0\", Paid, None))"),
        (Mutant::NoTellLease, WORKERS, "two workers tell the shop of one order at once"),
        (Mutant::NoChangeNumbers, COMES_BACK, "the shop was not told that the order is Reserved"),
        (Mutant::NoRefundTold, REFUNDS, "the shop was not told that the order is PartialRefunded"),
        (Mutant::NoDerivation, WORKERS, "the order is Sent and to be asked about at (Some(Settle)"),
        (Mutant::OnlyDifferences, SIDE_BY_SIDE, "the order is Rejected and to be asked about at (Some(Settle)"),
        (Mutant::UnderivedInMemory, SIDE_BY_SIDE, "a writer knows another version than is stored"),
        (Mutant::OpenExpires, GENERATIONS, "the order is Submitting and kept until"),
    ] {
        match explore(&bounds, mutant).broken {
            Some(broken) if broken.starts_with(expected) => {
                println!("{mutant:?} is noticed: {}", broken.lines().next().unwrap());
            }
            other => unnoticed.push(format!("{mutant:?}: {}", other.unwrap_or_default())),
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}
