//! Which order of Front Payment's it is: the sequences that once gave a wrong answer, and the rules one by one.

use super::*;

/// The body of an attempt: what its fingerprint is, and its total.
type Body = (&'static str, &'static str);

const A: Body = ("a", "40");
const B: Body = ("b", "50");
const SAME_TOTAL: Body = ("c", "40.00");

fn claim(id: u128, (fingerprint, total): Body) -> StoredOrder {
    let mut claim = StoredOrder { attempt: Uuid::from_u128(id), attempted_at: at(60), ..claimed() };
    claim.details.fingerprint = Some(fingerprint.to_owned());
    claim.details.grand_total = total.to_owned();
    claim
}

const EXISTS: AttemptResult = AttemptResult::Failed { may_exist: true };
const NOT_LET_IN: AttemptResult = AttemptResult::Failed { may_exist: false };

/// A key's attempts, one after the other; the last one may still be running (`None`).
fn attempts(attempts: &[(Body, Option<AttemptResult>)]) -> StoredOrder {
    let mut stored: Option<StoredOrder> = None;
    for (id, (body, result)) in (1..).zip(attempts) {
        let claim = claim(id, *body);
        let claimed = stored.map_or_else(|| claim.clone(), |stored| claim.clone().as_retry_of(&stored));
        stored = Some(match result {
            None => claimed,
            Some(result) => match claimed.record_result(Uuid::from_u128(id), result, at(5)) {
                ResultEffect::Write(Some(next)) => *next,
                _ => panic!("the result changes nothing"),
            },
        });
    }
    stored.unwrap()
}

fn hear(order: &StoredOrder, uuid: &str, word: &str, amount: &str) -> StoredOrder {
    let callback = StatusCallback {
        order_uuid: uuid.to_owned(),
        word: StatusWord::read(word),
        amount: Decimal::parse(amount).unwrap(),
        payment_method: "Invoice".to_owned(),
        id: format!("{uuid} {word}"),
    };
    *order.apply_callback(&callback, at(70)).expect("the callback is known")
}

fn result(order: &StoredOrder, id: u128, result: &AttemptResult) -> StoredOrder {
    match order.record_result(Uuid::from_u128(id), result, at(80)) {
        ResultEffect::Write(next) => next.map_or_else(|| order.clone(), |next| *next),
        ResultEffect::Superseded => panic!("superseded"),
    }
}

fn is(order: &StoredOrder, uuid: Option<&str>, status: Status) {
    assert_eq!((order.order_uuid.as_deref(), order.status), (uuid, status));
}

/// Which of these bodies gets the order's reply again.
fn replayed(order: &StoredOrder, bodies: &[Body]) -> Vec<&'static str> {
    let same = |body: &&Body| order.conflict_with(&claim(9, **body)) == ClaimConflict::SameOrder;
    bodies.iter().filter(same).map(|body| body.0).collect()
}

#[test]
fn a_cancelled_attempt_does_not_take_the_order_of_another_one() {
    let order = attempts(&[(A, Some(EXISTS)), (B, Some(AttemptResult::Unknown))]);
    let order = hear(&order, "ODR1", "CANCELLED", "40");
    is(&order, None, Status::Unknown);
    assert_eq!(order.history.last().unwrap().order_uuid.as_deref(), Some("ODR1"), "it is noted");
    let order = hear(&order, "ODR2", "INVOICED", "50");
    is(&order, Some("ODR2"), Status::Invoiced);
    assert_eq!(replayed(&order, &[A, B]), ["b"]);
}

#[test]
fn a_failed_order_that_was_cancelled_at_front_payment_can_be_sent_again() {
    let order = hear(&attempts(&[(A, Some(EXISTS))]), "ODR1", "CANCELLED", "40");
    is(&order, None, Status::Failed);
    assert_eq!(order.conflict_with(&claim(2, A)), ClaimConflict::Retryable);
    let again = claim(2, A).as_retry_of(&order);
    let order = result(&again, 2, &created("ODR2", Some("https://b.example/")));
    is(&order, Some("ODR2"), Status::Sent);
}

#[test]
fn an_attempt_that_was_not_let_in_does_not_get_the_uuid_of_one_that_was() {
    let order = attempts(&[(A, Some(EXISTS)), (SAME_TOTAL, Some(NOT_LET_IN))]);
    let order = hear(&order, "ODR1", "INVOICED", "40");
    is(&order, Some("ODR1"), Status::Invoiced);
    assert_eq!(replayed(&order, &[A, SAME_TOTAL]), ["a"]);
}

#[test]
fn where_candidates_differ_no_body_is_the_same_order_until_a_201_names_the_uuid() {
    let order = attempts(&[(A, Some(EXISTS)), (SAME_TOTAL, None)]);
    let order = hear(&order, "ODR1", "RESERVED", "40");
    is(&order, Some("ODR1"), Status::Reserved);
    assert_eq!(replayed(&order, &[A, SAME_TOTAL]), [""; 0]);
    let settled = result(&order, 2, &created("ODR1", Some("https://b.example/")));
    is(&settled, Some("ODR1"), Status::Reserved);
    assert_eq!((replayed(&settled, &[A, SAME_TOTAL]), settled.customer_uuid.as_deref()), (vec!["c"], Some("CSRT1")));
}

#[test]
fn where_no_attempt_may_exist_those_that_cannot_are_candidates() {
    let order = hear(&attempts(&[(A, Some(AttemptResult::Rejected))]), "ODR1", "INVOICED", "40");
    is(&order, Some("ODR1"), Status::Invoiced);
    assert_eq!(replayed(&order, &[A, B]), ["a"]);
}

