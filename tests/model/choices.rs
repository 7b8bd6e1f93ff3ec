//! The steps that may come next, within the bounds.

use crate::bounds::Bounds;
use crate::decisions::{Body, CancelAnswer, Decision, Op, ProviderReply, StatusReply, Word};
use crate::provider::{ProviderOrder, uuid_of};
use crate::store::RETENTION;
use crate::tasks::{BranchId, Kind};
use crate::worker::Event;
use crate::world::{Truth, World, lock};

/// A step that may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Submit(Body),
    Callback(usize, Word),
    /// An order that was EXPIRED or CANCELLED gets this status and a callback with it.
    Revives(usize, Word),
    /// A part of an order is refunded. Its callback may come later, or never.
    Refunds(usize),
    Read,
    Cancel(usize),
    Passes(i64),
    StoreDeletes,
    Wakes(Event),
    Arrives(usize),
    Decide(usize, BranchId, Decision),
}

impl Choice {
    pub async fn take(self, world: &mut World<'_>) {
        world.just_ended = None;
        match self {
            Self::Submit(body) => world.submit(body).await,
            Self::Callback(index, word) => world.callback(index, word).await,
            Self::Revives(index, word) => {
                lock(&world.shared).truth.orders[index].revived_as = Some(word);
                world.callback(index, word).await;
            }
            Self::Refunds(index) => lock(&world.shared).truth.orders[index].refunds += 1,
            Self::Read => world.read().await,
            Self::Cancel(index) => world.cancel(index).await,
            Self::Passes(seconds) => world.pass(seconds),
            Self::Wakes(event) => world.wake(event).await,
            Self::StoreDeletes => lock(&world.shared).truth.store.delete(),
            Self::Arrives(index) => world.arrives(index),
            Self::Decide(task, branch, decision) => world.decide(task, branch, decision).await,
        }
    }
}

pub fn choices(world: &World<'_>, bounds: &Bounds) -> Vec<Choice> {
    let mut choices = Vec::new();
    let running = world.running();
    let may_fail = world.faults() < bounds.faults;
    let shared = lock(&world.shared);
    let truth = &shared.truth;
    for &task in &running {
        for (branch, op) in shared.gates[task].waits() {
            let decisions = decisions(op, may_fail, bounds);
            choices.extend(decisions.into_iter().map(|decision| Choice::Decide(task, branch, decision)));
        }
    }
    choices.extend((0..shared.late.len()).map(Choice::Arrives));
    if running.len() < bounds.in_flight {
        let bodies = match world.submits() {
            0 => &bounds.bodies[..1],
            submits if submits < bounds.attempts => bounds.bodies,
            _ => &[],
        };
        choices.extend(bodies.iter().map(|&body| Choice::Submit(body)));
        for (index, order) in truth.orders.iter().enumerate() {
            let words = bounds.words.iter().filter(|&&word| may_call(order, word, bounds));
            choices.extend(words.map(|&word| Choice::Callback(index, word)));
            if bounds.revived && order.is_dead() && order.callbacks() < bounds.callbacks {
                choices.push(Choice::Revives(index, Word::Reserved));
            }
        }
        choices.extend(with_stored_order(world, truth, bounds));
    }
    for (index, order) in truth.orders.iter().enumerate() {
        if order.exists && order.refunds < bounds.refunds && !order.is_dead() {
            choices.push(Choice::Refunds(index));
        }
    }
    let is_quiet = running.is_empty() && shared.late.is_empty();
    if (is_quiet || bounds.late)
        && !world.tasks.is_empty()
        && let Some(&seconds) = bounds.times.get(truth.passed)
    {
        choices.push(Choice::Passes(seconds));
    }
    let is_sending = running.iter().any(|&task| world.tasks[task].is_submit());
    let is_creating = shared.late.iter().any(|late| late.current.is_none());
    if !is_sending && !is_creating {
        choices.extend(end_of_retention(truth, bounds));
    }
    choices
}

