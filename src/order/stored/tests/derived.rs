//! What is derived from an order: its places in the indexes, and the end of its retention.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const TELL: Uuid = Uuid::from_u128(11);
const DAY: i64 = 86_400;
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The order with its derived attributes, without a retention period.
fn derived(order: &StoredOrder) -> StoredOrder {
    let mut order = order.clone();
    order.derive(None);
    order
}

/// When the shop is to be told; and in which queue and when a status read is due. In seconds after second 0.
fn places(order: &StoredOrder) -> (Option<i64>, Option<(AskQueue, i64)>) {
    let order = derived(order);
    let second = |at_second: i64| at_second - at(0).as_second();
    assert_eq!(order.tell_queue.as_deref(), order.tell_at.map(|_| "shop-a"));
    (order.tell_at.map(second), order.ask_queue.zip(order.ask_at.map(second)))
}

fn sent() -> StoredOrder {
    *settled(&claimed(), &created("ODR1", Some("https://b.example/"))).unwrap()
}

#[test]
fn every_kind_of_order_has_its_places() {
    // SUBMITTING and UNKNOWN wait for the operator from one minute after the attempt began.
    let settle = |second| (None, Some((AskQueue::Settle, second)));
    assert_eq!(places(&with_status(Status::Submitting)), settle(60));
    assert_eq!(places(&with_status(Status::Unknown)), settle(60));
    assert_eq!(places(&StoredOrder { attempted_at: at(500), ..claimed() }), settle(560));
    // An order that was not created has nothing to be done.
    for reply in [SubmitReply::Rejected(Vec::new()), SubmitReply::Failed] {
        assert_eq!(places(&settled(&claimed(), &reply).unwrap()), (None, None));
    }
    // The 201 told the shop. A status read is due later.
    assert_eq!(places(&sent()), (None, Some((AskQueue::Ask, 9 + 120))));
    // The shop is to be told. That does not change when a status read is due.
    let check = Some((AskQueue::Check, 100 + DAY));
    let invoiced = *sent().apply_callback(&callback("ODR1", "INVOICED", "a"), at(100)).unwrap();
    assert_eq!(places(&invoiced), (Some(100), check));
    let begun = *invoiced.begin_notification(TELL, at(101)).unwrap();
    assert_eq!(places(&begun), (Some(161), check));
    let told = *begun.end_notification(TELL, AttemptEnd::Delivered, at(102), 0).unwrap();
    assert_eq!(places(&told), (None, check));
    let end = AttemptEnd::Failed { error: "dns".to_owned(), retry_after: None, is_gone: false };
    assert_eq!(places(&begun.end_notification(TELL, end, at(110), 0).unwrap()), (Some(110 + 48), check));
    let (error, retry_after) = ("http-503".to_owned(), Some(Duration::from_secs(86_400)));
    let end = AttemptEnd::Failed { error, retry_after, is_gone: false };
    assert_eq!(places(&begun.end_notification(TELL, end, at(110), 0).unwrap()), (Some(110 + DAY), check));
    // A notification that was given up, one that is off, and one that is repeated.
    assert_eq!(places(&invoiced.refuse_notification("address")), (None, check));
    let off = *invoiced.skip_notification(at(100)).unwrap();
    assert_eq!(places(&off), (None, check));
    assert_eq!(places(&off.repeat_notification(at(150)).unwrap()), (Some(150), check));
    // A reason to ask.
    let open = *told.apply_callback(&callback("ODR1", "success", "c"), at(200)).unwrap();
    assert_eq!(places(&open), (None, Some((AskQueue::Ask, 200))));
    assert_eq!(places(&told.request_cancellation(at(300)).unwrap()), (None, Some((AskQueue::Ask, 300))));
}

#[test]
fn every_accepted_status_is_in_its_queue() {
    for (status, days) in [
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
        (Status::Refunded, 7),
    ] {
        assert_eq!(places(&accepted(status)), (None, Some((AskQueue::Check, days * DAY))), "{status:?}");
    }
    assert_eq!(places(&accepted(Status::Sent)), (None, Some((AskQueue::Ask, 120))));
    let wholly = StoredOrder { refunded_amount: Some("40.00".to_owned()), ..accepted(Status::Refunded) };
    assert_eq!(places(&wholly), (None, None), "nothing more can happen");
}

#[test]
fn nothing_is_due_before_its_time() {
    let attempted_at = "2026-06-15T00:00:00.001Z".parse().unwrap();
    assert_eq!(places(&StoredOrder { attempted_at, ..claimed() }).1, Some((AskQueue::Settle, 61)));
    let heard_at = "2026-06-15T00:00:09.999Z".parse().unwrap();
    let invoiced = sent().apply_callback(&callback("ODR1", "INVOICED", "a"), heard_at).unwrap();
    assert_eq!(places(&invoiced).0, Some(10));
}

