//! The checksum is weak by construction: it signs bare values, without their names and with nothing
//! between them, for ever. Each weakness, with a checksum that holds by Front Payment's formula wherever
//! the weakness lies in the formula, and what refuses it.

use front_payment_bridge::front_payment::SubmitReply;
use sha2::{Digest, Sha256};

use crate::support::scripted::created;
use crate::support::{TestBridge, example};

/// Front Payment's parameters in its own order, with the checksum of their values.
fn query(parameters: &[(&str, &str)]) -> String {
    let values: String = parameters.iter().map(|(_, value)| *value).collect();
    with_checksum(parameters, &checksum(&values))
}

fn with_checksum(parameters: &[(&str, &str)], checksum: &str) -> String {
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}&checksum={checksum}", pairs.join("&"))
}

/// Over some values and the secretKey.
fn checksum(values: &str) -> String {
    Sha256::digest(format!("{values}test-secret")).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn callback<'v>(order_uuid: &'v str, status: &'v str, amount: &'v str) -> [(&'v str, &'v str); 6] {
    [
        ("orderUuid", order_uuid),
        ("status", status),
        ("paymentMethod", "Invoice"),
        ("amount", amount),
        ("createdAt", "1755764131"),
        ("timestamp", "1755764131"),
    ]
}

struct Case {
    bench: TestBridge,
    order_id: String,
    token: String,
}

impl Case {
    /// An order of 40 kroner: as Front Payment answered, or INVOICED as ODR1.
    async fn new(answer: SubmitReply) -> Self {
        let bench = TestBridge::new().await;
        bench.provider().will_answer(answer);
        let order_id = bench.post(&example(), Some("key-1")).await.body["orderId"].as_str().unwrap().to_owned();
        let token = bench.stored(&order_id).await.callback_token;
        Self { bench, order_id, token }
    }

    async fn invoiced() -> Self {
        Self::new(created("ODR1", None)).await
    }

    async fn call(&self, query: &str) -> u16 {
        self.bench.callback(&self.order_id, &self.token, query).await.status
    }

    /// Status, entries in the history, and how often Front Payment was asked.
    async fn stands(&self) -> (String, usize, usize) {
        let stored = self.bench.stored(&self.order_id).await;
        (stored.status.name().to_owned(), stored.history.len(), self.bench.provider().asked_for_status())
    }

    /// Not believed: the status is what Front Payment tells.
    async fn ends_in_a_reading(self, why: &str, query: &str) {
        self.bench.provider().will_tell(Ok("RESERVED"));
        assert_eq!(self.call(query).await, 200, "{why}");
        assert_eq!(self.stands().await, ("RESERVED".to_owned(), 2, 1), "{why}");
    }
}

#[tokio::test]
async fn what_front_payment_signs_is_believed() {
    let case = Case::invoiced().await;
    assert_eq!(case.call(&query(&callback("ODR1", "PAID", "40"))).await, 200);
    assert_eq!(case.stands().await, ("PAID".to_owned(), 2, 0));
}

#[tokio::test]
async fn digits_shifted_from_a_value_to_the_next() {
    for (amount, created_at) in [("401", "755764131"), ("4", "01755764131"), ("4017", "55764131")] {
        let mut shifted = callback("ODR1", "PAID", amount);
        shifted[4].1 = created_at;
        Case::invoiced().await.ends_in_a_reading(amount, &query(&shifted)).await;
    }
    let into_the_uuid = [("orderUuid", "ODR1PA"), ("status", "ID")];
    let shifted = query(&[&into_the_uuid, &callback("", "", "40")[2..]].concat());
    let case = Case::invoiced().await;
    assert_eq!(case.call(&shifted).await, 200);
    let stored = case.bench.stored(&case.order_id).await;
    assert_eq!((stored.status.name(), stored.order_uuid.as_deref()), ("INVOICED", Some("ODR1")), "another order's, at most");
}

#[tokio::test]
async fn values_moved_to_other_names() {
    let genuine = callback("ODR1", "PAID", "40");
    let holds = checksum("ODR1PAIDInvoice4017557641311755764131");
    for (first, second) in [(0, 1), (0, 3), (1, 3), (1, 4), (2, 3), (3, 4)] {
        let mut moved = genuine;
        (moved[first].0, moved[second].0) = (genuine[second].0, genuine[first].0);
        Case::invoiced().await.ends_in_a_reading(&format!("{moved:?}"), &with_checksum(&moved, &holds)).await;
    }
    // A uuid that is a payment method's name is another order's, at most.
    let mut moved = genuine;
    (moved[0].0, moved[2].0) = (genuine[2].0, genuine[0].0);
    let case = Case::invoiced().await;
    assert_eq!(case.call(&with_checksum(&moved, &holds)).await, 200);
    assert_eq!(case.stands().await, ("INVOICED".to_owned(), 2, 0));
    // A status that is a payment method's name is no word that is known: it is noted, and Front Payment is asked.
    let mut moved = genuine;
    (moved[1].0, moved[2].0) = (genuine[2].0, genuine[1].0);
    let case = Case::invoiced().await;
    case.bench.provider().will_tell(Ok("RESERVED"));
    assert_eq!(case.call(&with_checksum(&moved, &holds)).await, 200);
    assert_eq!(case.stands().await, ("RESERVED".to_owned(), 3, 1));
}

