//! What a shop was told, and what is still to be told.

mod attempts;

use std::time::Duration;

use super::*;

const ATTEMPTS_TO_TELL: [Uuid; 3] = [Uuid::from_u128(11), Uuid::from_u128(12), Uuid::from_u128(13)];
const FIRST: Uuid = ATTEMPTS_TO_TELL[0];
const SECOND: Uuid = ATTEMPTS_TO_TELL[1];

/// The number of the latest change, and its state.
fn changes(order: &StoredOrder) -> (u64, NotificationState) {
    let notifications = order.notifications.as_ref().unwrap();
    (notifications.change, notifications.state)
}

/// The order whose 201 came at second 9, with a link: it is SENT.
fn sent() -> StoredOrder {
    *settled(&claimed(), &created("ODR1", Some("https://b.example/"))).unwrap()
}

/// The order after a callback about ODR1 at this second.
fn hear(order: &StoredOrder, word: &str, second: i64) -> StoredOrder {
    *order.apply_callback(&callback("ODR1", word, &format!("{word} {second}")), at(second)).unwrap()
}

/// The order after a status read that told this status at this second.
fn read(order: &StoredOrder, status: Status, second: i64) -> StoredOrder {
    *order.apply_status_read(&told(status.name()), at(second))
}

/// An INVOICED order that waits to be told since second 100.
fn invoiced() -> StoredOrder {
    hear(&sent(), "INVOICED", 100)
}

fn begin(order: &StoredOrder, attempt: Uuid, second: i64) -> StoredOrder {
    *order.begin_notification(attempt, at(second)).expect("no attempt is due")
}

fn end(order: &StoredOrder, attempt: Uuid, end: AttemptEnd, second: i64) -> StoredOrder {
    *order.end_notification(attempt, end, at(second), 128).expect("another attempt is running")
}

fn failed(error: &str) -> AttemptEnd {
    AttemptEnd::Failed { error: error.to_owned(), retry_after: None, is_gone: false }
}

fn due_second(order: &StoredOrder) -> Option<i64> {
    order.notification_due_at().map(|due_at| due_at.as_second() - at(0).as_second())
}

fn last_error(order: &StoredOrder) -> Option<&str> {
    order.notifications.as_ref().unwrap().last_error.as_deref()
}

#[test]
fn the_sent_of_the_201_counts_as_told() {
    let order = sent();
    assert_eq!((changes(&order), due_second(&order)), ((1, NotificationState::Delivered), None));
    let notifications = order.notifications.unwrap();
    assert_eq!((notifications.told_status, notifications.told_at, notifications.attempts), (Some(Status::Sent), Some(at(9)), 0));
}

#[test]
fn the_sent_of_a_201_that_comes_late_counts_as_told() {
    let unknown = claimed().end_stale_attempt(at(61)).unwrap();
    let order = unknown.record_result(ATTEMPT, &created("ODR1", Some("https://b.example/")), at(70)).unwrap();
    assert_eq!((changes(&order), due_second(&order)), ((1, NotificationState::Delivered), None));
}

#[test]
fn the_invoiced_of_a_201_is_to_be_told() {
    let order = *settled(&claimed(), &created("ODR1", None)).unwrap();
    assert_eq!((changes(&order), due_second(&order)), ((1, NotificationState::Pending), Some(9)));
}

#[test]
fn an_order_that_is_not_accepted_has_no_notifications() {
    for result in [SubmitReply::Rejected(Vec::new()), SubmitReply::Failed, SubmitReply::Unknown] {
        let order = settled(&claimed(), &result).unwrap();
        assert_eq!((&order.notifications, due_second(&order)), (&None, None));
        assert!(order.repeat_notification(at(50)).is_none());
    }
    assert_eq!(claimed().end_stale_attempt(at(61)).unwrap().notifications, None);
}

#[test]
fn an_order_that_a_callback_made_before_the_201_is_to_be_told() {
    for start in [Status::Submitting, Status::Unknown] {
        for (word, status) in [("SENT", Status::Sent), ("RESERVED", Status::Reserved), ("success", Status::Sent)] {
            let adopted = hear(&with_status(start), word, 5);
            assert_eq!((changes(&adopted), due_second(&adopted)), ((1, NotificationState::Pending), Some(5)), "{word}");
            let merged = settled(&adopted, &created("ODR1", Some("https://b.example/"))).unwrap();
            assert_eq!((changes(&merged), due_second(&merged)), ((1, NotificationState::Pending), Some(5)), "{word}");
            assert_eq!((merged.status, merged.notifications.unwrap().told_status), (status, None), "nothing is told yet");
        }
    }
}

