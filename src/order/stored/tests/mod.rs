mod identity;
mod notifications;
mod operator;
mod queue;
mod reconciliation;

use proptest::prelude::*;
use serde_json::{Value, json};

use jiff::SignedDuration;

use super::*;
use crate::order::StatusWord;

const ATTEMPT: Uuid = Uuid::from_u128(1);
const OTHER_ATTEMPT: Uuid = Uuid::from_u128(2);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_781_481_600 + second).unwrap()
}

/// An order of 40, claimed at second 0 by `ATTEMPT`.
fn claimed() -> StoredOrder {
    serde_json::from_value(json!({
        "orderId": "0198c2f0-7e4a-7000-8000-000000000001", "version": 1, "status": "SUBMITTING", "attempt": ATTEMPT,
        "attemptedAt": at(0), "shopId": "shop-a", "callbackToken": "token", "fingerprint": "f", "grandTotal": "40",
        "shopCallbackUrl": "https://shop.example/", "customerType": "private", "preferredLanguage": "no", "country": "NO",
        "createdAt": at(0), "updatedAt": at(0), "history": []
    }))
    .unwrap()
}

fn with_status(status: Status) -> StoredOrder {
    StoredOrder { status, ..claimed() }
}

fn accepted(status: Status) -> StoredOrder {
    StoredOrder { order_uuid: Some("ODR1".to_owned()), ..with_status(status) }
}

fn created(uuid: &str, bank_id_url: Option<&str>) -> AttemptResult {
    AttemptResult::Created(CreatedOrder {
        order_uuid: uuid.to_owned(),
        customer_uuid: Some("CSRT1".to_owned()),
        bank_id_url: bank_id_url.map(str::to_owned),
        has_unusable_link: false,
        status: if bank_id_url.is_some() { Status::Sent } else { Status::Invoiced },
    })
}

fn callback(uuid: &str, word: &str, id: &str) -> StatusCallback {
    let amount = Decimal::parse("40.00").unwrap();
    StatusCallback {
        order_uuid: uuid.to_owned(),
        word: StatusWord::read(word),
        amount,
        payment_method: "Invoice".to_owned(),
        id: id.to_owned(),
    }
}

fn settled(record: &StoredOrder, result: &AttemptResult) -> Option<Box<StoredOrder>> {
    match record.record_result(ATTEMPT, result, at(9)) {
        ResultEffect::Write(next) => next,
        _ => panic!("neither written nor overtaken"),
    }
}

/// The history as `STATUS source`.
fn history(record: &StoredOrder) -> Vec<String> {
    record.history.iter().map(|entry| format!("{} {:?}", entry.status, entry.source).to_lowercase()).collect()
}

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

#[test]
fn a_callback_adopts_an_order_that_has_no_uuid() {
    for start in [Status::Submitting, Status::Failed, Status::Rejected, Status::Unknown] {
        for (word, status) in [("SENT", Status::Sent), ("PAID", Status::Paid), ("success", Status::Sent)] {
            let next = with_status(start).apply_callback(&callback("ODR1", word, "a"), at(5)).unwrap();
            assert_eq!((next.order_uuid.as_deref(), next.status), (Some("ODR1"), status));
            assert_eq!(next.conflict_with(&StoredOrder { attempt: OTHER_ATTEMPT, ..claimed() }), ClaimConflict::SameOrder);
        }
    }
}

#[test]
fn a_link_lives_as_long_as_sent() {
    let sent = StoredOrder { bank_id_url: Some("https://b.example/".to_owned()), ..accepted(Status::Sent) };
    assert!(sent.apply_callback(&callback("ODR1", "SENT", "a"), at(5)).unwrap().bank_id_url.is_some());
    assert!(sent.apply_callback(&callback("ODR1", "success", "a"), at(5)).unwrap().bank_id_url.is_some());
    assert!(sent.apply_callback(&callback("ODR1", "RESERVED", "a"), at(5)).unwrap().bank_id_url.is_none());
    assert!(sent.apply_reading(&StatusWord::Known(Status::Cancelled), at(5)).bank_id_url.is_none());
}

