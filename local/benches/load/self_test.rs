//! Tests the audit: puts faults into a correct order of the run, one at a time. The audit must find each.

use front_payment_bridge::order::{EntrySource, HistoryEntry, Status};
use jiff::Timestamp;
use uuid::Uuid;

use crate::audit::Evidence;
use crate::shops::Told;
use crate::transcript::Reply;

type Fault = (&'static str, fn(&mut Evidence));

const FAULTS: [Fault; 19] = [
    ("a stored order is lost", |evidence| evidence.stored.clear()),
    ("the provider has lost an order", |evidence| evidence.at_provider.clear()),
    ("the provider has an order twice", |evidence| {
        let mut second = evidence.at_provider[0].clone();
        second.uuid.push('2');
        evidence.at_provider.push(second);
    }),
    ("the provider has an order that is not stored", |evidence| {
        let mut other = evidence.at_provider[0].clone();
        other.callback_url.push('x');
        evidence.at_provider.push(other);
    }),
    ("an order is stored with another uuid", |evidence| evidence.stored[0].order_uuid = Some("ODR1".to_owned())),
    ("an order is stored without its uuid", |evidence| evidence.stored[0].order_uuid = None),
    ("an order stays SUBMITTING", |evidence| evidence.stored[0].status = Status::Submitting),
    ("a status is lowered", |evidence| evidence.stored[0].status = Status::Sent),
    ("a status was never given", |evidence| evidence.stored[0].status = Status::Paid),
    ("a callback is not noted", |evidence| evidence.stored[0].history.retain(|entry| entry.source != EntrySource::Callback)),
    ("a callback is noted for another order", |evidence| {
        let callback = |entry: &&mut HistoryEntry| entry.source == EntrySource::Callback;
        let callback = evidence.stored[0].history.iter_mut().find(callback).unwrap();
        callback.order_uuid = Some("ODR1".to_owned());
    }),
    ("the history has every entry twice", |evidence| {
        let again = evidence.stored[0].history.clone();
        evidence.stored[0].history.extend(again);
    }),
    ("there is an attempt after a 201", |evidence| {
        let history = &mut evidence.stored[0].history;
        let mut second = history.iter().find(|entry| entry.source == EntrySource::Submit).unwrap().clone();
        second.id = Some(Uuid::nil().to_string());
        history.push(second);
    }),
    ("two replies of 201 are both new", |evidence| {
        let first = evidence.replies.iter().find(|reply| is_new(reply)).unwrap().clone();
        evidence.replies.push(first);
    }),
    ("a reply is a 500", |evidence| {
        let reply = evidence.replies[0].clone();
        evidence.replies.push(Reply { code: 500, slug: Some("internal".to_owned()), ..reply });
    }),
    ("the last status was not told", |evidence| evidence.notified.told.clear()),
    ("an older status was told after a newer one", |evidence| {
        let older = Told { status: "SENT".to_owned(), ..evidence.notified.told[0].clone() };
        evidence.notified.told.push(older);
    }),
    ("a notification has a wrong checksum", |evidence| evidence.notified.told[0].is_verified = false),
    ("a shop that answers is still owed something", |evidence| {
        let next = evidence.stored[0].repeat_notification(Timestamp::now()).unwrap();
        evidence.stored[0] = *next;
    }),
];

fn is_new(reply: &Reply) -> bool {
    reply.code == 201 && !reply.replayed
}

/// The number of faults that the audit has found, or the one that it has not found.
pub fn check(evidence: &Evidence) -> Result<usize, String> {
    let is_sample = |reply: &&Reply| is_new(reply) && reply.status.as_deref() == Some("SENT");
    let mut samples = evidence.replies.iter().filter(is_sample).take(1_000).map(|reply| evidence.about(reply.order_id.unwrap()));
    // An order that was created without misbehaviour, signed, called back, and told to its shop.
    let is_sound = |sample: &Evidence| {
        matches!(&sample.stored[..], [stored] if stored.status == Status::Invoiced && stored.history.len() == 2)
            && matches!(&sample.at_provider[..], [order] if order.misbehaviour.is_none())
            && !sample.notified.told.is_empty()
            && sample.findings().is_empty()
    };
    let sample = samples.find(is_sound).ok_or("there is no sound order to put faults into")?;
    for (fault, put_into) in FAULTS {
        let mut faulty = sample.clone();
        put_into(&mut faulty);
        if faulty.findings().is_empty() {
            return Err(format!("the audit does not find this fault: {fault}"));
        }
    }
    Ok(FAULTS.len())
}
