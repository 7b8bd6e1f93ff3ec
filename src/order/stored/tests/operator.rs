//! What an operator decides about an order.

use super::*;

fn unknown() -> StoredOrder {
    *settled(&claimed(), &SubmitReply::Unknown).unwrap()
}

#[test]
fn an_order_that_is_there_takes_its_uuid_and_status_and_its_shop_is_told() {
    for start in [unknown(), with_status(Status::Failed), with_status(Status::Rejected)] {
        assert_eq!(start.check_settlement("ODR7", false, at(100)), Ok(()));
        let bound = start.settle_as("ODR7", &told("INVOICED"), at(100)).unwrap();
        assert_eq!(
            (bound.order_uuid.as_deref(), bound.status, bound.version),
            (Some("ODR7"), Status::Invoiced, start.version + 1)
        );
        assert_eq!((bound.notification_due_at(), bound.checked_at, bound.updated_at), (Some(at(100)), Some(at(100)), at(100)));
        assert_eq!(history(&bound).last().map(String::as_str), Some("invoiced operator"));
        assert_eq!(bound.check_settlement("ODR7", false, at(101)), Ok(()));
        assert!(bound.settle_as("ODR7", &told("PAID"), at(101)).is_none(), "settling the same again changes nothing");
        assert_eq!(bound.check_settlement("ODR8", false, at(101)), Err(SettleError::Accepted));
    }
    let word = unknown().settle_as("ODR7", &told("on hold"), at(100)).unwrap();
    assert_eq!((word.status, history(&word).last().map(String::as_str)), (Status::Sent, Some("on_hold operator")));
    let partial = unknown().settle_as("ODR7", &told_refunded("PARTIAL REFUNDED", "10"), at(100)).unwrap();
    assert_eq!(partial.refunded_amount.as_deref(), Some("10"));
}

#[test]
fn an_order_that_is_not_there_after_ten_minutes_may_be_sent_again() {
    assert_eq!(unknown().settle_as_not_created(at(600)).err(), Some(SettleError::TooEarly));
    for open in [unknown(), claimed()] {
        let failed = open.settle_as_not_created(at(601)).unwrap().unwrap();
        assert_eq!((failed.status, failed.order_uuid.as_deref()), (Status::Failed, None));
        assert_eq!(history(&failed).last().map(String::as_str), Some("failed operator"));
        let claim = StoredOrder { attempt: OTHER_ATTEMPT, ..claimed() };
        assert_eq!(failed.conflict_with(&claim), KeyConflict::Retryable);
    }
    for done in [Status::Failed, Status::Rejected] {
        assert!(with_status(done).settle_as_not_created(at(1)).unwrap().is_none(), "answered as done");
    }
    assert_eq!(accepted(Status::Sent).settle_as_not_created(at(1_000)).err(), Some(SettleError::Accepted));
}

#[test]
fn an_attempt_that_runs_is_not_settled() {
    assert_eq!(claimed().check_settlement("ODR7", false, at(60)), Err(SettleError::InProgress));
    assert_eq!(claimed().check_settlement("ODR7", false, at(61)), Ok(()));
    assert!(!claimed().is_waiting(at(60)) && claimed().is_waiting(at(61)) && unknown().is_waiting(at(10)));
    assert!(!with_status(Status::Failed).is_waiting(at(1_000)) && !accepted(Status::Sent).is_waiting(at(1_000)));
}

#[test]
fn an_accepted_order_is_another_one_instead() {
    let stored = StoredOrder { customer_uuid: Some("CSRT1".to_owned()), ..accepted(Status::Paid) };
    let stored = stored.request_cancellation(at(50)).unwrap();
    assert_eq!(stored.check_settlement("ODR2", true, at(100)), Ok(()));
    let bound = stored.settle_as("ODR2", &told("PAID"), at(100)).unwrap();
    assert_eq!((bound.order_uuid.as_deref(), bound.status), (Some("ODR2"), Status::Paid));
    assert_eq!((&bound.customer_uuid, bound.cancel_requested_at, bound.reason_since), (&None, None, None));
    assert_eq!(bound.notification_due_at(), Some(at(100)), "the shop is notified, whatever the status");
    assert_eq!(bound.replaced_uuids, ["ODR1"]);
    let back = bound.settle_as("ODR1", &told("PAID"), at(200)).unwrap();
    assert_eq!((back.order_uuid.as_deref(), back.replaced_uuids.as_slice()), (Some("ODR1"), ["ODR2".to_owned()].as_slice()));
}
