//! A state of the world as a text: all that what follows may depend on.

use std::collections::BTreeSet;
use std::fmt::Write;

use front_payment_bridge::order::StoredOrder;
use uuid::Uuid;

use crate::decisions::{Decision, Says};
use crate::world::{Ended, World, lock};

/// Describes a state. Of tasks that have ended, only what shops were told of accepted orders still matters.
pub fn describe(world: &World<'_>, record: Option<&StoredOrder>) -> String {
    let shared = lock(&world.shared);
    let mut text = format!("{} {} {}", shared.seconds, world.submits(), world.faults());
    let mut running = Vec::new();
    let mut told = BTreeSet::new();
    for (index, task) in world.tasks.iter().enumerate() {
        match &task.ended {
            Some(Ended::Accepted(uuid)) => drop(told.insert(uuid)),
            Some(_) => {}
            None => {
                write!(text, "|{:?} {} {}", task.kind, task.is_late(shared.seconds), shared.gates[index].told).unwrap();
                for (op, decision) in &task.trace {
                    write!(text, " {op:?} {:?}", as_told(*decision)).unwrap();
                }
                running.push(index);
            }
        }
    }
    write!(text, "|{told:?}").unwrap();
    for (next, current) in &shared.late {
        let over = current.as_ref().map(|current| current.version);
        write!(text, "|{over:?} {}", serde_json::to_string(next).unwrap()).unwrap();
    }
    if let Some(record) = record {
        write!(text, "|{}", serde_json::to_string(record).unwrap()).unwrap();
    }
    for asked in &shared.asked {
        let by = running.iter().position(|task| *task == asked.task);
        let (body, exists, sent, taken, url) = (asked.body, asked.exists, asked.sent, asked.taken, &asked.url);
        let is_nothing = asked.says.map(Says::is_nothing); // which of its answers it was, the records tell
        write!(text, "|{by:?} {is_nothing:?} {body} {exists} {sent:?} {taken:?} {url} ").unwrap();
    }
    canonical(&text)
}

/// The bridge cannot tell some answers of Front Payment's apart.
fn as_told(decision: Decision) -> Decision {
    match decision {
        Decision::Answers(Says::Error510, exists) => Decision::Answers(Says::Error500, exists),
        Decision::Answers(Says::Resets, exists) => Decision::Answers(Says::Hangs, exists),
        other => other,
    }
}

/// The order's id, attempts' ids and callback tokens are random: each becomes the number of its first appearance.
fn canonical(text: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.bytes().position(|b| matches!(b, b'"' | b'/' | b' ')) {
        let word = &rest[..end];
        // A token has 32 characters of base64, a fingerprint 64 of hex; 32 of hex are the digest of a callback.
        let is_token = word.len() == 32 && !word.bytes().all(|b| b.is_ascii_hexdigit());
        if is_token || word.len() == 64 || word.len() == 36 && Uuid::try_parse(word).is_ok() {
            let number = known.iter().position(|other| *other == word).unwrap_or_else(|| {
                known.push(word);
                known.len() - 1
            });
            write!(result, "#{number}").unwrap();
        } else {
            result.push_str(word);
        }
        result.push_str(&rest[end..=end]);
        rest = &rest[end + 1..];
    }
    result + rest
}
