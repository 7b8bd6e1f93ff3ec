//! Which of Front Payment's uuids an order has: one test for each rule.

use super::*;

fn hear(order: &StoredOrder, uuid: &str, word: &str) -> StoredOrder {
    *order.apply_callback(&callback(uuid, word, &format!("{uuid} {word}")), at(70)).expect("the callback is known")
}

fn is(order: &StoredOrder, uuid: Option<&str>, status: Status) {
    assert_eq!((order.order_uuid.as_deref(), order.status), (uuid, status));
}

/// SENT, with the uuid ODR1 by the 201 of `ATTEMPT`.
fn sent() -> StoredOrder {
    *settled(&claimed(), &created("ODR1", Some("https://b.example/"))).unwrap()
}

#[test]
fn cancelled_and_expired_give_their_uuid_only_to_an_order_whose_outcome_is_open() {
    for (word, dead) in [("CANCELLED", Status::Cancelled), ("EXPIRED", Status::Expired)] {
        for open in [Status::Submitting, Status::Unknown] {
            is(&hear(&with_status(open), "ODR1", word), Some("ODR1"), dead);
        }
        for ended in [Status::Failed, Status::Rejected] {
            let noted = hear(&with_status(ended), "ODR1", word);
            is(&noted, None, ended);
            assert_eq!(noted.history[0].order_uuid.as_deref(), Some("ODR1"), "it is noted");
            let again = StoredOrder { attempt: OTHER_ATTEMPT, ..claimed() };
            assert_eq!(noted.conflict_with(&again), KeyConflict::Retryable, "the key can be sent again");
        }
    }
}

#[test]
fn with_a_uuid_an_order_takes_the_status_that_everything_noted_of_it_comes_to() {
    let noted = hear(&with_status(Status::Failed), "ODR1", "CANCELLED");
    is(&hear(&noted, "ODR1", "PAID"), Some("ODR1"), Status::Cancelled);
    is(&settled(&noted, &created("ODR1", None)).unwrap(), Some("ODR1"), Status::Cancelled);
}

#[test]
fn a_dead_order_makes_way_for_one_that_lives_before_or_after() {
    for (word, dead) in [("CANCELLED", Status::Cancelled), ("EXPIRED", Status::Expired)] {
        let heard_before = hear(&hear(&sent(), "ODR2", "INVOICED"), "ODR1", word);
        is(&heard_before, Some("ODR2"), Status::Invoiced);
        assert_eq!((&heard_before.customer_uuid, &heard_before.bank_id_url), (&None, &None));

        let heard_after = hear(&hear(&sent(), "ODR1", word), "ODR2", "RESERVED");
        is(&heard_after, Some("ODR2"), Status::Reserved);
        assert_eq!(heard_after.payment_method.as_deref(), Some("Invoice"), "of the callback that it made way for");

        is(&hear(&hear(&sent(), "ODR1", word), "ODR2", "CANCELLED"), Some("ODR1"), dead);
        let read = hear(&sent(), "ODR2", "PAID").apply_status_read(&told(word), at(90));
        is(&read, Some("ODR2"), Status::Paid);
        assert_eq!(read.checked_at, None, "the status read was about the other one");
    }
    let several = hear(&hear(&sent(), "ODR2", "INVOICED"), "ODR3", "RESERVED");
    is(&hear(&several, "ODR1", "CANCELLED"), Some("ODR3"), Status::Reserved);
}

#[test]
fn a_dead_order_makes_way_for_the_201_of_its_latest_attempt_and_for_no_earlier_one() {
    let dead = hear(&claimed(), "ODR1", "CANCELLED");
    let order = settled(&dead, &created("ODR2", Some("https://b.example/"))).unwrap();
    is(&order, Some("ODR2"), Status::Sent);
    assert_eq!((order.customer_uuid.as_deref(), order.bank_id_url.is_some()), (Some("CSRT1"), true));

    let later = StoredOrder { attempt: OTHER_ATTEMPT, ..dead };
    is(&settled(&later, &created("ODR2", None)).unwrap(), Some("ODR1"), Status::Cancelled);
}

#[test]
fn an_order_that_the_shop_called_off_makes_way_for_none() {
    let two = hear(&sent(), "ODR2", "INVOICED");
    let called_off = two.request_cancellation(at(75)).unwrap();
    is(&hear(&called_off, "ODR1", "CANCELLED"), Some("ODR1"), Status::Cancelled);
    is(&called_off.apply_status_read(&told("CANCELLED"), at(80)), Some("ODR1"), Status::Cancelled);
}

#[test]
fn an_order_makes_way_for_no_uuid_that_the_operator_replaced() {
    let replaced = hear(&sent(), "ODR1", "INVOICED").settle_as("ODR2", &told("SENT"), at(80)).unwrap();
    is(&replaced, Some("ODR2"), Status::Sent);
    is(&hear(&replaced, "ODR2", "CANCELLED"), Some("ODR2"), Status::Cancelled);
    // For another uuid, which the operator has not replaced, the order makes way.
    let other = hear(&replaced, "ODR3", "PAID");
    is(&hear(&other, "ODR2", "CANCELLED"), Some("ODR3"), Status::Paid);
}

#[test]
fn a_201_is_taken_also_where_the_history_is_full() {
    let entry = hear(&claimed(), "ODR9", "SENT").history.remove(0);
    let history = (0..1_000).map(|id| HistoryEntry { id: Some(id.to_string()), ..entry.clone() }).collect();
    let full = StoredOrder { history, ..claimed() };
    is(&settled(&full, &created("ODR1", None)).unwrap(), Some("ODR1"), Status::Invoiced);
}