#[test]
fn cancelled_makes_an_order_only_of_an_open_attempt_that_alone_can_be_meant() {
    for dead in ["CANCELLED", "EXPIRED"] {
        let sole = hear(&attempts(&[(A, Some(AttemptResult::Unknown))]), "ODR1", dead, "40");
        assert_eq!((sole.order_uuid.as_deref(), sole.status.name()), (Some("ODR1"), dead));
        let running = hear(&attempts(&[(B, Some(EXISTS)), (A, None)]), "ODR1", dead, "40");
        assert_eq!(running.order_uuid.as_deref(), Some("ODR1"), "the other attempt has another total");
        for order in [
            attempts(&[(A, Some(EXISTS)), (A, Some(AttemptResult::Unknown))]), // the same body counts twice
            attempts(&[(A, Some(EXISTS)), (SAME_TOTAL, None)]),
            attempts(&[(A, Some(EXISTS)), (B, None)]),
            attempts(&[(A, Some(AttemptResult::Rejected))]),
            attempts(&[(A, Some(EXISTS))]),
        ] {
            let noted = hear(&order, "ODR1", dead, "40");
            is(&noted, None, order.status);
        }
    }
}

#[test]
fn a_dead_order_makes_way_for_one_that_lives_before_or_after() {
    let two = attempts(&[(A, Some(EXISTS)), (B, Some(created("ODR2", Some("https://b.example/"))))]);
    let first_heard = hear(&hear(&two, "ODR1", "INVOICED", "40"), "ODR2", "CANCELLED", "50");
    is(&first_heard, Some("ODR1"), Status::Invoiced);
    assert_eq!((replayed(&first_heard, &[A, B]), first_heard.customer_uuid), (vec!["a"], None));

    let first_dead = hear(&two, "ODR2", "EXPIRED", "50");
    is(&first_dead, Some("ODR2"), Status::Expired);
    let alive = hear(&first_dead, "ODR1", "RESERVED", "40");
    is(&alive, Some("ODR1"), Status::Reserved);
    assert_eq!(alive.payment_method.as_deref(), Some("Invoice"), "of the callback that it made way for");
    is(&hear(&first_dead, "ODR1", "CANCELLED", "40"), Some("ODR2"), Status::Expired);

    let read = hear(&two, "ODR1", "PAID", "40").apply_reading(&StatusWord::Known(Status::Cancelled), at(90));
    is(&read, Some("ODR1"), Status::Paid);
}

#[test]
fn a_dead_order_makes_way_for_the_201_of_its_own_attempt() {
    let dead = hear(&attempts(&[(A, None)]), "ODR1", "CANCELLED", "40");
    let order = result(&dead, 1, &created("ODR2", Some("https://b.example/")));
    is(&order, Some("ODR2"), Status::Sent);
    assert_eq!(
        (order.customer_uuid.as_deref(), order.bank_id_url.is_some(), replayed(&order, &[A])),
        (Some("CSRT1"), true, vec!["a"])
    );
}

#[test]
fn of_several_that_live_the_one_heard_last_is_the_order() {
    let order = attempts(&[(A, Some(EXISTS)), (A, Some(EXISTS)), (B, Some(created("ODR3", None)))]);
    let order = hear(&hear(&order, "ODR1", "INVOICED", "40"), "ODR2", "RESERVED", "40");
    let order = hear(&order, "ODR3", "CANCELLED", "50");
    is(&order, Some("ODR2"), Status::Reserved);
    assert_eq!(replayed(&order, &[A, B]), ["a"], "both attempts have the same body");
}

#[test]
fn whatever_was_noted_of_a_uuid_counts_once_it_is_taken() {
    let order = attempts(&[(A, Some(EXISTS)), (SAME_TOTAL, Some(AttemptResult::Unknown))]);
    let noted = hear(&order, "ODR2", "CANCELLED", "40");
    is(&noted, None, Status::Unknown);
    let taken = result(&noted, 2, &created("ODR2", Some("https://b.example/")));
    is(&taken, Some("ODR2"), Status::Cancelled);
    let revived = hear(&noted, "ODR2", "PAID", "40");
    is(&revived, Some("ODR2"), Status::Cancelled);
}

#[test]
fn every_attempt_is_kept_for_its_callback_within_the_space() {
    let mut order = attempts(&[(A, Some(EXISTS))]);
    for id in 2..200 {
        let mut claim = claim(id, B);
        claim.details.fingerprint = Some(format!("body {id}"));
        claim.details.shop_callback_url = "x".repeat(2_048);
        let claimed = claim.as_retry_of(&order);
        order = result(&claimed, id, &NOT_LET_IN);
    }
    let bytes = serde_json::to_vec(&order.earlier_attempts).unwrap().len();
    assert!((90_000..115_000).contains(&bytes), "{bytes}");
    assert!(!order.has_attempt_of(&Decimal::parse("40").unwrap()), "the oldest are dropped");
}

#[test]
fn a_201_has_its_body_also_where_the_history_is_full() {
    let mut full = attempts(&[(A, None)]);
    let entry = hear(&full, "ODR9", "CANCELLED", "40").history.remove(0);
    full.history = (0..1_000).map(|id| HistoryEntry { id: Some(id.to_string()), ..entry.clone() }).collect();
    let sent = result(&full, 1, &created("ODR1", None));
    is(&sent, Some("ODR1"), Status::Invoiced);
    assert_eq!((sent.earlier_attempts.len(), replayed(&sent, &[A, B])), (0, vec!["a"]));
}
