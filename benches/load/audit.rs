//! Compares what the shop was told, what the bridge has stored and what the sandbox has.
//!
//! It expects nothing of time: the load has ended, and every callback has been answered.

use std::collections::{BTreeMap, HashMap, HashSet};

use front_payment_bridge::local::sandbox::{Misbehaviour, SandboxOrder};
use front_payment_bridge::order::{EntrySource, HistoryEntry, Status, StoredOrder};
use uuid::Uuid;

use crate::transcript::Reply;

/// The three sides.
#[derive(Clone, Default)]
pub struct Evidence {
    pub replies: Vec<Reply>,
    pub stored: Vec<StoredOrder>,
    pub at_provider: Vec<SandboxOrder>,
}

/// Every answer that the mix may get. A 303 is the sandbox's, to a customer.
const ANSWERS: [(u16, Option<&str>); 12] = [
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
    /// The part that concerns one order.
    pub fn about(&self, order_id: Uuid) -> Self {
        Self {
            replies: self.replies.iter().filter(|reply| reply.order_id == Some(order_id)).cloned().collect(),
            stored: self.stored.iter().filter(|record| record.order_id == order_id).cloned().collect(),
            at_provider: self.at_provider.iter().filter(|order| bridge_id(order) == Some(order_id)).cloned().collect(),
        }
    }

    /// What does not fit.
    pub fn findings(&self) -> Vec<String> {
        let stored: HashMap<Uuid, &StoredOrder> = self.stored.iter().map(|record| (record.order_id, record)).collect();
        let mut orders: BTreeMap<Uuid, Vec<&SandboxOrder>> = BTreeMap::new();
        let mut found = Vec::new();
        for order in &self.at_provider {
            match bridge_id(order).filter(|id| stored.get(id).is_some_and(|record| is_called_back(record, order))) {
                Some(id) => orders.entry(id).or_default().push(order),
                None => found.push(format!("{}: the provider has it, and the store knows nothing of it", order.uuid)),
            }
        }
        let mut told_first = HashSet::new();
        for reply in &self.replies {
            let record = reply.order_id.and_then(|id| stored.get(&id).copied());
            found.extend(told(reply, record).map(|fault| format!("{}: {fault}", name(reply.order_id))));
            if reply.code == 201 && !reply.replayed && !told_first.insert(reply.order_id) {
                found.push(format!("{}: given out twice as a new order", name(reply.order_id)));
            }
        }
        for record in &self.stored {
            let orders = orders.get(&record.order_id).map_or(&[][..], Vec::as_slice);
            let faults = stands(record, orders).into_iter().chain(heard(record, orders)).chain(attempts(record, orders));
            found.extend(faults.map(|fault| format!("{} ({:?}): {fault}", record.order_id, record.status)));
        }
        found
    }
}

fn name(order_id: Option<Uuid>) -> String {
    order_id.map_or("a reply".to_owned(), |id| id.to_string())
}

/// The bridge's id of an order, and its token, stand in the callback URL.
fn bridge_id(order: &SandboxOrder) -> Option<Uuid> {
    order.callback_url.rsplit('/').nth(1)?.parse().ok()
}

fn is_called_back(record: &StoredOrder, order: &SandboxOrder) -> bool {
    order.callback_url.ends_with(&format!("/callbacks/{}/{}", record.order_id, record.callback_token))
}

/// Is the order one that the provider created although it answered 500? Such a one the bridge takes for
/// not created, and the same key may create another.
fn is_denied(order: &SandboxOrder) -> bool {
    order.misbehaviour == Some(Misbehaviour::Error500Created)
}

/// The words of the sandbox's.
fn rank(word: &str) -> Option<Status> {
    match word {
        "SENT" => Some(Status::Sent),
        "RESERVED" => Some(Status::Reserved),
        "INVOICED" => Some(Status::Invoiced),
        "CANCELLED" => Some(Status::Cancelled),
        _ => None,
    }
}

/// A shop was told something: it has to be true, and to stay so.
fn told(reply: &Reply, record: Option<&StoredOrder>) -> Option<String> {
    let Reply { code, slug, .. } = reply;
    if !ANSWERS.contains(&(*code, slug.as_deref())) {
        return Some(format!("answered {code} {slug:?}, which is no answer to anything that was sent"));
    }
    let Some(record) = record else {
        // What could not be stored was not sent either, and that is what the shop was told.
        let may_be_missing = reply.order_id.is_none() && *code != 201 || slug.as_deref() == Some("storage-unavailable");
        return (!may_be_missing).then(|| format!("answered {code}, and the store has no such order"));
    };
    if *code == 201 && (reply.order_uuid.is_none() || reply.status.is_none()) {
        return Some("a 201 without a uuid or a status".to_owned());
    }
    if reply.order_uuid.is_some() && reply.order_uuid != record.order_uuid {
        return Some(format!("given out as {:?}, and stored as {:?}", reply.order_uuid, record.order_uuid));
    }
    // A status only rises: the sandbox never takes one back.
    let given = reply.order_uuid.as_ref().and(reply.status.as_deref());
    given.filter(|word| rank(word).is_none_or(|given| given > record.status)).map(|word| format!("given out as {word}"))
}

