mod cancellation;
mod derived;
mod identity;
mod notifications;
mod operator;
mod reconciliation;
mod status_changes;
mod submission;

use serde_json::{Value, json};

use jiff::SignedDuration;

use super::*;
use crate::order::{CreatedOrder, StatusWord, SubmitReply};

const ATTEMPT: Uuid = Uuid::from_u128(1);
const OTHER_ATTEMPT: Uuid = Uuid::from_u128(2);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_781_481_600 + second).unwrap()
}

/// An order of 40 kroner, claimed at second 0 by `ATTEMPT`.
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

fn created(uuid: &str, bank_id_url: Option<&str>) -> SubmitReply {
    SubmitReply::Created(CreatedOrder {
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

fn settled(record: &StoredOrder, result: &SubmitReply) -> Option<Box<StoredOrder>> {
    record.record_result(ATTEMPT, result, at(9))
}

/// `expiresAt` for a retention period.
fn expiry(order: &StoredOrder, retention: SignedDuration) -> Option<i64> {
    let mut order = order.clone();
    order.derive(Some(retention));
    order.expires_at
}

/// The answer to a status read, without amounts.
fn told(word: &str) -> StatusRead {
    StatusRead { word: StatusWord::read(word), order_amount: None, refunded_amount: None }
}

fn told_refunded(word: &str, refunded: &str) -> StatusRead {
    StatusRead { refunded_amount: Some(Decimal::parse(refunded).unwrap()), ..told(word) }
}

/// The history, as `STATUS source` in lower case.
fn history(record: &StoredOrder) -> Vec<String> {
    record.history.iter().map(|entry| format!("{} {:?}", entry.status, entry.source).to_lowercase()).collect()
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
            "changedAt",
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
    assert_eq!(stored["history"], json!([{"status": "PAID", "at": at(9), "source": "callback", "id": "a", "orderUuid": "ODR2"}]));
    assert_eq!(stored["updatedAt"], Value::from("2026-06-15T00:00:09Z"));
    assert!(serde_json::from_value::<StoredOrder>(stored).unwrap() == *record);
}

#[test]
fn every_change_raises_the_version_by_one() {
    let next_versions = |start: &StoredOrder| {
        let submitting = StoredOrder { attempted_at: at(-100), ..start.clone() };
        let results = [
            created("ODR1", None),
            created("ODR2", None),
            SubmitReply::Rejected(Vec::new()),
            SubmitReply::Failed,
            SubmitReply::Unknown,
        ];
        let mut next: Vec<Option<Box<StoredOrder>>> = Status::OF_THE_PROVIDER
            .iter()
            .flat_map(|status| ["ODR1", "ODR2"].map(|uuid| start.apply_callback(&callback(uuid, status.name(), "a"), at(1))))
            .collect();
        next.extend(results.iter().map(|result| start.record_result(ATTEMPT, result, at(1))));
        next.push(submitting.end_stale_attempt(at(1)));
        next.push(Some(start.apply_status_read(&told("PAID"), at(1))));
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
