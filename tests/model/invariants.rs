//! What holds whatever happens.

use front_payment_bridge::order::{Record, Source, Status};

use crate::world::{Ended, Kind, Says, World, lock, total};

/// The first promise that is broken in a world, if one is.
pub fn broken(world: &World) -> Option<String> {
    let shared = lock(&world.shared);
    let record = shared.records.values().next();

    // Front Payment is asked once an attempt, and for a fresh one only where each earlier one is known to
    // have come to nothing, by Front Payment's word.
    for (index, asked) in shared.asked.iter().enumerate() {
        for earlier in &shared.asked[..index] {
            if earlier.task == asked.task {
                return Some("one request asked Front Payment twice".to_owned());
            }
            if !matches!(earlier.says, Some(Says::Refused | Says::Error500 | Says::Unavailable503)) {
                return Some(format!("asked again although an earlier attempt ended with {:?}", earlier.says));
            }
        }
    }

    for (index, task) in world.tasks.iter().enumerate() {
        match (&task.kind, &task.ended) {
            // A shop is told that nothing was created only where nothing was, or where Front Payment said so.
            (Kind::Submit(_), Some(Ended::NothingCreated)) => {
                let own = shared.asked.iter().find(|asked| asked.task == index);
                if own.is_some_and(|own| own.exists && matches!(own.says, Some(Says::Created | Says::Nothing))) {
                    return Some("a shop was told that nothing was created, and something was".to_owned());
                }
            }
            // A 201 is never taken back: the order stays the one that the shop was told.
            (Kind::Submit(_), Some(Ended::Accepted(uuid)))
                if record.and_then(|record| record.order_uuid.as_ref()) != Some(uuid) =>
            {
                return Some(format!("a shop was told of {uuid}, and the store has another one or none"));
            }
            (Kind::Submit(_), Some(Ended::Other("internal"))) => return Some("an internal error".to_owned()),
            // A callback of Front Payment's own for an order of ours always finds it.
            (Kind::Callback(_), Some(Ended::Callback(answer @ ("not found" | "not believed")))) => {
                return Some(format!("a good callback was answered: {answer}"));
            }
            _ => {}
        }
    }

    let Some(record) = record else {
        let lost = shared.asked.iter().any(|asked| asked.says.is_some());
        return lost.then(|| "an order was sent that the store knows nothing of".to_owned());
    };
    let taken: Vec<usize> = (0..shared.asked.len()).filter(|&index| shared.asked[index].taken > 0).collect();
    let busy = world.tasks.iter().any(|task| task.ended.is_none());

    // What a callback has accepted is accepted for good, with the status that the rank says.
    if !taken.is_empty() && record.order_uuid.is_none() {
        return Some(format!("a callback was taken, and the order is {:?} without a uuid", record.status));
    }
    if let Some(uuid) = &record.order_uuid {
        let own = shared.asked.iter().enumerate().find(|(index, _)| format!("ODR{index}") == *uuid);
        let Some((own_index, own)) = own else { return Some(format!("{uuid} was never created")) };
        let expected = if own.taken > 0 { Status::Invoiced } else { Status::Sent };
        // A callback that is written, and not answered yet, may have raised it.
        if record.status != expected && (own.taken > 0 || own.sent == 0) {
            return Some(format!("the status is {:?} in place of {expected:?}", record.status));
        }
        let is_adopted = !matches!(own.says, Some(Says::Created));
        if is_adopted && record.particulars.grand_total != total(own.body) {
            return Some(format!(
                "the order is ODR{own_index} of {}, and the store says {}",
                total(own.body),
                record.particulars.grand_total
            ));
        }
    }

    // Every callback that was taken stands in the history once, and no callback twice.
    for (index, asked) in shared.asked.iter().enumerate() {
        let entries = callbacks_of(record, index);
        if entries > 1 || (asked.taken > 0 && entries == 0) {
            return Some(format!("{entries} entries of one callback"));
        }
    }

    // Two orders where one was meant are noticed once both have called back.
    if taken.len() > 1 && !busy && !record.history.iter().any(|entry| entry.other_order_uuid.is_some()) {
        return Some("Front Payment has the order twice, and nobody noticed".to_owned());
    }
    None
}

/// How often the callback of the order `ODR{index}` stands in the history.
fn callbacks_of(record: &Record, index: usize) -> usize {
    let uuid = format!("ODR{index}");
    let is_of = |other: Option<&String>| other.or(record.order_uuid.as_ref()) == Some(&uuid);
    record.history.iter().filter(|entry| entry.source == Source::Callback && is_of(entry.other_order_uuid.as_ref())).count()
}