#[test]
fn a_status_that_was_read_is_stored_as_it_is() {
    let paid = accepted(Status::Paid);
    let lowered = paid.apply_reading(&StatusWord::Known(Status::Sent), at(5));
    assert_eq!((lowered.status, history(&lowered)), (Status::Sent, vec!["sent provider".to_owned()]));
    assert_eq!((lowered.checked_at, lowered.updated_at), (Some(at(5)), at(5)));
    let same = paid.apply_reading(&StatusWord::Known(Status::Paid), at(5));
    assert_eq!((same.history.len(), same.checked_at, same.updated_at), (0, Some(at(5)), at(0)), "nothing is heard");
}

#[test]
fn an_unknown_word_that_is_read_is_kept_once() {
    let word = StatusWord::read("on hold");
    let read = accepted(Status::Sent).apply_reading(&word, at(5));
    assert_eq!((read.status, history(&read)), (Status::Sent, vec!["on_hold provider".to_owned()]));
    let again = read.apply_reading(&word, at(6));
    assert_eq!(history(&again), ["on_hold provider"]);
    let other = again.apply_reading(&StatusWord::read("held"), at(7)).apply_reading(&word, at(8));
    assert_eq!(history(&other), ["on_hold provider", "held provider", "on_hold provider"]);
}

#[test]
fn a_callback_that_raises_a_doubt_makes_the_status_due_to_be_read() {
    let paid = accepted(Status::Paid);
    for (word, is_doubt) in [("success", true), ("INVOICED", true), ("PAID", false), ("REFUNDED", false)] {
        let callback = callback("ODR1", word, "a");
        let next = paid.apply_callback(&callback, at(5)).unwrap();
        assert_eq!((next.is_doubted_by(&callback), next.doubted_at), (is_doubt, is_doubt.then(|| at(5))), "{word}");
    }
    let other = callback("ODR2", "success", "a");
    let noted = paid.apply_callback(&other, at(5)).unwrap();
    assert_eq!((noted.is_doubted_by(&other), noted.doubted_at), (false, None), "it is about another order");
    let doubted = paid.apply_callback(&callback("ODR1", "success", "a"), at(5)).unwrap();
    assert_eq!(doubted.apply_reading(&StatusWord::Known(Status::Paid), at(6)).doubted_at, None);
}

#[test]
fn a_callback_that_is_known_does_not_raise_what_was_read_since() {
    let callback = callback("ODR1", "PAID", "a");
    let paid = accepted(Status::Sent).apply_callback(&callback, at(5)).unwrap();
    let lowered = paid.apply_reading(&StatusWord::Known(Status::Sent), at(6));
    assert!(lowered.apply_callback(&callback, at(7)).is_none());
}

#[test]
fn a_full_history_still_takes_statuses() {
    let mut record = accepted(Status::Sent);
    for index in 0..1_200 {
        if let Some(next) = record.apply_callback(&callback("ODR1", "RESERVED", &index.to_string()), at(index)) {
            record = *next;
        }
    }
    assert_eq!((record.history.len(), record.status), (1_000, Status::Reserved));
    let paid = record.apply_callback(&callback("ODR1", "PAID", "last"), at(5_000)).unwrap();
    assert_eq!((paid.history.len(), paid.status), (1_000, Status::Paid));
    assert!(paid.apply_callback(&callback("ODR1", "PAID", "last"), at(5_001)).is_none());
}

#[test]
fn debug_shows_no_secret() {
    let record = StoredOrder { bank_id_url: Some("https://b.example/x".to_owned()), ..accepted(Status::Sent) };
    let shown = format!("{record:?}");
    assert!(!shown.contains("token") && !shown.contains("b.example"), "{shown}");
}

