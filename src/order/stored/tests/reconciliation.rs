//! When Front Payment is asked for the status of an order of which it says nothing.

use super::*;

const DAY: i64 = 86_400;

fn due_second(order: &StoredOrder) -> Option<i64> {
    order.reading_due_at().map(|due_at| due_at.as_second() - at(0).as_second())
}

/// The seconds at which an order is asked for that was heard of at second 0, if each reading is made when it is due and
/// tells nothing new.
fn readings(order: &StoredOrder) -> Vec<i64> {
    let (mut order, mut seconds) = (order.clone(), Vec::new());
    while let Some(due) = due_second(&order) {
        assert!(order.begin_reading(at(due - 1)).is_none());
        order = *order.begin_reading(at(due)).unwrap();
        order = *order.apply_reading(&StatusWord::Known(order.status), at(due));
        seconds.push(due);
        assert!(seconds.len() < 1_000);
    }
    seconds
}

fn days(days: impl IntoIterator<Item = i64>) -> Vec<i64> {
    days.into_iter().map(|day| day * DAY).collect()
}

#[test]
fn a_sent_order_is_asked_for_soon_and_then_daily_for_30_days() {
    let minutes = [120, 300, 900, 1_800, 3_600, 10_800, 21_600];
    assert_eq!(readings(&accepted(Status::Sent)), [minutes.to_vec(), days(1..=30)].concat());
}

#[test]
fn a_signed_order_is_asked_for_daily_for_45_days_and_then_weekly_until_180() {
    let weekly = [52, 59, 66, 73, 80, 87, 94, 101, 108, 115, 122, 129, 136, 143, 150, 157, 164, 171, 178];
    let expected = [days(1..=45), days(weekly)].concat();
    for status in [Status::Reserved, Status::Invoiced, Status::Purring, Status::Inkasso, Status::Charged, Status::Captured] {
        assert_eq!(readings(&accepted(status)), expected, "{status:?}");
    }
}

#[test]
fn an_order_that_is_nearly_through_is_asked_for_weekly() {
    for status in [Status::Expired, Status::Paid, Status::RefundPending, Status::PartialRefunded] {
        assert_eq!(readings(&accepted(status)), days([7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 77, 84]), "{status:?}");
    }
    assert_eq!(readings(&accepted(Status::Cancelled)), days([7, 14, 21, 28]));
}

#[test]
fn a_refunded_order_is_never_asked_for_and_nor_is_one_without_a_uuid() {
    assert_eq!(due_second(&accepted(Status::Refunded)), None);
    for status in [Status::Submitting, Status::Rejected, Status::Failed, Status::Unknown] {
        assert_eq!(due_second(&with_status(status)), None, "{status:?}");
        assert!(with_status(status).begin_reading(at(1_000_000)).is_none());
    }
}

#[test]
fn times_that_were_missed_are_not_made_up_for() {
    let asked = |second| *accepted(Status::Sent).begin_reading(at(second)).unwrap();
    for (second, next) in [(120, 300), (299, 300), (300, 900), (400, 900), (21_599, 21_600), (21_600, DAY), (3 * DAY, 4 * DAY)] {
        assert_eq!(due_second(&asked(second)), Some(next), "asked at {second}");
    }
    assert_eq!(due_second(&asked(29 * DAY + 5)), Some(30 * DAY));
    assert_eq!(due_second(&asked(30 * DAY)), None);
    assert_eq!(due_second(&asked(31 * DAY)), None);
}

#[test]
fn when_to_ask_again_is_written_down_before_it_is_asked() {
    let order = accepted(Status::Sent);
    let asked = order.begin_reading(at(120)).unwrap();
    assert_eq!((asked.asked_at, asked.version, due_second(&asked)), (Some(at(120)), order.version + 1, Some(300)));
    assert!(asked.begin_reading(at(120)).is_none(), "so no second worker asks");
    assert_eq!((asked.updated_at, asked.checked_at, asked.history.len()), (at(0), None, 0));
}

