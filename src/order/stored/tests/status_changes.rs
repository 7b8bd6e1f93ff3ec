//! Callbacks and status reads.

use proptest::prelude::*;

use super::*;

#[test]
fn a_callback_adopts_an_order_that_has_no_uuid() {
    for start in [Status::Submitting, Status::Failed, Status::Rejected, Status::Unknown] {
        for (word, status) in [("SENT", Status::Sent), ("PAID", Status::Paid), ("success", Status::Sent)] {
            let next = with_status(start).apply_callback(&callback("ODR1", word, "a"), at(5)).unwrap();
            assert_eq!((next.order_uuid.as_deref(), next.status), (Some("ODR1"), status));
            assert_eq!(next.conflict_with(&StoredOrder { attempt: OTHER_ATTEMPT, ..claimed() }), KeyConflict::SameOrder);
        }
    }
}

#[test]
fn a_link_lives_as_long_as_sent() {
    let sent = StoredOrder { bank_id_url: Some("https://b.example/".to_owned()), ..accepted(Status::Sent) };
    assert!(sent.apply_callback(&callback("ODR1", "SENT", "a"), at(5)).unwrap().bank_id_url.is_some());
    assert!(sent.apply_callback(&callback("ODR1", "success", "a"), at(5)).unwrap().bank_id_url.is_some());
    assert!(sent.apply_callback(&callback("ODR1", "RESERVED", "a"), at(5)).unwrap().bank_id_url.is_none());
    assert!(sent.apply_status_read(&told("CANCELLED"), at(5)).bank_id_url.is_none());
}

#[test]
fn a_status_that_was_read_is_stored_as_it_is() {
    let paid = accepted(Status::Paid);
    let lowered = paid.apply_status_read(&told("SENT"), at(5));
    assert_eq!((lowered.status, history(&lowered)), (Status::Sent, vec!["sent provider".to_owned()]));
    assert_eq!((lowered.checked_at, lowered.updated_at), (Some(at(5)), at(5)));
    let same = paid.apply_status_read(&told("PAID"), at(5));
    assert_eq!((same.history.len(), same.checked_at, same.updated_at), (0, Some(at(5)), at(0)), "nothing is heard");
}

#[test]
fn an_unknown_word_that_is_read_is_kept_once() {
    let word = told("on hold");
    let read = accepted(Status::Sent).apply_status_read(&word, at(5));
    assert_eq!((read.status, history(&read)), (Status::Sent, vec!["on_hold provider".to_owned()]));
    let again = read.apply_status_read(&word, at(6));
    assert_eq!(history(&again), ["on_hold provider"]);
    let other = again.apply_status_read(&told("held"), at(7)).apply_status_read(&word, at(8));
    assert_eq!(history(&other), ["on_hold provider", "held provider", "on_hold provider"]);
}

#[test]
fn a_callback_that_leaves_the_status_open_makes_it_due_to_be_read() {
    let paid = accepted(Status::Paid);
    for (word, is_reason) in [
        ("success", true),
        ("INVOICED", true),
        ("PAID", false),
        ("REFUND_PENDING", true),
        ("PARTIAL_REFUNDED", true),
        ("REFUNDED", true),
    ] {
        let callback = callback("ODR1", word, "a");
        let next = paid.apply_callback(&callback, at(5)).unwrap();
        assert_eq!((next.is_asked_because_of(&callback), next.reason_since), (is_reason, is_reason.then(|| at(5))), "{word}");
    }
    let other = callback("ODR2", "success", "a");
    let noted = paid.apply_callback(&other, at(5)).unwrap();
    assert_eq!((noted.is_asked_because_of(&other), noted.reason_since), (false, None), "it is about another order");
    let open = paid.apply_callback(&callback("ODR1", "success", "a"), at(5)).unwrap();
    assert_eq!(open.apply_status_read(&told("PAID"), at(6)).reason_since, None);
}

#[test]
fn a_callback_that_is_known_does_not_raise_what_was_read_since() {
    let callback = callback("ODR1", "PAID", "a");
    let paid = accepted(Status::Sent).apply_callback(&callback, at(5)).unwrap();
    let lowered = paid.apply_status_read(&told("SENT"), at(6));
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
fn the_time_to_the_first_callback_is_known_once() {
    let sent = claimed().record_result(ATTEMPT, &created("ODR1", None), at(2)).unwrap();
    assert_eq!(sent.first_callback_after(), None);
    let second_order = sent.apply_callback(&callback("ODR2", "PAID", "a"), at(3)).unwrap();
    assert_eq!(second_order.first_callback_after(), None, "that is another order's");
    let first = second_order.apply_callback(&callback("ODR1", "RESERVED", "b"), at(9)).unwrap();
    assert_eq!(first.first_callback_after(), Some(SignedDuration::from_secs(7)));
    assert_eq!(first.apply_callback(&callback("ODR1", "PAID", "c"), at(10)).unwrap().first_callback_after(), None);
    let before = claimed().apply_callback(&callback("ODR1", "SENT", "a"), at(1)).unwrap();
    assert_eq!(before.first_callback_after(), None);
    let after = before.record_result(ATTEMPT, &created("ODR1", None), at(2)).unwrap();
    assert_eq!(after.first_callback_after(), None, "it came before the 201");
}

#[test]
fn the_refunded_amount_is_stored_once_it_is_above_zero() {
    let paid = accepted(Status::Paid);
    let amount = |order: &StoredOrder, word: &str, amount: &str| {
        order.apply_status_read(&told_refunded(word, amount), at(5)).refunded_amount.clone()
    };
    assert_eq!((amount(&paid, "PAID", "0"), amount(&paid, "PAID", "-5")), (None, None));
    assert_eq!(amount(&paid, "PARTIAL REFUNDED", "10.50").as_deref(), Some("10.50"));
    let partial = *paid.apply_status_read(&told_refunded("PARTIAL REFUNDED", "10"), at(5));
    assert_eq!(history(&partial), ["partial_refunded provider"]);
    assert_eq!(amount(&partial, "PARTIAL REFUNDED", "10.00").as_deref(), Some("10"), "the same value");
    assert_eq!(amount(&partial, "PAID", "0").as_deref(), Some("0"), "the refund goes back");
    assert_eq!(partial.apply_status_read(&told("PARTIAL REFUNDED"), at(6)).refunded_amount.as_deref(), Some("10"), "untold");
    let more = partial.apply_status_read(&told_refunded("PARTIAL REFUNDED", "15"), at(7));
    assert_eq!((history(&more).len(), more.updated_at), (2, at(7)), "a change of the amount alone");
}

#[test]
fn reconciliation_without_news_writes_only_what_was_waited_for() {
    let paid = accepted(Status::Paid);
    assert!(paid.apply_reconciliation(&told("PAID"), at(5)).is_none());
    let open = *paid.apply_callback(&callback("ODR1", "success", "a"), at(5)).unwrap();
    let answered = open.apply_reconciliation(&told("PAID"), at(6)).unwrap();
    assert_eq!((answered.reason_since, answered.checked_at, answered.updated_at), (None, None, at(5)));
    let news = paid.apply_reconciliation(&told("CHARGED"), at(6)).unwrap();
    assert_eq!((news.status, news.checked_at, news.updated_at), (Status::Charged, Some(at(6)), at(6)));
}
