//! A state of the world as a text: everything on which what follows can depend.

use std::collections::BTreeSet;
use std::fmt::Write;

use uuid::Uuid;

use crate::decisions::{Decision, ProviderReply};
use crate::tasks::Ended;
use crate::world::{Shared, World, lock};

/// Describes a state. Of tasks that have ended, it matters only which orders shops were told of.
pub fn describe(world: &World<'_>) -> String {
    let shared = lock(&world.shared);
    let mut text = format!("{} {} {} {}", shared.seconds, world.submits(), world.reads(), world.faults());
    let told = world.tasks.iter().filter_map(|task| match &task.ended {
        Some(Ended::Accepted(uuid)) => Some(uuid),
        _ => None,
    });
    let told: BTreeSet<_> = told.collect();
    // It does not matter which of several tasks began first.
    let mut running: Vec<_> = world.running().into_iter().map(|task| (running_task(world, &shared, task), task)).collect();
    if running.len() > 1 {
        running.sort_by_cached_key(|(task, _)| canonical(task));
    }
    for (task, _) in &running {
        write!(text, "|{task}").unwrap();
    }
    write!(text, "|{told:?} {} {:?}", shared.store.generation, shared.resolved).unwrap();
    for (next, current) in &shared.late {
        let over = current.as_ref().map(|current| current.version);
        write!(text, "|{over:?} {}", serde_json::to_string(next).unwrap()).unwrap();
    }
    if let Some(stored) = &shared.store.item {
        write!(text, "|{}", serde_json::to_string(stored).unwrap()).unwrap();
    }
    for order in &shared.orders {
        let by = running.iter().position(|(_, task)| *task == order.task);
        let (reply, attempt) = (order.reply.map(as_told), order.attempt.unwrap_or_default());
        write!(text, "|{by:?} {reply:?} {} {} {} ", order.generation, order.body, order.exists).unwrap();
        write!(text, "{:?} {:?} {} {attempt} {} ", order.sent, order.taken, order.is_ruled_out, order.callback_url).unwrap();
    }
    canonical(&text)
}

fn running_task(world: &World<'_>, shared: &Shared, index: usize) -> String {
    let task = &world.tasks[index];
    let mut text = format!("{:?} {} {}", task.kind, shared.seconds - task.began, shared.gates[index].told);
    for (op, decision) in &task.trace {
        let decision = match *decision {
            Decision::Answers(reply, exists) => Decision::Answers(as_told(reply), exists),
            other => other,
        };
        write!(text, " {op:?} {decision:?}").unwrap();
    }
    text
}

/// The bridge stores the same of some replies.
fn as_told(reply: ProviderReply) -> ProviderReply {
    match reply {
        ProviderReply::TooMany429 => ProviderReply::Unauthorized401,
        ProviderReply::Unavailable503 => ProviderReply::Error500,
        other => other,
    }
}

/// Attempts' ids and callback tokens are random: each becomes the number of its first appearance.
fn canonical(text: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.bytes().position(|b| matches!(b, b'"' | b'/' | b' ')) {
        let word = &rest[..end];
        // A token has 32 characters of base64. 32 of hex are the digest of a callback, 64 a fingerprint.
        let is_token = word.len() == 32 && !word.bytes().all(|b| b.is_ascii_hexdigit());
        if is_token || word.len() == 36 && Uuid::try_parse(word).is_ok() {
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
