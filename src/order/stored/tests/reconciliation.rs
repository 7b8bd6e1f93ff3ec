//! When status reads are due for an order of which Front Payment says nothing.

use super::*;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

fn due_second(order: &StoredOrder) -> Option<i64> {
    order.status_read_due_at().map(|due_at| due_at.as_second() - at(0).as_second())
}

fn asked(order: &StoredOrder, second: i64) -> StoredOrder {
    *order.begin_status_read(at(second)).unwrap()
}

/// The seconds at which status reads are due, for an order of which Front Payment last said something at second 0, if each
/// is made when it is due and brings no news.
fn reads(order: &StoredOrder) -> Vec<i64> {
    let (mut order, mut seconds) = (order.clone(), Vec::new());
    while let Some(due) = due_second(&order) {
        assert!(order.begin_status_read(at(due - 1)).is_none());
        order = asked(&order, due);
        assert!(order.apply_reconciliation(&told(order.status.name()), at(due)).is_none(), "nothing more is written");
        seconds.push(due);
        assert!(seconds.len() < 100);
    }
    seconds
}

fn days(days: &[i64]) -> Vec<i64> {
    days.iter().map(|day| day * DAY).collect()
}

#[test]
fn every_status_has_its_schedule() {
    let soon = [120, 300, 900, 1_800, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];
    assert_eq!(reads(&accepted(Status::Sent)), [soon.to_vec(), days(&[1, 2, 4, 8, 16, 30])].concat());
    for status in [Status::Reserved, Status::Invoiced, Status::Purring, Status::Inkasso, Status::Charged, Status::Captured] {
        assert_eq!(reads(&accepted(status)), days(&[1, 2, 4, 8, 16, 32, 64, 128]), "{status:?}");
    }
    for status in [Status::Expired, Status::Paid, Status::RefundPending, Status::PartialRefunded, Status::Refunded] {
        assert_eq!(reads(&accepted(status)), days(&[7, 14, 28, 56]), "{status:?}");
    }
    assert_eq!(reads(&accepted(Status::Cancelled)), days(&[7, 28]));
    let refunded = |amount: &str| StoredOrder { refunded_amount: Some(amount.to_owned()), ..accepted(Status::Refunded) };
    assert_eq!(reads(&refunded("10")), days(&[7, 14, 28, 56]));
    assert_eq!(reads(&refunded("40.0")), [0; 0], "nothing more can be refunded");
    for status in [Status::Submitting, Status::Rejected, Status::Failed, Status::Unknown] {
        assert_eq!(due_second(&with_status(status)), None, "{status:?}");
        assert!(with_status(status).begin_status_read(at(1_000_000)).is_none());
    }
}

#[test]
fn times_that_were_missed_are_not_made_up_for() {
    let sent = accepted(Status::Sent);
    for (second, next) in [(120, 300), (299, 300), (300, 900), (400, 900), (43_199, 43_200), (43_200, DAY), (3 * DAY, 4 * DAY)] {
        assert_eq!(due_second(&asked(&sent, second)), Some(next), "asked at {second}");
    }
    assert_eq!(due_second(&asked(&sent, 29 * DAY)), Some(30 * DAY));
    assert_eq!(due_second(&asked(&sent, 30 * DAY)), None);
}

#[test]
fn when_to_ask_again_is_written_down_before_it_is_asked() {
    let order = accepted(Status::Sent);
    let asked = asked(&order, 120);
    assert_eq!((asked.asked_at, asked.version, due_second(&asked)), (Some(at(120)), order.version + 1, Some(300)));
    assert!(asked.begin_status_read(at(120)).is_none(), "so no second worker asks");
    assert_eq!((asked.updated_at, asked.checked_at, asked.history.len()), (at(0), None, 0));
}

