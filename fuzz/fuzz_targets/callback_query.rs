//! Queries of callbacks, a line each: believed exactly when the contract says so, and then harmless
//! to a stored order whatever their number and order.
#![no_main]

use std::sync::LazyLock;

use front_payment_bridge::front_payment::callback::{SignedCallback, claimed_order_uuid};
use front_payment_bridge::order::{StoredOrder, Status, StatusCallback};
use front_payment_bridge::secrets::Redacted;
use front_payment_bridge_fuzz::callback::{NAMES, Said, parameters, said, signed};
use front_payment_bridge_fuzz::{NOW, RANKED, by_value, is_uuid, rank};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const KEY: &str = "test-secret";
const MAX_HISTORY: usize = 1_000;

/// Orders in every state that a callback may meet: each status, with the documented example's uuid,
/// with another, and with none.
static ORDERS: LazyLock<Vec<StoredOrder>> = LazyLock::new(|| {
    let own = ["SUBMITTING", "REJECTED", "FAILED", "UNKNOWN"];
    let without = own.map(|status| order(status, None, 0));
    let with = |uuid| RANKED.map(|status| order(status, Some(uuid), 1));
    without.into_iter().chain(with("ODR123")).chain(with("ODR4286244937")).collect()
});

/// One whose history takes no more.
static FULL: LazyLock<StoredOrder> = LazyLock::new(|| order("SENT", Some("ODR123"), MAX_HISTORY));

fn order(status: &str, order_uuid: Option<&str>, entries: usize) -> StoredOrder {
    let entry = |id| json!({"status": "SENT", "at": "2026-06-15T00:00:00Z", "source": "submit", "id": format!("{id}")});
    let details = |total: &str, reference: &str| {
        json!({"grandTotal": total, "referenceNo": reference, "shopCallbackUrl": "https://shop.example/",
            "customerType": "private", "preferredLanguage": "no", "country": "NO"})
    };
    let mut record = json!({
        "orderId": "0198c2f0-7e4a-7000-8000-000000000001", "version": 7, "status": status,
        "attempt": "0198c2f0-7e4a-7000-8000-000000000002", "attemptedAt": "2026-06-15T00:00:00Z", "shopId": "shop-a",
        "callbackToken": "token", "orderUuid": order_uuid, "earlierAttempts": [details("40", "earlier")],
        "createdAt": "2026-06-15T00:00:00Z", "updatedAt": "2026-06-15T00:00:00Z",
        "history": (0..entries).map(entry).collect::<Vec<_>>(),
        "bankIdUrl": (status == "SENT").then_some("https://bankid.example/"),
    });
    let (Value::Object(members), Value::Object(latest)) = (&mut record, details("100", "latest")) else { unreachable!() };
    members.extend(latest);
    serde_json::from_value(record).expect("a record")
}

fuzz_target!(|input: &[u8]| {
    let input = String::from_utf8_lossy(input);
    let mut believed = Vec::new();
    for line in input.lines().take(6) {
        let named = claimed_order_uuid(line);
        assert!(named.is_none_or(|uuid| is_uuid(&uuid)));
        judge(line);
        let query = signed(line, KEY);
        if let Some(callback) = judge(&query) {
            is_guarded(&query);
            believed.push(callback);
        }
    }
    for (callback, said) in &believed {
        ORDERS.iter().for_each(|order| is_applied(order, callback, said));
    }
    // A long history takes its time.
    if let [(callback, said)] = &believed[..] {
        is_applied(&FULL, callback, said);
    }
    any_order_ends_the_same(&believed.into_iter().map(|(callback, _)| callback).collect::<Vec<_>>());
});

/// Read exactly where the contract says so, and signed exactly where the formula says so.
fn judge(query: &str) -> Option<(StatusCallback, Said)> {
    let (read, said) = (SignedCallback::read(query), said(query));
    assert_eq!(read.is_some(), said.is_some(), "{query}");
    let (read, said) = read.zip(said)?;
    assert_eq!((&read.callback.order_uuid, read.callback.word.name()), (&said.order_uuid, said.word.as_str()), "{query}");
    assert_eq!(by_value(read.callback.amount.text()), by_value(&said.amount), "{query}");
    let checksum = |query: &str| parameters(query.as_bytes()).into_iter().find(|(name, _)| name == b"checksum");
    let is_right = checksum(query) == checksum(&signed(query, KEY));
    assert_eq!(read.is_signed_with(&Redacted::new(KEY)), is_right, "{query}");
    is_right.then_some((read.callback, said))
}

