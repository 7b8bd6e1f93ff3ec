//! How much may happen in one history of an order.

use crate::decisions::{Body, ProviderReply, ShopAnswer, Word};

#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub name: &'static str,
    /// Requests of the shop with one key.
    pub attempts: usize,
    /// The bodies that they have; the first request has the first one.
    pub bodies: &'static [Body],
    /// Requests and callbacks at the same time.
    pub in_flight: usize,
    /// Faults of the store, and processes killed.
    pub faults: usize,
    /// Front Payment's replies to an order.
    pub replies: &'static [ProviderReply],
    /// A refused order may exist all the same, and one with a 201 may not.
    pub lies: bool,
    /// Callbacks of each order that exists.
    pub callbacks: u8,
    /// The words that they have.
    pub words: &'static [Word],
    /// RESERVED and PAID may come after CANCELLED.
    pub overtaken: bool,
    /// An order that is dead may become RESERVED.
    pub revived: bool,
    /// Status reads that the operator asks for.
    pub reads: usize,
    /// A status read may also give no status, or an unknown word.
    pub status_replies: bool,
    /// The operator may resolve an UNKNOWN order.
    pub operator: bool,
    /// How often a lease ends.
    pub leases: i64,
    /// It may end while a task runs, whose own time is over then.
    pub late: bool,
    /// How often a retention period ends.
    pub expiries: usize,
    /// How often a worker wakes.
    pub workers: usize,
    /// What the shop answers to it.
    pub shop: &'static [ShopAnswer],
    /// How often time passes until more is due.
    pub waits: i64,
}

const NOTHING: Bounds = Bounds {
    name: "",
    attempts: 0,
    bodies: &[0, 1],
    in_flight: 1,
    faults: 0,
    replies: &ProviderReply::ALL,
    lies: false,
    callbacks: 0,
    words: LIVING,
    overtaken: false,
    revived: false,
    reads: 0,
    status_replies: false,
    operator: false,
    leases: 0,
    late: false,
    expiries: 0,
    workers: 0,
    shop: &[ShopAnswer::Ok200],
    waits: 0,
};

const LIVING: &[Word] = &[Word::Reserved, Word::Paid];
const LIVING_OR_DEAD: &[Word] = &[Word::Reserved, Word::Cancelled];
/// Words after which a status may be read.
const UNCERTAIN: &[Word] = &[Word::Reserved, Word::Cancelled, Word::Unknown];
const ALL_WORDS: &[Word] = &Word::ALL;
const TWO_OF_A_TOTAL: &[Body] = &[0, 2];
const ALL_BODIES: &[Body] = &[0, 1, 2];
/// Replies that prove nothing against the order.
const UNPROVEN: &[ProviderReply] = &[ProviderReply::Created201, ProviderReply::Error500, ProviderReply::Hangs];

/// Two requests and their callbacks.
pub const SIDE_BY_SIDE: Bounds =
    Bounds { name: "two requests side by side", attempts: 2, in_flight: 2, callbacks: 1, leases: 1, ..NOTHING };

/// Two bodies of the same total: a callback does not tell of which it is.
pub const SAME_TOTAL: Bounds = Bounds {
    name: "two requests with the same total side by side",
    bodies: TWO_OF_A_TOTAL,
    words: LIVING_OR_DEAD,
    ..SIDE_BY_SIDE
};

/// Orders that are cancelled or expire.
pub const CANCELLED: Bounds = Bounds {
    name: "two requests, and orders that end at Front Payment",
    attempts: 2,
    callbacks: 2,
    words: &[Word::Reserved, Word::Expired, Word::Cancelled],
    overtaken: true,
    ..NOTHING
};

/// Orders that are cancelled while another one is sent.
pub const CANCELLED_BESIDE: Bounds = Bounds {
    name: "a cancelled order beside a request",
    attempts: 2,
    bodies: &[0],
    in_flight: 2,
    replies: &[ProviderReply::Created201, ProviderReply::Error500],
    callbacks: 2,
    words: LIVING_OR_DEAD,
    ..NOTHING
};