#[test]
fn the_stored_form_of_places() {
    let stored = |order: &StoredOrder| serde_json::to_value(derived(order)).unwrap();
    let invoiced = sent().apply_callback(&callback("ODR1", "INVOICED", "a"), at(100)).unwrap();
    let invoiced = stored(&invoiced);
    assert_eq!(
        (&invoiced["tellQueue"], &invoiced["tellAt"], &invoiced["askQueue"], &invoiced["askAt"], &invoiced["changedAt"]),
        (&json!("shop-a"), &json!(1_781_481_700), &json!("check"), &json!(1_781_568_100), &json!(1_781_481_700_000_i64))
    );
    assert_eq!((stored(&claimed())["askQueue"].clone(), stored(&sent())["askQueue"].clone()), (json!("settle"), json!("ask")));
    let failed = stored(&with_status(Status::Failed));
    assert!(["tellQueue", "tellAt", "askQueue", "askAt", "expiresAt"].iter().all(|name| failed.get(name).is_none()), "{failed}");
}

#[test]
fn what_is_wrong_is_corrected_without_a_change() {
    let right = derived(&sent().apply_callback(&callback("ODR1", "INVOICED", "a"), at(100)).unwrap());
    assert!(right.corrected(None).is_none());
    for wrong in [
        StoredOrder { tell_queue: None, tell_at: None, ..right.clone() },
        StoredOrder { tell_queue: Some("shop-b".to_owned()), ..right.clone() },
        StoredOrder { tell_at: Some(7), ..right.clone() },
        StoredOrder { ask_queue: Some(AskQueue::Settle), ..right.clone() },
        StoredOrder { ask_queue: None, ask_at: None, ..right.clone() },
        StoredOrder { ask_at: Some(7), ..right.clone() },
        StoredOrder { changed_at: 0, ..right.clone() },
        StoredOrder { expires_at: Some(7), ..right.clone() },
    ] {
        let next = wrong.corrected(None).unwrap();
        assert_eq!((next.version, next.updated_at), (right.version + 1, right.updated_at));
        assert!(StoredOrder { version: right.version, ..derived(&next) } == right);
    }
    assert!(right.corrected(Some(RETENTION)).is_some(), "where the retention has changed");
}

#[test]
fn retention_ends_but_not_while_the_outcome_is_unknown() {
    for status in [Status::Submitting, Status::Unknown] {
        assert_eq!(expiry(&with_status(status), RETENTION), None);
    }
    for status in [Status::Rejected, Status::Failed] {
        assert_eq!(expiry(&with_status(status), RETENTION), Some(1_781_481_600 + 7_776_000));
    }
    for status in [Status::Sent, Status::Invoiced, Status::Refunded] {
        let changed = StoredOrder { updated_at: at(100), ..accepted(status) };
        assert_eq!(expiry(&changed, RETENTION), Some(1_781_481_600 + 100 + 7_776_000));
    }
    let changed = accepted(Status::Sent).apply_callback(&callback("ODR1", "PAID", "a"), at(9)).unwrap();
    assert_eq!(expiry(&changed, RETENTION), Some(1_781_481_600 + 9 + 7_776_000), "every change moves it");
}

#[test]
fn the_key_of_an_order_past_its_retention_is_a_new_key() {
    let entry = HistoryEntry { status: "SENT".to_owned(), at: at(0), source: EntrySource::Submit, id: None, order_uuid: None };
    let expires = |second: i64| StoredOrder {
        expires_at: Some(at(second).as_second()),
        history: vec![entry.clone()],
        version: 7,
        ..accepted(Status::Invoiced)
    };
    let claim = StoredOrder { attempt: OTHER_ATTEMPT, attempted_at: at(60), callback_token: "new".to_owned(), ..claimed() };
    assert_eq!(expires(61).conflict_with(&claim), KeyConflict::SameOrder);
    assert_eq!(expires(60).conflict_with(&claim), KeyConflict::Retryable);
    assert_eq!(StoredOrder { shop_id: "shop-b".to_owned(), ..expires(60) }.conflict_with(&claim), KeyConflict::OtherShop);
    let fresh = claim.clone().as_retry_of(&expires(60));
    assert!(
        fresh == StoredOrder { version: 8, ..claim },
        "nothing is kept: late callbacks of the old order must not find this one"
    );
}

