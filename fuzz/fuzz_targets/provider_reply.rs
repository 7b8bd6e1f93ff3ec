//! An input is one of Front Payment's replies: the HTTP status in the first line, then the body. Each must be classified as
//! docs/api.md says, and nothing that cannot be stored may be taken from it.
#![no_main]

use front_payment_bridge::front_payment::{CancelReply, StatusError, read_cancel, read_status, read_submit};
use front_payment_bridge::order::{CreatedOrder, Decimal, Status, StatusWord, SubmitReply, Violation};
use front_payment_bridge_fuzz::{by_value, code, is_plain_decimal, is_pointer, is_provider_id, rank, significant_digits};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const MAX_LINK_BYTES: usize = 8_192;
const MAX_ERRORS: usize = 1_000;
const OUR_ORDER: &str = "ODR4286244937";

/// The members of an order, by the provider's page, that an error sentence can name.
const MEMBERS: [&str; 38] = [
    "products",
    "name",
    "productId",
    "quantity",
    "rate",
    "discount",
    "tax",
    "amount",
    "orderSummary",
    "subTotal",
    "totalTax",
    "totalDiscount",
    "grandTotal",
    "orderDate",
    "customerDetails",
    "type",
    "countryCode",
    "msisdn",
    "email",
    "preferredLanguage",
    "personalNumber",
    "organizationId",
    "address",
    "street",
    "zip",
    "city",
    "country",
    "referenceNo",
    "customerReference",
    "invoiceInterval",
    "separateInvoices",
    "invoiceFeeApplicable",
    "invoiceMaturity",
    "callback",
    "callbackUrl",
    "success",
    "failure",
    "settings",
];

fuzz_target!(|input: &[u8]| {
    let line_end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (line, body) = (&input[..line_end], input.get(line_end + 1..).unwrap_or_default());
    let Some(http_status) = std::str::from_utf8(line).ok().and_then(|line| line.trim().parse::<u16>().ok()) else { return };
    // A link longer than any input, to reach the limit of a link's length.
    let body = match std::str::from_utf8(body) {
        Ok(text) => text.replace("{long}", &"a".repeat(MAX_LINK_BYTES - 20)).into_bytes(),
        Err(_) => body.to_vec(),
    };
    let json: Option<Value> = serde_json::from_slice(body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&body)).ok();
    for trusted in [&[][..], &[500], &[510], &[510, 500]] {
        submit(http_status, &body, json.as_ref(), trusted);
    }
    cancel(http_status, &body, json.as_ref());
    status(http_status, &body, json.as_ref());
});

fn submit(http_status: u16, body: &[u8], json: Option<&Value>, trusted: &[u16]) {
    let data = json.and_then(|json| json.get("data"));
    let member = |name: &str| data.and_then(|data| data.get(name)).and_then(Value::as_str);
    let own = json.filter(|json| json.get("status_code").is_some());
    let errors = own.and_then(|own| own.get("errors")).filter(|errors| !errors.is_null());
    let expected = match http_status {
        200..300 if member("orderUuid").is_some_and(is_provider_id) => "created",
        401 => "unauthorized",
        429 | 503 => "unavailable",
        417 => "refused",
        400..500 if errors.is_some() => "refused",
        400..500 | 300..=303 | 307 | 308 => "failed",
        500 | 510 if own.is_some() && trusted.contains(&http_status) => "failed",
        _ => "unknown",
    };
    let reply = read_submit(http_status, body, trusted);
    assert_eq!(row(&reply), expected, "{http_status}");
    match reply {
        SubmitReply::Created(created) => is_sound(&created, data),
        SubmitReply::Rejected(violations) => are_told(&violations, json),
        _ => {}
    }
}

fn row(reply: &SubmitReply) -> &'static str {
    match reply {
        SubmitReply::Created(_) => "created",
        SubmitReply::Rejected(_) => "refused",
        SubmitReply::Unauthorized => "unauthorized",
        SubmitReply::Unavailable => "unavailable",
        SubmitReply::Failed => "failed",
        SubmitReply::Unknown => "unknown",
    }
}

fn cancel(http_status: u16, body: &[u8], json: Option<&Value>) {
    let expected = match http_status {
        200..300 => "accepted",
        401 => "unauthorized",
        429 | 503 => "unavailable",
        400..500 => "refused",
        _ => "unknown",
    };
    let row = match read_cancel(http_status, body) {
        CancelReply::Accepted => "accepted",
        CancelReply::Refused(sentences) => {
            are_told(&sentences, json);
            "refused"
        }
        CancelReply::Unauthorized => "unauthorized",
        CancelReply::Unavailable => "unavailable",
        CancelReply::Unknown => "unknown",
    };
    assert_eq!(row, expected, "{http_status}");
}