/// Statuses that are read while callbacks come.
pub const READ_BESIDE: Bounds = Bounds {
    name: "a status that is read beside callbacks of two orders",
    attempts: 2,
    bodies: &[0],
    in_flight: 2,
    replies: &[ProviderReply::Created201, ProviderReply::Error500],
    callbacks: 1,
    words: UNCERTAIN,
    reads: 1,
    ..NOTHING
};

/// Orders whose outcome is UNKNOWN, and the operator who resolves them.
const OPERATOR: Bounds = Bounds {
    name: "the operator",
    attempts: 2,
    bodies: TWO_OF_A_TOTAL,
    faults: 1,
    callbacks: 1,
    words: LIVING_OR_DEAD,
    reads: 1,
    operator: true,
    leases: 1,
    ..NOTHING
};

/// An order ends, and another one gets its key.
pub const GENERATIONS: Bounds = Bounds {
    name: "two generations of an order, and their callbacks",
    attempts: 2,
    bodies: TWO_OF_A_TOTAL,
    in_flight: 2,
    callbacks: 1,
    words: LIVING_OR_DEAD,
    expiries: 1,
    ..NOTHING
};

/// Two workers, and a status that changes while one is under way.
pub const WORKERS: Bounds = Bounds {
    name: "two workers, and a status that rises",
    attempts: 1,
    bodies: &[0],
    in_flight: 2,
    replies: &[ProviderReply::Created201],
    callbacks: 2,
    workers: 2,
    shop: &[ShopAnswer::Ok200, ShopAnswer::Timeout],
    ..NOTHING
};

/// A status that goes back, and comes back.
pub const COMES_BACK: Bounds = Bounds {
    name: "a worker, and a status that comes back",
    in_flight: 1,
    callbacks: 3,
    words: LIVING_OR_DEAD,
    revived: true,
    reads: 1,
    workers: 2,
    shop: &[ShopAnswer::Ok200],
    ..WORKERS
};

/// What is covered on every run.
pub const EVERY_RUN: &[Bounds] = &[
    WORKERS,
    COMES_BACK,
    Bounds {
        name: "a worker, and a status that goes back while it works",
        in_flight: 2,
        callbacks: 2,
        reads: 0,
        workers: 1,
        ..COMES_BACK
    },
    Bounds { name: "two workers, with a fault", callbacks: 1, faults: 1, ..WORKERS },
    Bounds {
        name: "workers one after the other, and a shop that does not answer",
        in_flight: 1,
        callbacks: 1,
        workers: 3,
        shop: &[ShopAnswer::Ok200, ShopAnswer::Timeout, ShopAnswer::Gone410],
        waits: 2,
        ..WORKERS
    },
    Bounds {
        name: "workers, and an order without a 201",
        replies: &[ProviderReply::Created201, ProviderReply::Error500, ProviderReply::Hangs],
        callbacks: 1,
        workers: 1,
        operator: true,
        ..WORKERS
    },
    SIDE_BY_SIDE,
    SAME_TOTAL,
    CANCELLED,
    CANCELLED_BESIDE,
    READ_BESIDE,
    GENERATIONS,
    Bounds { name: "replies that lie", lies: true, in_flight: 1, ..SIDE_BY_SIDE },
    Bounds { name: "three requests at once", attempts: 3, in_flight: 3, ..NOTHING },
    Bounds {
        name: "three requests, one after the other",
        attempts: 3,
        bodies: ALL_BODIES,
        callbacks: 1,
        words: LIVING_OR_DEAD,
        ..NOTHING
    },
    Bounds {
        name: "a fault, and what follows",
        attempts: 2,
        faults: 1,
        callbacks: 1,
        leases: 1,
        words: LIVING_OR_DEAD,
        ..NOTHING
    },
    Bounds { name: "a fault beside a request", attempts: 2, in_flight: 2, faults: 1, ..NOTHING },
    Bounds { name: "two faults", attempts: 2, faults: 2, leases: 1, ..NOTHING },
    Bounds {
        name: "two faults beside a callback",
        attempts: 1,
        in_flight: 2,
        faults: 2,
        callbacks: 1,
        words: ALL_WORDS,
        ..NOTHING
    },
    Bounds {
        name: "a status that is read, with a fault",
        attempts: 1,
        in_flight: 2,
        faults: 1,
        callbacks: 2,
        words: UNCERTAIN,
        ..NOTHING
    },
    Bounds {
        name: "a status that is read, and orders that end",
        attempts: 2,
        replies: UNPROVEN,
        callbacks: 2,
        words: UNCERTAIN,
        overtaken: true,
        reads: 1,
        status_replies: true,
        ..NOTHING
    },
    Bounds {
        name: "a status that is read, and orders that are revived",
        attempts: 2,
        bodies: &[0],
        replies: UNPROVEN,
        callbacks: 3,
        words: LIVING_OR_DEAD,
        revived: true,
        reads: 1,
        ..NOTHING
    },
    OPERATOR,
    Bounds {
        name: "two generations, with a fault",
        attempts: 2,
        faults: 1,
        callbacks: 1,
        words: LIVING_OR_DEAD,
        expiries: 1,
        ..NOTHING
    },
    Bounds {
        name: "time that is over at any step",
        attempts: 2,
        in_flight: 2,
        callbacks: 1,
        words: &[Word::Reserved],
        leases: 1,
        late: true,
        ..NOTHING
    },
];

