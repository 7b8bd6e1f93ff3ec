//! Queries of callbacks, a line each: verified exactly when the contract says so, and then applied to stored orders of
//! every kind, one after the other, as the contract says.
#![no_main]

use std::sync::LazyLock;

use front_payment_bridge::front_payment::callback::{SignedCallback, claimed_order_uuid};
use front_payment_bridge::order::{NotificationState, Status, StatusCallback, StoredOrder};
use front_payment_bridge::secrets::Redacted;
use front_payment_bridge_fuzz::callback::{NAMES, Said, is_signed, said, signed};
use front_payment_bridge_fuzz::heard::{Body, after, has_amount};
use front_payment_bridge_fuzz::{NOW, RANKED, by_value, is_provider_id, rank};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const KEY: &str = "test-secret";
const MAX_HISTORY: usize = 1_000;
const UUID: &str = "ODR123";
const ATTEMPTS: [&str; 3] =
    ["0198c2f0-7e4a-7000-8000-00000000000a", "0198c2f0-7e4a-7000-8000-00000000000b", "0198c2f0-7e4a-7000-8000-00000000000c"];

/// Orders in every state in which a callback may find one: each status, with the documented example's uuid, with another,
/// and with none; and with earlier attempts of the same total and of another one.
static ORDERS: LazyLock<Vec<StoredOrder>> = LazyLock::new(|| {
    let own = ["SUBMITTING", "REJECTED", "FAILED", "UNKNOWN"];
    let earlier: [&[(&str, u32)]; 5] =
        [&[], &[("40", 1)], &[("100", 1), ("40", 0)], &[("100.00", 0), ("40", 2)], &[("40", 1), ("040.0", 1)]];
    let without = own.iter().flat_map(|status| earlier.map(|earlier| order(status, None, earlier, 0)));
    let with = |uuid| RANKED.map(|status| order(status, Some(uuid), &[("40", 1)], 1));
    without.chain(with(UUID)).chain(with("ODR4286244937")).collect()
});

/// One whose history takes no more.
static FULL: LazyLock<StoredOrder> = LazyLock::new(|| order("SENT", Some(UUID), &[], MAX_HISTORY));

fn order(status: &str, order_uuid: Option<&str>, earlier: &[(&str, u32)], entries: usize) -> StoredOrder {
    let entry = |id| json!({"status": "SENT", "at": "2026-06-15T00:00:00Z", "source": "submit", "id": format!("{id}")});
    let details = |total: &str, reference: &str| {
        json!({"grandTotal": total, "referenceNo": reference, "shopCallbackUrl": "https://shop.example/",
            "fingerprint": reference, "customerType": "private", "preferredLanguage": "no", "country": "NO"})
    };
    let attempt = |(index, (total, may_exist)): (usize, &(&str, u32))| {
        let mut attempt = details(total, &format!("earlier-{index}"));
        attempt["mayExist"] = json!(may_exist);
        attempt["attempt"] = json!(ATTEMPTS[index]);
        attempt
    };
    let mut order = json!({
        "orderId": "0198c2f0-7e4a-7000-8000-000000000001", "version": 7, "status": status, "attempt": ATTEMPTS[2],
        "attemptedAt": "2026-06-15T00:00:00Z", "mayExist": status != "REJECTED", "shopId": "shop-a",
        "callbackToken": "token", "orderUuid": order_uuid, "customerUuid": order_uuid.map(|_| "CSRT1"),
        "earlierAttempts": earlier.iter().enumerate().map(attempt).collect::<Vec<_>>(),
        "createdAt": "2026-06-15T00:00:00Z", "updatedAt": "2026-06-15T00:00:00Z",
        "history": (0..entries).map(entry).collect::<Vec<_>>(),
        "bankIdUrl": (status == "SENT").then_some("https://bankid.example/"),
    });
    let (Value::Object(members), Value::Object(latest)) = (&mut order, details("100", "latest")) else { unreachable!() };
    members.extend(latest);
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
    for order in ORDERS.iter() {
        let mut order = order.clone();
        for (callback, said) in &verified {
            // Of another amount, the callback is not verified.
            if has_amount(&order, &said.amount) {
                order = apply(order, callback, said);
            }
        }
    }
    // A long history takes its time.
    if let [(callback, said)] = &verified[..]
        && has_amount(&FULL, &said.amount)
    {
        apply(FULL.clone(), callback, said);
    }
    any_order_ends_the_same(&verified.into_iter().map(|(callback, _)| callback).collect::<Vec<_>>());
});

