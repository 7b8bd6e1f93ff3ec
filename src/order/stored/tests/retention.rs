//! How long an order is kept.

use super::*;

#[test]
fn retention_ends_but_not_while_the_outcome_is_unknown() {
    let days = SignedDuration::from_hours(90 * 24);
    for status in [Status::Submitting, Status::Unknown] {
        assert_eq!(with_status(status).retained_until(days), None);
    }
    for status in [Status::Rejected, Status::Failed, Status::Sent, Status::Invoiced, Status::Refunded] {
        let changed = StoredOrder { updated_at: at(100), ..with_status(status) };
        assert_eq!(changed.retained_until(days), Some(1_781_481_600 + 100 + 7_776_000));
    }
    let forgotten = StoredOrder { expires_at: Some(at(0).as_second()), ..accepted(Status::Sent) };
    let changed = forgotten.apply_callback(&callback("ODR1", "PAID", "a"), at(9)).unwrap();
    assert_eq!(changed.retained_until(days), Some(1_781_481_600 + 9 + 7_776_000), "every change moves it");
}

#[test]
fn the_key_of_an_order_past_its_retention_is_a_new_key() {
    let expires = |second: i64| StoredOrder {
        expires_at: Some(at(second).as_second()),
        history: vec![HistoryEntry {
            status: "SENT".to_owned(),
            at: at(0),
            source: EntrySource::Submit,
            id: None,
            order_uuid: None,
            amount: None,
        }],
        version: 7,
        ..accepted(Status::Invoiced)
    };
    let claim = StoredOrder { attempt: OTHER_ATTEMPT, attempted_at: at(60), callback_token: "new".to_owned(), ..claimed() };
    assert_eq!(expires(61).conflict_with(&claim), ClaimConflict::SameOrder);
    assert_eq!(expires(60).conflict_with(&claim), ClaimConflict::Retryable);
    assert_eq!(StoredOrder { shop_id: "shop-b".to_owned(), ..expires(60) }.conflict_with(&claim), ClaimConflict::OtherShop);
    let fresh = claim.clone().as_retry_of(&expires(60));
    assert!(
        fresh == StoredOrder { version: 8, ..claim },
        "nothing of the old order is kept: its late callbacks must not find this one"
    );
}
