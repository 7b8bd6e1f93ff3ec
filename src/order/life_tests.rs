use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const ATTEMPT: Uuid = Uuid::from_u128(1);
const OTHER_ATTEMPT: Uuid = Uuid::from_u128(2);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_781_481_600 + second).unwrap()
}

/// An order of 40, claimed at second 0 by `ATTEMPT`.
fn claimed() -> Record {
    serde_json::from_value(json!({
        "orderId": "0198c2f0-7e4a-7000-8000-000000000001", "version": 1, "status": "SUBMITTING", "attempt": ATTEMPT,
        "attemptedAt": at(0), "shopId": "shop-a", "callbackToken": "token", "fingerprint": "f", "grandTotal": "40",
        "shopCallbackUrl": "https://shop.example/", "customerType": "private", "preferredLanguage": "no", "country": "NO",
        "createdAt": at(0), "updatedAt": at(0), "history": []
    }))
    .unwrap()
}

fn with_status(status: Status) -> Record {
    Record { status, ..claimed() }
}

fn accepted(status: Status) -> Record {
    Record { order_uuid: Some("ODR1".to_owned()), ..with_status(status) }
}

fn created(uuid: &str, bank_id_url: Option<&str>) -> AttemptResult {
    AttemptResult::Created(Created {
        order_uuid: uuid.to_owned(),
        customer_uuid: Some("CSRT1".to_owned()),
        bank_id_url: bank_id_url.map(str::to_owned),
        status: if bank_id_url.is_some() { Status::Sent } else { Status::Invoiced },
    })
}

fn callback(uuid: &str, word: &str, id: &str) -> StatusCallback {
    let amount = Decimal::parse("40.00").unwrap();
    StatusCallback { order_uuid: uuid.to_owned(), word: StatusWord::read(word), amount, id: id.to_owned() }
}

fn settled(record: &Record, result: &AttemptResult) -> Option<Box<Record>> {
    match record.settle(ATTEMPT, result, at(9)) {
        Settled::As(next) => next,
        _ => panic!("neither written nor overtaken"),
    }
}

/// The history as `STATUS source`.
fn history(record: &Record) -> Vec<String> {
    record.history.iter().map(|entry| format!("{} {:?}", entry.status, entry.source).to_lowercase()).collect()
}

#[test]
fn a_claim_meets_what_the_table_says() {
    let claim = Record { attempt: OTHER_ATTEMPT, attempted_at: at(60), ..claimed() };
    let mut other_order = claim.clone();
    other_order.particulars.fingerprint = Some("g".to_owned());
    for (stored, expected) in [
        (with_status(Status::Rejected), Seen::Free),
        (with_status(Status::Failed), Seen::Free),
        (with_status(Status::Submitting), Seen::InProgress),
        (with_status(Status::Unknown), Seen::Unknown),
    ] {
        assert_eq!(stored.meets(&claim), expected, "{stored:?}");
        assert_eq!(stored.meets(&other_order), expected, "whatever the body: {stored:?}");
    }
    for status in Status::OF_THE_PROVIDER {
        assert_eq!(accepted(status).meets(&claim), Seen::Accepted);
        assert_eq!(accepted(status).meets(&other_order), Seen::OtherOrder);
    }
    let late = Record { attempted_at: at(61), ..claim.clone() };
    assert_eq!(with_status(Status::Submitting).meets(&late), Seen::Unknown);
    assert_eq!(with_status(Status::Submitting).meets(&claimed()), Seen::Own);
    assert_eq!(accepted(Status::Sent).meets(&Record { shop_id: "shop-b".to_owned(), ..claim }), Seen::OtherShop);
}

