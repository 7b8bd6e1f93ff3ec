//! Claims, and the results of attempts.

use super::*;

#[test]
fn a_claim_conflicts_as_the_table_says() {
    let claim = StoredOrder { attempt: OTHER_ATTEMPT, attempted_at: at(60), ..claimed() };
    let mut other_order = claim.clone();
    other_order.details.fingerprint = Some("g".to_owned());
    for (stored, expected) in [
        (with_status(Status::Rejected), ClaimConflict::Retryable),
        (with_status(Status::Failed), ClaimConflict::Retryable),
        (with_status(Status::Submitting), ClaimConflict::InProgress),
        (with_status(Status::Unknown), ClaimConflict::OutcomeUnknown),
    ] {
        assert_eq!(stored.conflict_with(&claim), expected, "{stored:?}");
        assert_eq!(stored.conflict_with(&other_order), expected, "whatever the body: {stored:?}");
    }
    for &status in Status::OF_THE_PROVIDER {
        assert_eq!(accepted(status).conflict_with(&claim), ClaimConflict::SameOrder);
        assert_eq!(accepted(status).conflict_with(&other_order), ClaimConflict::OtherOrder);
    }
    let late = StoredOrder { attempted_at: at(61), ..claim.clone() };
    assert_eq!(with_status(Status::Submitting).conflict_with(&late), ClaimConflict::OutcomeUnknown);
    assert_eq!(with_status(Status::Submitting).conflict_with(&claimed()), ClaimConflict::SameAttempt);
    assert_eq!(
        accepted(Status::Sent).conflict_with(&StoredOrder { shop_id: "shop-b".to_owned(), ..claim }),
        ClaimConflict::OtherShop
    );
}

#[test]
fn a_lease_of_sixty_seconds() {
    let submitting = with_status(Status::Submitting);
    assert_eq!(submitting.status_at(at(60)), Status::Submitting);
    assert_eq!(submitting.status_at(at(61)), Status::Unknown);
    assert!(submitting.end_stale_attempt(at(60)).is_none());
    let expired = submitting.end_stale_attempt(at(61)).unwrap();
    assert_eq!((expired.status, expired.version, history(&expired)), (Status::Unknown, 2, vec!["unknown submit".to_owned()]));
    for status in [Status::Unknown, Status::Failed, Status::Rejected] {
        assert!(with_status(status).end_stale_attempt(at(1_000)).is_none());
    }
}

#[test]
fn a_fresh_attempt_keeps_what_an_earlier_one_needs() {
    let failed = *settled(&claimed(), &AttemptResult::Failed { may_exist: true }).unwrap();
    let mut fresh = StoredOrder { attempt: OTHER_ATTEMPT, callback_token: "other".to_owned(), ..claimed() };
    fresh.details = OrderDetails { grand_total: "50".to_owned(), fingerprint: Some("g".to_owned()), ..fresh.details };
    let fresh = StoredOrder { created_at: at(30), attempted_at: at(30), updated_at: at(30), ..fresh };
    let second = fresh.as_retry_of(&failed);
    assert_eq!((second.version, second.status, second.attempt), (3, Status::Submitting, OTHER_ATTEMPT));
    assert_eq!(
        (second.callback_token.as_str(), second.created_at, history(&second)),
        ("token", at(0), vec!["failed submit".to_owned()])
    );
    assert_eq!((second.details.grand_total.as_str(), second.earlier_attempts[0].details.grand_total.as_str()), ("50", "40"));
    for (amount, expected) in [("40", true), ("40.00", true), ("50", true), ("45", false), ("400", false)] {
        assert_eq!(second.has_attempt_of(&Decimal::parse(amount).unwrap()), expected, "{amount}");
    }

    // A callback shows that the failed attempt exists: the order is the one that it sent.
    let adopted = second.apply_callback(&callback("ODR1", "INVOICED", "a"), at(40)).unwrap();
    assert_eq!(adopted.details.grand_total, "40");
    assert_eq!(adopted.conflict_with(&claimed()), ClaimConflict::SameOrder);
    assert_eq!(adopted.conflict_with(&second), ClaimConflict::OtherOrder);
    let third = StoredOrder { attempt: Uuid::from_u128(3), ..claimed() }.as_retry_of(&second);
    let earlier: Vec<_> = third.earlier_attempts.iter().map(|attempt| attempt.details.grand_total.as_str()).collect();
    assert_eq!((third.details.grand_total.as_str(), earlier), ("40", vec!["40", "50"]), "one a body");
}

