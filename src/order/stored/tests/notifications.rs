//! What a shop was told, and what it is still to be told.

use std::time::Duration;

use super::*;

const ATTEMPTS_TO_TELL: [Uuid; 3] = [Uuid::from_u128(11), Uuid::from_u128(12), Uuid::from_u128(13)];
const FIRST: Uuid = ATTEMPTS_TO_TELL[0];
const SECOND: Uuid = ATTEMPTS_TO_TELL[1];

/// The number of the latest change, that of the latest told one, and the state.
fn changes(order: &StoredOrder) -> (u64, u64, NotificationState) {
    let notifications = order.notifications.as_ref().unwrap();
    (notifications.change, notifications.told_change, notifications.state())
}

/// The order whose 201 came at second 9, with a link: it is SENT.
fn sent() -> StoredOrder {
    *settled(&claimed(), &created("ODR1", Some("https://b.example/"))).unwrap()
}

/// A callback about ODR1 that is stored at this second.
fn hear(order: &StoredOrder, word: &str, second: i64) -> StoredOrder {
    *order.apply_callback(&callback("ODR1", word, &format!("{word} {second}")), at(second)).unwrap()
}

/// Front Payment told this status at this second because it was asked.
fn read(order: &StoredOrder, status: Status, second: i64) -> StoredOrder {
    *order.apply_reading(&StatusWord::Known(status), at(second))
}

/// An INVOICED order whose shop is to be told since second 100.
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
    assert_eq!((changes(&order), due_second(&order)), ((1, 1, NotificationState::Delivered), None));
    let notifications = order.notifications.unwrap();
    assert_eq!((notifications.told_status, notifications.told_at, notifications.attempts), (Some(Status::Sent), Some(at(9)), 0));
}

#[test]
fn the_sent_of_a_201_that_comes_late_counts_as_told() {
    let unknown = claimed().end_stale_attempt(at(61)).unwrap();
    let ResultEffect::Write(Some(order)) = unknown.record_result(ATTEMPT, &created("ODR1", Some("https://b.example/")), at(70))
    else {
        panic!()
    };
    assert_eq!((changes(&order), due_second(&order)), ((1, 1, NotificationState::Delivered), None));
}

#[test]
fn the_invoiced_of_a_201_is_to_be_told() {
    let order = *settled(&claimed(), &created("ODR1", None)).unwrap();
    assert_eq!((changes(&order), due_second(&order)), ((1, 0, NotificationState::Pending), Some(9)));
}