#[test]
fn whatever_is_heard_begins_the_schedule_anew() {
    let asked = *accepted(Status::Sent).begin_reading(at(3_600)).unwrap();
    // A new callback, also with the status that is stored.
    for (word, expected) in [("SENT", 4_000 + 120), ("RESERVED", 4_000 + DAY)] {
        let heard = asked.apply_callback(&callback("ODR1", word, word), at(4_000)).unwrap();
        assert_eq!(due_second(&heard), Some(expected), "{word}");
    }
    // A reading that changed the status, and one that did not.
    let changed = asked.apply_reading(&StatusWord::Known(Status::Paid), at(3_601));
    assert_eq!(due_second(&changed), Some(3_601 + 7 * DAY));
    let same = asked.apply_reading(&StatusWord::Known(Status::Sent), at(3_601));
    assert_eq!(due_second(&same), Some(10_800));
    // A shop's own look does not.
    let looked = accepted(Status::Sent).apply_reading(&StatusWord::Known(Status::Sent), at(100));
    assert_eq!(due_second(&looked), Some(120));
}

#[test]
fn a_doubt_is_asked_about_at_once_and_then_at_growing_intervals() {
    let paid = accepted(Status::Paid);
    for word in ["success", "INVOICED"] {
        let doubted = *paid.apply_callback(&callback("ODR1", word, "a"), at(1_000)).unwrap();
        assert_eq!(due_second(&doubted), Some(1_000), "{word}");
        let mut order = doubted;
        for (asked, next) in [(1_000, 1_060), (1_060, 1_120), (1_120, 1_240), (1_240, 1_480), (1_480, 1_960)] {
            order = *order.begin_reading(at(asked)).unwrap();
            assert_eq!(due_second(&order), Some(next), "asked at {asked}");
        }
        let late = *order.begin_reading(at(1_000 + 3 * DAY)).unwrap();
        assert_eq!(due_second(&late), Some(1_000 + 4 * DAY), "a day at most");
        let resolved = late.apply_reading(&StatusWord::Known(Status::Paid), at(1_000 + 3 * DAY));
        assert_eq!((resolved.doubted_at, due_second(&resolved)), (None, Some(1_000 + 7 * DAY)));
    }
    // The doubt is about a status of which there is nothing more to ask.
    let refunded = accepted(Status::Refunded).apply_callback(&callback("ODR1", "PAID", "a"), at(50)).unwrap();
    assert_eq!(due_second(&refunded), Some(50));
    let resolved = refunded.apply_reading(&StatusWord::Known(Status::Refunded), at(51));
    assert_eq!(due_second(&resolved), None);
}

#[test]
fn a_uuid_that_front_payment_does_not_know_is_asked_about_after_a_day() {
    let order = *accepted(Status::Sent).begin_reading(at(120)).unwrap();
    let not_found = *order.note_not_found(at(121)).unwrap();
    assert_eq!((not_found.status, not_found.updated_at, not_found.history.len()), (Status::Sent, at(0), 0), "it is no status");
    assert_eq!(due_second(&not_found), Some(121 + DAY));
    assert!(not_found.begin_reading(at(120 + DAY)).is_none());
    let again = *not_found.begin_reading(at(121 + DAY)).unwrap().note_not_found(at(122 + DAY)).unwrap();
    assert_eq!(due_second(&again), Some(122 + 2 * DAY));

    // A doubt waits, too.
    let doubted =
        *not_found.note_not_found(at(200)).unwrap().apply_callback(&callback("ODR1", "RESERVED", "a"), at(300)).unwrap();
    assert_eq!(due_second(&doubted), Some(300 + DAY), "a callback shows that Front Payment has it");
    let known = not_found.apply_reading(&StatusWord::Known(Status::Sent), at(500));
    assert_eq!(due_second(&known), Some(300), "the schedule goes on as it was");
    let paid = *accepted(Status::Paid).apply_callback(&callback("ODR1", "success", "a"), at(50)).unwrap();
    let not_found = *paid.begin_reading(at(50)).unwrap().note_not_found(at(51)).unwrap();
    assert_eq!(due_second(&not_found), Some(51 + DAY));
}

#[test]
fn asking_moves_neither_updated_at_nor_the_retention() {
    let retention = SignedDuration::from_hours(90 * 24);
    let asked = *accepted(Status::Sent).begin_reading(at(120)).unwrap();
    let told = *asked.apply_reading(&StatusWord::Known(Status::Sent), at(121));
    for quiet in [asked.clone(), told, *asked.note_not_found(at(121)).unwrap()] {
        assert_eq!((quiet.updated_at, quiet.retained_until(retention)), (at(0), Some(1_781_481_600 + 7_776_000)));
        assert!(quiet.version > 1);
    }
}