#[test]
fn a_lease_of_sixty_seconds() {
    let submitting = with_status(Status::Submitting);
    assert_eq!(submitting.status_at(at(60)), Status::Submitting);
    assert_eq!(submitting.status_at(at(61)), Status::Unknown);
    assert!(submitting.expire(at(60)).is_none());
    let expired = submitting.expire(at(61)).unwrap();
    assert_eq!((expired.status, expired.version, history(&expired)), (Status::Unknown, 2, vec!["unknown submit".to_owned()]));
    for status in [Status::Unknown, Status::Failed, Status::Rejected] {
        assert!(with_status(status).expire(at(1_000)).is_none());
    }
}

#[test]
fn a_fresh_attempt_keeps_what_an_earlier_one_needs() {
    let failed = *settled(&claimed(), &AttemptResult::Failed).unwrap();
    let mut fresh = Record { attempt: OTHER_ATTEMPT, callback_token: "other".to_owned(), ..claimed() };
    fresh.particulars = Particulars { grand_total: "50".to_owned(), fingerprint: Some("g".to_owned()), ..fresh.particulars };
    let fresh = Record { created_at: at(30), attempted_at: at(30), updated_at: at(30), ..fresh };
    let second = fresh.as_attempt_of(&failed);
    assert_eq!((second.version, second.status, second.attempt), (3, Status::Submitting, OTHER_ATTEMPT));
    assert_eq!(
        (second.callback_token.as_str(), second.created_at, history(&second)),
        ("token", at(0), vec!["failed submit".to_owned()])
    );
    assert_eq!((second.particulars.grand_total.as_str(), second.earlier_attempts[0].grand_total.as_str()), ("50", "40"));
    for (amount, expected) in [("40", true), ("40.00", true), ("50", true), ("45", false), ("400", false)] {
        assert_eq!(second.expects(&Decimal::parse(amount).unwrap()), expected, "{amount}");
    }

    // It is the failed attempt that exists: the order is the one that it sent.
    let adopted = second.believe(&callback("ODR1", "INVOICED", "a"), at(40)).unwrap();
    assert_eq!((adopted.particulars.grand_total.as_str(), adopted.earlier_attempts[0].grand_total.as_str()), ("40", "50"));
    assert_eq!(adopted.meets(&claimed()), Seen::Accepted);
    assert_eq!(adopted.meets(&second), Seen::OtherOrder);
    let third = Record { attempt: Uuid::from_u128(3), ..claimed() }.as_attempt_of(&second);
    let earlier: Vec<_> = third.earlier_attempts.iter().map(|attempt| attempt.grand_total.as_str()).collect();
    assert_eq!((third.particulars.grand_total.as_str(), earlier), ("40", vec!["50"]), "each kind once");
}

#[test]
fn a_result_is_written_once_by_its_own_attempt() {
    for start in [Status::Submitting, Status::Unknown] {
        for (result, status) in [
            (created("ODR1", Some("https://b.example/")), Status::Sent),
            (created("ODR1", None), Status::Invoiced),
            (AttemptResult::Rejected, Status::Rejected),
            (AttemptResult::Failed, Status::Failed),
        ] {
            let next = settled(&with_status(start), &result).unwrap();
            assert_eq!((next.status, next.version, next.updated_at), (status, 2, at(9)));
            assert!(settled(&next, &result).is_none(), "a write whose reply was lost is not repeated");
            let foreign = Record { attempt: OTHER_ATTEMPT, ..with_status(start) };
            assert!(matches!(foreign.settle(ATTEMPT, &result, at(9)), Settled::NotOurs));
        }
    }
    let sent = settled(&claimed(), &created("ODR1", Some("https://b.example/"))).unwrap();
    assert_eq!((sent.order_uuid.as_deref(), sent.customer_uuid.as_deref()), (Some("ODR1"), Some("CSRT1")));
    assert_eq!((sent.bank_id_url.as_deref(), history(&sent)), (Some("https://b.example/"), vec!["sent submit".to_owned()]));
}

#[test]
fn a_201_is_never_dropped_in_silence() {
    for settled_by_hand in [Status::Failed, Status::Rejected] {
        let settled = with_status(settled_by_hand).settle(ATTEMPT, &created("ODR1", None), at(9));
        assert!(matches!(settled, Settled::NotOurs), "somebody has to be told");
    }
}

