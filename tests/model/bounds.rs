//! How much may happen in one history of an order.

use crate::decisions::{Body, ProviderReply, Word};

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
    reads: 0,
    status_replies: false,
    operator: false,
    leases: 0,
    late: false,
    expiries: 0,
};

const LIVING: &[Word] = &[Word::Reserved, Word::Paid];
const LIVING_OR_DEAD: &[Word] = &[Word::Reserved, Word::Cancelled];
const SAME_TOTAL: &[Body] = &[0, 2];

/// Two requests and their callbacks.
pub const SIDE_BY_SIDE: Bounds =
    Bounds { name: "two requests side by side", attempts: 2, in_flight: 2, callbacks: 1, leases: 1, lies: true, ..NOTHING };

/// What is covered on every run.
pub const EVERY_RUN: &[Bounds] = &[SIDE_BY_SIDE];

/// What `MODEL=large` covers.
pub const LARGE: &[Bounds] = &[];
