//! A shop cancels an order.

use super::*;

#[test]
fn a_request_is_in_the_history_once_and_is_a_reason_to_ask() {
    let requested = accepted(Status::Invoiced).request_cancellation(at(100)).unwrap();
    assert_eq!((requested.cancel_requested_at, requested.reason_since), (Some(at(100)), Some(at(100))));
    assert_eq!((history(&requested), requested.status), (vec!["cancel_requested shop".to_owned()], Status::Invoiced));
    assert_eq!((requested.updated_at, requested.notification_due_at()), (at(100), None), "nothing is to be told");
    let again = requested.request_cancellation(at(101)).unwrap();
    let a_nanosecond_later = at(100) + SignedDuration::from_nanos(1);
    assert_eq!((again.cancel_requested_at, again.reason_since), (Some(a_nanosecond_later), Some(at(100))));
    assert_eq!(history(&again).len(), 1);
    let told_again = requested.apply_status_read(&told("INVOICED"), at(110));
    assert_eq!((told_again.cancel_requested_at, told_again.reason_since), (Some(at(100)), None), "until a status read tells");
}

#[test]
fn a_refusal_takes_the_request_away() {
    let requested = accepted(Status::Paid).request_cancellation(at(100)).unwrap();
    let refused = requested.refuse_cancellation(Some(at(100)), at(101)).unwrap();
    assert_eq!((refused.cancel_requested_at, refused.status), (None, Status::Paid));
    assert_eq!(history(&refused), ["cancel_requested shop", "cancel_refused provider"]);
    assert!(refused.refuse_cancellation(Some(at(100)), at(102)).is_none());
    assert!(refused.request_cancellation(at(103)).is_some(), "a shop may ask again");
}

#[test]
fn a_refusal_leaves_a_later_request() {
    let first = accepted(Status::Invoiced).request_cancellation(at(100)).unwrap();
    // Two requests at the same moment still have different times.
    let second = first.request_cancellation(at(100)).unwrap();
    assert!(second.refuse_cancellation(first.cancel_requested_at, at(101)).is_none());
    assert!(second.refuse_cancellation(second.cancel_requested_at, at(101)).is_some());
}

/// Front Payment refuses the repetition of a request that it has fulfilled.
#[test]
fn a_refusal_leaves_the_request_of_a_cancelled_order() {
    let two = accepted(Status::Sent).apply_callback(&callback("ODR2", "INVOICED", "a"), at(50)).unwrap();
    let requested = two.request_cancellation(at(100)).unwrap();
    let cancelled = requested.apply_callback(&callback("ODR1", "CANCELLED", "b"), at(101)).unwrap();
    assert!(cancelled.refuse_cancellation(requested.cancel_requested_at, at(102)).is_none());
    assert_eq!((cancelled.order_uuid.as_deref(), cancelled.status), (Some("ODR1"), Status::Cancelled), "it makes no way");
}

#[test]
fn what_the_shop_asks_is_no_status() {
    let requested = accepted(Status::Sent).request_cancellation(at(100)).unwrap();
    let reserved = requested.apply_callback(&callback("ODR1", "RESERVED", "a"), at(110)).unwrap();
    assert_eq!(reserved.status, Status::Reserved);
    let refused = requested.refuse_cancellation(Some(at(100)), at(101)).unwrap();
    assert_eq!(refused.apply_callback(&callback("ODR1", "SENT", "a"), at(110)).unwrap().status, Status::Sent);
}

#[test]
fn the_status_of_another_order_under_the_key_is_noted_once() {
    let two = accepted(Status::Sent).apply_callback(&callback("ODR2", "INVOICED", "a"), at(50)).unwrap();
    assert!(two.knows_uuid("ODR1") && two.knows_uuid("ODR2") && !two.knows_uuid("ODR3"));
    let cancelled = StatusWord::Known(Status::Cancelled);
    let noted = two.note_other_status("ODR2", &cancelled, at(60)).unwrap();
    assert_eq!((noted.order_uuid.as_deref(), noted.status), (Some("ODR1"), Status::Sent));
    assert_eq!(history(&noted), ["invoiced callback", "cancelled provider"]);
    assert!(noted.note_other_status("ODR2", &cancelled, at(61)).is_none());
    let dead = noted.apply_callback(&callback("ODR1", "CANCELLED", "b"), at(70)).unwrap();
    assert_eq!(dead.order_uuid.as_deref(), Some("ODR1"), "the other one does not live any more");
}