#[test]
fn a_result_that_comes_after_a_callback_adds_and_takes_nothing_away() {
    let called = *claimed().believe(&callback("ODR1", "INVOICED", "a"), at(5)).unwrap();
    for result in [AttemptResult::Rejected, AttemptResult::Failed, AttemptResult::Unknown] {
        assert!(settled(&called, &result).is_none());
    }
    let merged = settled(&called, &created("ODR1", Some("https://b.example/"))).unwrap();
    assert_eq!((merged.status, merged.bank_id_url.as_deref()), (Status::Invoiced, None), "by rank only, and no link after SENT");
    assert_eq!(
        (merged.customer_uuid.as_deref(), history(&merged)),
        (Some("CSRT1"), vec!["invoiced callback".to_owned(), "sent submit".to_owned()])
    );
    let sent = *claimed().believe(&callback("ODR1", "SENT", "a"), at(5)).unwrap();
    let merged = settled(&sent, &created("ODR1", Some("https://b.example/"))).unwrap();
    assert_eq!((merged.status, merged.bank_id_url.as_deref()), (Status::Sent, Some("https://b.example/")));
}

#[test]
fn two_orders_are_noted_and_the_stored_one_stays() {
    let stored = accepted(Status::Sent);
    let Settled::Twice(Some(noted)) = stored.settle(ATTEMPT, &created("ODR2", None), at(9)) else { panic!("not noticed") };
    assert_eq!((noted.order_uuid.as_deref(), noted.status), (Some("ODR1"), Status::Sent));
    assert_eq!(noted.history[0].other_order_uuid.as_deref(), Some("ODR2"));
    assert!(matches!(noted.settle(ATTEMPT, &created("ODR2", None), at(9)), Settled::Twice(None)), "noted once");

    let noted = stored.believe(&callback("ODR2", "PAID", "a"), at(9)).unwrap();
    assert_eq!((noted.order_uuid.as_deref(), noted.status), (Some("ODR1"), Status::Sent));
    assert_eq!((history(&noted), noted.history[0].other_order_uuid.as_deref()), (vec!["paid callback".to_owned()], Some("ODR2")));
    assert!(noted.believe(&callback("ODR2", "PAID", "a"), at(9)).is_none(), "noted once");
}

#[test]
fn a_callback_adopts_an_order_that_has_no_uuid() {
    for start in [Status::Submitting, Status::Failed, Status::Rejected, Status::Unknown] {
        for (word, status) in [("SENT", Status::Sent), ("PAID", Status::Paid), ("success", Status::Sent)] {
            let next = with_status(start).believe(&callback("ODR1", word, "a"), at(5)).unwrap();
            assert_eq!((next.order_uuid.as_deref(), next.status), (Some("ODR1"), status));
            assert_eq!(next.meets(&Record { attempt: OTHER_ATTEMPT, ..claimed() }), Seen::Accepted);
        }
    }
}

#[test]
fn a_link_lives_as_long_as_sent() {
    let sent = Record { bank_id_url: Some("https://b.example/".to_owned()), ..accepted(Status::Sent) };
    assert!(sent.believe(&callback("ODR1", "SENT", "a"), at(5)).unwrap().bank_id_url.is_some());
    assert!(sent.believe(&callback("ODR1", "success", "a"), at(5)).unwrap().bank_id_url.is_some());
    assert!(sent.believe(&callback("ODR1", "RESERVED", "a"), at(5)).unwrap().bank_id_url.is_none());
    assert!(sent.take(Status::Cancelled, at(5)).unwrap().bank_id_url.is_none());
}

#[test]
fn a_status_that_was_read_is_taken_as_it_is() {
    let paid = accepted(Status::Paid);
    let lowered = paid.take(Status::Sent, at(5)).unwrap();
    assert_eq!((lowered.status, history(&lowered)), (Status::Sent, vec!["sent provider".to_owned()]));
    assert!(paid.take(Status::Paid, at(5)).is_none(), "a read that changes nothing adds nothing");
}

