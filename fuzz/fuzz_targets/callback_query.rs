//! An input is one callback query in each line. A query must be verified exactly when docs/api.md says so. Verified
//! callbacks are then applied, one after the other, to stored orders in every state.
#![no_main]

use std::sync::LazyLock;

use front_payment_bridge::front_payment::callback::{SignedCallback, claimed_order_uuid};
use front_payment_bridge::order::{NotificationState, Status, StatusCallback, StoredOrder};
use front_payment_bridge::secrets::Redacted;
use front_payment_bridge_fuzz::callback::{NAMES, Said, is_signed, said, signed};
use front_payment_bridge_fuzz::heard::{after, has_amount, is_reason_to_ask};
use front_payment_bridge_fuzz::{NOW, RANKED, by_value, is_provider_id, rank};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const KEY: &str = "test-secret";
const MAX_HISTORY: usize = 1_000;
const UUID: &str = "ODR123";
const ATTEMPT: &str = "0198c2f0-7e4a-7000-8000-00000000000b";
const EARLIER: &str = "0198c2f0-7e4a-7000-8000-00000000000a";

/// Orders in every state in which a callback can find one: each status, with the uuid of the documented example, with
/// another uuid, and without one.
static ORDERS: LazyLock<Vec<StoredOrder>> = LazyLock::new(|| {
    let without = ["SUBMITTING", "REJECTED", "FAILED", "UNKNOWN"].map(|status| order(status, None, json!([])));
    let with = |uuid| RANKED.map(|status| order(status, Some(uuid), json!([entry("SENT", "submit", ATTEMPT, uuid)])));
    without.into_iter().chain(with(UUID)).chain(with("ODR4286244937")).collect()
});

/// Orders for which Front Payment has several uuids, an order that the shop has cancelled, and one that the operator has
/// replaced.
static TWICE: LazyLock<Vec<StoredOrder>> = LazyLock::new(|| {
    let others = json!([
        entry("SENT", "submit", EARLIER, "ODR5"),
        entry("PAID", "callback", "1", "ODR6"),
        entry("RESERVED", "submit", ATTEMPT, "ODR7"),
        entry("PAID", "provider", "2", "ODR7"),
        entry("SENT", "operator", "3", "ODR9"),
    ]);
    let states = [("FAILED", None), ("UNKNOWN", None), ("SENT", Some(UUID)), ("CANCELLED", Some(UUID)), ("PAID", Some("ODR6"))];
    let twice = states.map(|(status, uuid)| order(status, uuid, others.clone()));
    let asked = json!([entry("SENT", "submit", ATTEMPT, UUID), entry("CANCEL_REQUESTED", "shop", "4", UUID)]);
    let mut called_off = order("SENT", Some(UUID), asked);
    called_off.cancel_requested_at = Some(called_off.updated_at);
    let mut replaced = order("EXPIRED", Some("ODR9"), others.clone());
    replaced.replaced_uuids = vec!["ODR6".to_owned(), UUID.to_owned()];
    twice.into_iter().chain([called_off, replaced]).collect()
});

/// An order whose history is full.
static FULL: LazyLock<StoredOrder> =
    LazyLock::new(|| order("SENT", Some(UUID), json!(vec![entry("SENT", "submit", ATTEMPT, UUID); MAX_HISTORY])));

fn entry(status: &str, source: &str, id: &str, order_uuid: &str) -> Value {
    json!({"status": status, "at": "2026-06-15T00:00:00Z", "source": source, "id": id, "orderUuid": order_uuid})
}

fn order(status: &str, order_uuid: Option<&str>, history: Value) -> StoredOrder {
    let since = "2026-06-15T00:00:00Z";
    let order = json!({
        "orderId": "0198c2f0-7e4a-7000-8000-000000000001", "version": 7, "status": status, "attempt": ATTEMPT,
        "attemptedAt": since, "shopId": "shop-a", "callbackToken": "token", "orderUuid": order_uuid,
        "customerUuid": order_uuid.map(|_| "CSRT1"), "bankIdUrl": (status == "SENT").then_some("https://bankid.example/"),
        "grandTotal": "100", "referenceNo": "1001", "shopCallbackUrl": "https://shop.example/", "fingerprint": "fingerprint",
        "customerType": "private", "preferredLanguage": "no", "country": "NO", "createdAt": since, "updatedAt": since,
        "refundedAmount": order_uuid.map(|_| "10"), "history": history,
    });
    serde_json::from_value(order).expect("a stored order")
}

