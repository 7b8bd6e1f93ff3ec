//! A state of the world as a text: everything on which what follows can depend.

use std::collections::BTreeSet;
use std::fmt::{Debug, Write};

use front_payment_bridge::order::{EarlierAttempt, HistoryEntry, Notifications, OrderDetails, RunningAttempt, StoredOrder};
use uuid::Uuid;

use crate::decisions::{Decision, ProviderReply};
use crate::provider::ProviderOrder;
use crate::tasks::{Ended, Task};
use crate::world::{Gate, Told, World, lock};

/// Describes a state. Of tasks that have ended, it matters only which orders shops were told of.
pub fn describe(world: &World<'_>) -> String {
    let shared = lock(&world.shared);
    let now = shared.has_workers.then_some(shared.now());
    let mut text = Text { now, ..Text::default() };
    if now.is_some() {
        text.add(&shared.store.changes);
    }
    text.add((shared.seconds, shared.store.generation, &shared.resolved));
    text.add((world.submits(), world.reads(), world.faults(), world.workers()));
    let was_killed = world.tasks.iter().any(|task| task.is_worker() && task.is_killed());
    text.add((&shared.heard, was_killed));
    let told = world.tasks.iter().filter_map(|task| match &task.ended {
        Some(Ended::Accepted(uuid)) => Some(uuid),
        _ => None,
    });
    text.add(told.collect::<BTreeSet<_>>());
    let of_task = |text: &mut Text, task: usize| text.task(&world.tasks[task], &shared.gates[task], shared.seconds);
    // It does not matter which of several tasks began first.
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
    for (next, current) in &shared.late {
        text.add(("late over", current.as_ref().map(|current| current.version)));
        text.order(next);
    }
    if let Some(stored) = &shared.store.item {
        text.order(stored);
    }
    for order in &shared.orders {
        text.provider_order(order, running.iter().position(|task| *task == order.task));
    }
    text.text
}

/// Random ids and tokens become the number of their first appearance.
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

    fn task(&mut self, task: &Task, gate: &Gate, seconds: i64) {
        let Task { kind, trace, ended: _, began, future: _ } = task;
        self.add((kind, seconds - began));
        for (op, decision) in trace {
            self.add((op, as_told(*decision)));
        }
        for told in &gate.told {
            match told {
                Told::Order(order) => self.order(order),
                Told::Status(status) => self.add(status),
            }
        }
    }

    fn order(&mut self, order: &StoredOrder) {
        let StoredOrder { order_id: _, version, status, attempt, attempted_at, may_exist, shop_id: _, .. } = order;
        let StoredOrder { callback_token, order_uuid, customer_uuid, bank_id_url, details, earlier_attempts, .. } = order;
        let StoredOrder { created_at, updated_at, checked_at, doubted_at, expires_at, history, .. } = order;
        self.add((version, status, may_exist, order_uuid, customer_uuid, bank_id_url, expires_at));
        let times = [Some(*attempted_at), Some(*created_at), Some(*updated_at), *checked_at, *doubted_at];
        self.add(times.map(|time| time.map(|time| time.as_millisecond())));
        self.id(Some(*attempt));
        self.token(callback_token);
        self.details(details);
        for EarlierAttempt { attempt, may_exist, details } in earlier_attempts {
            self.id(*attempt);
            self.add(may_exist);
            self.details(details);
        }
        if let Some(now) = self.now {
            self.notifications(order, now);
        }
        for HistoryEntry { status, at, source, id, order_uuid, amount } in history {
            self.add((status, at.as_millisecond(), source, order_uuid, amount));
            self.id(id.as_deref().and_then(|id| Uuid::try_parse(id).ok()));
        }
    }

    /// Of times that depend on chance, only whether they have come matters.
    fn notifications(&mut self, order: &StoredOrder, now: i64) {
        let Some(notifications) = &order.notifications else { return };
        let Notifications { change, told_change, told_status, has_failed, attempts, is_off, running, .. } = notifications;
        self.add((change, told_change, told_status, has_failed, attempts, is_off));
        self.add(notifications.next_at.map(|next_at| next_at.as_second() <= now));
        self.add(order.asked_at.map(|asked_at| asked_at.as_second()));
        if let Some(RunningAttempt { id, change, status, since }) = running {
            self.id(Some(*id));
            self.add((change, status, since.as_second()));
        }
    }

    fn details(&mut self, details: &OrderDetails) {
        // The others are the same in all bodies.
        let OrderDetails { fingerprint, reference_no, grand_total, .. } = details;
        self.add((fingerprint, reference_no, grand_total));
    }

    fn provider_order(&mut self, order: &ProviderOrder, by: Option<usize>) {
        let ProviderOrder { task: _, attempt, generation, body, callback_url, reply, exists, sent, taken, .. } = order;
        let ProviderOrder { revived_as, is_ruled_out, .. } = order;
        self.add((by, generation, body, reply.map(as_stored), exists, sent, taken, revived_as, is_ruled_out));
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

/// The bridge stores the same of some replies.
fn as_stored(reply: ProviderReply) -> ProviderReply {
    match reply {
        ProviderReply::TooMany429 => ProviderReply::Unauthorized401,
        ProviderReply::Unavailable503 => ProviderReply::Error500,
        other => other,
    }
}
