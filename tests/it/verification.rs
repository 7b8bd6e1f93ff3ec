//! The weaknesses of Front Payment's checksum, and the checks that make up for them.
//!
//! The checksum signs only the values, without names and separators, and it is valid for ever. So most queries here have a
//! correct checksum, although they are not what Front Payment sent.

use front_payment_bridge::order::SubmitReply;

use crate::support::documents::{example, hex_sha256};
use crate::support::scripted::{failed, invoiced, unknown};
use crate::support::test_bridge::TestBridge;

/// Front Payment's parameters in its own sequence.
type Parameters<'v> = [(&'v str, &'v str); 6];

fn parameters<'v>(order_uuid: &'v str, status: &'v str, amount: &'v str) -> Parameters<'v> {
    [
        ("orderUuid", order_uuid),
        ("status", status),
        ("paymentMethod", "Invoice"),
        ("amount", amount),
        ("createdAt", "1755764131"),
        ("timestamp", "1755764131"),
    ]
}

/// A query with the checksum of its values.
fn query(parameters: &[(&str, &str)]) -> String {
    let values: String = parameters.iter().map(|(_, value)| *value).collect();
    with_checksum(parameters, &checksum(&values))
}

fn with_checksum(parameters: &[(&str, &str)], checksum: &str) -> String {
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}&checksum={checksum}", pairs.join("&"))
}

fn checksum(values: &str) -> String {
    hex_sha256(&format!("{values}test-secret"))
}

/// An order of 40 kroner, with its bridge.
struct Case {
    bridge: TestBridge,
    order_id: String,
    token: String,
}

impl Case {
    async fn new(reply: SubmitReply) -> Self {
        let bridge = TestBridge::new().await;
        let (order_id, token) = bridge.place(reply).await;
        Self { bridge, order_id, token }
    }

    /// An order that is INVOICED, with the uuid ODR1.
    async fn invoiced() -> Self {
        Self::new(invoiced("ODR1")).await
    }

    async fn call(&self, query: &str) -> u16 {
        self.bridge.callback(&self.order_id, &self.token, query).await.status
    }

    /// The stored status, the number of entries in the history, and the number of status reads.
    async fn state(&self) -> (String, usize, usize) {
        let stored = self.bridge.stored(&self.order_id).await;
        (stored.status.name().to_owned(), stored.history.len(), self.bridge.provider().status_call_count())
    }

    /// Sends an unverified callback, and checks that the order gets the status that Front Payment tells when it is asked.
    async fn has_the_status_read(self, why: &str, query: &str) {
        self.bridge.provider().will_tell(Ok("RESERVED"));
        assert_eq!(self.call(query).await, 200, "{why}");
        assert_eq!(self.state().await, ("RESERVED".to_owned(), 2, 1), "{why}");
    }
}

#[tokio::test]
async fn a_callback_that_front_payment_signed_is_verified() {
    let case = Case::invoiced().await;
    assert_eq!(case.call(&query(&parameters("ODR1", "PAID", "40"))).await, 200);
    assert_eq!(case.state().await, ("PAID".to_owned(), 2, 0));
}

#[tokio::test]
async fn digits_moved_from_one_value_to_the_next() {
    for (amount, created_at) in [("401", "755764131"), ("4", "01755764131"), ("4017", "55764131")] {
        let mut moved = parameters("ODR1", "PAID", amount);
        moved[4].1 = created_at;
        Case::invoiced().await.has_the_status_read(amount, &query(&moved)).await;
    }
    // With letters moved into the uuid, the callback is about another uuid: it is noted and changes no status.
    let case = Case::invoiced().await;
    assert_eq!(case.call(&query(&parameters("ODR1PA", "ID", "40"))).await, 200);
    let stored = case.bridge.stored(&case.order_id).await;
    assert_eq!((stored.status.name(), stored.order_uuid.as_deref()), ("INVOICED", Some("ODR1")));
}

#[tokio::test]
async fn values_under_other_names() {
    let genuine = parameters("ODR1", "PAID", "40");
    let right = checksum("ODR1PAIDInvoice4017557641311755764131");
    let swapped = |first: usize, second: usize| {
        let mut swapped = genuine;
        (swapped[first].0, swapped[second].0) = (genuine[second].0, genuine[first].0);
        with_checksum(&swapped, &right)
    };
    for (first, second) in [(0, 1), (0, 3), (1, 3), (1, 4), (2, 3), (3, 4)] {
        let query = swapped(first, second);
        Case::invoiced().await.has_the_status_read(&query, &query).await;
    }
    // A payment method in place of the uuid is another uuid: the callback is noted and changes no status.
    let case = Case::invoiced().await;
    assert_eq!(case.call(&swapped(0, 2)).await, 200);
    assert_eq!(case.state().await, ("INVOICED".to_owned(), 2, 0));
    // A payment method in place of the status is an unknown word: it is noted, and the status is read.
    let case = Case::invoiced().await;
    case.bridge.provider().will_tell(Ok("RESERVED"));
    assert_eq!(case.call(&swapped(1, 2)).await, 200);
    assert_eq!(case.state().await, ("RESERVED".to_owned(), 3, 1));
}

