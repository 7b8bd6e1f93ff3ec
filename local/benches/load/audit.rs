//! Compares three sides: the replies that the shop got, the orders that the bridge has stored, and those that the sandbox
//! has.
//!
//! It runs after the load, when every callback has been answered, so no result depends on time.

use std::collections::{BTreeMap, HashMap, HashSet};

use ::local::sandbox::{Misbehaviour, SandboxOrder};
use front_payment_bridge::order::{EntrySource, HistoryEntry, Status, StoredOrder};
use uuid::Uuid;

use crate::notifications::Notified;
use crate::shops::Told;
use crate::transcript::Reply;

/// What each side has.
#[derive(Clone, Default)]
pub struct Evidence {
    pub replies: Vec<Reply>,
    pub stored: Vec<StoredOrder>,
    pub at_provider: Vec<SandboxOrder>,
    pub notified: Notified,
}

/// Every reply that the load may get. A 303 is the sandbox's reply to a customer.
const REPLIES: [(u16, Option<&str>); 12] = [
    (200, None),
    (201, None),
    (303, None),
    (404, Some("not-found")),
    (409, Some("outcome-unknown")),
    (409, Some("submission-in-progress")),
    (422, Some("idempotency-key-reused")),
    (422, Some("rejected-by-front-payment")),
    (502, Some("front-payment-failed")),
    (503, Some("front-payment-unavailable")),
    (503, Some("storage-unavailable")),
    (504, Some("outcome-unknown")),
];

impl Evidence {
    /// The same evidence, reduced to one order.
    pub fn about(&self, order_id: Uuid) -> Self {
        let at_provider: Vec<_> = self.at_provider.iter().filter(|order| bridge_id(order) == Some(order_id)).cloned().collect();
        let is_own = |told: &&Told| at_provider.iter().any(|order| order.uuid == told.order_uuid);
        let told = self.notified.told.iter().filter(is_own).cloned().collect();
        Self {
            notified: Notified { told, urls: self.notified.urls.clone() },
            replies: self.replies.iter().filter(|reply| reply.order_id == Some(order_id)).cloned().collect(),
            stored: self.stored.iter().filter(|stored| stored.order_id == order_id).cloned().collect(),
            at_provider,
        }
    }

    /// Every contradiction between the sides.
    pub fn findings(&self) -> Vec<String> {
        let stored: HashMap<Uuid, &StoredOrder> = self.stored.iter().map(|stored| (stored.order_id, stored)).collect();
        let mut orders: BTreeMap<Uuid, Vec<&SandboxOrder>> = BTreeMap::new();
        let mut found = Vec::new();
        for order in &self.at_provider {
            match bridge_id(order).filter(|id| stored.get(id).is_some_and(|stored| has_callback_url_of(stored, order))) {
                Some(id) => orders.entry(id).or_default().push(order),
                None => found.push(format!("{}: the provider has it, and the store does not", order.uuid)),
            }
        }
        let orders_of = |id: Uuid| orders.get(&id).map_or(&[][..], Vec::as_slice);
        let mut accepted = HashSet::new();
        for reply in &self.replies {
            let stored = reply.order_id.and_then(|id| stored.get(&id).copied());
            let fault = reply_fault(reply, stored, reply.order_id.map_or(&[], orders_of));
            found.extend(fault.map(|fault| format!("{}: {fault}", name(reply.order_id))));
            if reply.code == 201 && !reply.replayed && !accepted.insert(reply.order_id) {
                found.push(format!("{}: given out twice as a new order", name(reply.order_id)));
            }
        }
        for stored in &self.stored {
            let orders = orders_of(stored.order_id);
            let faults = [status_fault(stored, orders), callback_fault(stored, orders), attempt_fault(stored)];
            let faults = faults.into_iter().flatten();
            found.extend(faults.map(|fault| format!("{} ({:?}): {fault}", stored.order_id, stored.status)));
        }
        found.extend(self.notified.findings(&self.stored));
        found
    }
}

fn name(order_id: Option<Uuid>) -> String {
    order_id.map_or("a reply".to_owned(), |id| id.to_string())
}

/// The bridge's id of an order, from its callback URL.
fn bridge_id(order: &SandboxOrder) -> Option<Uuid> {
    order.callback_url.rsplit('/').nth(1)?.parse().ok()
}

fn has_callback_url_of(stored: &StoredOrder, order: &SandboxOrder) -> bool {
    order.callback_url.ends_with(&format!("/callbacks/{}/{}", stored.order_id, stored.callback_token))
}

/// Whether Front Payment created the order, but its reply did not say so.
fn is_silent(order: &SandboxOrder) -> bool {
    matches!(order.misbehaviour, Some(Misbehaviour::Error500Created | Misbehaviour::LostReply))
}

/// The bridge's status for a word of the sandbox.
fn rank(word: &str) -> Option<Status> {
    match word {
        "SENT" => Some(Status::Sent),
        "RESERVED" => Some(Status::Reserved),
        "INVOICED" => Some(Status::Invoiced),
        "CANCELLED" => Some(Status::Cancelled),
        _ => None,
    }
}

