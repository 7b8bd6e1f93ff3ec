//! Claims, and the results of submission attempts.

use super::*;

#[test]
fn a_claim_conflicts_as_the_table_says() {
    let claim = StoredOrder { attempt: OTHER_ATTEMPT, attempted_at: at(60), ..claimed() };
    let other_order = StoredOrder { fingerprint: Some("g".to_owned()), ..claim.clone() };
    for (stored, expected) in [
        (with_status(Status::Rejected), KeyConflict::Retryable),
        (with_status(Status::Failed), KeyConflict::Retryable),
        (with_status(Status::Submitting), KeyConflict::InProgress),
        (with_status(Status::Unknown), KeyConflict::OutcomeUnknown),
    ] {
        assert_eq!(stored.conflict_with(&claim), expected, "{stored:?}");
        assert_eq!(stored.conflict_with(&other_order), expected, "whatever the body: {stored:?}");
    }
    for &status in Status::OF_THE_PROVIDER {
        assert_eq!(accepted(status).conflict_with(&claim), KeyConflict::SameOrder);
        assert_eq!(accepted(status).conflict_with(&other_order), KeyConflict::OtherOrder);
    }
    let late = StoredOrder { attempted_at: at(61), ..claim.clone() };
    assert_eq!(with_status(Status::Submitting).conflict_with(&late), KeyConflict::OutcomeUnknown);
    let of_other_shop = StoredOrder { shop_id: "shop-b".to_owned(), ..claim };
    assert_eq!(accepted(Status::Sent).conflict_with(&of_other_shop), KeyConflict::OtherShop);
}

#[test]
fn a_lease_of_sixty_seconds() {
    let submitting = with_status(Status::Submitting);
    assert_eq!(submitting.status_at(at(60)), Status::Submitting);
    assert_eq!(submitting.status_at(at(61)), Status::Unknown);
    assert!(submitting.end_stale_attempt(at(60)).is_none());
    let stale = submitting.end_stale_attempt(at(61)).unwrap();
    assert_eq!((stale.status, stale.version, history(&stale)), (Status::Unknown, 2, vec!["unknown submit".to_owned()]));
    for status in [Status::Unknown, Status::Failed, Status::Rejected] {
        assert!(with_status(status).end_stale_attempt(at(1_000)).is_none());
    }
}

#[test]
fn a_fresh_attempt_keeps_token_creation_and_history_and_all_else_is_the_new_bodys() {
    let failed = *settled(&claimed(), &SubmitReply::Failed).unwrap();
    let fresh = StoredOrder {
        attempt: OTHER_ATTEMPT,
        callback_token: "other".to_owned(),
        grand_total: "50".to_owned(),
        fingerprint: Some("g".to_owned()),
        created_at: at(30),
        attempted_at: at(30),
        updated_at: at(30),
        ..claimed()
    };
    let second = fresh.as_retry_of(&failed);
    assert_eq!((second.version, second.status, second.attempt), (3, Status::Submitting, OTHER_ATTEMPT));
    assert_eq!(
        (second.callback_token.as_str(), second.created_at, history(&second)),
        ("token", at(0), vec!["failed submit".to_owned()])
    );
    assert_eq!((second.grand_total.as_str(), second.fingerprint.as_deref()), ("50", Some("g")));
    for (amount, expected) in [("50", true), ("50.00", true), ("40", false), ("500", false)] {
        assert_eq!(second.has_total(&Decimal::parse(amount).unwrap()), expected, "{amount}");
    }
}

#[test]
fn a_result_is_written_once_by_its_own_attempt() {
    for start in [Status::Submitting, Status::Unknown] {
        for (result, status) in [
            (created("ODR1", Some("https://b.example/")), Status::Sent),
            (created("ODR1", None), Status::Invoiced),
            (SubmitReply::Rejected(Vec::new()), Status::Rejected),
            (SubmitReply::Unauthorized, Status::Failed),
            (SubmitReply::Unavailable, Status::Failed),
            (SubmitReply::Failed, Status::Failed),
        ] {
            let next = settled(&with_status(start), &result).unwrap();
            assert_eq!((next.status, next.version, next.updated_at), (status, 2, at(9)));
            assert!(settled(&next, &result).is_none(), "a write whose reply was lost is not repeated");
        }
        let foreign = StoredOrder { attempt: OTHER_ATTEMPT, ..with_status(start) };
        for result in [SubmitReply::Rejected(Vec::new()), SubmitReply::Failed, SubmitReply::Unknown] {
            assert!(settled(&foreign, &result).is_none());
        }
    }
    let sent = settled(&claimed(), &created("ODR1", Some("https://b.example/"))).unwrap();
    assert_eq!((sent.order_uuid.as_deref(), sent.customer_uuid.as_deref()), (Some("ODR1"), Some("CSRT1")));
    assert_eq!((sent.bank_id_url.as_deref(), history(&sent)), (Some("https://b.example/"), vec!["sent submit".to_owned()]));
}

#[test]
fn a_201_is_never_dropped() {
    // The 201 of the latest attempt is applied, whatever was decided meanwhile.
    for decided in [Status::Failed, Status::Rejected] {
        let taken = settled(&with_status(decided), &created("ODR1", None)).unwrap();
        assert_eq!((taken.order_uuid.as_deref(), taken.status), (Some("ODR1"), Status::Invoiced));
    }
    // The 201 of an earlier attempt is only noted.
    for status in [Status::Submitting, Status::Failed, Status::Unknown] {
        let later = StoredOrder { attempt: OTHER_ATTEMPT, ..with_status(status) };
        let noted = settled(&later, &created("ODR1", None)).unwrap();
        assert_eq!((noted.order_uuid.as_deref(), noted.status), (None, status));
        assert_eq!((history(&noted), noted.history[0].order_uuid.as_deref()), (vec!["invoiced submit".to_owned()], Some("ODR1")));
        assert!(settled(&noted, &created("ODR1", None)).is_none(), "noted once");
    }
}

#[test]
fn a_result_that_comes_after_a_callback_adds_and_takes_nothing_away() {
    let called = *claimed().apply_callback(&callback("ODR1", "INVOICED", "a"), at(5)).unwrap();
    for result in [SubmitReply::Rejected(Vec::new()), SubmitReply::Failed, SubmitReply::Unknown] {
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