#[test]
fn a_callback_that_is_known_does_not_raise_what_was_read_since() {
    let callback = callback("ODR1", "PAID", "a");
    let paid = accepted(Status::Sent).believe(&callback, at(5)).unwrap();
    let lowered = paid.take(Status::Sent, at(6)).unwrap();
    assert!(lowered.believe(&callback, at(7)).is_none());
}

#[test]
fn a_full_history_still_takes_statuses() {
    let mut record = accepted(Status::Sent);
    for index in 0..1_200 {
        if let Some(next) = record.believe(&callback("ODR1", "RESERVED", &index.to_string()), at(index)) {
            record = *next;
        }
    }
    assert_eq!((record.history.len(), record.status), (1_000, Status::Reserved));
    let paid = record.believe(&callback("ODR1", "PAID", "last"), at(5_000)).unwrap();
    assert_eq!((paid.history.len(), paid.status), (1_000, Status::Paid));
    assert!(paid.believe(&callback("ODR1", "PAID", "last"), at(5_001)).is_none());
}

#[test]
fn what_is_shown_for_debugging_holds_no_secret() {
    let record = Record { bank_id_url: Some("https://b.example/x".to_owned()), ..accepted(Status::Sent) };
    let shown = format!("{record:?}");
    assert!(!shown.contains("token") && !shown.contains("b.example"), "{shown}");
}

#[test]
fn the_stored_form_has_these_attributes() {
    let record = Record { bank_id_url: Some("https://b.example/".to_owned()), ..accepted(Status::Sent) };
    let record = record.believe(&callback("ODR2", "PAID", "a"), at(9)).unwrap();
    let stored = serde_json::to_value(&*record).unwrap();
    let names: Vec<_> = stored.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        names,
        [
            "attempt",
            "attemptedAt",
            "bankIdUrl",
            "callbackToken",
            "country",
            "createdAt",
            "customerType",
            "fingerprint",
            "grandTotal",
            "history",
            "orderId",
            "orderUuid",
            "preferredLanguage",
            "shopCallbackUrl",
            "shopId",
            "status",
            "updatedAt",
            "version",
        ]
    );
    assert_eq!(
        stored["history"],
        json!([{"status": "PAID", "at": at(9), "source": "callback", "id": "a", "otherOrderUuid": "ODR2"}])
    );
    assert_eq!(stored["updatedAt"], Value::from("2026-06-15T00:00:09Z"));
    assert!(serde_json::from_value::<Record>(stored).unwrap() == *record);
}

fn any_callbacks() -> impl Strategy<Value = Vec<StatusCallback>> {
    let one = (0..Status::OF_THE_PROVIDER.len(), 0..3u8);
    proptest::collection::vec(one, 1..12).prop_map(|drawn| {
        let word = |index: usize| Status::OF_THE_PROVIDER[index].name();
        drawn.into_iter().map(|(index, twin)| callback("ODR1", word(index), &format!("{index}-{twin}"))).collect()
    })
}

