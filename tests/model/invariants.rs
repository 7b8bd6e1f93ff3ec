//! What holds whatever happens.

use front_payment_bridge::order::{EntrySource, Status, StoredOrder};

use crate::decisions::{Asked, Decision, Says, Word};
use crate::explore::LEASE;
use crate::services::total;
use crate::world::{Ended, Kind, Setting, Snapshot, World, lock};

/// The first promise that is broken in a world with this record, if one is.
pub fn broken(world: &World<'_>, record: Option<&StoredOrder>) -> Option<String> {
    let shared = lock(&world.shared);
    let asked = &shared.asked;
    asked_too_often(asked).or_else(|| told_what_is_not_so(world, asked, record)).or_else(|| match record {
        Some(record) => stored_what_is_not_so(record, asked)
            .or_else(|| lost_or_doubled(record, asked, world.running().is_empty()))
            .or_else(|| created_and_forgotten(world, record, asked)),
        None if asked.is_empty() => None,
        None => Some("an order was sent that the store knows nothing of".to_owned()),
    })
}

/// Front Payment is asked once an attempt, and for a fresh one only where each earlier one is known to
/// have come to nothing, by Front Payment's word.
fn asked_too_often(asked: &[Asked]) -> Option<String> {
    asked.iter().enumerate().find_map(|(index, later)| {
        asked[..index].iter().find_map(|earlier| {
            if earlier.task == later.task {
                return Some("one request asked Front Payment twice".to_owned());
            }
            let is_nothing = earlier.says.is_some_and(Says::is_nothing);
            (!is_nothing).then(|| format!("asked again although an earlier attempt ended with {:?}", earlier.says))
        })
    })
}

fn told_what_is_not_so(world: &World<'_>, asked: &[Asked], record: Option<&StoredOrder>) -> Option<String> {
    let stored_uuid = record.and_then(|record| record.order_uuid.as_ref());
    world.tasks.iter().enumerate().find_map(|(index, task)| match (&task.kind, task.ended.as_ref()?) {
        // A shop is told that nothing was created only where nothing was, or where Front Payment said so.
        (Kind::Submit(_), Ended::NothingCreated) => {
            let own = asked.iter().find(|asked| asked.task == index)?;
            let is_lie = own.exists && !own.says.is_some_and(Says::is_nothing);
            is_lie.then(|| "a shop was told that nothing was created, and something was".to_owned())
        }
        // A 201 is never taken back, but for one that the store took no write of until the deadline: the order
        // stays the one that the shop was told.
        (Kind::Submit(_), Ended::Accepted(uuid)) if stored_uuid != Some(uuid) => {
            Some(format!("a shop was told of {uuid}, and the store has another one or none"))
        }
        (Kind::Submit(_), Ended::Other("internal")) => Some("an internal error".to_owned()),
        // A callback of Front Payment's own for an order of ours is taken, or comes again.
        (Kind::Callback(..), Ended::Callback(answer)) if !["taken", "to be repeated"].contains(answer) => {
            Some(format!("a good callback was answered: {answer}"))
        }
        _ => None,
    })
}

fn stored_what_is_not_so(record: &StoredOrder, asked: &[Asked]) -> Option<String> {
    // Once a callback came, an order that Front Payment has is accepted: not REJECTED, FAILED or UNKNOWN for good.
    let Some(uuid) = &record.order_uuid else {
        let refused = asked.last().is_some_and(|latest| latest.says == Some(Says::Refused417));
        if record.status == Status::Rejected && !refused {
            return Some("the order is REJECTED, and was not refused".to_owned());
        }
        return asked
            .iter()
            .any(Asked::has_called)
            .then(|| format!("a callback was taken, and the order is {:?} without a uuid", record.status));
    };
    let Some(own) = asked.iter().enumerate().find(|(index, _)| format!("ODR{index}") == *uuid).map(|(_, own)| own) else {
        return Some(format!("{uuid} was never asked for"));
    };
    // The status is the highest that was heard.
    let heard = |status: &str| {
        record.history.iter().any(|entry| {
            entry.status == status && (entry.order_uuid == record.order_uuid || entry.source == EntrySource::Provider)
        })
    };
    let expected = if heard("PAID") {
        Status::Paid
    } else if heard("RESERVED") {
        Status::Reserved
    } else {
        Status::Sent
    };
    if record.status != expected {
        return Some(format!("the status is {:?} in place of {expected:?}", record.status));
    }
    let (is, says) = (total(own.body), &record.details.grand_total);
    (is != says).then(|| format!("{uuid} is of {is}, and the store says {says}"))
}