#[test]
fn whatever_front_payment_says_begins_the_schedule_anew() {
    let asked = asked(&accepted(Status::Sent), HOUR);
    // After a new callback the schedule starts again, even if the callback has the stored status.
    for (word, expected) in [("SENT", 4_000 + 120), ("INVOICED", 4_000 + DAY)] {
        let heard = asked.apply_callback(&callback("ODR1", word, word), at(4_000)).unwrap();
        let heard = if word == "SENT" { heard } else { heard.apply_status_read(&told(word), at(4_000)) };
        assert_eq!(due_second(&heard), Some(expected), "{word}");
    }
    // After a status read it starts again only if the status has changed.
    assert_eq!(due_second(&asked.apply_status_read(&told("PAID"), at(3_601))), Some(3_601 + 7 * DAY));
    assert_eq!(due_second(&asked.apply_status_read(&told("SENT"), at(3_601))), Some(3 * HOUR));
    // A shop's request is not something that Front Payment says.
    let requested = asked.request_cancellation(at(5_000)).unwrap().apply_status_read(&told("SENT"), at(5_001));
    assert_eq!((due_second(&requested), requested.updated_at), (Some(3 * HOUR), at(5_000)));
}

#[test]
fn a_reason_is_asked_about_at_once_and_then_at_growing_intervals() {
    let paid = accepted(Status::Paid);
    for word in ["success", "INVOICED", "REFUNDED"] {
        let mut order = *paid.apply_callback(&callback("ODR1", word, "a"), at(1_000)).unwrap();
        assert_eq!(due_second(&order), Some(1_000), "{word}");
        for (second, next) in [(1_000, 1_060), (1_060, 1_120), (1_120, 1_240), (1_240, 1_480), (1_480, 1_960)] {
            order = asked(&order, second);
            assert_eq!(due_second(&order), Some(next), "asked at {second}");
        }
        let late = asked(&order, 1_000 + 3 * DAY);
        assert_eq!(due_second(&late), Some(1_000 + 4 * DAY), "a day at most");
        let told = late.apply_status_read(&told(late.status.name()), at(1_000 + 3 * DAY));
        assert_eq!(told.reason_since, None, "a status read answers it");
    }
    let cancelled = accepted(Status::Invoiced).request_cancellation(at(50)).unwrap();
    assert_eq!(due_second(&cancelled), Some(50));
    assert_eq!(due_second(&asked(&cancelled, 50)), Some(110));
}

#[test]
fn a_uuid_that_front_payment_does_not_know_is_asked_about_five_times_more() {
    let mut order = accepted(Status::Sent);
    let mut second = 120;
    for wait in [1, 2, 4, 8, 16] {
        order = *asked(&order, second).note_not_found(at(second + 1));
        assert_eq!((order.status, order.updated_at, order.history.len()), (Status::Sent, at(0), 0), "it is no status");
        assert_eq!(due_second(&order), Some(second + 1 + wait * DAY), "{wait} days after the 404 before");
        second += 1 + wait * DAY;
        assert!(order.begin_status_read(at(second - 1)).is_none());
    }
    let last = asked(&order, second).note_not_found(at(second + 1));
    assert_eq!(due_second(&last), None, "then never");
    // If the answer to a status read is lost, the next one comes after the same wait.
    assert_eq!(due_second(&asked(&order, second)), Some(second + 16 * DAY));
    // A callback shows that Front Payment has the order, and so does a status read.
    let heard = last.apply_callback(&callback("ODR1", "SENT", "a"), at(second + 100)).unwrap();
    assert_eq!((heard.not_found.clone(), due_second(&heard)), (None, Some(second + 220)));
    assert_eq!(last.apply_status_read(&told("SENT"), at(second + 100)).not_found, None);
}

#[test]
fn a_404_ends_the_reason_to_ask() {
    let paid = accepted(Status::Paid).apply_callback(&callback("ODR1", "success", "a"), at(50)).unwrap();
    let not_found = asked(&paid, 50).note_not_found(at(51));
    assert_eq!((not_found.reason_since, due_second(&not_found)), (None, Some(51 + DAY)));
    let requested = not_found.request_cancellation(at(60)).unwrap();
    assert_eq!(due_second(&requested), Some(60), "a new reason is asked about at once");
}

#[test]
fn asking_moves_neither_updated_at_nor_the_retention() {
    let retention = SignedDuration::from_hours(90 * 24);
    let asked = asked(&accepted(Status::Sent), 120);
    let told = *asked.apply_status_read(&told("SENT"), at(121));
    for quiet in [asked.clone(), told, *asked.note_not_found(at(121))] {
        assert_eq!((quiet.updated_at, expiry(&quiet, retention)), (at(0), Some(1_781_481_600 + 7_776_000)));
        assert!(quiet.version > 1);
    }
}