proptest! {
    #[test]
    fn callbacks_in_any_order_and_number_end_in_the_same_status(
        (callbacks, shuffled) in any_callbacks().prop_flat_map(|all| {
            let twice: Vec<_> = all.iter().chain(&all).cloned().collect();
            (Just(all), Just(twice).prop_shuffle())
        }),
        adopts in any::<bool>(),
    ) {
        let apply = |callbacks: &[StatusCallback]| {
            let start = if adopts { claimed() } else { accepted(Status::Sent) };
            callbacks.iter().fold(start, |record, callback| record.believe(callback, at(1)).map_or(record, |next| *next))
        };
        let (once, twice) = (apply(&callbacks), apply(&shuffled));
        let highest = callbacks.iter().map(|callback| match &callback.word {
            StatusWord::Known(status) => *status,
            StatusWord::Unknown(_) => Status::Sent,
        }).max().unwrap();
        prop_assert_eq!(once.status, highest);
        prop_assert_eq!(twice.status, highest);
        let ids = |record: &Record| {
            let mut ids: Vec<_> = record.history.iter().map(|entry| entry.id.clone()).collect();
            ids.sort();
            ids
        };
        prop_assert_eq!(ids(&once), ids(&twice), "each callback is in the history once");
    }

    #[test]
    fn every_change_raises_the_version_by_one(start in 0..4usize, index in 0..13usize) {
        let start = with_status([Status::Submitting, Status::Failed, Status::Rejected, Status::Unknown][start]);
        let next = start.believe(&callback("ODR1", Status::OF_THE_PROVIDER[index].name(), "a"), at(1)).unwrap();
        prop_assert_eq!(next.version, start.version + 1);
    }
}

#[test]
fn an_order_may_be_forgotten_after_its_time_but_not_while_nobody_knows_of_it() {
    let days = SignedDuration::from_hours(90 * 24);
    for status in [Status::Submitting, Status::Unknown] {
        assert_eq!(with_status(status).expiry(days), None);
    }
    for status in [Status::Rejected, Status::Failed, Status::Sent, Status::Invoiced, Status::Refunded] {
        let changed = Record { updated_at: at(100), ..with_status(status) };
        assert_eq!(changed.expiry(days), Some(1_781_481_600 + 100 + 7_776_000));
    }
    let forgotten = Record { expires_at: Some(at(0).as_second()), ..accepted(Status::Sent) };
    let changed = forgotten.believe(&callback("ODR1", "PAID", "a"), at(9)).unwrap();
    assert_eq!(changed.expires_at, None, "every change moves it");
}

#[test]
fn the_key_of_an_order_that_may_be_forgotten_is_a_new_key() {
    let expires = |second: i64| Record {
        expires_at: Some(at(second).as_second()),
        history: vec![Entry { status: "SENT".to_owned(), at: at(0), source: Source::Submit, id: None, other_order_uuid: None }],
        version: 7,
        ..accepted(Status::Invoiced)
    };
    let claim = Record { attempt: OTHER_ATTEMPT, attempted_at: at(60), callback_token: "new".to_owned(), ..claimed() };
    assert_eq!(expires(61).meets(&claim), Seen::Accepted);
    assert_eq!(expires(60).meets(&claim), Seen::Free);
    assert_eq!(Record { shop_id: "shop-b".to_owned(), ..expires(60) }.meets(&claim), Seen::OtherShop);
    let fresh = claim.clone().as_attempt_of(&expires(60));
    assert!(
        fresh == Record { version: 8, ..claim },
        "nothing of the old order is kept: its late callbacks must not find this one"
    );
}

#[test]
fn the_time_to_the_first_callback_is_known_once() {
    let Settled::As(Some(sent)) = claimed().settle(ATTEMPT, &created("ODR1", None), at(2)) else { panic!() };
    assert_eq!(sent.first_callback_after(), None);
    let second_order = sent.believe(&callback("ODR2", "PAID", "a"), at(3)).unwrap();
    assert_eq!(second_order.first_callback_after(), None, "that is another order's");
    let first = second_order.believe(&callback("ODR1", "RESERVED", "b"), at(9)).unwrap();
    assert_eq!(first.first_callback_after(), Some(SignedDuration::from_secs(7)));
    assert_eq!(first.believe(&callback("ODR1", "PAID", "c"), at(10)).unwrap().first_callback_after(), None);
    let before = claimed().believe(&callback("ODR1", "SENT", "a"), at(1)).unwrap();
    assert_eq!(before.first_callback_after(), None);
    let Settled::As(Some(after)) = before.settle(ATTEMPT, &created("ODR1", None), at(2)) else { panic!() };
    assert_eq!(after.first_callback_after(), None, "it came before the 201");
}