/// A callback that was taken stands in the history once; and two orders where one was meant are noticed
/// once both have called back.
fn lost_or_doubled(record: &StoredOrder, asked: &[Asked], is_quiet: bool) -> Option<String> {
    for (index, asked) in asked.iter().enumerate() {
        for word in Word::ALL {
            let entries = entries_of(record, index, word);
            if entries > 1 || (asked.taken[word as usize] > 0 && entries == 0) {
                return Some(format!("{entries} entries of one callback"));
            }
        }
    }
    let have_called = asked.iter().filter(|asked| asked.has_called()).count();
    let is_noticed = record.history.iter().any(|entry| entry.order_uuid.is_some() && entry.order_uuid != record.order_uuid);
    (have_called > 1 && is_quiet && !is_noticed).then(|| "Front Payment has the order twice, and nobody noticed".to_owned())
}

/// What Front Payment has told to have created, and the bridge has told to the shop, is the stored order or
/// noted as another one.
fn created_and_forgotten(world: &World<'_>, record: &StoredOrder, asked: &[Asked]) -> Option<String> {
    asked.iter().enumerate().find_map(|(index, asked)| {
        let uuid = Some(format!("ODR{index}"));
        let is_told = matches!(world.tasks[asked.task].ended, Some(Ended::Accepted(_)));
        let is_known = record.order_uuid == uuid || record.history.iter().any(|entry| entry.order_uuid == uuid);
        (asked.says == Some(Says::Created201) && is_told && !is_known)
            .then(|| format!("ODR{index} was created, and is forgotten"))
    })
}

/// How often a callback of the order `ODR{index}` stands in the history.
fn entries_of(record: &StoredOrder, index: usize, word: Word) -> usize {
    let uuid = format!("ODR{index}");
    let entries = record.history.iter().filter(|entry| entry.source == EntrySource::Callback && entry.status == word.text());
    entries.filter(|entry| entry.order_uuid.as_ref() == Some(&uuid)).count()
}

/// No order is stuck: an order that Front Payment has is accepted with its next callback, and one whose
/// outcome nobody knows after its lease and a look into Front Payment's portal.
pub async fn stuck(setting: &Setting, snapshot: &Snapshot) -> Option<String> {
    let Snapshot { record: Some(record), asked, .. } = snapshot else { return None };
    if record.order_uuid.is_some() {
        return None;
    }
    for index in (0..asked.len()).filter(|&index| asked[index].exists) {
        let mut world = setting.world(snapshot);
        world.callback(index, Word::Paid).await;
        let ended = world.finish(Decision::Done).await;
        let record = lock(&world.shared).record()?;
        if ended != Ended::Callback("taken") || record.order_uuid != Some(format!("ODR{index}")) {
            return Some(format!("{record:?} is not settled by the callback of ODR{index}: {ended:?}"));
        }
    }
    let mut world = setting.world(snapshot);
    world.pass(LEASE);
    world.operator_settles();
    if lock(&world.shared).record()?.order_uuid.is_some() {
        return None;
    }
    world.submit(0).await;
    let ended = world.finish(Decision::Answers(Says::Created201, true)).await;
    (!matches!(ended, Ended::Accepted(_))).then(|| format!("{record:?} is stuck: {ended:?}"))
}