/// A reply must be right when it is given, and stay right.
fn reply_fault(reply: &Reply, stored: Option<&StoredOrder>, orders: &[&SandboxOrder]) -> Option<String> {
    let Reply { code, slug, .. } = reply;
    if !REPLIES.contains(&(*code, slug.as_deref())) {
        return Some(format!("replied {code} {slug:?}, which is no reply to anything that was sent"));
    }
    let Some(stored) = stored else {
        // An order that cannot be stored is not sent, and its shop is told so.
        let may_be_missing = reply.order_id.is_none() && *code != 201 || slug.as_deref() == Some("storage-unavailable");
        return (!may_be_missing).then(|| format!("replied {code}, and the store has no such order"));
    };
    if *code == 201 && (reply.order_uuid.is_none() || reply.status.is_none()) {
        return Some("a 201 without a uuid or a status".to_owned());
    }
    let uuid = reply.order_uuid.as_ref()?;
    if reply.order_uuid != stored.order_uuid {
        // An order that is cancelled may make way for another uuid.
        let is_cancelled = orders.iter().any(|order| order.uuid == *uuid && order.status == "CANCELLED");
        let is_noted = stored.history.iter().any(|entry| entry.order_uuid.as_ref() == Some(uuid));
        return (!is_cancelled || !is_noted).then(|| format!("given out as {uuid}, and stored as {:?}", stored.order_uuid));
    }
    // The sandbox never lowers a status.
    let given = reply.status.as_deref();
    given.filter(|word| rank(word).is_none_or(|given| given > stored.status)).map(|word| format!("given out as {word}"))
}

/// Compares the stored status with Front Payment's orders that have this callback URL.
fn status_fault(stored: &StoredOrder, orders: &[&SandboxOrder]) -> Option<String> {
    if orders.len() > 1 {
        let uuids: Vec<_> = orders.iter().map(|order| &order.uuid).collect();
        return Some(format!("the provider has it more than once: {uuids:?}"));
    }
    let Some(uuid) = &stored.order_uuid else {
        let reference = stored.reference_no.as_deref().unwrap_or_default();
        // A callback would have made the order accepted.
        let is_unheard = |order: &&SandboxOrder| is_silent(order) && called(order).is_empty();
        let is_open = ["lost-", "error-5"].iter().any(|word| reference.contains(word));
        return match stored.status {
            Status::Unknown if is_open && orders.iter().all(is_unheard) => None,
            Status::Rejected | Status::Failed if orders.is_empty() => None,
            status => Some(format!("{status:?} of {reference:?} without a uuid, with {} at the provider", orders.len())),
        };
    };
    let Some(order) = orders.iter().find(|order| order.uuid == *uuid) else {
        return Some(format!("accepted as {uuid}, which the provider does not have"));
    };
    if stored.bank_id_url.is_some() && stored.status != Status::Sent {
        return Some("the BankID link is kept beyond SENT".to_owned());
    }
    // If a callback is unverified, or its word is unknown, the bridge reads the status, but at most sixty times a minute.
    // Beyond that, the stored status stays.
    let may_lag = matches!(order.misbehaviour, Some(Misbehaviour::UnknownStatus | Misbehaviour::BadChecksum))
        && stored.status == Status::Sent;
    (rank(&order.status) != Some(stored.status) && !may_lag).then(|| format!("the provider says {}", order.status))
}

/// The words of those callbacks of an order that the bridge can verify.
fn called(order: &SandboxOrder) -> Vec<&str> {
    let decided = order.status.as_str();
    match order.misbehaviour {
        _ if order.link.is_none() => vec!["INVOICED"], // at once, because nobody has to sign
        _ if decided == "SENT" => vec![],
        Some(Misbehaviour::BadChecksum) => vec![],
        Some(Misbehaviour::UnknownStatus) => vec!["SUCCESS"],
        Some(Misbehaviour::ReversedCallbacks) => vec![decided, "RESERVED"],
        _ => vec![decided],
    }
}

/// Every callback is in the history once, with the uuid that it is about.
fn callback_fault(stored: &StoredOrder, orders: &[&SandboxOrder]) -> Option<String> {
    for order in orders {
        let callbacks = stored.history.iter().filter(|entry| entry.source == EntrySource::Callback);
        let own = callbacks.filter(|entry| entry.order_uuid.as_ref() == Some(&order.uuid));
        let mut noted: Vec<&str> = own.map(|entry| entry.status.as_str()).collect();
        let mut called = called(order);
        noted.sort_unstable();
        called.sort_unstable();
        if noted != called {
            return Some(format!("{} called back with {called:?}, and {noted:?} is noted", order.uuid));
        }
    }
    let is_unknown =
        |entry: &&HistoryEntry| entry.order_uuid.as_ref().is_some_and(|uuid| orders.iter().all(|order| order.uuid != *uuid));
    if let Some(entry) = stored.history.iter().find(is_unknown) {
        return Some(format!("{} of {:?} is noted, which the provider does not have", entry.status, entry.order_uuid));
    }
    let mut reads = stored.history.windows(2).filter(|pair| pair.iter().all(|entry| entry.source == EntrySource::Provider));
    reads.find(|pair| pair[0].status == pair[1].status).map(|pair| format!("a read of {} is noted twice", pair[0].status))
}

/// An order is sent again only after a submission attempt that was FAILED or REJECTED.
fn attempt_fault(stored: &StoredOrder) -> Option<String> {
    let results = stored.history.iter().filter(|entry| entry.source == EntrySource::Submit);
    let results: Vec<&HistoryEntry> = results.filter(|entry| !entry.is_about_other_order(stored)).collect();
    for (index, result) in results.iter().enumerate() {
        let is_sent_again = results[index + 1..].iter().any(|later| later.id != result.id);
        if is_sent_again && !matches!(result.status.as_str(), "REJECTED" | "FAILED") {
            return Some(format!("sent again after {}", result.status));
        }
        if results[..index].iter().any(|earlier| earlier.id == result.id && earlier.status == result.status) {
            return Some(format!("{} of one attempt is noted twice", result.status));
        }
    }
    None
}