#[test]
fn the_stored_form_has_these_attributes() {
    let record = StoredOrder { bank_id_url: Some("https://b.example/".to_owned()), ..accepted(Status::Sent) };
    let record = record.apply_callback(&callback("ODR2", "PAID", "a"), at(9)).unwrap();
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
        json!([{"status": "PAID", "at": at(9), "source": "callback", "id": "a", "orderUuid": "ODR2", "amount": "40.00"}])
    );
    assert_eq!(stored["updatedAt"], Value::from("2026-06-15T00:00:09Z"));
    assert!(serde_json::from_value::<StoredOrder>(stored).unwrap() == *record);
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
            callbacks.iter().fold(start, |record, callback| record.apply_callback(callback, at(1)).map_or(record, |next| *next))
        };
        let (once, twice) = (apply(&callbacks), apply(&shuffled));
        let highest = callbacks.iter().map(|callback| match &callback.word {
            StatusWord::Known(status) => *status,
            StatusWord::Unknown(_) => Status::Sent,
        }).max().unwrap();
        prop_assert_eq!(once.status, highest);
        prop_assert_eq!(twice.status, highest);
        let ids = |record: &StoredOrder| {
            let mut ids: Vec<_> = record.history.iter().map(|entry| entry.id.clone()).collect();
            ids.sort();
            ids
        };
        prop_assert_eq!(ids(&once), ids(&twice), "each callback is in the history once");
    }
}

#[test]
fn every_change_raises_the_version_by_one() {
    let next_versions = |start: &StoredOrder| {
        let submitting = StoredOrder { attempted_at: at(-100), ..start.clone() };
        let results = [
            created("ODR1", None),
            created("ODR2", None),
            AttemptResult::Rejected,
            AttemptResult::Failed { may_exist: true },
            AttemptResult::Unknown,
        ];
        let mut next: Vec<Option<Box<StoredOrder>>> = Status::OF_THE_PROVIDER
            .iter()
            .flat_map(|status| ["ODR1", "ODR2"].map(|uuid| start.apply_callback(&callback(uuid, status.name(), "a"), at(1))))
            .collect();
        next.extend(results.iter().map(|result| match start.record_result(ATTEMPT, result, at(1)) {
            ResultEffect::Write(next) => next,
            ResultEffect::Superseded => None,
        }));
        next.push(submitting.end_stale_attempt(at(1)));
        next.push(Some(start.apply_reading(&StatusWord::Known(Status::Paid), at(1))));
        next.push(Some(Box::new(StoredOrder { attempted_at: at(1), ..claimed() }.as_retry_of(start))));
        next.into_iter().flatten().map(|next| next.version).collect::<Vec<_>>()
    };
    for status in [Status::Submitting, Status::Failed, Status::Rejected, Status::Unknown] {
        assert!(next_versions(&with_status(status)).iter().all(|version| *version == 2), "{status:?}");
    }
    for &status in Status::OF_THE_PROVIDER {
        assert!(next_versions(&accepted(status)).iter().all(|version| *version == 2), "{status:?}");
    }
}

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

#[test]
fn the_time_to_the_first_callback_is_known_once() {
    let ResultEffect::Write(Some(sent)) = claimed().record_result(ATTEMPT, &created("ODR1", None), at(2)) else { panic!() };
    assert_eq!(sent.first_callback_after(), None);
    let second_order = sent.apply_callback(&callback("ODR2", "PAID", "a"), at(3)).unwrap();
    assert_eq!(second_order.first_callback_after(), None, "that is another order's");
    let first = second_order.apply_callback(&callback("ODR1", "RESERVED", "b"), at(9)).unwrap();
    assert_eq!(first.first_callback_after(), Some(SignedDuration::from_secs(7)));
    assert_eq!(first.apply_callback(&callback("ODR1", "PAID", "c"), at(10)).unwrap().first_callback_after(), None);
    let before = claimed().apply_callback(&callback("ODR1", "SENT", "a"), at(1)).unwrap();
    assert_eq!(before.first_callback_after(), None);
    let ResultEffect::Write(Some(after)) = before.record_result(ATTEMPT, &created("ODR1", None), at(2)) else { panic!() };
    assert_eq!(after.first_callback_after(), None, "it came before the 201");
}