/// Read exactly where the contract says so, and signed exactly where the formula says so.
fn judge(query: &str) -> Option<(StatusCallback, Said)> {
    let (read, said) = (SignedCallback::read(query), said(query));
    assert_eq!(read.is_some(), said.is_some(), "{query}");
    let (read, said) = read.zip(said)?;
    let callback = &read.callback;
    assert_eq!((&callback.order_uuid, callback.word.name()), (&said.order_uuid, said.word.as_str()), "{query}");
    assert_eq!(by_value(callback.amount.text()), by_value(&said.amount), "{query}");
    assert_eq!(callback.payment_method, said.payment_method, "{query}");
    let is_right = is_signed(query, KEY);
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
        // Without a letter, upper case is lower case.
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

/// What one verified callback does to one order.
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
    let of = |order: &StoredOrder| (order.details.reference_no.clone(), order.details.fingerprint.clone());
    match expected.body {
        Body::AsBefore => assert_eq!(of(&next), of(&before)),
        Body::Of(details) => assert_eq!(of(&next), (details.reference_no.clone(), details.fingerprint.clone())),
        Body::Unsure(details) => assert_eq!(of(&next), (details.reference_no.clone(), None)),
        Body::Open => {}
    }

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
        // How the order was paid that made way says nothing of the one that lives.
        (_, true) => assert!(paid(&next).is_empty() || (is_own && paid(&next) == said.payment_method)),
        (false, false) => assert_eq!(paid(&next), paid(&before)),
    }
    assert!(!is_own || next.not_found_at.is_none());
    let is_doubtful = is_own && rank(&said.word) < rank(next.status.name());
    assert_eq!(next.doubted_at, if is_doubtful { Some(now) } else { before.doubted_at }, "{}", said.word);
    let all_else = StoredOrder {
        status: before.status,
        version: before.version,
        updated_at: before.updated_at,
        order_uuid: before.order_uuid.clone(),
        customer_uuid: before.customer_uuid.clone(),
        bank_id_url: before.bank_id_url.clone(),
        history: before.history.clone(),
        details: before.details.clone(),
        earlier_attempts: before.earlier_attempts.clone(),
        payment_method: before.payment_method.clone(),
        not_found_at: before.not_found_at,
        doubted_at: before.doubted_at,
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
    // Every attempt is still known.
    let ids = |order: &StoredOrder| order.earlier_attempts.iter().filter_map(|one| one.attempt).collect::<Vec<_>>();
    assert!(ids(before).iter().all(|id| ids(next).contains(id)), "an attempt is lost");
}

/// Each change of the status of an accepted order is to be told to the shop.
fn is_to_be_told(before: &StoredOrder, next: &StoredOrder) {
    let change = |order: &StoredOrder| order.notifications.as_ref().map_or(0, |all| all.change);
    let is_change = next.order_uuid.is_some() && (next.status != before.status || before.order_uuid.is_none());
    assert_eq!(change(next), change(before) + u64::from(is_change));
    assert!(!is_change || next.notifications.as_ref().is_some_and(|all| all.state() == NotificationState::Pending));
}

/// Callbacks about one order of Front Payment's may come in any order, and any number of times.
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
        let is_one = callbacks.iter().all(|callback| is_own(&callback.order_uuid) && order.has_attempt_of(&callback.amount));
        if is_one && callbacks.len() > 1 && order.order_uuid.as_ref().is_none_or(is_own) {
            let reversed = end(order.clone(), &mut callbacks.iter().rev());
            assert!(ended(&once) == ended(&reversed), "the order of arrival decided");
        }
    }
}