fuzz_target!(|input: &[u8]| {
    let input = String::from_utf8_lossy(input);
    let mut verified = Vec::new();
    for line in input.lines().take(6) {
        let named = claimed_order_uuid(line);
        assert!(named.is_none_or(|uuid| is_provider_id(&uuid)));
        judge(line);
        let query = signed(line, KEY);
        if let Some(callback) = judge(&query) {
            is_guarded(&query);
            verified.push(callback);
        }
    }
    // A callback with another amount than the order's is not verified.
    verified.retain(|(_, said)| has_amount(&FULL, &said.amount));
    for order in ORDERS.iter().chain(TWICE.iter()) {
        verified.iter().fold(order.clone(), |order, (callback, said)| apply(order, callback, said));
    }
    // Only for one callback, because a full history makes each one slow.
    if let [(callback, said)] = &verified[..] {
        apply(FULL.clone(), callback, said);
    }
    any_order_ends_the_same(&verified.into_iter().map(|(callback, _)| callback).collect::<Vec<_>>());
});

/// Whether a query can be read must agree with docs/api.md, and whether it is signed with the documented formula.
fn judge(query: &str) -> Option<(StatusCallback, Said)> {
    let (read, said) = (SignedCallback::read(query), said(query));
    assert_eq!(read.is_some(), said.is_some(), "{query}");
    let (read, said) = read.zip(said)?;
    let callback = &read.callback;
    assert_eq!((&callback.order_uuid, callback.word.name()), (&said.order_uuid, said.word.as_str()), "{query}");
    assert_eq!(by_value(callback.amount.text()), by_value(&said.amount), "{query}");
    assert_eq!(callback.payment_method, said.payment_method, "{query}");
    assert!(FULL.has_total(&callback.amount) == has_amount(&FULL, &said.amount), "{query}");
    let is_right = is_signed(query, KEY);
    assert_eq!(read.is_signed_with(&Redacted::new(KEY)), is_right, "{query}");
    is_right.then_some((read.callback, said))
}

