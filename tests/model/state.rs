//! Describes a state of the world as a text that contains everything on which the future can depend.

use std::collections::BTreeSet;
use std::fmt::{Debug, Write};

use front_payment_bridge::order::{HistoryEntry, NotFound, Notifications, RunningAttempt, StoredOrder};
use uuid::Uuid;

use crate::decisions::{Decision, ProviderReply};
use crate::provider::ProviderOrder;
use crate::tasks::{Ended, Task};
use crate::world::{Gate, Told, Truth, World, lock};

/// Describes a state. Of ended tasks, only the uuids matter that shops were told.
pub fn describe(world: &World<'_>) -> String {
    let shared = lock(&world.shared);
    let Truth { store, orders, heard, has_workers, replaced, is_status_wanted, broken: _, seconds, passed } = &shared.truth;
    let now = has_workers.then_some(shared.truth.now());
    let mut text = Text { now, ..Text::default() };
    text.add((seconds, passed, store.generation, replaced, is_status_wanted, heard));
    if *has_workers {
        text.add(&store.changes);
    }
    let kinds = world.tasks.iter().fold([0; 6], |mut counts, task| {
        counts[kind_number(task)] += 1;
        counts
    });
    text.add((kinds, world.faults()));
    text.add(was_worker_killed(world));
    let told = world.tasks.iter().filter_map(|task| match &task.ended {
        Some(Ended::Accepted(uuid)) => Some(uuid),
        _ => None,
    });
    text.add(told.collect::<BTreeSet<_>>());
    let of_task = |text: &mut Text, task: usize| text.task(&world.tasks[task], &shared.gates[task], *seconds);
    // The sequence in which the running tasks began does not matter.
    let mut running = world.running();
    if running.len() > 1 {
        running.sort_by_cached_key(|&task| {
            let mut text = Text::default();
            of_task(&mut text, task);
            text.text
        });
    }
    for &task in &running {
        of_task(&mut text, task);
    }
    for late in &shared.late {
        text.add(("late over", late.current.as_ref().map(|current| current.version), shared.gates[late.task].knows_status));
        text.order(&late.next);
    }
    if let Some(stored) = &store.item {
        text.order(stored);
    }
    for order in orders {
        text.provider_order(order, running.iter().position(|task| *task == order.task));
    }
    text.text
}

/// Whether a worker was killed; from then on, a shop may hear an old status again.
pub fn was_worker_killed(world: &World<'_>) -> bool {
    world.tasks.iter().any(|task| kind_number(task) >= 4 && task.is_killed())
}

fn kind_number(task: &Task) -> usize {
    use crate::tasks::Kind;
    match task.kind {
        Kind::Submit(_) => 0,
        Kind::Callback(..) => 1,
        Kind::Read => 2,
        Kind::Cancel(_) => 3,
        Kind::Worker(event) if event.is_operators() => 4,
        Kind::Worker(_) => 5,
    }
}

/// Writes the description. Random ids and tokens are replaced by the number of their first appearance.
#[derive(Default)]
struct Text {
    /// Unix seconds, if notifications matter.
    now: Option<i64>,
    text: String,
    ids: Vec<Uuid>,
    tokens: Vec<String>,
}

impl Text {
    fn add(&mut self, part: impl Debug) {
        write!(self.text, "{part:?} ").unwrap();
    }

    fn id(&mut self, id: Option<Uuid>) {
        let Some(id) = id else { return self.add("no id") };
        let number = self.ids.iter().position(|known| *known == id).unwrap_or_else(|| {
            self.ids.push(id);
            self.ids.len() - 1
        });
        self.add(("id", number));
    }

    fn token(&mut self, token: &str) {
        let number = self.tokens.iter().position(|known| known == token).unwrap_or_else(|| {
            self.tokens.push(token.to_owned());
            self.tokens.len() - 1
        });
        self.add(("token", number));
    }

    /// Of a branch, only what it was told matters, and not when other branches were told something.
    fn task(&mut self, task: &Task, gate: &Gate, seconds: i64) {
        let Task { kind, trace, ended: _, began, future: _ } = task;
        self.add((kind, seconds - began, gate.knows_status, gate.entries_when_told));
        for claim in &gate.claims {
            self.order(claim);
        }
        for (id, branch) in gate.branches.iter().enumerate() {
            self.add((id, branch.waits));
            for (_, op, decision) in trace.iter().filter(|(of, ..)| *of == id) {
                self.add((op, as_told(*decision)));
            }
            for told in &branch.told {
                match told {
                    Told::Order(order) => self.order(order),
                    Told::Status(status) => self.add(status),
                }
            }
        }
    }

    fn order(&mut self, order: &StoredOrder) {
        // The omitted members are the same in all orders, or follow from others.
        let StoredOrder { version, status, attempt, attempted_at, callback_token, order_uuid, customer_uuid, .. } = order;
        let StoredOrder { bank_id_url, fingerprint, grand_total, created_at, updated_at, checked_at, asked_at, .. } = order;
        let StoredOrder { reason_since, not_found, refunded_amount, cancel_requested_at, replaced_uuids, .. } = order;
        let StoredOrder { tell_queue, ask_queue, ask_at, expires_at, history, .. } = order;
        self.add((version, status, order_uuid, customer_uuid, bank_id_url, fingerprint, grand_total, refunded_amount));
        self.add((replaced_uuids, tell_queue, ask_queue, ask_at, expires_at));
        let not_found_at = not_found.as_ref().map(|NotFound { at, .. }| *at);
        let times = [Some(*attempted_at), Some(*created_at), Some(*updated_at), *checked_at, *asked_at];
        let reasons = [*reason_since, *cancel_requested_at, not_found_at];
        for time in times.into_iter().chain(reasons) {
            self.add(time.map(|time| time.as_second()));
        }
        self.id(Some(*attempt));
        self.token(callback_token);
        if let Some(now) = self.now {
            self.notifications(order, now);
        }
        for HistoryEntry { status, at, source, id, order_uuid } in history {
            self.add((status, at.as_second(), source, order_uuid));
            self.id(id.as_deref().and_then(|id| Uuid::try_parse(id).ok()));
        }
    }

    /// The times of notifications are partly random, so only whether they have come matters.
    fn notifications(&mut self, order: &StoredOrder, now: i64) {
        let Some(notifications) = &order.notifications else { return };
        let Notifications { change, state, told_status, attempts, next_at, running, .. } = notifications;
        self.add((change, state, told_status, attempts, next_at.as_second() <= now));
        if let Some(RunningAttempt { id, change, status, since }) = running {
            self.id(Some(*id));
            self.add((change, status, since.as_second()));
        }
    }

    fn provider_order(&mut self, order: &ProviderOrder, by: Option<usize>) {
        let ProviderOrder { task: _, attempt, generation, body, callback_url, sent_at, reply, exists, sent, taken, .. } = order;
        let ProviderOrder { is_cancelled, revived_as, refunds, is_ruled_out, .. } = order;
        self.add((by, generation, body, sent_at, reply.map(as_stored), exists, sent, taken));
        self.add((is_cancelled, revived_as, refunds, is_ruled_out));
        self.id(*attempt);
        self.token(callback_url.rsplit('/').next().unwrap());
    }
}

fn as_told(decision: Decision) -> Decision {
    match decision {
        Decision::Answers(reply, exists) => Decision::Answers(as_stored(reply), exists),
        other => other,
    }
}

/// Treats 401 and 503 alike, because the bridge stores the same for both.
fn as_stored(reply: ProviderReply) -> ProviderReply {
    if reply == ProviderReply::Unauthorized401 { ProviderReply::Unavailable503 } else { reply }
}