#[test]
fn an_order_that_is_not_accepted_has_no_notifications() {
    for result in [AttemptResult::Rejected, AttemptResult::Failed { may_exist: true }, AttemptResult::Unknown] {
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
            assert_eq!((changes(&adopted), due_second(&adopted)), ((1, 0, NotificationState::Pending), Some(5)), "{word}");
            let merged = settled(&adopted, &created("ODR1", Some("https://b.example/"))).unwrap();
            assert_eq!((changes(&merged), due_second(&merged)), ((1, 0, NotificationState::Pending), Some(5)), "{word}");
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
    let unknown = order.apply_reading(&StatusWord::read("on hold"), at(40));
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
    assert_eq!((changes(&living), due_second(&living)), ((3, 1, NotificationState::Pending), Some(22)));
}

#[test]
fn a_status_that_comes_back_is_a_change_of_its_own() {
    let begun = begin(&invoiced(), FIRST, 100);
    let delivered = end(&begun, FIRST, AttemptEnd::Delivered, 101);
    assert_eq!((changes(&delivered), due_second(&delivered)), ((2, 2, NotificationState::Delivered), None));
    let back = read(&hear(&delivered, "PAID", 110), Status::Invoiced, 120);
    assert_eq!((changes(&back), due_second(&back)), ((4, 2, NotificationState::Pending), Some(120)), "though it was told last");
}

#[test]
fn the_latest_change_alone_is_told() {
    let order = hear(&hear(&invoiced(), "CHARGED", 110), "PAID", 120);
    assert_eq!(due_second(&order), Some(120));
    let begun = begin(&order, FIRST, 121);
    let running = begun.notifications.clone().unwrap().running.unwrap();
    assert_eq!((running.id, running.change, running.status, running.since), (FIRST, 4, Status::Paid, at(121)));
    let delivered = end(&begun, FIRST, AttemptEnd::Delivered, 125);
    assert_eq!((changes(&delivered), due_second(&delivered)), ((4, 4, NotificationState::Delivered), None));
    let notifications = delivered.notifications.unwrap();
    assert_eq!(
        (notifications.told_status, notifications.told_at, notifications.attempts),
        (Some(Status::Paid), Some(at(125)), 1)
    );
    assert_eq!((notifications.running, notifications.last_error), (None, None));
}

#[test]
fn the_attempts_follow_the_schedule_and_the_last_one_fails() {
    // Least and most seconds after the attempt before: 1, 5, 15, 30 min, 1, 2, 4, 8, 12, 24, 24 h, less and more 20 %.
    const WAITS: [(i64, i64); 11] = [
        (48, 72),
        (240, 360),
        (720, 1_080),
        (1_440, 2_160),
        (2_880, 4_320),
        (5_760, 8_640),
        (11_520, 17_280),
        (23_040, 34_560),
        (34_560, 51_840),
        (69_120, 103_680),
        (69_120, 103_680),
    ];
    for (jitter, is_longest) in [(0, false), (255, true)] {
        let (mut order, mut now) = (invoiced(), 100);
        for (attempt, (least, most)) in (1..).zip(WAITS) {
            order = begin(&order, FIRST, now);
            assert_eq!(order.notifications.as_ref().unwrap().attempts, attempt);
            now += 10;
            order = *order.end_notification(FIRST, failed("timeout"), at(now), jitter).unwrap();
            let wait = if is_longest { most } else { least };
            assert_eq!(due_second(&order), Some(now + wait), "after attempt {attempt}, jitter {jitter}");
            assert_eq!((changes(&order), last_error(&order)), ((2, 1, NotificationState::Pending), Some("timeout")));
            assert!(order.begin_notification(SECOND, at(now + wait - 1)).is_none());
            now += wait;
        }
        order = end(&begin(&order, FIRST, now), FIRST, failed("http-503"), now + 10);
        assert_eq!((changes(&order), due_second(&order)), ((2, 1, NotificationState::Failed), None));
        assert_eq!((order.notifications.as_ref().unwrap().attempts, last_error(&order)), (12, Some("http-503")));
    }
    let once = begin(&invoiced(), FIRST, 100);
    let wait = |jitter| due_second(&once.end_notification(FIRST, failed("dns"), at(110), jitter).unwrap()).unwrap() - 110;
    assert!((0..=255).map(wait).is_sorted() && wait(127) <= 60 && wait(128) >= 60, "{} {}", wait(127), wait(128));
}

#[test]
fn a_retry_after_that_is_longer_is_respected_for_a_day_at_most() {
    let begun = begin(&invoiced(), FIRST, 100);
    let after = |seconds: u64| {
        let end =
            AttemptEnd::Failed { error: "http-503".to_owned(), retry_after: Some(Duration::from_secs(seconds)), is_gone: false };
        due_second(&begun.end_notification(FIRST, end, at(110), 0).unwrap()).unwrap() - 110
    };
    for (asked, wait) in [
        (0, 48),
        (47, 48),
        (49, 49),
        (3_600, 3_600),
        (86_400, 86_400),
        (86_401, 86_400),
        (31_536_000, 86_400),
        (9_223_372_036_854_775_807, 86_400),
    ] {
        assert_eq!(after(asked), wait, "Retry-After: {asked}");
    }
}

#[test]
fn a_shop_that_is_gone_is_not_told_any_more() {
    let gone = AttemptEnd::Failed { error: "http-410".to_owned(), retry_after: Some(Duration::from_secs(60)), is_gone: true };
    let order = end(&begin(&invoiced(), FIRST, 100), FIRST, gone, 101);
    assert_eq!((changes(&order), due_second(&order)), ((2, 1, NotificationState::Failed), None));
    assert_eq!((last_error(&order), order.notifications.as_ref().unwrap().attempts), (Some("http-410"), 1));
    assert!(order.begin_notification(SECOND, at(1_000_000)).is_none());
}

#[test]
fn a_worker_that_is_killed_in_the_last_attempt_leaves_a_failed_change() {
    let (mut order, mut now) = (invoiced(), 100);
    for _ in 1..12 {
        order = end(&begin(&order, FIRST, now), FIRST, failed("http-500"), now);
        now = due_second(&order).unwrap();
    }
    let killed = begin(&order, FIRST, now);
    assert_eq!((due_second(&killed), changes(&killed).2), (Some(now + 60), NotificationState::Pending));
    let over = begin(&killed, SECOND, now + 60);
    assert_eq!((changes(&over).2, due_second(&over), last_error(&over)), (NotificationState::Failed, None, Some("http-500")));
    let notifications = over.notifications.unwrap();
    assert_eq!((notifications.attempts, notifications.running), (12, None), "nothing is sent");

    // Killed in each attempt, nobody knows more than that.
    let (mut order, mut now) = (invoiced(), 100);
    for _ in 0..12 {
        order = begin(&order, FIRST, now);
        now += 60;
    }
    let over = begin(&order, FIRST, now);
    assert_eq!((changes(&over).2, last_error(&over)), (NotificationState::Failed, Some("timeout")));
}

#[test]
fn a_new_status_starts_anew() {
    let gone = AttemptEnd::Failed { error: "http-410".to_owned(), retry_after: None, is_gone: true };
    let over = end(&begin(&invoiced(), FIRST, 100), FIRST, gone, 101);
    let mut tried = invoiced();
    for attempt in 1..=3 {
        let now = due_second(&tried).unwrap();
        tried = end(&begin(&tried, FIRST, now), FIRST, failed("dns"), now);
        assert_eq!(tried.notifications.as_ref().unwrap().attempts, attempt);
    }
    for order in [over, tried] {
        let paid = hear(&order, "PAID", 200);
        assert_eq!((changes(&paid), due_second(&paid)), ((3, 1, NotificationState::Pending), Some(200)));
        assert_eq!((paid.notifications.as_ref().unwrap().attempts, last_error(&paid)), (0, None));
        let again = end(&begin(&paid, SECOND, 200), SECOND, failed("dns"), 210);
        assert!((258..=282).contains(&due_second(&again).unwrap()), "a minute again");
    }
}

#[test]
fn one_attempt_at_a_time() {
    let begun = begin(&invoiced(), FIRST, 100);
    assert_eq!(due_second(&begun), Some(160), "where the worker was killed, for 60 seconds");
    assert!(begun.begin_notification(SECOND, at(159)).is_none());
    let again = begin(&begun, SECOND, 160);
    let notifications = again.notifications.as_ref().unwrap();
    assert_eq!((notifications.attempts, notifications.running.as_ref().unwrap().id), (2, SECOND));
    assert_eq!(due_second(&again), Some(220));

    // A newer status waits for the end of the attempt.
    let newer = hear(&begun, "PAID", 105);
    assert_eq!(due_second(&newer), Some(160));
    assert!(newer.begin_notification(SECOND, at(159)).is_none());
    assert!(newer.begin_notification(SECOND, at(160)).is_some());
    for end_of_it in [AttemptEnd::Delivered, failed("timeout")] {
        let ended = end(&newer, FIRST, end_of_it, 108);
        assert_eq!(due_second(&ended), Some(105), "then it is due at once");
    }
    // The lease is over before a retry of the same change is due.
    let retried = end(&begun, FIRST, failed("timeout"), 110);
    assert!((158..=182).contains(&due_second(&retried).unwrap()));
}

#[test]
fn a_result_is_written_onto_its_own_attempt_only() {
    let order = invoiced();
    assert!(order.end_notification(FIRST, AttemptEnd::Delivered, at(101), 0).is_none(), "none is running");
    let begun = begin(&order, FIRST, 100);
    assert!(begun.end_notification(SECOND, AttemptEnd::Delivered, at(101), 0).is_none());
    let again = begin(&begun, SECOND, 160);
    assert!(again.end_notification(FIRST, AttemptEnd::Delivered, at(161), 0).is_none(), "its place was taken");
    let delivered = end(&again, SECOND, AttemptEnd::Delivered, 162);
    for late in ATTEMPTS_TO_TELL {
        assert!(delivered.end_notification(late, failed("timeout"), at(163), 0).is_none());
    }
    assert!(claimed().end_notification(FIRST, AttemptEnd::Delivered, at(1), 0).is_none());
}

#[test]
fn an_attempt_for_an_older_change_tells_that_one_and_leaves_the_latest_alone() {
    let newer = hear(&begin(&invoiced(), FIRST, 100), "PAID", 105);
    let ended = end(&newer, FIRST, AttemptEnd::Delivered, 108);
    assert_eq!((changes(&ended), due_second(&ended)), ((3, 2, NotificationState::Pending), Some(105)));
    let notifications = ended.notifications.clone().unwrap();
    assert_eq!((notifications.told_status, notifications.told_at), (Some(Status::Invoiced), Some(at(108))));
    assert_eq!((notifications.attempts, notifications.running), (0, None));
    let told = end(&begin(&ended, SECOND, 108), SECOND, AttemptEnd::Delivered, 109);
    assert_eq!(
        (changes(&told), told.notifications.unwrap().told_status),
        ((3, 3, NotificationState::Delivered), Some(Status::Paid))
    );

    let gone = AttemptEnd::Failed { error: "http-410".to_owned(), retry_after: None, is_gone: true };
    for vain in [failed("timeout"), gone] {
        let ended = end(&newer, FIRST, vain, 108);
        assert_eq!((changes(&ended), due_second(&ended)), ((3, 1, NotificationState::Pending), Some(105)));
        assert_eq!((last_error(&ended), ended.notifications.as_ref().unwrap().told_status), (None, Some(Status::Sent)));
    }
}

#[test]
fn a_shop_that_is_not_notified_hears_of_later_changes() {
    let off = *invoiced().skip_notification().unwrap();
    assert_eq!((changes(&off), due_second(&off)), ((2, 2, NotificationState::Off), None));
    assert_eq!(off.notifications.as_ref().unwrap().told_status, Some(Status::Sent), "it was not told");
    let paid = hear(&off, "PAID", 200);
    assert_eq!((changes(&paid), due_second(&paid)), ((3, 2, NotificationState::Pending), Some(200)));
}

#[test]
fn a_url_that_cannot_be_called_fails_at_once() {
    let refused = *invoiced().refuse_notification("address").unwrap();
    assert_eq!((changes(&refused), due_second(&refused)), ((2, 1, NotificationState::Failed), None));
    assert_eq!((last_error(&refused), refused.notifications.as_ref().unwrap().attempts), (Some("address"), 0));
    assert_eq!(due_second(&hear(&refused, "PAID", 200)), Some(200));
}

#[test]
fn a_repetition_is_a_change_of_its_own() {
    let told = end(&begin(&invoiced(), FIRST, 100), FIRST, AttemptEnd::Delivered, 101);
    let repeated = *told.repeat_notification(at(200)).unwrap();
    assert_eq!((changes(&repeated), due_second(&repeated)), ((3, 2, NotificationState::Pending), Some(200)));
    assert_eq!(repeated.notifications.as_ref().unwrap().changed_at, at(100), "the status is as old as it was");
    assert_eq!(repeated.status, Status::Invoiced);

    // An attempt under way does not count for it.
    let begun = begin(&invoiced(), FIRST, 100);
    let repeated = *begun.repeat_notification(at(103)).unwrap();
    assert_eq!(due_second(&repeated), Some(160));
    let ended = end(&repeated, FIRST, AttemptEnd::Delivered, 105);
    assert_eq!((changes(&ended), due_second(&ended)), ((3, 2, NotificationState::Pending), Some(103)));

    let gone = AttemptEnd::Failed { error: "http-410".to_owned(), retry_after: None, is_gone: true };
    let failed = end(&begin(&invoiced(), FIRST, 100), FIRST, gone, 101);
    let repeated = *failed.repeat_notification(at(200)).unwrap();
    assert_eq!(
        (changes(&repeated).2, due_second(&repeated), last_error(&repeated)),
        (NotificationState::Pending, Some(200), None)
    );
    assert_eq!(repeated.notifications.unwrap().attempts, 0);

    // Of an item of version 0.1.
    let old = *accepted(Status::Paid).repeat_notification(at(200)).unwrap();
    assert_eq!((changes(&old), due_second(&old)), ((1, 0, NotificationState::Pending), Some(200)));
}

#[test]
fn an_item_of_version_0_1_is_told_of_later_changes_only() {
    let old = accepted(Status::Invoiced);
    assert_eq!((due_second(&old), old.begin_notification(FIRST, at(1_000))), (None, None));
    let same = *old.apply_callback(&callback("ODR1", "INVOICED", "a"), at(50)).unwrap();
    assert_eq!(due_second(&same), None);
    assert_eq!(due_second(&hear(&same, "PAID", 60)), Some(60));
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
        *order.skip_notification().unwrap(),
        *order.refuse_notification("address").unwrap(),
        *order.repeat_notification(at(1_000)).unwrap(),
    ] {
        assert_eq!((quiet.updated_at, quiet.retained_until(days)), (at(100), Some(1_781_481_600 + 100 + 7_776_000)));
        assert_eq!((quiet.status, &quiet.history.len(), quiet.doubted_at), (order.status, &order.history.len(), None));
        assert!(quiet.version > order.version);
    }
    assert_eq!(begun.version, order.version + 1);
}

#[test]
fn the_stored_form_of_notifications_leaves_out_what_is_not_there() {
    let stored = |order: &StoredOrder| serde_json::to_value(order).unwrap()["notifications"].clone();
    assert_eq!(
        stored(&sent()),
        json!({"change": 1, "changedAt": at(9), "pendingSince": at(9), "toldChange": 1, "toldStatus": "SENT", "toldAt": at(9)})
    );
    let begun = begin(&invoiced(), FIRST, 101);
    assert_eq!(
        stored(&begun),
        json!({"change": 2, "changedAt": at(100), "pendingSince": at(100), "toldChange": 1, "toldStatus": "SENT", "toldAt": at(9), "attempts": 1,
            "nextAt": at(100), "running": {"id": FIRST, "change": 2, "status": "INVOICED", "since": at(101)}})
    );
    let text = serde_json::to_string(&begun).unwrap();
    assert!(serde_json::from_str::<StoredOrder>(&text).unwrap() == begun);
}
