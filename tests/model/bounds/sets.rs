//! Which bounds are explored.

use super::*;
use crate::worker::WAIT;

/// The bounds that every run explores.
pub const EVERY_RUN: &[Bounds] = &[
    SIDE_BY_SIDE,
    LIES,
    DEAD,
    Bounds { words: LIVING_OR_DEAD, ..READ_BESIDE },
    OPERATOR,
    OPERATOR_AND_BODIES,
    OPERATOR_AND_FAILED,
    INSTEAD,
    Bounds { name: "a cancellation beside callbacks", cancels: 1, ..CANCEL },
    Bounds { name: "two cancellations at once", callbacks: 0, ..CANCEL },
    Bounds { in_flight: 1, ..CANCEL_UNTOLD },
    CANCEL_OF_TWO,
    Bounds { in_flight: 1, ..REFUNDS },
    GENERATIONS,
    Bounds { callbacks: 1, ..WORKERS },
    COMES_BACK,
    Bounds {
        name: "workers one after the other, and a shop that does not answer",
        in_flight: 1,
        callbacks: 1,
        workers: 3,
        shop: &[ShopAnswer::Ok200, ShopAnswer::Timeout, ShopAnswer::Gone410],
        operators: 1,
        times: &[WAIT, WAIT],
        ..WORKERS
    },
    Bounds {
        name: "workers, the operator, and an order without a 201",
        replies: CREATED_OR_OPEN,
        callbacks: 1,
        workers: 1,
        operators: 1,
        times: &[LEASE],
        ..WORKERS
    },
    Bounds { name: "a worker, and a fault", faults: 1, words: &[Word::Reserved], workers: 1, ..WORKERS },
    Bounds { name: "three requests at once", attempts: 3, bodies: BOTH_BODIES, in_flight: 3, ..NOTHING },
    Bounds {
        name: "a fault, and what follows",
        attempts: 2,
        faults: 1,
        callbacks: 1,
        times: &[LEASE],
        words: LIVING_OR_DEAD,
        ..NOTHING
    },
    Bounds { name: "a fault beside a request", attempts: 2, in_flight: 2, faults: 1, ..NOTHING },
    Bounds { name: "two faults", attempts: 2, faults: 2, times: &[LEASE], ..NOTHING },
    Bounds {
        name: "two faults beside a callback",
        attempts: 1,
        in_flight: 2,
        faults: 2,
        callbacks: 1,
        words: &Word::ALL,
        ..NOTHING
    },
    Bounds {
        name: "a status that is read, with a fault",
        attempts: 1,
        in_flight: 2,
        faults: 1,
        callbacks: 2,
        words: UNCERTAIN,
        replies: CREATED,
        ..NOTHING
    },
    Bounds {
        name: "a status that is read, and orders that end",
        attempts: 2,
        replies: REPLIES,
        callbacks: 2,
        words: UNCERTAIN,
        overtaken: true,
        reads: 1,
        status_replies: true,
        ..NOTHING
    },
    Bounds { name: "the operator, with a fault", attempts: 1, in_flight: 1, faults: 1, ..OPERATOR },
    Bounds { name: "two generations, with a fault", in_flight: 1, faults: 1, ..GENERATIONS },
    Bounds {
        name: "time that is over at any step",
        attempts: 2,
        in_flight: 2,
        callbacks: 1,
        words: &[Word::Reserved],
        times: &[LEASE],
        late: true,
        ..NOTHING
    },
];

/// The bounds that `MODEL=large` explores.
pub const LARGE: &[Bounds] = &[
    DEAD_BESIDE,
    Bounds { name: "a status that is read beside anything", replies: REPLIES, status_replies: true, ..READ_BESIDE },
    Bounds {
        name: "a worker, and a status that goes back while it works",
        in_flight: 2,
        callbacks: 2,
        reads: 0,
        workers: 1,
        ..COMES_BACK
    },
    Bounds { name: "a worker, and a status that comes back while it works", in_flight: 2, workers: 1, ..COMES_BACK },
    Bounds { name: "two workers, and a status that rises twice", ..WORKERS },
    Bounds { name: "two workers, a fault, and what follows", callbacks: 1, faults: 1, times: &[WAIT], ..WORKERS },
    Bounds { name: "a fault beside anything", faults: 1, words: LIVING_OR_DEAD, ..SIDE_BY_SIDE },
    Bounds {
        name: "two faults, and what follows",
        attempts: 2,
        faults: 2,
        callbacks: 1,
        words: LIVING_OR_DEAD,
        times: &[LEASE],
        ..NOTHING
    },
    Bounds { name: "three requests, with a fault", attempts: 3, in_flight: 2, faults: 1, ..NOTHING },
    Bounds { name: "two requests and a callback at once", in_flight: 3, times: &[], ..SIDE_BY_SIDE },
    Bounds { name: "two orders of one key that end at any step", in_flight: 2, ..DEAD },
    Bounds { name: "three orders of one key that end", attempts: 3, words: LIVING_OR_DEAD, overtaken: false, ..DEAD },
    Bounds { name: "three requests and their lies", attempts: 3, bodies: &[0], ..LIES },
    Bounds { name: "three generations", attempts: 3, bodies: &[0], expiries: 2, ..GENERATIONS },
    Bounds { name: "two generations side by side, with a fault", faults: 1, ..GENERATIONS },
    Bounds { name: "two events of the operator beside anything", lies: true, replies: REPLIES, operators: 2, ..OPERATOR },
    Bounds { name: "the operator and a fault beside anything", faults: 1, ..OPERATOR },
    Bounds { name: "the operator replaces an order beside callbacks", in_flight: 2, ..INSTEAD },
    Bounds { name: "the operator replaces an order twice", operators: 2, ..INSTEAD },
    CANCEL,
    Bounds {
        name: "a cancellation, a worker, and a fault",
        in_flight: 1,
        faults: 1,
        words: &[Word::Reserved],
        cancels: 1,
        workers: 1,
        ..CANCEL
    },
    Bounds { name: "cancellations, with a fault", faults: 1, ..CANCEL },
    Bounds { name: "cancellations beside callbacks, whose outcome is not told", status_replies: true, ..CANCEL },
    Bounds { name: "cancellations of two orders beside callbacks", in_flight: 2, ..CANCEL_OF_TWO },
    Bounds { name: "refunds beside a worker", ..REFUNDS },
    Bounds { name: "refunds, with a fault", in_flight: 1, faults: 1, ..REFUNDS },
    Bounds {
        name: "time that is over at any step, with a fault",
        attempts: 2,
        in_flight: 2,
        faults: 1,
        callbacks: 1,
        words: &[Word::Reserved],
        times: &[LEASE],
        late: true,
        ..NOTHING
    },
];