/// An order with a link is SENT. The link is given out only if a browser can open it safely.
fn is_sound(created: &CreatedOrder, data: Option<&Value>) {
    let given = |name: &str| data.and_then(|data| data.get(name)).filter(|value| !value.is_null() && **value != "");
    assert_eq!(Some(created.order_uuid.as_str()), given("orderUuid").and_then(Value::as_str));
    let customer = given("customerUuid").and_then(Value::as_str).filter(|uuid| is_provider_id(uuid));
    assert_eq!(created.customer_uuid.as_deref(), customer);
    let links: Vec<&Value> = ["bankIdUrl", "paymentUrl"].into_iter().filter_map(given).collect();
    assert_eq!(created.status, if links.is_empty() { Status::Invoiced } else { Status::Sent });
    assert_eq!(created.has_unusable_link, !links.is_empty() && created.bank_id_url.is_none());
    let mut texts = links.iter().filter_map(|link| link.as_str());
    match &created.bank_id_url {
        Some(url) => {
            assert!(texts.any(|link| link == url), "a link that was not given");
            let parsed = url::Url::parse(url).expect("a link is a URL");
            assert!(["http", "https"].contains(&parsed.scheme()) && parsed.host_str().is_some_and(|host| !host.is_empty()));
            assert!(url.len() <= MAX_LINK_BYTES, "a link of {} bytes", url.len());
        }
        None => {
            let plain = |url: &str| {
                url.strip_prefix("https://b.example/").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()))
            };
            assert!(!texts.any(|link| plain(link) && link.len() <= MAX_LINK_BYTES), "a link is lost");
        }
    }
}

/// Every violation quotes a sentence of the reply, and points at a member of the order.
fn are_told(violations: &[Violation], reply: Option<&Value>) {
    assert!((1..=MAX_ERRORS).contains(&violations.len()), "{} sentences", violations.len());
    let mut sentences = vec!["Front Payment refused without saying why"];
    for member in ["errors", "message"] {
        reply.and_then(|reply| reply.get(member)).into_iter().for_each(|value| texts(value, &mut sentences));
    }
    for violation in violations {
        let Violation { pointer, detail, .. } = violation;
        assert_eq!(code(violation), "provider");
        assert!(sentences.contains(&detail.as_str()), "nobody said {detail:?}");
        assert!(is_pointer(pointer), "{pointer}");
        let mut names = pointer.split('/').skip(1).peekable();
        let is_index = |name: &str| matches!(name.len(), 1..=9) && name.bytes().all(|b| b.is_ascii_digit());
        while let Some(name) = names.next() {
            assert!(MEMBERS.contains(&name) || ["secureDetails", "fpgoUuid", "orderFrom"].contains(&name), "{pointer}");
            if name == "products" {
                assert!(names.next().is_none_or(is_index), "{pointer}");
            }
        }
        // The sentence names, in words, the member that the pointer points at.
        let words = |name: &str| {
            name.chars().flat_map(|c| [c.is_uppercase().then_some(' '), Some(c.to_ascii_lowercase())]).flatten().collect()
        };
        let path = pointer.split('/').skip(1).map(words).collect::<Vec<String>>().join(".");
        assert!(detail.to_ascii_lowercase().contains(&path), "{detail:?} does not name {pointer}");
    }
}

fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

fn status(http_status: u16, body: &[u8], json: Option<&Value>) {
    let data = json.and_then(|json| json.get("data"));
    let text = |name: &str| data.and_then(|data| data.get(name)).and_then(Value::as_str);
    let is_word = |word: &str| {
        matches!(word.len(), 1..=40)
            && word.chars().all(|c| c.is_ascii_alphabetic() || " _-".contains(c))
            && word.contains(|c| c != ' ')
    };
    let is_ours = text("uuid").is_none_or(|uuid| uuid == OUR_ORDER);
    let expected = text("status").filter(|word| (200..300).contains(&http_status) && is_ours && is_word(word));
    match read_status(http_status, body, OUR_ORDER) {
        Ok(read) => {
            let word = read.word;
            let name =
                expected.unwrap_or_else(|| panic!("{word:?} out of nothing")).trim_matches(' ').to_uppercase().replace(' ', "_");
            let name = if name == "RESEVRED" { "RESERVED".to_owned() } else { name };
            assert_eq!(word.name(), name);
            assert_eq!(matches!(word, StatusWord::Known(_)), rank(&name) > 0, "{name}");
            for (amount, name) in [(read.order_amount, "orderAmount"), (read.refunded_amount, "refundedAmount")] {
                let told = data.and_then(|data| data.get(name)).and_then(figure);
                assert_eq!(amount.as_ref().map(Decimal::text).map(by_value), told.as_deref().map(by_value), "{name}");
            }
        }
        Err(StatusError::Unauthorized) => assert_eq!(http_status, 401),
        Err(StatusError::NotFound) => assert_eq!(http_status, 404),
        Err(StatusError::Other(why)) => {
            assert!(expected.is_none() && ![401, 404].contains(&http_status), "{why}");
            // This text is logged, so it must not contain any text of the reply.
            assert!(why.len() < 40 && why.starts_with("answered "), "{why}");
        }
    }
}

/// A number or a numeric string that the bridge can store.
fn figure(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    (is_plain_decimal(&text) && significant_digits(&text) <= 28 && text.len() <= 2_048).then_some(text)
}