/// Where a stored order stands, against the provider's orders that are called back to it.
fn stands(record: &StoredOrder, orders: &[&SandboxOrder]) -> Option<String> {
    if orders.iter().filter(|order| !is_denied(order)).count() > 1 {
        let uuids: Vec<_> = orders.iter().map(|order| &order.uuid).collect();
        return Some(format!("the provider has it more than once: {uuids:?}"));
    }
    let Some(uuid) = &record.order_uuid else {
        let reference = record.details.reference_no.as_deref().unwrap_or_default();
        let is_lost = |order: &&SandboxOrder| order.misbehaviour == Some(Misbehaviour::LostReply);
        return match record.status {
            // Nobody knows only where a reply was lost, and while no callback came of it.
            Status::Unknown if reference.contains("lost-") && orders.iter().all(|order| is_denied(order) || is_lost(order)) => {
                None
            }
            Status::Rejected | Status::Failed if orders.iter().all(|order| is_denied(order)) => None,
            status => Some(format!("{status:?} of {reference:?} without a uuid, with {} at the provider", orders.len())),
        };
    };
    let Some(order) = orders.iter().find(|order| order.uuid == *uuid) else {
        return Some(format!("accepted as {uuid}, which the provider does not have"));
    };
    // Of a second one the bridge has heard by its 201, short of a callback.
    let is_told = |order: &&&SandboxOrder| !is_denied(order) && order.misbehaviour != Some(Misbehaviour::LostReply);
    let is_noted = |uuid: &String| record.history.iter().any(|entry| entry.other_order_uuid.as_ref() == Some(uuid));
    if let Some(second) = orders.iter().filter(is_told).find(|order| order.uuid != *uuid && !is_noted(&order.uuid)) {
        return Some(format!("accepted as {uuid}, and nothing is noted of {}", second.uuid));
    }
    if record.bank_id_url.is_some() && record.status != Status::Sent {
        return Some("the BankID link is kept beyond SENT".to_owned());
    }
    // Where a callback cannot be believed, or its word not be read, the provider is asked: at most sixty
    // times a minute. The order then stays where it was; another callback would be another reason to ask.
    let may_lag = matches!(order.misbehaviour, Some(Misbehaviour::UnknownStatus | Misbehaviour::BadChecksum))
        && record.status == Status::Sent;
    (rank(&order.status) != Some(record.status) && !may_lag).then(|| format!("the provider says {}", order.status))
}

/// The words of all callbacks of an order that are to be believed.
fn called(order: &SandboxOrder) -> Vec<&str> {
    let decided = order.status.as_str();
    match order.misbehaviour {
        _ if order.link.is_none() => vec!["INVOICED"], // at once, without a customer's signature
        _ if decided == "SENT" => vec![],
        Some(Misbehaviour::BadChecksum) => vec![],
        Some(Misbehaviour::UnknownStatus) => vec!["SUCCESS"],
        Some(Misbehaviour::ReversedCallbacks) => vec![decided, "RESERVED"],
        _ => vec![decided],
    }
}

/// Every callback stands in the history, and none twice; those of a second order under its own uuid.
fn heard(record: &StoredOrder, orders: &[&SandboxOrder]) -> Option<String> {
    let uuid_of = |entry: &HistoryEntry| entry.other_order_uuid.clone().or_else(|| record.order_uuid.clone());
    for order in orders {
        let callbacks = record.history.iter().filter(|entry| entry.source == EntrySource::Callback);
        let mut noted: Vec<&str> =
            callbacks.filter(|entry| uuid_of(entry).as_ref() == Some(&order.uuid)).map(|entry| entry.status.as_str()).collect();
        let mut called = called(order);
        noted.sort_unstable();
        called.sort_unstable();
        if noted != called {
            return Some(format!("{} called back with {called:?}, and {noted:?} is noted", order.uuid));
        }
    }
    let is_foreign = |entry: &&HistoryEntry| uuid_of(entry).is_some_and(|uuid| orders.iter().all(|order| order.uuid != uuid));
    if let Some(entry) = record.history.iter().find(is_foreign) {
        return Some(format!("{} of {:?} is noted, which the provider does not have", entry.status, uuid_of(entry)));
    }
    let readings = record.history.windows(2).filter(|pair| pair.iter().all(|entry| entry.source == EntrySource::Provider));
    readings.clone().find(|pair| pair[0].status == pair[1].status).map(|pair| format!("{} was read twice", pair[0].status))
}

/// Sent again only after an attempt that came to nothing, by the provider's word.
fn attempts(record: &StoredOrder, orders: &[&SandboxOrder]) -> Option<String> {
    let submits = record.history.iter().filter(|entry| entry.source == EntrySource::Submit);
    let results: Vec<&HistoryEntry> = submits.filter(|entry| entry.other_order_uuid.is_none()).collect();
    for (index, result) in results.iter().enumerate() {
        let goes_on = results[index + 1..].iter().any(|later| later.id != result.id);
        if goes_on && !matches!(result.status.as_str(), "REJECTED" | "FAILED") {
            return Some(format!("sent again after {}", result.status));
        }
        if results[..index].iter().any(|earlier| earlier.id == result.id && earlier.status == result.status) {
            return Some(format!("{} of one attempt is noted twice", result.status));
        }
    }
    // An attempt of which nothing is noted was overtaken by the callback that accepted the order.
    let failed = results.iter().filter(|result| result.status == "FAILED").count();
    let denied = orders.iter().filter(|order| is_denied(order)).count();
    let noticed = failed + usize::from(record.order_uuid.is_some());
    (denied > noticed).then(|| format!("{denied} orders were denied, and but {failed} attempts failed"))
}
