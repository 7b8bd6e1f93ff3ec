//! An audit that finds nothing proves nothing until it is known to find something: one sound order of
//! the run itself, with one thing wrong at a time.

use front_payment_bridge::order::{EntrySource, Status};
use uuid::Uuid;

use crate::audit::Evidence;
use crate::transcript::Reply;

type Doctoring = (&'static str, fn(&mut Evidence));

const DOCTORINGS: [Doctoring; 14] = [
    ("a stored order that is lost", |evidence| evidence.stored.clear()),
    ("an order that the provider has lost", |evidence| evidence.at_provider.clear()),
    ("an order that the provider has twice", |evidence| {
        let mut second = evidence.at_provider[0].clone();
        second.uuid.push('2');
        evidence.at_provider.push(second);
    }),
    ("an order at the provider that the store does not know", |evidence| {
        let mut other = evidence.at_provider[0].clone();
        other.callback_url.push('x');
        evidence.at_provider.push(other);
    }),
    ("an order stored under another uuid", |evidence| evidence.stored[0].order_uuid = Some("ODR1".to_owned())),
    ("an order stored without its uuid", |evidence| evidence.stored[0].order_uuid = None),
    ("an order left SUBMITTING", |evidence| evidence.stored[0].status = Status::Submitting),
    ("a status that was taken back", |evidence| evidence.stored[0].status = Status::Sent),
    ("a status that nobody told", |evidence| evidence.stored[0].status = Status::Paid),
    ("a callback that is not noted", |evidence| evidence.stored[0].history.retain(|entry| entry.source != EntrySource::Callback)),
    ("a history that repeats itself", |evidence| {
        let again = evidence.stored[0].history.clone();
        evidence.stored[0].history.extend(again);
    }),
    ("an attempt after a 201", |evidence| {
        let history = &mut evidence.stored[0].history;
        let mut second = history.iter().find(|entry| entry.source == EntrySource::Submit).unwrap().clone();
        second.id = Some(Uuid::nil().to_string());
        history.push(second);
    }),
    ("two 201 that both say new", |evidence| {
        let first = evidence.replies.iter().find(|reply| is_new(reply)).unwrap().clone();
        evidence.replies.push(first);
    }),
    ("a 500", |evidence| {
        let reply = evidence.replies[0].clone();
        evidence.replies.push(Reply { code: 500, slug: Some("internal".to_owned()), ..reply });
    }),
];

fn is_new(reply: &Reply) -> bool {
    reply.code == 201 && !reply.replayed
}

/// How many wrong things the audit found, or the one that it overlooked.
pub fn check(evidence: &Evidence) -> Result<usize, String> {
    let is_sample = |reply: &&Reply| is_new(reply) && reply.status.as_deref() == Some("SENT");
    let mut samples = evidence.replies.iter().filter(is_sample).take(1_000).map(|reply| evidence.about(reply.order_id.unwrap()));
    // One that came into being without trouble, was signed, and was called back for.
    let is_sound = |sample: &Evidence| {
        matches!(&sample.stored[..], [record] if record.status == Status::Invoiced && record.history.len() == 2)
            && matches!(&sample.at_provider[..], [order] if order.misbehaviour.is_none())
            && sample.findings().is_empty()
    };
    let sample = samples.find(is_sound).ok_or("there is no sound order to show that the audit can find anything")?;
    for (what, doctor) in DOCTORINGS {
        let mut doctored = sample.clone();
        doctor(&mut doctored);
        if doctored.findings().is_empty() {
            return Err(format!("the audit overlooks {what}"));
        }
    }
    Ok(DOCTORINGS.len())
}
