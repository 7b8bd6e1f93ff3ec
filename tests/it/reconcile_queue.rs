//! Which orders a sweep reads the status of, and in which sequence.

use front_payment_bridge::order::StoredOrder;

use crate::reconcile::{accepted, asked};
use crate::support::worker::TestWorker;

/// The numbers of the orders whose status was read, in that sequence.
fn numbers(worker: &TestWorker) -> Vec<usize> {
    asked(worker).iter().map(|order_uuid| order_uuid[3..].parse().unwrap()).collect()
}

#[tokio::test]
async fn a_sweep_reads_a_hundred_reasons_first_then_sent_and_twenty_others() {
    let worker = TestWorker::new().await;
    for number in 0..150 {
        // ODR0 has been due the longest.
        worker.put(&accepted(number, "SENT", 1_000 - i64::try_from(number).unwrap())).await;
    }
    for number in 200..230 {
        worker.put(&accepted(number, "INVOICED", 2 * 86_400)).await;
    }
    let reason = StoredOrder { reason_since: Some(worker.now()), ..accepted(300, "PAID", 1) };
    worker.put(&reason).await;
    for _ in 0..100 {
        worker.provider().will_tell(Ok("SENT"));
    }
    worker.sweep().await;
    let read = numbers(&worker);
    assert_eq!(read.len(), 100);
    assert_eq!(read[0], 300, "a reason to ask comes before a backlog");
    assert_eq!(read[1..80], (0..79).collect::<Vec<_>>(), "the oldest due first");
    assert!(read[80..].iter().all(|number| (200..230).contains(number)), "{read:?}");
}

#[tokio::test]
async fn a_reason_to_ask_about_a_sent_order_comes_before_a_backlog_of_others() {
    let worker = TestWorker::new().await;
    for number in 0..150 {
        worker.put(&accepted(number, "SENT", 1_000)).await;
    }
    let reason = StoredOrder { reason_since: Some(worker.now()), ..accepted(300, "SENT", 1) };
    worker.put(&reason).await;
    for _ in 0..100 {
        worker.provider().will_tell(Ok("SENT"));
    }
    worker.sweep().await;
    assert_eq!((numbers(&worker).len(), numbers(&worker)[0]), (100, 300));
}

#[tokio::test]
async fn an_order_that_cannot_be_loaded_holds_up_no_status_read() {
    let worker = TestWorker::new().await;
    for number in 0..150 {
        let order = accepted(number, "SENT", 2_000 - i64::try_from(number).unwrap());
        worker.put(&order).await;
        if number == 0 {
            worker.store().make_unreadable(order.order_id);
        }
        worker.provider().will_tell(Ok("SENT"));
    }
    let cancelling = StoredOrder { reason_since: Some(worker.now()), ..accepted(300, "PAID", 1) };
    worker.put(&cancelling).await;
    worker.sweep().await;
    assert_eq!((numbers(&worker).len(), numbers(&worker)[0]), (99, 300));
}

#[tokio::test]
async fn a_reason_to_ask_comes_first_where_little_waits() {
    let worker = TestWorker::new().await;
    worker.put(&accepted(1, "SENT", 1_000)).await;
    worker.put(&StoredOrder { reason_since: Some(worker.now()), ..accepted(2, "PAID", 1) }).await;
    worker.sweep().await;
    assert_eq!(numbers(&worker), [2, 1]);
}

#[tokio::test]
async fn what_no_other_order_needs_is_read_of_the_others() {
    let worker = TestWorker::new().await;
    for number in 0..120 {
        worker.put(&accepted(number, "INVOICED", 2 * 86_400)).await;
        worker.provider().will_tell(Ok("INVOICED"));
    }
    worker.put(&accepted(200, "SENT", 1_000)).await;
    worker.sweep().await;
    assert_eq!((numbers(&worker).len(), numbers(&worker)[0]), (100, 200));
    worker.sweep().await;
    assert_eq!(numbers(&worker).len(), 121, "the rest in the next sweep");
}
