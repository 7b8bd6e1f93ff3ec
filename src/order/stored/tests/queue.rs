//! The order's place in the index: what is to be done about it, and when.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const TELL: Uuid = Uuid::from_u128(11);

/// The place in seconds after second 0.
fn place(order: &StoredOrder) -> Option<(Queue, i64)> {
    order.queue_place().map(|(queue, due_at)| (queue, due_at - at(0).as_second()))
}

fn sent() -> StoredOrder {
    *settled(&claimed(), &created("ODR1", Some("https://b.example/"))).unwrap()
}

#[test]
fn every_kind_of_order_has_its_place() {
    // What is open waits for the operator from a minute after the attempt began.
    assert_eq!(place(&with_status(Status::Submitting)), Some((Queue::Settle, 60)));
    assert_eq!(place(&with_status(Status::Unknown)), Some((Queue::Settle, 60)));
    let retried = StoredOrder { attempted_at: at(500), ..claimed() };
    assert_eq!(place(&retried), Some((Queue::Settle, 560)));
    let unknown = settled(&claimed(), &AttemptResult::Unknown).unwrap();
    assert_eq!(place(&unknown), Some((Queue::Settle, 60)));
    // Nothing is to be done about what was not created.
    assert_eq!(place(&with_status(Status::Rejected)), None);
    assert_eq!(place(&with_status(Status::Failed)), None);
    // Nothing is to be told at once, and Front Payment is asked after a while.
    let sent = sent();
    assert_eq!(place(&sent), Some((Queue::Due, 9 + 120)));
    // The shop is to be told, then Front Payment is to be asked.
    let invoiced = *sent.apply_callback(&callback("ODR1", "INVOICED", "a"), at(100)).unwrap();
    assert_eq!(place(&invoiced), Some((Queue::Due, 100)));
    let begun = *invoiced.begin_notification(TELL, at(101)).unwrap();
    assert_eq!(place(&begun), Some((Queue::Due, 161)));
    let told = *begun.end_notification(TELL, AttemptEnd::Delivered, at(102), 0).unwrap();
    assert_eq!(place(&told), Some((Queue::Due, 100 + 86_400)));
    let end = AttemptEnd::Failed { error: "dns".to_owned(), retry_after: None, is_gone: false };
    let vain = *begun.end_notification(TELL, end, at(110), 0).unwrap();
    assert_eq!(place(&vain), Some((Queue::Due, 110 + 48)));
    // The reading comes first where the shop asks for a day.
    let (error, retry_after) = ("http-503".to_owned(), Some(Duration::from_secs(86_400)));
    let end = AttemptEnd::Failed { error, retry_after, is_gone: false };
    let late = *begun.end_notification(TELL, end, at(110), 0).unwrap();
    assert_eq!(place(&late), Some((Queue::Due, 100 + 86_400)));
    // What is not told any more, what is not told at all, and what is told anew.
    let failed = *invoiced.refuse_notification("address").unwrap();
    assert_eq!(place(&failed), Some((Queue::Due, 100 + 86_400)));
    let off = *invoiced.skip_notification().unwrap();
    assert_eq!(place(&off), Some((Queue::Due, 100 + 86_400)));
    assert_eq!(place(&off.repeat_notification(at(150)).unwrap()), Some((Queue::Due, 150)));
    // An order that is through.
    let refunded = *told.apply_callback(&callback("ODR1", "REFUNDED", "b"), at(200)).unwrap();
    assert_eq!(place(&refunded), Some((Queue::Due, 200)));
    let begun = *refunded.begin_notification(TELL, at(200)).unwrap();
    assert_eq!(place(&begun.end_notification(TELL, AttemptEnd::Delivered, at(201), 0).unwrap()), None);
    // A doubt.
    let doubted = *told.apply_callback(&callback("ODR1", "success", "c"), at(200)).unwrap();
    assert_eq!(place(&doubted), Some((Queue::Due, 200)));
}

#[test]
fn every_accepted_status_has_its_place() {
    for (status, day) in [
        (Status::Reserved, 1),
        (Status::Expired, 7),
        (Status::Invoiced, 1),
        (Status::Purring, 1),
        (Status::Inkasso, 1),
        (Status::Charged, 1),
        (Status::Captured, 1),
        (Status::Paid, 7),
        (Status::Cancelled, 7),
        (Status::RefundPending, 7),
        (Status::PartialRefunded, 7),
    ] {
        assert_eq!(place(&accepted(status)), Some((Queue::Due, day * 86_400)), "{status:?}");
    }
    assert_eq!(place(&accepted(Status::Sent)), Some((Queue::Due, 120)));
    assert_eq!(place(&accepted(Status::Refunded)), None);
}