/// What `MODEL=large` covers.
pub const LARGE: &[Bounds] = &[
    Bounds { name: "a worker, and a status that comes back while it works", in_flight: 2, workers: 1, ..COMES_BACK },
    Bounds { name: "two workers, a fault, and what follows", faults: 1, waits: 1, ..WORKERS },
    Bounds {
        name: "a fault beside anything",
        attempts: 2,
        bodies: TWO_OF_A_TOTAL,
        in_flight: 2,
        faults: 1,
        callbacks: 1,
        words: LIVING_OR_DEAD,
        leases: 1,
        ..NOTHING
    },
    Bounds {
        name: "two faults, and what follows",
        attempts: 2,
        faults: 2,
        callbacks: 1,
        words: LIVING_OR_DEAD,
        leases: 1,
        ..NOTHING
    },
    Bounds { name: "three requests, with a fault", attempts: 3, in_flight: 2, faults: 1, ..NOTHING },
    Bounds { name: "two requests and a callback at once", bodies: ALL_BODIES, in_flight: 3, leases: 0, ..SAME_TOTAL },
    Bounds { name: "orders that end at any step", bodies: TWO_OF_A_TOTAL, in_flight: 2, ..CANCELLED },
    Bounds {
        name: "three requests, and orders that end",
        attempts: 3,
        bodies: ALL_BODIES,
        replies: UNPROVEN,
        callbacks: 2,
        words: LIVING_OR_DEAD,
        ..NOTHING
    },
    Bounds {
        name: "three requests and their callbacks, side by side",
        attempts: 3,
        bodies: TWO_OF_A_TOTAL,
        in_flight: 2,
        replies: &[ProviderReply::Created201, ProviderReply::Rejected417, ProviderReply::Error500, ProviderReply::Hangs],
        callbacks: 1,
        words: LIVING_OR_DEAD,
        ..NOTHING
    },
    Bounds { name: "three generations", attempts: 3, bodies: &[0], expiries: 2, ..GENERATIONS },
    Bounds { name: "two generations side by side, with a fault", faults: 1, ..GENERATIONS },
    Bounds {
        name: "a status that is read beside anything",
        attempts: 2,
        in_flight: 2,
        replies: UNPROVEN,
        callbacks: 1,
        words: UNCERTAIN,
        reads: 1,
        status_replies: true,
        ..NOTHING
    },
    Bounds { name: "the operator, side by side", in_flight: 2, reads: 0, ..OPERATOR },
    Bounds { name: "the operator, with three requests", attempts: 3, bodies: ALL_BODIES, reads: 0, ..OPERATOR },
    Bounds {
        name: "time that is over at any step, with a fault",
        attempts: 2,
        in_flight: 2,
        faults: 1,
        callbacks: 1,
        words: &[Word::Reserved],
        leases: 1,
        late: true,
        ..NOTHING
    },
];