/// A change that can be made to an order.
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
    PassOver,
    RequestCancellation,
    RefuseCancellation,
    NotCreated,
    SettleAs(&'static str),
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
        Just(Step::PassOver),
        Just(Step::RequestCancellation),
        Just(Step::RefuseCancellation),
        Just(Step::NotCreated),
        proptest::sample::select(vec!["ODR1", "ODR2"]).prop_map(Step::SettleAs),
        Just(Step::Repeat),
        Just(Step::BeginReading),
        Just(Step::NotFound),
    ];
    (step, prop_oneof![Just(1), Just(61), Just(4_000), Just(90_000)])
}

/// The next version, if the step is possible.
fn take(order: &StoredOrder, step: &Step, now: Timestamp) -> Option<Box<StoredOrder>> {
    let is_accepted = order.order_uuid.is_some();
    let is_due = order.notification_due_at().is_some_and(|due_at| due_at <= now);
    let result = |name: &str| match name {
        "sent" => created("ODR1", Some("https://b.example/")),
        "invoiced" => created("ODR1", None),
        "rejected" => SubmitReply::Rejected(Vec::new()),
        "failed" => SubmitReply::Failed,
        _ => SubmitReply::Unknown,
    };
    let end = |is_delivered| match is_delivered {
        true => AttemptEnd::Delivered,
        false => AttemptEnd::Failed { error: "timeout".to_owned(), retry_after: None, is_gone: false },
    };
    match step {
        Step::Callback(uuid, word) => order.apply_callback(&callback(uuid, word, &format!("{uuid} {word} {now}")), now),
        Step::Read(word) => is_accepted.then(|| order.apply_status_read(&told(word), now)),
        Step::Result(name) => order.record_result(ATTEMPT, &result(name), now),
        Step::Stale => order.end_stale_attempt(now),
        Step::BeginTelling => order.begin_notification(TELL, now),
        Step::EndTelling(is_delivered) => order.end_notification(TELL, end(*is_delivered), now, 7),
        Step::Skip => order.skip_notification(now),
        Step::Refuse => is_due.then(|| order.refuse_notification("address")),
        Step::PassOver => order.pass_over_notification(now),
        Step::RequestCancellation => is_accepted.then(|| order.request_cancellation(now)).flatten(),
        Step::RefuseCancellation => order.refuse_cancellation(order.cancel_requested_at, now),
        Step::NotCreated => order.settle_as_not_created(now).ok().flatten(),
        Step::SettleAs(uuid) => order.settle_as(uuid, &told("INVOICED"), now),
        Step::Repeat => order.repeat_notification(now),
        Step::BeginReading => order.begin_status_read(now),
        Step::NotFound => is_accepted.then(|| order.note_not_found(now)),
    }
}

proptest! {
    #[test]
    fn whatever_happens_what_is_to_be_done_is_in_an_index(steps in proptest::collection::vec(any_step(), 1..40)) {
        let (mut order, mut now) = (derived(&claimed()), at(0));
        for (step, seconds) in steps {
            now += SignedDuration::from_secs(seconds);
            let Some(next) = take(&order, &step, now) else { continue };
            let next = derived(&next);
            prop_assert_eq!(next.version, order.version + 1);
            prop_assert!(next.corrected(None).is_none());
            prop_assert_eq!(next.changed_at, next.updated_at.as_millisecond());

            match next.order_uuid {
                None if matches!(next.status, Status::Submitting | Status::Unknown) => {
                    prop_assert_eq!(next.ask_queue.zip(next.ask_at), Some((AskQueue::Settle, at(60).as_second())));
                }
                None => prop_assert_eq!(next.ask_queue, None, "nothing exists"),
                Some(_) => prop_assert_ne!(next.ask_queue, Some(AskQueue::Settle)),
            }
            let is_pending = next.notifications.as_ref().is_some_and(|all| all.state == NotificationState::Pending);
            prop_assert_eq!(next.tell_queue.as_deref(), is_pending.then_some("shop-a"), "undelivered, so in its shop's queue");
            if let Some(notifications) = next.notifications.as_ref().filter(|all| is_pending && all.attempts == 0 && all.due_since.is_none()) {
                let until = notifications.running.as_ref().map_or(now, |running| running.since + SignedDuration::from_secs(60));
                prop_assert!(next.tell_at.unwrap() <= until.max(now).as_second(), "a new change is due at once, or after the lease");
            }
            if let Some(since) = next.reason_since {
                prop_assert_eq!(next.ask_queue, Some(AskQueue::Ask));
                prop_assert!(next.ask_at.unwrap() <= now.as_second().max(since.as_second()) + 86_400, "a reason to ask is due");
            }
            if next.order_uuid.is_some() && next.status == Status::Sent && next.not_found.is_none() {
                prop_assert!(next.ask_queue.is_none_or(|queue| queue == AskQueue::Ask));
            }
            if next.status != Status::Sent {
                prop_assert_eq!(&next.bank_id_url, &None, "a link lives as long as SENT");
            }
            order = next;
        }
    }
}