/// Whatever is done to a signed query, it is signed no more, or cannot be read.
fn is_guarded(query: &str) {
    let is_signed =
        |query: &str, key: &str| SignedCallback::read(query).is_some_and(|read| read.is_signed_with(&Redacted::new(key)));
    let (rest, checksum) = query.rsplit_once('=').expect("it ends with the checksum");
    assert!(!is_signed(query, "another-secret"));
    for forged in
        [&checksum[1..], &checksum[..63], "", &checksum.to_uppercase(), &format!("{checksum}0"), &format!("+{checksum}")]
    {
        // No letter in it: upper case is lower case.
        assert!(forged == checksum || !is_signed(&format!("{rest}={forged}"), KEY), "{forged}");
    }
    for more in ["x=1", "=", "x", "status", "amount=", "Status=PAID", "status%00=", "checksum[]="] {
        assert!(SignedCallback::read(&format!("{query}&{more}")).is_none(), "{more}");
        assert!(SignedCallback::read(&format!("{more}&{query}")).is_none(), "{more}");
    }
    for name in NAMES.iter().chain(&["checksum"]) {
        let again = signed(&format!("{query}&{name}=1"), KEY);
        assert!(*name == "checksum" || SignedCallback::read(&again).is_none(), "{name} twice");
        assert!(SignedCallback::read(&format!("{query}&{name}=1")).is_none(), "{name} twice");
    }
    // One more character in any value.
    for (place, _) in rest.match_indices('=') {
        assert!(!is_signed(&format!("{}=1{}", &query[..place], &query[place + 1..]), KEY), "at {place}");
    }
    assert!(SignedCallback::read(&format!("&&{query}&")).is_some(), "nothing between two & is no parameter");
}

/// What one callback does to one order.
fn is_applied(before: &StoredOrder, callback: &StatusCallback, said: &Said) {
    let now = Timestamp::from_second(NOW + 60).expect("a time");
    let Some(after) = before.apply_callback(callback, now) else {
        assert!(before.history.len() >= MAX_HISTORY, "not heard before, yet nothing to write");
        assert!(before.order_uuid.as_deref() != Some(&said.order_uuid) || rank(&said.word) <= rank(before.status.name()));
        return;
    };
    assert!(after.apply_callback(callback, now).is_none(), "twice is not once");
    let is_other = before.order_uuid.as_ref().is_some_and(|uuid| *uuid != said.order_uuid);
    let raised = if is_other { rank(before.status.name()) } else { rank(before.status.name()).max(rank(&said.word)) };
    // An order that is accepted is at least SENT.
    let raised = if is_other { raised } else { raised.max(1) };
    assert_eq!(rank(after.status.name()), raised, "{} and {}", before.status.name(), said.word);
    assert!(after.status >= before.status);
    assert_eq!(after.order_uuid.as_ref(), before.order_uuid.as_ref().or(Some(&said.order_uuid)));
    assert!(after.bank_id_url.is_none() || after.status == Status::Sent);
    assert_eq!((after.version, after.updated_at), (before.version + 1, now));

    let new = after.history.strip_prefix(before.history.as_slice()).expect("a history only grows");
    assert_eq!(new.len(), usize::from(before.history.len() < MAX_HISTORY));
    for entry in new {
        assert_eq!((entry.status.as_str(), entry.at, entry.id.as_ref()), (said.word.as_str(), now, Some(&callback.id)));
        assert_eq!(entry.other_order_uuid.as_ref(), is_other.then_some(&said.order_uuid));
    }
    // All else stays as it is, but for which attempt it is that exists.
    let is_recalled = before.order_uuid.is_none() && by_value(&said.amount) == by_value("40");
    let expected = if is_recalled { "earlier" } else { "latest" };
    assert_eq!(after.details.reference_no.as_deref(), Some(expected));
    let same = StoredOrder {
        status: before.status,
        version: before.version,
        updated_at: before.updated_at,
        order_uuid: before.order_uuid.clone(),
        bank_id_url: before.bank_id_url.clone(),
        history: before.history.clone(),
        details: before.details.clone(),
        earlier_attempts: before.earlier_attempts.clone(),
        ..*after
    };
    assert!(same == *before, "something else changed");
}

/// Callbacks of one order may come in any order, and any number of times.
fn any_order_ends_the_same(callbacks: &[StatusCallback]) {
    let now = Timestamp::from_second(NOW + 60).expect("a time");
    let end = |mut record: StoredOrder, callbacks: &mut dyn Iterator<Item = &StatusCallback>| {
        for callback in callbacks {
            record = record.apply_callback(callback, now).map_or(record, |next| *next);
        }
        record
    };
    let ended = |record: &StoredOrder| {
        let mut heard: Vec<_> = record.history.iter().map(|entry| (entry.status.clone(), entry.id.clone())).collect();
        heard.sort();
        (record.status, record.order_uuid.clone(), heard)
    };
    for order in ORDERS.iter().filter(|order| order.status == Status::Sent || order.status == Status::Captured) {
        let once = end(order.clone(), &mut callbacks.iter());
        let reversed = end(order.clone(), &mut callbacks.iter().rev());
        let thrice = end(once.clone(), &mut callbacks.iter().chain(callbacks.iter().rev()));
        assert!(ended(&once) == ended(&reversed), "the order of arrival decided");
        assert!(thrice == once, "a replay changed something");
    }
}
