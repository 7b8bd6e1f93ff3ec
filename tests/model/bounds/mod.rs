//! The bounds of an exploration: how much may happen in one history of an order.

mod sets;

pub use sets::{EVERY_RUN, LARGE};

use crate::decisions::{Body, ProviderReply, ShopAnswer, Word};
use crate::explore::LEASE;
use crate::worker::TEN_MINUTES;

#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub name: &'static str,
    /// Requests of the shop with one key.
    pub attempts: usize,
    /// The bodies of these requests. The first request has the first body.
    pub bodies: &'static [Body],
    /// How many requests, callbacks and workers run at the same time.
    pub in_flight: usize,
    /// How many faults of the store and killed processes there may be.
    pub faults: usize,
    /// The replies that Front Payment may give to an order.
    pub replies: &'static [ProviderReply],
    /// Whether a reply may be wrong: a refused order may exist, and one with a 201 may not.
    pub lies: bool,
    /// How many callbacks each existing order may have.
    pub callbacks: u8,
    /// The status words of these callbacks.
    pub words: &'static [Word],
    /// Whether RESERVED and PAID may come after CANCELLED.
    pub overtaken: bool,
    /// Whether an order that is EXPIRED or CANCELLED may become RESERVED again.
    pub revived: bool,
    /// How many partial refunds each order may have.
    pub refunds: u8,
    /// How many status reads are requested.
    pub reads: usize,
    /// Whether a status read may fail, or tell an unknown word.
    pub status_replies: bool,
    /// How many cancellations the shop requests.
    pub cancels: usize,
    /// How many events the operator sends.
    pub operators: usize,
    /// Whether the operator may replace the order's uuid by another one.
    pub instead: bool,
    /// How much time passes, step by step, in seconds.
    pub times: &'static [i64],
    /// Whether time may also pass while a task runs, which has then exceeded its deadline.
    pub late: bool,
    /// How many retention periods end.
    pub expiries: usize,
    /// How many times a worker wakes.
    pub workers: usize,
    /// The answers that the shop may give to notifications.
    pub shop: &'static [ShopAnswer],
}

const NOTHING: Bounds = Bounds {
    name: "",
    attempts: 0,
    bodies: &[0],
    in_flight: 1,
    faults: 0,
    replies: &ProviderReply::ALL,
    lies: false,
    callbacks: 0,
    words: LIVING,
    overtaken: false,
    revived: false,
    refunds: 0,
    reads: 0,
    status_replies: false,
    cancels: 0,
    operators: 0,
    instead: false,
    times: &[],
    late: false,
    expiries: 0,
    workers: 0,
    shop: &[ShopAnswer::Ok200],
};

const BOTH_BODIES: &[Body] = &[0, 1];
const LIVING: &[Word] = &[Word::Reserved, Word::Paid];
const LIVING_OR_DEAD: &[Word] = &[Word::Reserved, Word::Cancelled];
const REFUNDED: &[Word] = &[Word::Paid, Word::PartialRefunded];
/// Callbacks that can be a reason to ask.
const UNCERTAIN: &[Word] = &[Word::Reserved, Word::Cancelled, Word::Unknown];
const CREATED: &[ProviderReply] = &[ProviderReply::Created201];
const CREATED_OR_OPEN: &[ProviderReply] = &[ProviderReply::Created201, ProviderReply::Hangs];
/// One reply for each way in which the bridge stores a result.
const REPLIES: &[ProviderReply] = &[ProviderReply::Created201, ProviderReply::Unavailable503, ProviderReply::Hangs];

/// Two requests at the same time, and their callbacks.
pub const SIDE_BY_SIDE: Bounds = Bounds {
    name: "two requests side by side",
    attempts: 2,
    bodies: BOTH_BODIES,
    in_flight: 2,
    callbacks: 1,
    times: &[LEASE],
    ..NOTHING
};

/// Replies of Front Payment that are wrong.
pub const LIES: Bounds = Bounds {
    name: "replies that lie",
    attempts: 2,
    bodies: BOTH_BODIES,
    in_flight: 2,
    replies: REPLIES,
    lies: true,
    callbacks: 1,
    words: LIVING_OR_DEAD,
    ..NOTHING
};

/// Orders that become CANCELLED or EXPIRED.
pub const DEAD: Bounds = Bounds {
    name: "two orders of one key that end at Front Payment",
    attempts: 2,
    replies: REPLIES,
    lies: true,
    callbacks: 2,
    words: &[Word::Reserved, Word::Expired, Word::Cancelled],
    overtaken: true,
    ..NOTHING
};