/// After any change, a signed query is either no longer signed or cannot be read.
fn is_guarded(query: &str) {
    let is_signed =
        |query: &str, key: &str| SignedCallback::read(query).is_some_and(|read| read.is_signed_with(&Redacted::new(key)));
    let (rest, checksum) = query.rsplit_once('=').expect("it ends with the checksum");
    assert!(!is_signed(query, "another-secret"));
    for changed in
        [&checksum[1..], &checksum[..63], "", &checksum.to_uppercase(), &format!("{checksum}0"), &format!("+{checksum}")]
    {
        // A checksum without letters stays the same in upper case.
        assert!(changed == checksum || !is_signed(&format!("{rest}={changed}"), KEY), "{changed}");
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
    // A value that is one character longer.
    for (place, _) in rest.match_indices('=') {
        assert!(!is_signed(&format!("{}=1{}", &query[..place], &query[place + 1..]), KEY), "at {place}");
    }
    assert!(SignedCallback::read(&format!("&&{query}&")).is_some(), "nothing between two & is no parameter");
}

/// Applies a verified callback to an order, and checks everything that it changed.
fn apply(before: StoredOrder, callback: &StatusCallback, said: &Said) -> StoredOrder {
    let now = Timestamp::from_second(NOW + 60).expect("a time");
    let expected = after(&before, said);
    let is_known = before.history.iter().any(|entry| entry.id.as_ref() == Some(&callback.id));
    let Some(next) = before.apply_callback(callback, now) else {
        let is_full = before.history.len() >= MAX_HISTORY;
        let is_news = expected.rank != rank(before.status.name()) || expected.order_uuid != before.order_uuid.as_deref();
        assert!(is_known || (is_full && !is_news), "not heard before, yet nothing to write");
        return before;
    };
    assert!(!is_known, "heard before");
    assert_eq!(next.order_uuid.as_deref(), expected.order_uuid, "{} and {}", before.status.name(), said.word);
    assert_eq!(rank(next.status.name()), expected.rank, "{} and {}", before.status.name(), said.word);
    assert!(expected.rank > 0 || next.status == before.status);
    let is_same_uuid = next.order_uuid == before.order_uuid;
    assert!(next.bank_id_url.is_none() || (next.status == Status::Sent && is_same_uuid));
    assert_eq!(next.customer_uuid, before.customer_uuid.clone().filter(|_| is_same_uuid));
    assert_eq!((next.version, next.updated_at), (before.version + 1, now));
    is_noted(&before, &next, callback, said);
    is_to_be_told(&before, &next);

    let is_own = next.order_uuid.as_ref() == Some(&said.order_uuid);
    let is_another = before.order_uuid.is_some() && !is_same_uuid;
    let paid = |order: &StoredOrder| order.payment_method.clone().unwrap_or_default();
    match (is_own, is_another) {
        (true, false) => assert_eq!(paid(&next), said.payment_method),
        // A payment method belongs to a uuid: if the order becomes another uuid, it does not keep the old method.
        (_, true) => assert!(paid(&next).is_empty() || (is_own && paid(&next) == said.payment_method)),
        (false, false) => assert_eq!(paid(&next), paid(&before)),
    }
    // These belong to the uuid, so an order that becomes another uuid loses them, like a new order.
    let its = if is_same_uuid { &before } else { &ORDERS[0] };
    let reason = if is_reason_to_ask(said, &expected) { Some(now) } else { its.reason_since };
    assert_eq!(next.reason_since, reason, "{} and {}", before.status.name(), said.word);
    assert_eq!(next.not_found, its.not_found.clone().filter(|_| !is_own));
    assert_eq!((&next.refunded_amount, next.cancel_requested_at), (&its.refunded_amount, its.cancel_requested_at));
    let all_else = StoredOrder {
        status: before.status,
        version: before.version,
        updated_at: before.updated_at,
        checked_at: before.checked_at,
        order_uuid: before.order_uuid.clone(),
        customer_uuid: before.customer_uuid.clone(),
        bank_id_url: before.bank_id_url.clone(),
        history: before.history.clone(),
        payment_method: before.payment_method.clone(),
        not_found: before.not_found.clone(),
        reason_since: before.reason_since,
        refunded_amount: before.refunded_amount.clone(),
        cancel_requested_at: before.cancel_requested_at,
        notifications: before.notifications.clone(),
        ..(*next).clone()
    };
    assert!(all_else == before, "something else changed");
    *next
}

fn is_noted(before: &StoredOrder, next: &StoredOrder, callback: &StatusCallback, said: &Said) {
    let new = next.history.strip_prefix(before.history.as_slice()).expect("a history only grows");
    assert_eq!(new.len(), usize::from(before.history.len() < MAX_HISTORY));
    for entry in new {
        assert_eq!((entry.status.as_str(), entry.at), (said.word.as_str(), next.updated_at));
        assert_eq!((entry.id.as_ref(), entry.order_uuid.as_ref()), (Some(&callback.id), Some(&said.order_uuid)));
    }
}

/// If an accepted order changes its status or its uuid, the shop is to be told.
fn is_to_be_told(before: &StoredOrder, next: &StoredOrder) {
    let change = |order: &StoredOrder| order.notifications.as_ref().map_or(0, |all| all.change);
    let is_change = (&next.order_uuid, next.status) != (&before.order_uuid, before.status) && next.order_uuid.is_some();
    assert_eq!(change(next), change(before) + u64::from(is_change));
    assert!(!is_change || next.notifications.as_ref().is_some_and(|all| all.state == NotificationState::Pending));
}

/// Callbacks about one uuid lead to the same order, in whatever sequence they come and however often they are repeated.
fn any_order_ends_the_same(callbacks: &[StatusCallback]) {
    let now = Timestamp::from_second(NOW + 60).expect("a time");
    let end = |mut order: StoredOrder, callbacks: &mut dyn Iterator<Item = &StatusCallback>| {
        for callback in callbacks {
            order = order.apply_callback(callback, now).map_or(order, |next| *next);
        }
        order
    };
    let ended = |order: &StoredOrder| {
        let mut heard: Vec<_> = order.history.iter().map(|entry| (entry.status.clone(), entry.id.clone())).collect();
        heard.sort();
        (order.status, order.order_uuid.clone(), heard)
    };
    for order in ORDERS.iter() {
        let once = end(order.clone(), &mut callbacks.iter());
        let thrice = end(once.clone(), &mut callbacks.iter().chain(callbacks.iter().rev()));
        assert!(thrice == once, "a repetition changed something");
        let is_own = |uuid: &String| *uuid == callbacks[0].order_uuid;
        let is_one = callbacks.iter().all(|callback| is_own(&callback.order_uuid));
        if is_one && callbacks.len() > 1 && order.order_uuid.as_ref().is_none_or(is_own) {
            let reversed = end(order.clone(), &mut callbacks.iter().rev());
            assert!(ended(&once) == ended(&reversed), "the order of arrival decided");
        }
    }
}
