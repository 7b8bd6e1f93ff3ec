//! What an operator found.

use super::*;
use crate::order::Finding;

fn unknown() -> StoredOrder {
    *settled(&claimed(), &AttemptResult::Unknown).unwrap()
}

fn found(uuid: &str) -> Finding {
    Finding::Order(uuid.to_owned())
}

#[test]
fn an_order_that_is_there_is_bound_asked_for_and_told() {
    let order = unknown();
    let bound = order.settle(&found("ODR7"), at(100)).unwrap();
    assert_eq!((bound.order_uuid.as_deref(), bound.status, bound.version), (Some("ODR7"), Status::Sent, order.version + 1));
    assert_eq!(bound.details.fingerprint.as_deref(), Some("f"), "the only attempt's body");
    assert_eq!((bound.reading_due_at(), bound.notification_due_at()), (Some(at(100)), Some(at(100))));
    assert_eq!(bound.placed().queue, Some(Queue::Due));
    assert!(bound.settle(&found("ODR8"), at(101)).is_none(), "once");
    assert!(bound.placed().corrected(at(101)).is_none());
}

#[test]
fn an_order_that_is_not_there_may_be_sent_again() {
    let failed = unknown().settle(&Finding::NotCreated, at(100)).unwrap();
    assert_eq!((failed.status, failed.may_exist, failed.order_uuid.as_deref()), (Status::Failed, false, None));
    assert_eq!((failed.placed().queue, failed.notification_due_at()), (None, None));
    let claim = StoredOrder { attempt: OTHER_ATTEMPT, ..claimed() };
    assert_eq!(failed.conflict_with(&claim), ClaimConflict::Retryable);
}

#[test]
fn an_attempt_that_outlived_its_lease_is_settled_and_no_other_order() {
    assert!(claimed().settle(&Finding::NotCreated, at(60)).is_none());
    assert!(claimed().settle(&Finding::NotCreated, at(61)).is_some());
    for order in [with_status(Status::Failed), with_status(Status::Rejected), accepted(Status::Sent), accepted(Status::Paid)] {
        for finding in [found("ODR7"), Finding::NotCreated] {
            assert!(order.settle(&finding, at(1_000)).is_none(), "{order:?}");
        }
    }
}

#[test]
fn where_two_attempts_may_exist_nobody_knows_the_body_unless_a_callback_shows_it() {
    let first = settled(&claimed(), &AttemptResult::Failed { may_exist: true }).unwrap();
    let mut claim = StoredOrder { attempt: OTHER_ATTEMPT, ..claimed() };
    claim.details.fingerprint = Some("other".to_owned());
    claim.details.grand_total = "50".to_owned();
    let second = claim.as_retry_of(&first).record_result(OTHER_ATTEMPT, &AttemptResult::Unknown, at(5));
    let ResultEffect::Write(Some(second)) = second else { panic!("the result changes nothing") };
    let bound = second.settle(&found("ODR7"), at(100)).unwrap();
    assert_eq!(bound.details.fingerprint, None);

    // A CANCELLED of the first one, which was noted, names its total.
    let noted = second.apply_callback(&callback("ODR7", "CANCELLED", "a"), at(50)).unwrap();
    assert_eq!(noted.order_uuid, None);
    let bound = noted.settle(&found("ODR7"), at(100)).unwrap();
    assert_eq!((bound.details.fingerprint.as_deref(), bound.status), (Some("f"), Status::Cancelled));
}