#[tokio::test]
async fn extra_and_repeated_parameters() {
    let genuine = callback("ODR1", "RESERVED", "40");
    for extra in [("status", "PAID"), ("Status", "PAID"), ("status[]", "PAID"), ("extra", "1"), ("extra", ""), ("", "")] {
        for place in [0, 2, 6] {
            let mut parameters = genuine.to_vec();
            parameters.insert(place, extra);
            Case::invoiced().await.ends_in_a_reading(&format!("{extra:?} at {place}"), &query(&parameters)).await;
        }
    }
    let twice = format!("{}&checksum={}", query(&genuine), checksum("ODR1RESERVEDInvoice4017557641311755764131"));
    Case::invoiced().await.ends_in_a_reading("the checksum twice", &twice).await;
    for missing in 0..6 {
        let mut parameters = genuine.to_vec();
        parameters.remove(missing);
        Case::invoiced().await.ends_in_a_reading(genuine[missing].0, &query(&parameters)).await;
    }
}

#[tokio::test]
async fn a_replay() {
    let case = Case::invoiced().await;
    let callbacks = ["RESERVED", "PAID", "REFUNDED"].map(|word| query(&callback("ODR1", word, "40")));
    for query in callbacks.iter().chain(&callbacks).chain(callbacks.iter().rev()) {
        assert_eq!(case.call(query).await, 200);
    }
    assert_eq!(case.stands().await, ("REFUNDED".to_owned(), 4, 0), "a replay neither lowers the status nor is it noted");
    // Also after Front Payment was asked, and told a lower one.
    case.bench.provider().will_tell(Ok("PAID"));
    assert_eq!(case.call("").await, 200);
    assert_eq!(case.call(&callbacks[2]).await, 200);
    assert_eq!(case.stands().await.0, "PAID");
}

#[tokio::test]
async fn another_orders_valid_callback() {
    // Of another amount: asked about. Of the same: an order that Front Payment has twice, and nothing else.
    Case::invoiced().await.ends_in_a_reading("another amount", &query(&callback("ODR2", "PAID", "41"))).await;
    let case = Case::invoiced().await;
    assert_eq!(case.call(&query(&callback("ODR2", "PAID", "40"))).await, 200);
    assert_eq!(case.stands().await, ("INVOICED".to_owned(), 2, 0));
    // At a URL that is not its own.
    let other = case.bench.post(&example(), Some("key-2")).await.body["orderId"].as_str().unwrap().to_owned();
    assert_eq!(case.bench.callback(&other, &case.token, &query(&callback("ODR1", "PAID", "40"))).await.status, 404);
    assert_eq!(case.bench.status(&other).await, "SENT");
}

#[tokio::test]
async fn older_formulas_and_checksums_that_are_almost_right() {
    let genuine = callback("ODR1", "PAID", "40");
    let right = checksum("ODR1PAIDInvoice4017557641311755764131");
    for (why, checksum) in [
        ("the oldest formula", checksum("ODR1PAID1755764131")),
        ("the one after it", checksum("ODR1PAID1755764131401755764131")),
        ("the parameters in the order of the documented table", checksum("ODR1PAID1755764131Invoice401755764131")),
        ("upper-case hex", right.to_uppercase()),
        ("one digit in upper case", right.replacen(|c: char| c.is_ascii_lowercase(), "A", 1)),
        ("truncated", right[..63].to_owned()),
        ("truncated to a prefix", right[..8].to_owned()),
        ("empty", String::new()),
        ("a space behind it", format!("{right}+")),
        ("a zero byte behind it", format!("{right}%00")),
        ("of nothing but the key", checksum("")),
        (
            "of another key",
            Sha256::digest("ODR1PAIDInvoice4017557641311755764131test").iter().map(|b| format!("{b:02x}")).collect(),
        ),
    ] {
        Case::invoiced().await.ends_in_a_reading(why, &with_checksum(&genuine, &checksum)).await;
    }
}

#[tokio::test]
async fn an_order_whose_uuid_is_not_known_yet() {
    for answer in [|| SubmitReply::Unknown, || SubmitReply::Failed { unproven: true }] {
        let status = if matches!(answer(), SubmitReply::Unknown) { "UNKNOWN" } else { "FAILED" };
        // There is nothing to ask for: what is not believed is refused.
        let mut shifted = callback("ODR7", "PAID", "401");
        shifted[4].1 = "755764131";
        let genuine = callback("ODR7", "PAID", "40");
        let mut moved = genuine;
        (moved[0].0, moved[1].0) = (genuine[1].0, genuine[0].0);
        for query in [query(&shifted), query(&moved), with_checksum(&genuine, &checksum("ODR7PAID"))] {
            let case = Case::new(answer()).await;
            assert_eq!(case.call(&query).await, 403, "{query}");
            assert_eq!(case.stands().await, (status.to_owned(), 1, 0), "{query}");
        }
        // A good one accepts it.
        let case = Case::new(answer()).await;
        assert_eq!(case.call(&query(&genuine)).await, 200);
        let stored = case.bench.stored(&case.order_id).await;
        assert_eq!((stored.status.name(), stored.order_uuid.as_deref()), ("PAID", Some("ODR7")));
    }
}