/// What shops, workers and the operator may start once an order is stored.
fn with_stored_order(world: &World<'_>, truth: &Truth, bounds: &Bounds) -> Vec<Choice> {
    let mut choices = Vec::new();
    let Some(stored) = &truth.store.item else { return choices };
    if stored.order_uuid.is_some() && world.count(|kind| *kind == Kind::Read) < bounds.reads {
        choices.push(Choice::Read);
    }
    if world.count(|kind| matches!(kind, Kind::Cancel(_))) < bounds.cancels {
        let is_known = |uuid: &str| {
            stored.order_uuid.as_deref() == Some(uuid)
                || stored.history.iter().any(|entry| entry.order_uuid.as_deref() == Some(uuid))
        };
        choices.extend((0..truth.orders.len()).filter(|&index| is_known(&uuid_of(index))).map(Choice::Cancel));
    }
    let wakes = |is_wanted: fn(Event) -> bool| world.count(|kind| matches!(kind, Kind::Worker(event) if is_wanted(*event)));
    if wakes(|event| !event.is_operators()) < bounds.workers {
        choices.extend([Event::Stream, Event::Sweep].map(Choice::Wakes));
    }
    if wakes(Event::is_operators) < bounds.operators {
        let is_nothing = |order: &ProviderOrder| !order.exists && order.reply.is_some_and(ProviderReply::is_nothing);
        let is_there = |order: &ProviderOrder| truth.is_current(order) && !is_nothing(order);
        let seen = || truth.orders.iter().enumerate().filter(|(_, order)| is_there(order)).map(|(index, _)| index);
        choices.push(Choice::Wakes(Event::NotCreated));
        choices.extend(seen().map(|index| Choice::Wakes(Event::Settle(index))));
        if bounds.instead {
            choices.extend(seen().map(|index| Choice::Wakes(Event::Instead(index))));
        }
        if bounds.workers > 0 {
            choices.push(Choice::Wakes(Event::Tell));
        }
    }
    choices
}

fn decisions(op: Op, may_fail: bool, bounds: &Bounds) -> Vec<Decision> {
    let mut decisions = match op {
        Op::Submit => answers(bounds),
        Op::Status if bounds.status_replies => {
            [StatusReply::Status, StatusReply::Nothing, StatusReply::UnknownWord].map(Decision::Tells).to_vec()
        }
        Op::Status => vec![Decision::Tells(StatusReply::Status)],
        Op::Cancel => vec![
            Decision::Cancels(CancelAnswer::Accepted, true),
            Decision::Cancels(CancelAnswer::Accepted, false),
            Decision::Cancels(CancelAnswer::Refused, false),
            Decision::Cancels(CancelAnswer::Hangs, true),
            Decision::Cancels(CancelAnswer::Hangs, false),
        ],
        Op::Tell => bounds.shop.iter().map(|&answer| Decision::Shop(answer)).collect(),
        Op::Create | Op::Load | Op::Replace => vec![Decision::Done],
    };
    if may_fail {
        decisions.extend(match op {
            Op::Create | Op::Replace => [Decision::Down, Decision::ReplyLost, Decision::Late].as_slice(),
            Op::Load => &[Decision::Down],
            Op::Submit | Op::Status | Op::Cancel | Op::Tell => &[],
        });
        decisions.extend([Decision::KilledBefore, Decision::KilledAfter]);
    }
    decisions
}

/// Front Payment's possible replies to an order, each with whether the order then exists. With `lies`, a reply may be wrong
/// about that.
fn answers(bounds: &Bounds) -> Vec<Decision> {
    let is_possible = |reply: ProviderReply, exists: bool| match reply {
        ProviderReply::Created201 => exists || bounds.lies,
        ProviderReply::Hangs => true,
        _ => !exists || bounds.lies,
    };
    let both = bounds.replies.iter().flat_map(|&reply| [true, false].map(|exists| (reply, exists)));
    both.filter(|&(reply, exists)| is_possible(reply, exists)).map(|(reply, exists)| Decision::Answers(reply, exists)).collect()
}

/// Whether an order at Front Payment may get this status now, or send another callback with it.
fn may_call(order: &ProviderOrder, word: Word, bounds: &Bounds) -> bool {
    let is_possible = match word {
        Word::PartialRefunded => order.refunds > order.sent[word as usize],
        _ if order.revived_as.is_some() => order.revived_as == Some(word),
        Word::Cancelled => !order.had(Word::Expired),
        Word::Expired => !order.had(Word::Reserved) && !order.had(Word::Paid) && !order.had(Word::Cancelled),
        // A callback that a later one has overtaken.
        Word::Reserved | Word::Paid if bounds.overtaken => !order.had(Word::Expired),
        Word::Reserved | Word::Paid | Word::Unknown => !order.has_died(),
    };
    order.exists && order.callbacks() < bounds.callbacks && is_possible
}

/// A retention period is at least a day. So when it ends, no submit and no first write is still running.
fn end_of_retention(truth: &Truth, bounds: &Bounds) -> Option<Choice> {
    if truth.store.item.as_ref()?.expires_at.is_none() {
        None
    } else if truth.is_expired() {
        Some(Choice::StoreDeletes)
    } else {
        (truth.passed < bounds.expiries).then_some(Choice::Passes(RETENTION))
    }
}
