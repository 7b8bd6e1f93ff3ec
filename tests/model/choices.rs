//! What may happen next, within bounds.

use crate::bounds::Bounds;
use crate::decisions::{Body, Decision, Op, ProviderReply, StatusReply, Word};
use crate::explore::LEASE;
use crate::operator::{self, Found};
use crate::provider::ProviderOrder;
use crate::store::RETENTION;
use crate::worker::{Event, WAIT};
use crate::world::{Shared, World, lock};

/// One thing that may happen next.
#[derive(Debug, Clone, Copy)]
pub enum Choice {
    Submit(Body),
    Callback(usize, Word),
    /// An order that was dead gets this status, and calls back with it.
    Revives(usize, Word),
    Read,
    OperatorFinds(Found),
    LeaseEnds,
    RetentionEnds,
    StoreDeletes,
    Wakes(Event),
    /// Time passes until the next attempt or reading is due.
    Waits,
    Arrives(usize),
    Decide(usize, Decision),
}

impl Choice {
    pub async fn take(self, world: &mut World<'_>) {
        world.just_ended = None;
        match self {
            Self::Submit(body) => world.submit(body).await,
            Self::Callback(index, word) => world.callback(index, word).await,
            Self::Revives(index, word) => {
                lock(&world.shared).orders[index].revived_as = Some(word);
                world.callback(index, word).await;
            }
            Self::Read => world.read().await,
            Self::OperatorFinds(found) => operator::resolve(&mut lock(&world.shared), found),
            Self::LeaseEnds => world.pass(LEASE),
            Self::RetentionEnds => world.pass(RETENTION),
            Self::Wakes(event) => world.wake(event).await,
            Self::Waits => world.pass(WAIT),
            Self::StoreDeletes => lock(&world.shared).store.delete(),
            Self::Arrives(index) => world.arrives(index),
            Self::Decide(task, decision) => world.decide(task, decision).await,
        }
    }
}

pub fn choices(world: &World<'_>, bounds: &Bounds) -> Vec<Choice> {
    let mut choices = Vec::new();
    let running = world.running();
    let may_fail = world.faults() < bounds.faults;
    for &task in &running {
        let decisions = decisions(world.waits_at(task).unwrap(), may_fail, bounds);
        choices.extend(decisions.into_iter().map(|decision| Choice::Decide(task, decision)));
    }
    let shared = lock(&world.shared);
    choices.extend((0..shared.late.len()).map(Choice::Arrives));
    if running.len() < bounds.in_flight {
        let bodies = match world.submits() {
            0 => &bounds.bodies[..1],
            submits if submits < bounds.attempts => bounds.bodies,
            _ => &[],
        };
        choices.extend(bodies.iter().map(|&body| Choice::Submit(body)));
        for (index, order) in shared.orders.iter().enumerate() {
            let words = bounds.words.iter().filter(|&&word| may_call(order, word, bounds));
            choices.extend(words.map(|&word| Choice::Callback(index, word)));
            if bounds.revived && order.is_dead() && order.callbacks() < bounds.callbacks {
                choices.push(Choice::Revives(index, Word::Reserved));
            }
        }
        let has_uuid = shared.store.item.as_ref().is_some_and(|stored| stored.order_uuid.is_some());
        if has_uuid && world.reads() < bounds.reads {
            choices.push(Choice::Read);
        }
        if shared.store.item.is_some() && world.workers() < bounds.workers {
            choices.extend([Event::Stream, Event::Sweep].map(Choice::Wakes));
        }
    }
    let is_sending = running.iter().any(|&task| world.tasks[task].is_submit());
    if bounds.operator && !is_sending {
        choices.extend(operator::findings(&shared).into_iter().map(Choice::OperatorFinds));
    }
    let is_quiet = running.is_empty() && shared.late.is_empty();
    if shared.seconds < bounds.leases * LEASE && (is_quiet || bounds.late) && !world.tasks.is_empty() {
        choices.push(Choice::LeaseEnds);
    }
    if is_quiet && shared.seconds / WAIT < bounds.waits && !world.tasks.is_empty() {
        choices.push(Choice::Waits);
    }
    choices.extend(end_of_retention(&shared, is_sending, bounds));
    choices
}

fn decisions(op: Op, may_fail: bool, bounds: &Bounds) -> Vec<Decision> {
    let mut decisions = match op {
        Op::Submit => answers(bounds),
        Op::Status if bounds.status_replies => {
            [StatusReply::Status, StatusReply::Nothing, StatusReply::UnknownWord].map(Decision::Tells).to_vec()
        }
        Op::Status => vec![Decision::Tells(StatusReply::Status)],
        Op::Tell => bounds.shop.iter().map(|&answer| Decision::Shop(answer)).collect(),
        Op::Create | Op::Load | Op::Replace => vec![Decision::Done],
    };
    if may_fail {
        decisions.extend(match op {
            Op::Create | Op::Replace => [Decision::Down, Decision::ReplyLost, Decision::Late].as_slice(),
            Op::Load => &[Decision::Down],
            Op::Submit | Op::Status | Op::Tell => &[],
        });
        decisions.extend([Decision::KilledBefore, Decision::KilledAfter]);
    }
    decisions
}

/// What Front Payment answers to an order, and whether the order then exists. A reply that is wrong about that is a lie.
fn answers(bounds: &Bounds) -> Vec<Decision> {
    let is_possible = |reply: ProviderReply, exists: bool| match reply {
        ProviderReply::Created201 => exists || bounds.lies,
        reply if reply.is_proof() => !exists || bounds.lies,
        _ => true,
    };
    let both = bounds.replies.iter().flat_map(|&reply| [true, false].map(|exists| (reply, exists)));
    both.filter(|&(reply, exists)| is_possible(reply, exists)).map(|(reply, exists)| Decision::Answers(reply, exists)).collect()
}

/// Whether an order at Front Payment may get this status now, or call back with it again.
fn may_call(order: &ProviderOrder, word: Word, bounds: &Bounds) -> bool {
    let had = |word: Word| order.sent[word as usize] > 0;
    let is_possible = match word {
        _ if order.revived_as.is_some() => order.revived_as == Some(word),
        Word::Cancelled => !had(Word::Expired),
        Word::Expired => !had(Word::Reserved) && !had(Word::Paid) && !had(Word::Cancelled),
        // A callback that was overtaken.
        Word::Reserved | Word::Paid if bounds.overtaken => !had(Word::Expired),
        Word::Reserved | Word::Paid | Word::Unknown => !order.is_dead(),
    };
    order.exists && order.callbacks() < bounds.callbacks && is_possible
}

/// An order's retention period is at least a day, so no submit runs when it ends, and no first write is on its way.
fn end_of_retention(shared: &Shared, is_sending: bool, bounds: &Bounds) -> Option<Choice> {
    let ended = usize::try_from(shared.seconds % LEASE / RETENTION).unwrap();
    let is_creating = shared.late.iter().any(|(_, current)| current.is_none());
    let has_end = shared.store.item.as_ref().is_some_and(|stored| stored.expires_at.is_some());
    if is_sending || is_creating || !has_end {
        None
    } else if shared.is_expired() {
        Some(Choice::StoreDeletes)
    } else {
        (ended < bounds.expiries).then_some(Choice::RetentionEnds)
    }
}