#[test]
fn nothing_is_due_before_its_time() {
    let attempted_at = "2026-06-15T00:00:00.001Z".parse().unwrap();
    assert_eq!(place(&StoredOrder { attempted_at, ..claimed() }), Some((Queue::Settle, 61)));
    let heard_at = "2026-06-15T00:00:09.999Z".parse().unwrap();
    let invoiced = sent().apply_callback(&callback("ODR1", "INVOICED", "a"), heard_at).unwrap();
    assert_eq!(place(&invoiced), Some((Queue::Due, 10)));
}

#[test]
fn nobody_sets_a_place_by_hand() {
    let wrong = StoredOrder { queue: Some(Queue::Settle), due_at: Some(7), ..accepted(Status::Sent) };
    let placed = wrong.placed();
    assert_eq!((placed.queue, placed.due_at), (Some(Queue::Due), Some(at(120).as_second())));
    let stored = serde_json::to_value(&placed).unwrap();
    assert_eq!((&stored["queue"], &stored["dueAt"]), (&json!("due"), &json!(1_781_481_720)));
    let placed = with_status(Status::Unknown).placed();
    assert_eq!((placed.queue, placed.due_at), (Some(Queue::Settle), Some(at(60).as_second())));
    assert_eq!(serde_json::to_value(&placed).unwrap()["queue"], "settle");
    let done = StoredOrder { queue: Some(Queue::Due), due_at: Some(7), ..accepted(Status::Refunded) };
    let placed = done.placed();
    assert_eq!((placed.queue, placed.due_at), (None, None));
    let stored = serde_json::to_value(&placed).unwrap();
    assert_eq!((stored.get("queue"), stored.get("dueAt")), (None, None));
}

#[test]
fn a_wrong_place_is_corrected_without_anything_heard() {
    let right = sent().placed();
    assert!(right.corrected(at(0)).is_none());
    for (queue, due_at) in
        [(None, None), (Some(Queue::Settle), right.due_at), (right.queue, Some(7)), (None, right.due_at), (right.queue, None)]
    {
        let wrong = StoredOrder { queue, due_at, ..right.clone() };
        let next = wrong.corrected(at(0)).unwrap();
        assert_eq!((next.version, next.updated_at), (right.version + 1, right.updated_at));
        let stored = next.placed();
        assert_eq!((stored.queue, stored.due_at), (right.queue, right.due_at));
        assert!(stored.corrected(at(0)).is_none());
    }
}

#[test]
fn an_order_that_an_operator_bound_is_told_unless_it_is_of_an_older_version() {
    let unknown = settled(&claimed(), &AttemptResult::Unknown).unwrap();
    let bound = StoredOrder { status: Status::Sent, order_uuid: Some("ODR7".to_owned()), updated_at: at(90), ..*unknown };
    let next = bound.corrected(at(100)).unwrap();
    assert_eq!((next.notification_due_at(), next.updated_at), (Some(at(100)), at(90)));
    assert!(next.placed().corrected(at(101)).is_none(), "once");
    let backfilled = bound.backfilled().unwrap();
    assert_eq!(backfilled.notification_due_at(), None);
    assert!(backfilled.placed().corrected(at(101)).is_none());
    // The 201 told of this one.
    assert!(sent().placed().corrected(at(100)).is_none());
}