#[test]
fn a_result_is_written_once_by_its_own_attempt() {
    for start in [Status::Submitting, Status::Unknown] {
        for (result, status) in [
            (created("ODR1", Some("https://b.example/")), Status::Sent),
            (created("ODR1", None), Status::Invoiced),
            (AttemptResult::Rejected, Status::Rejected),
            (AttemptResult::Failed { may_exist: true }, Status::Failed),
        ] {
            let next = settled(&with_status(start), &result).unwrap();
            assert_eq!((next.status, next.version, next.updated_at), (status, 2, at(9)));
            assert!(settled(&next, &result).is_none(), "a write whose reply was lost is not repeated");
            let foreign = StoredOrder { attempt: OTHER_ATTEMPT, ..with_status(start) };
            assert!(matches!(foreign.record_result(ATTEMPT, &result, at(9)), ResultEffect::Superseded));
        }
    }
    let sent = settled(&claimed(), &created("ODR1", Some("https://b.example/"))).unwrap();
    assert_eq!((sent.order_uuid.as_deref(), sent.customer_uuid.as_deref()), (Some("ODR1"), Some("CSRT1")));
    assert_eq!((sent.bank_id_url.as_deref(), history(&sent)), (Some("https://b.example/"), vec!["sent submit".to_owned()]));
}

#[test]
fn a_201_is_never_dropped_in_silence() {
    for settled_by_hand in [Status::Failed, Status::Rejected] {
        let settled = with_status(settled_by_hand).record_result(ATTEMPT, &created("ODR1", None), at(9));
        assert!(matches!(settled, ResultEffect::Superseded), "somebody has to be told");
    }
}

#[test]
fn a_result_that_comes_after_a_callback_adds_and_takes_nothing_away() {
    let called = *claimed().apply_callback(&callback("ODR1", "INVOICED", "a"), at(5)).unwrap();
    for result in [AttemptResult::Rejected, AttemptResult::Failed { may_exist: true }, AttemptResult::Unknown] {
        assert!(settled(&called, &result).is_none());
    }
    let merged = settled(&called, &created("ODR1", Some("https://b.example/"))).unwrap();
    assert_eq!((merged.status, merged.bank_id_url.as_deref()), (Status::Invoiced, None), "by rank only, and no link after SENT");
    assert_eq!(
        (merged.customer_uuid.as_deref(), history(&merged)),
        (Some("CSRT1"), vec!["invoiced callback".to_owned(), "sent submit".to_owned()])
    );
    let sent = *claimed().apply_callback(&callback("ODR1", "SENT", "a"), at(5)).unwrap();
    let merged = settled(&sent, &created("ODR1", Some("https://b.example/"))).unwrap();
    assert_eq!((merged.status, merged.bank_id_url.as_deref()), (Status::Sent, Some("https://b.example/")));
}

#[test]
fn two_orders_are_noted_and_the_stored_one_stays() {
    let stored = accepted(Status::Sent);
    let noted = settled(&stored, &created("ODR2", None)).unwrap();
    assert_eq!((noted.order_uuid.as_deref(), noted.status), (Some("ODR1"), Status::Sent));
    assert_eq!((noted.history[0].order_uuid.as_deref(), noted.history[0].is_about_other_order(&noted)), (Some("ODR2"), true));
    assert!(settled(&noted, &created("ODR2", None)).is_none(), "noted once");

    let noted = stored.apply_callback(&callback("ODR2", "PAID", "a"), at(9)).unwrap();
    assert_eq!((noted.order_uuid.as_deref(), noted.status), (Some("ODR1"), Status::Sent));
    assert_eq!((history(&noted), noted.history[0].order_uuid.as_deref()), (vec!["paid callback".to_owned()], Some("ODR2")));
    assert!(noted.apply_callback(&callback("ODR2", "PAID", "a"), at(9)).is_none(), "noted once");
}
