//! The notification attempts for one change.

use super::*;

#[test]
fn the_attempts_follow_the_schedule_and_the_last_one_fails() {
    // The shortest and longest waits in seconds: 1, 5, 15, 30 min, 1, 2, 4, 8, 12, 24, 24 h, each ± 20 %.
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
            assert_eq!((changes(&order), last_error(&order)), ((2, NotificationState::Pending), Some("timeout")));
            assert!(order.begin_notification(SECOND, at(now + wait - 1)).is_none());
            now += wait;
        }
        order = end(&begin(&order, FIRST, now), FIRST, failed("http-503"), now + 10);
        assert_eq!((changes(&order), due_second(&order)), ((2, NotificationState::Failed), None));
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
    assert_eq!((changes(&order), due_second(&order)), ((2, NotificationState::Failed), None));
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
    assert_eq!((due_second(&killed), changes(&killed).1), (Some(now + 60), NotificationState::Pending));
    let over = begin(&killed, SECOND, now + 60);
    assert_eq!((changes(&over).1, due_second(&over), last_error(&over)), (NotificationState::Failed, None, Some("http-500")));
    let notifications = over.notifications.unwrap();
    assert_eq!((notifications.attempts, notifications.running), (12, None), "nothing is sent");

    // The worker is killed in each attempt, so no attempt has a result.
    let (mut order, mut now) = (invoiced(), 100);
    for _ in 0..12 {
        order = begin(&order, FIRST, now);
        now += 60;
    }
    let over = begin(&order, FIRST, now);
    assert_eq!((changes(&over).1, last_error(&over)), (NotificationState::Failed, Some("timeout")));
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
        assert_eq!((changes(&paid), due_second(&paid)), ((3, NotificationState::Pending), Some(200)));
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

    // A newer status waits until the attempt has ended.
    let newer = hear(&begun, "PAID", 105);
    assert_eq!(due_second(&newer), Some(160));
    assert!(newer.begin_notification(SECOND, at(159)).is_none());
    assert!(newer.begin_notification(SECOND, at(160)).is_some());
    for end_of_it in [AttemptEnd::Delivered, failed("timeout")] {
        let ended = end(&newer, FIRST, end_of_it, 108);
        assert_eq!(due_second(&ended), Some(105), "then it is due at once");
    }
    // The lease ends before the next attempt for the same change is due.
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
    assert_eq!((changes(&ended), due_second(&ended)), ((3, NotificationState::Pending), Some(105)));
    let notifications = ended.notifications.clone().unwrap();
    assert_eq!((notifications.told_status, notifications.told_at), (Some(Status::Invoiced), Some(at(108))));
    assert_eq!((notifications.attempts, notifications.running), (0, None));
    let told = end(&begin(&ended, SECOND, 108), SECOND, AttemptEnd::Delivered, 109);
    assert_eq!(
        (changes(&told), told.notifications.unwrap().told_status),
        ((3, NotificationState::Delivered), Some(Status::Paid))
    );

    let gone = AttemptEnd::Failed { error: "http-410".to_owned(), retry_after: None, is_gone: true };
    for vain in [failed("timeout"), gone] {
        let ended = end(&newer, FIRST, vain, 108);
        assert_eq!((changes(&ended), due_second(&ended)), ((3, NotificationState::Pending), Some(105)));
        assert_eq!((last_error(&ended), ended.notifications.as_ref().unwrap().told_status), (None, Some(Status::Sent)));
    }
}