#[tokio::test]
async fn extra_repeated_and_missing_parameters() {
    let genuine = parameters("ODR1", "PAID", "40");
    for extra in [("status", "PAID"), ("Status", "PAID"), ("status[]", "PAID"), ("extra", "1"), ("extra", ""), ("", "")] {
        for place in [0, 2, 6] {
            let mut parameters = genuine.to_vec();
            parameters.insert(place, extra);
            Case::invoiced().await.has_the_status_read(&format!("{extra:?} at {place}"), &query(&parameters)).await;
        }
    }
    let twice = format!("{}&checksum={}", query(&genuine), checksum("ODR1PAIDInvoice4017557641311755764131"));
    Case::invoiced().await.has_the_status_read("the checksum twice", &twice).await;
    for missing in 0..6 {
        let mut parameters = genuine.to_vec();
        parameters.remove(missing);
        Case::invoiced().await.has_the_status_read(genuine[missing].0, &query(&parameters)).await;
    }
}

#[tokio::test]
async fn repeated_callbacks() {
    let case = Case::invoiced().await;
    let callbacks = ["CHARGED", "PAID", "REFUNDED"].map(|word| query(&parameters("ODR1", word, "40")));
    case.bridge.provider().will_tell(Ok("REFUNDED")); // of a refund, the amount is read
    for query in callbacks.iter().chain(&callbacks).chain(callbacks.iter().rev()) {
        assert_eq!(case.call(query).await, 200);
    }
    assert_eq!(case.state().await, ("REFUNDED".to_owned(), 4, 1), "a repetition changes nothing");
    // The same after a status read that has lowered the rank.
    case.bridge.provider().will_tell(Ok("PAID"));
    assert_eq!(case.call("").await, 200);
    assert_eq!(case.call(&callbacks[2]).await, 200);
    assert_eq!(case.state().await, ("PAID".to_owned(), 5, 2));
}

#[tokio::test]
async fn the_callback_of_another_order() {
    // With another amount, it is unverified. With the same amount, Front Payment has the order twice.
    Case::invoiced().await.has_the_status_read("another amount", &query(&parameters("ODR2", "PAID", "41"))).await;
    let case = Case::invoiced().await;
    assert_eq!(case.call(&query(&parameters("ODR2", "PAID", "40"))).await, 200);
    assert_eq!(case.state().await, ("INVOICED".to_owned(), 2, 0));
    // The same callback at the URL of another order.
    let other = case.bridge.post(&example(), Some("key-2")).await.order_id();
    assert_eq!(case.bridge.callback(&other, &case.token, &query(&parameters("ODR1", "PAID", "40"))).await.status, 404);
    assert_eq!(case.bridge.status(&other).await, "SENT");
}

#[tokio::test]
async fn older_formulas_and_checksums_that_are_nearly_right() {
    let genuine = parameters("ODR1", "PAID", "40");
    let right = checksum("ODR1PAIDInvoice4017557641311755764131");
    for (why, checksum) in [
        ("the oldest formula", checksum("ODR1PAID1755764131")),
        ("the formula after it", checksum("ODR1PAID1755764131401755764131")),
        ("the parameters in the order of the documented table", checksum("ODR1PAID1755764131Invoice401755764131")),
        ("upper-case hex", right.to_uppercase()),
        ("one digit in upper case", right.replacen(|c: char| c.is_ascii_lowercase(), "A", 1)),
        ("without its last digit", right[..63].to_owned()),
        ("eight digits of it", right[..8].to_owned()),
        ("empty", String::new()),
        ("a space behind it", format!("{right}+")),
        ("a zero byte behind it", format!("{right}%00")),
        ("of the key alone", checksum("")),
        ("of another key", hex_sha256("ODR1PAIDInvoice4017557641311755764131test")),
    ] {
        Case::invoiced().await.has_the_status_read(why, &with_checksum(&genuine, &checksum)).await;
    }
}

#[tokio::test]
async fn an_order_without_a_uuid() {
    for (reply, status) in [(unknown as fn() -> _, "UNKNOWN"), (failed, "FAILED")] {
        // Without a uuid there is nothing to read the status of, so an unverified callback is refused.
        let mut moved = parameters("ODR7", "PAID", "401");
        moved[4].1 = "755764131";
        let genuine = parameters("ODR7", "PAID", "40");
        let mut swapped = genuine;
        (swapped[0].0, swapped[1].0) = (genuine[1].0, genuine[0].0);
        for query in [query(&moved), query(&swapped), with_checksum(&genuine, &checksum("ODR7PAID"))] {
            let case = Case::new(reply()).await;
            assert_eq!(case.call(&query).await, 403, "{query}");
            assert_eq!(case.state().await, (status.to_owned(), 1, 0), "{query}");
        }
        // A verified callback accepts the order.
        let case = Case::new(reply()).await;
        assert_eq!(case.call(&query(&genuine)).await, 200);
        let stored = case.bridge.stored(&case.order_id).await;
        assert_eq!((stored.status.name(), stored.order_uuid.as_deref()), ("PAID", Some("ODR7")));
    }
}