/// Orders that are cancelled while another one is being sent.
pub const DEAD_BESIDE: Bounds = Bounds {
    name: "an order that ends beside a request",
    in_flight: 2,
    replies: &[ProviderReply::Created201, ProviderReply::Unavailable503],
    words: LIVING_OR_DEAD,
    overtaken: false,
    ..DEAD
};

/// Status reads while callbacks come.
pub const READ_BESIDE: Bounds = Bounds {
    name: "a status that is read beside callbacks of two orders",
    attempts: 2,
    in_flight: 2,
    replies: &[ProviderReply::Created201, ProviderReply::Unavailable503],
    lies: true,
    callbacks: 1,
    words: UNCERTAIN,
    reads: 1,
    ..NOTHING
};

/// The operator settles orders at any moment.
pub const OPERATOR: Bounds = Bounds {
    name: "the operator beside requests and callbacks",
    attempts: 2,
    in_flight: 2,
    replies: CREATED_OR_OPEN,
    callbacks: 1,
    words: LIVING_OR_DEAD,
    operators: 1,
    times: &[TEN_MINUTES],
    ..NOTHING
};

/// The operator settles an order while a request with another body runs.
pub const OPERATOR_AND_BODIES: Bounds = Bounds {
    name: "the operator beside a request with another body",
    bodies: BOTH_BODIES,
    replies: &[ProviderReply::Unavailable503],
    lies: true,
    callbacks: 0,
    times: &[],
    ..OPERATOR
};

/// The operator settles a failed order whose callbacks have EXPIRED or CANCELLED.
const OPERATOR_AND_FAILED: Bounds = Bounds {
    name: "the operator beside callbacks of a failed order",
    attempts: 1,
    replies: &[ProviderReply::Unavailable503],
    lies: true,
    callbacks: 2,
    times: &[],
    ..OPERATOR
};

/// The operator replaces the order's uuid by another one of the same key.
pub const INSTEAD: Bounds = Bounds {
    name: "the operator replaces an order",
    attempts: 2,
    replies: &[ProviderReply::Created201, ProviderReply::Unavailable503],
    lies: true,
    callbacks: 2,
    words: LIVING_OR_DEAD,
    operators: 1,
    instead: true,
    ..NOTHING
};

/// The shop cancels, and repeats the cancellation.
pub const CANCEL: Bounds = Bounds {
    name: "cancellations beside callbacks",
    attempts: 1,
    in_flight: 2,
    replies: CREATED,
    callbacks: 1,
    words: LIVING_OR_DEAD,
    cancels: 2,
    ..NOTHING
};

/// Like [`CANCEL`], but status reads tell nothing, and there are no callbacks.
pub const CANCEL_UNTOLD: Bounds =
    Bounds { name: "cancellations whose outcome is not told", callbacks: 0, status_replies: true, ..CANCEL };

/// Like [`CANCEL`], but Front Payment has two orders of the key.
pub const CANCEL_OF_TWO: Bounds = Bounds {
    name: "cancellations of two orders of one key",
    attempts: 2,
    in_flight: 1,
    replies: &[ProviderReply::Created201, ProviderReply::Unavailable503],
    lies: true,
    callbacks: 1,
    words: LIVING_OR_DEAD,
    cancels: 2,
    ..NOTHING
};

/// Partial refunds, one after the other.
pub const REFUNDS: Bounds = Bounds {
    name: "refunds, and a worker",
    attempts: 1,
    in_flight: 2,
    replies: CREATED,
    callbacks: 2,
    words: REFUNDED,
    refunds: 2,
    workers: 1,
    ..NOTHING
};

/// An order's retention period ends, and the next order gets its key.
pub const GENERATIONS: Bounds = Bounds {
    name: "two generations of an order, and their callbacks",
    attempts: 2,
    bodies: BOTH_BODIES,
    in_flight: 2,
    callbacks: 1,
    words: LIVING_OR_DEAD,
    expiries: 1,
    ..NOTHING
};

/// Two workers, and a status that changes while one of them runs.
pub const WORKERS: Bounds = Bounds {
    name: "two workers, and a status that rises",
    attempts: 1,
    in_flight: 2,
    replies: CREATED,
    callbacks: 2,
    workers: 2,
    shop: &[ShopAnswer::Ok200, ShopAnswer::Timeout],
    ..NOTHING
};

/// A status that sinks and rises again.
pub const COMES_BACK: Bounds = Bounds {
    name: "a worker, and a status that comes back",
    in_flight: 1,
    callbacks: 3,
    words: LIVING_OR_DEAD,
    revived: true,
    reads: 1,
    shop: &[ShopAnswer::Ok200],
    ..WORKERS
};