/// One thing that can happen to an order.
#[derive(Debug, Clone)]
enum Step {
    Callback(&'static str, &'static str),
    Read(&'static str),
    Result(&'static str),
    Stale,
    BeginTelling,
    EndTelling(bool),
    Skip,
    Refuse,
    Repeat,
    BeginReading,
    NotFound,
}

fn any_step() -> impl Strategy<Value = (Step, i64)> {
    let word =
        || proptest::sample::select(vec!["SENT", "RESERVED", "EXPIRED", "INVOICED", "PAID", "CANCELLED", "REFUNDED", "success"]);
    let step = prop_oneof![
        (proptest::sample::select(vec!["ODR1", "ODR2"]), word()).prop_map(|(uuid, word)| Step::Callback(uuid, word)),
        word().prop_map(Step::Read),
        proptest::sample::select(vec!["sent", "invoiced", "rejected", "failed", "unknown"]).prop_map(Step::Result),
        Just(Step::Stale),
        Just(Step::BeginTelling),
        any::<bool>().prop_map(Step::EndTelling),
        Just(Step::Skip),
        Just(Step::Refuse),
        Just(Step::Repeat),
        Just(Step::BeginReading),
        Just(Step::NotFound),
    ];
    (step, prop_oneof![Just(1), Just(61), Just(4_000), Just(90_000)])
}

/// The next version, if the step is possible.
fn take(order: &StoredOrder, step: &Step, now: Timestamp) -> Option<Box<StoredOrder>> {
    let is_accepted = order.order_uuid.is_some();
    let result = |name: &str| match name {
        "sent" => created("ODR1", Some("https://b.example/")),
        "invoiced" => created("ODR1", None),
        "rejected" => AttemptResult::Rejected,
        "failed" => AttemptResult::Failed { may_exist: true },
        _ => AttemptResult::Unknown,
    };
    let end = |is_delivered| match is_delivered {
        true => AttemptEnd::Delivered,
        false => AttemptEnd::Failed { error: "timeout".to_owned(), retry_after: None, is_gone: false },
    };
    match step {
        Step::Callback(uuid, word) => order.apply_callback(&callback(uuid, word, &format!("{uuid} {word} {now}")), now),
        Step::Read(word) => is_accepted.then(|| order.apply_reading(&StatusWord::read(word), now)),
        Step::Result(name) => match order.record_result(ATTEMPT, &result(name), now) {
            ResultEffect::Write(next) => next,
            ResultEffect::Superseded => None,
        },
        Step::Stale => order.end_stale_attempt(now),
        Step::BeginTelling => order.begin_notification(TELL, now),
        Step::EndTelling(is_delivered) => order.end_notification(TELL, end(*is_delivered), now, 7),
        Step::Skip => order.notification_due_at().filter(|due_at| *due_at <= now).and_then(|_| order.skip_notification()),
        Step::Refuse => {
            order.notification_due_at().filter(|due_at| *due_at <= now).and_then(|_| order.refuse_notification("address"))
        }
        Step::Repeat => order.repeat_notification(now),
        Step::BeginReading => order.begin_reading(now),
        Step::NotFound => is_accepted.then(|| order.note_not_found(now)).flatten(),
    }
}

proptest! {
    #[test]
    fn whatever_happens_what_is_to_be_done_is_in_the_index(steps in proptest::collection::vec(any_step(), 1..40)) {
        let (mut order, mut now) = (claimed().placed(), at(0));
        for (step, seconds) in steps {
            now += SignedDuration::from_secs(seconds);
            let Some(next) = take(&order, &step, now) else { continue };
            let next = next.placed();
            prop_assert_eq!(next.version, order.version + 1);

            let is_open = next.order_uuid.is_none() && matches!(next.status, Status::Submitting | Status::Unknown);
            let place = next.queue.zip(next.due_at);
            if is_open {
                prop_assert_eq!(place, Some((Queue::Settle, at(60).as_second())), "open, so somebody has to settle it");
            } else {
                prop_assert_ne!(next.queue, Some(Queue::Settle));
            }
            match &next.notifications {
                Some(notifications) if notifications.state() == NotificationState::Pending => {
                    let (queue, due_at) = place.expect("undelivered, but not due");
                    prop_assert_eq!(queue, Queue::Due);
                    prop_assert!(due_at <= next.notification_due_at().unwrap().as_second());
                    let until = notifications.running.as_ref().map_or(now, |running| running.since + SignedDuration::from_secs(60));
                    let is_retry = notifications.attempts > 0;
                    prop_assert!(is_retry || due_at <= until.max(now).as_second(), "a new change is due at once, or after the lease");
                }
                Some(notifications) => {
                    prop_assert!(notifications.told_change <= notifications.change);
                    prop_assert_eq!(next.notification_due_at(), None);
                }
                None => prop_assert_eq!(next.notification_due_at(), None),
            }
            if let Some(doubted_at) = next.doubted_at
                && next.not_found_at.is_none()
            {
                prop_assert!(place.unwrap().1 <= now.as_second().max(doubted_at.as_second()) + 86_400, "a doubt is due");
            }
            if next.order_uuid.is_none() && !is_open {
                prop_assert_eq!(place, None);
            }
            order = next;
        }
    }

    #[test]
    fn a_change_is_told_in_the_end(steps in proptest::collection::vec(any_step(), 1..30)) {
        let (mut order, mut now) = (claimed(), at(0));
        for (step, seconds) in steps {
            now += SignedDuration::from_secs(seconds);
            order = take(&order, &step, now).map_or(order, |next| *next);
        }
        // From here on, a worker comes whenever something is due, and the shop answers.
        let mut told = None;
        for _ in 0..3 {
            let Some(due_at) = order.notification_due_at() else { break };
            now = now.max(due_at);
            let Some(begun) = order.begin_notification(TELL, now) else { panic!("due, but not begun") };
            order = *begun;
            if let Some(next) = order.end_notification(TELL, AttemptEnd::Delivered, now, 0) {
                told = Some(begun_status(&order));
                order = *next;
            }
        }
        prop_assert_eq!(order.notification_due_at(), None);
        if let Some(status) = told {
            prop_assert_eq!(status, order.status);
            prop_assert_eq!(order.notifications.unwrap().told_status, Some(order.status));
        }
    }
}

fn begun_status(order: &StoredOrder) -> Status {
    order.notifications.as_ref().unwrap().running.as_ref().unwrap().status
}