#[test]
fn every_change_of_the_status_has_a_number_and_nothing_else_has_one() {
    let mut order = sent();
    for (second, word, change) in [
        (20, "SENT", 1),
        (21, "RESERVED", 2),
        (22, "RESERVED", 2),
        (23, "SENT", 2),
        (24, "brand new", 2),
        (25, "INVOICED", 3),
        (26, "PURRING", 4),
        (27, "INVOICED", 4),
        (28, "PAID", 5),
    ] {
        order = hear(&order, word, second);
        assert_eq!(changes(&order).0, change, "{word} at {second}");
    }
    for (second, status, change) in
        [(30, Status::Paid, 5), (31, Status::Charged, 6), (32, Status::Charged, 6), (33, Status::Paid, 7), (34, Status::Paid, 7)]
    {
        order = read(&order, status, second);
        assert_eq!(changes(&order).0, change, "{status:?} at {second}");
    }
    let unknown = order.apply_status_read(&told("on hold"), at(40));
    assert_eq!(changes(&unknown).0, 7);
    let other_order = order.apply_callback(&callback("ODR2", "PAID", "other"), at(41)).unwrap();
    assert_eq!(changes(&other_order).0, 7, "it is about another order");
    assert_eq!(order.notifications.unwrap().changed_at, at(33), "since when the order has its status");
}

#[test]
fn an_order_that_becomes_another_one_has_changed() {
    let two = hear(&sent(), "RESERVED", 20);
    let two = *two.apply_callback(&callback("ODR2", "INVOICED", "other"), at(21)).unwrap();
    assert_eq!(changes(&two).0, 2);
    let living = hear(&two, "CANCELLED", 22);
    assert_eq!((living.order_uuid.as_deref(), living.status), (Some("ODR2"), Status::Invoiced));
    assert_eq!((changes(&living), due_second(&living)), ((3, NotificationState::Pending), Some(22)));
}

#[test]
fn a_status_that_comes_back_is_a_change_of_its_own() {
    let begun = begin(&invoiced(), FIRST, 100);
    let delivered = end(&begun, FIRST, AttemptEnd::Delivered, 101);
    assert_eq!((changes(&delivered), due_second(&delivered)), ((2, NotificationState::Delivered), None));
    let back = read(&hear(&delivered, "PAID", 110), Status::Invoiced, 120);
    assert_eq!((changes(&back), due_second(&back)), ((4, NotificationState::Pending), Some(120)), "though it was told last");
}

#[test]
fn the_latest_change_alone_is_told() {
    let order = hear(&hear(&invoiced(), "CHARGED", 110), "PAID", 120);
    assert_eq!(due_second(&order), Some(120));
    let begun = begin(&order, FIRST, 121);
    let running = begun.notifications.clone().unwrap().running.unwrap();
    assert_eq!((running.id, running.change, running.status, running.since), (FIRST, 4, Status::Paid, at(121)));
    let delivered = end(&begun, FIRST, AttemptEnd::Delivered, 125);
    assert_eq!((changes(&delivered), due_second(&delivered)), ((4, NotificationState::Delivered), None));
    let notifications = delivered.notifications.unwrap();
    assert_eq!(
        (notifications.told_status, notifications.told_at, notifications.attempts),
        (Some(Status::Paid), Some(at(125)), 1)
    );
    assert_eq!((notifications.running, notifications.last_error), (None, None));
}

#[test]
fn a_shop_that_is_not_notified_hears_of_later_changes() {
    let off = *invoiced().skip_notification(at(100)).unwrap();
    assert_eq!((changes(&off), due_second(&off)), ((2, NotificationState::Off), None));
    assert_eq!(off.notifications.as_ref().unwrap().told_status, Some(Status::Sent), "it was not told");
    let paid = hear(&off, "PAID", 200);
    assert_eq!((changes(&paid), due_second(&paid)), ((3, NotificationState::Pending), Some(200)));
}

#[test]
fn a_url_that_cannot_be_called_fails_at_once() {
    let refused = *invoiced().refuse_notification("address");
    assert_eq!((changes(&refused), due_second(&refused)), ((2, NotificationState::Failed), None));
    assert_eq!((last_error(&refused), refused.notifications.as_ref().unwrap().attempts), (Some("address"), 0));
    assert_eq!(due_second(&hear(&refused, "PAID", 200)), Some(200));
}

#[test]
fn a_repetition_is_a_change_of_its_own() {
    let told = end(&begin(&invoiced(), FIRST, 100), FIRST, AttemptEnd::Delivered, 101);
    let repeated = *told.repeat_notification(at(200)).unwrap();
    assert_eq!((changes(&repeated), due_second(&repeated)), ((3, NotificationState::Pending), Some(200)));
    assert_eq!(repeated.notifications.as_ref().unwrap().changed_at, at(100), "the status is as old as it was");
    assert_eq!(repeated.status, Status::Invoiced);

    // A running attempt does not count for the repetition.
    let begun = begin(&invoiced(), FIRST, 100);
    let repeated = *begun.repeat_notification(at(103)).unwrap();
    assert_eq!(due_second(&repeated), Some(160));
    let ended = end(&repeated, FIRST, AttemptEnd::Delivered, 105);
    assert_eq!((changes(&ended), due_second(&ended)), ((3, NotificationState::Pending), Some(103)));

    let gone = AttemptEnd::Failed { error: "http-410".to_owned(), retry_after: None, is_gone: true };
    let failed = end(&begin(&invoiced(), FIRST, 100), FIRST, gone, 101);
    let repeated = *failed.repeat_notification(at(200)).unwrap();
    assert_eq!(
        (changes(&repeated).1, due_second(&repeated), last_error(&repeated)),
        (NotificationState::Pending, Some(200), None)
    );
    assert_eq!(repeated.notifications.unwrap().attempts, 0);
}

#[test]
fn another_refunded_amount_is_a_change_of_its_own() {
    let partial = *sent().apply_status_read(&told_refunded("PARTIAL REFUNDED", "10"), at(100));
    assert_eq!((changes(&partial), due_second(&partial)), ((2, NotificationState::Pending), Some(100)));
    let more = *partial.apply_status_read(&told_refunded("PARTIAL REFUNDED", "15.00"), at(200));
    assert_eq!((changes(&more), due_second(&more)), ((3, NotificationState::Pending), Some(200)));
    let same = *more.apply_status_read(&told_refunded("PARTIAL REFUNDED", "15"), at(300));
    assert_eq!((changes(&same).0, due_second(&same)), (3, Some(200)), "the same amount in other digits");
}

#[test]
fn a_host_that_fails_is_passed_over_for_as_long_as_the_order_has_been_due() {
    let mut order = invoiced();
    // Due since second 100. It is due again after as long as that, at least a minute and at most an hour.
    for (now, next) in [(100, 160), (160, 220), (220, 340), (340, 580), (7_300, 10_900), (10_900, 14_500)] {
        order = *order.pass_over_notification(at(now)).unwrap();
        assert_eq!((due_second(&order), order.notifications.as_ref().unwrap().attempts), (Some(next), 0), "at {now}");
    }
    assert!(order.pass_over_notification(at(14_499)).is_none());
    let tried = end(&begin(&order, FIRST, 14_500), FIRST, failed("timeout"), 14_510);
    let next = due_second(&tried).unwrap();
    assert_eq!(due_second(&tried.pass_over_notification(at(next + 120)).unwrap()), Some(next + 240), "since the next attempt");
}

#[test]
fn telling_moves_neither_updated_at_nor_the_retention() {
    let days = SignedDuration::from_hours(90 * 24);
    let order = invoiced();
    let begun = begin(&order, FIRST, 1_000);
    for quiet in [
        begun.clone(),
        end(&begun, FIRST, AttemptEnd::Delivered, 1_001),
        end(&begun, FIRST, failed("timeout"), 1_001),
        *order.skip_notification(at(100)).unwrap(),
        *order.refuse_notification("address"),
        *order.repeat_notification(at(1_000)).unwrap(),
    ] {
        assert_eq!((quiet.updated_at, expiry(&quiet, days)), (at(100), Some(1_781_481_600 + 100 + 7_776_000)));
        assert_eq!((quiet.status, &quiet.history.len(), quiet.reason_since), (order.status, &order.history.len(), None));
        assert!(quiet.version > order.version);
    }
    assert_eq!(begun.version, order.version + 1);
}

#[test]
fn the_stored_form_of_notifications_leaves_out_what_is_not_there() {
    let stored = |order: &StoredOrder| serde_json::to_value(order).unwrap()["notifications"].clone();
    assert_eq!(
        stored(&sent()),
        json!({"change": 1, "changedAt": at(9), "pendingSince": at(9), "state": "delivered", "toldStatus": "SENT", "toldAt": at(9),
            "attempts": 0, "nextAt": at(9)})
    );
    let begun = begin(&invoiced(), FIRST, 101);
    assert_eq!(
        stored(&begun),
        json!({"change": 2, "changedAt": at(100), "pendingSince": at(100), "state": "pending", "toldStatus": "SENT",
            "toldAt": at(9), "attempts": 1, "nextAt": at(100),
            "running": {"id": FIRST, "change": 2, "status": "INVOICED", "since": at(101)}})
    );
    let text = serde_json::to_string(&begun).unwrap();
    assert!(serde_json::from_str::<StoredOrder>(&text).unwrap() == begun);
}
