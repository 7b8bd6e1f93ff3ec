//! What a reply of Front Payment means. The HTTP status decides; the body is read tolerantly.

use serde_json::Value;

use super::{callback, is_provider_id, sentences};
use crate::order::{CreatedOrder, Decimal, Status, StatusRead, StatusWord, SubmitReply, Violation};
use crate::telemetry::ReplyHead;

/// A longer link does not fit into an item.
const MAX_LINK_BYTES: usize = 8_192;

/// The result of one call to submit.
pub struct SubmitCall {
    pub reply: SubmitReply,
    pub head: ReplyHead,
    /// A text for the log. It contains nothing of the order or of the reply's text.
    pub reason: String,
}

/// The result of one status read.
pub struct StatusCall {
    pub status: Result<StatusRead, StatusError>,
    pub head: ReplyHead,
}

/// Why there is no status.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    #[error("the token was rejected")]
    Unauthorized,
    #[error("answered 404: it does not know the uuid")]
    NotFound,
    #[error("{0}")]
    Other(String),
}

/// The result of one call to cancel.
pub struct CancelCall {
    pub reply: CancelReply,
    pub head: ReplyHead,
    /// A text for the log. It contains nothing of the reply's text.
    pub reason: String,
}

/// How a request for a cancellation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelReply {
    /// Front Payment accepts the request. Only the status tells whether the order is cancelled.
    Accepted,
    /// Front Payment refuses to cancel this order, and says why.
    Refused(Vec<Violation>),
    Unauthorized,
    /// There was no connection, or Front Payment asks to try later.
    Unavailable,
    /// The order may or may not have been cancelled.
    Unknown,
}

/// Reads a whole reply to a submit. `trusted` are those of the HTTP statuses 500 and 510 after which nothing was created, as
/// Front Payment has confirmed. After the others, the order may exist.
#[must_use]
pub fn read_submit(http_status: u16, body: &[u8], trusted: &[u16]) -> SubmitReply {
    let json = read_json(body);
    let own = json.as_ref().filter(|json| json.get("status_code").is_some());
    match http_status {
        200..=299 => json.as_ref().and_then(created).map_or(SubmitReply::Unknown, SubmitReply::Created),
        401 => SubmitReply::Unauthorized,
        429 | 503 => SubmitReply::Unavailable,
        417 => SubmitReply::Rejected(refusal(json.as_ref())),
        400..=499 if own.is_some_and(|own| own.get("errors").is_some_and(|errors| !errors.is_null())) => {
            SubmitReply::Rejected(refusal(own))
        }
        300..=303 | 307 | 308 | 400..=499 => SubmitReply::Failed,
        500 | 510 if own.is_some() && trusted.contains(&http_status) => SubmitReply::Failed,
        _ => SubmitReply::Unknown,
    }
}

/// Reads a whole reply to a request for a cancellation.
#[must_use]
pub fn read_cancel(http_status: u16, body: &[u8]) -> CancelReply {
    match http_status {
        200..=299 => CancelReply::Accepted,
        401 => CancelReply::Unauthorized,
        429 | 503 => CancelReply::Unavailable,
        400..=499 => CancelReply::Refused(refusal(read_json(body).as_ref())),
        _ => CancelReply::Unknown,
    }
}

/// A body may begin with a byte order mark.
fn read_json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok()
}

fn created(reply: &Value) -> Option<CreatedOrder> {
    let data = reply.get("data")?;
    let uuid = |name| data.get(name).and_then(Value::as_str).filter(|uuid| is_provider_id(uuid)).map(str::to_owned);
    // A similar endpoint calls the link `paymentUrl`. An order is SENT if there is a link, whatever the type of the
    // customer.
    let is_there = |value: &&Value| !value.is_null() && value.as_str() != Some("");
    let links = || ["bankIdUrl", "paymentUrl"].into_iter().filter_map(|name| data.get(name)).filter(is_there);
    let has_link = links().next().is_some();
    let usable_link = links().filter_map(Value::as_str).find(|url| is_link(url)).map(str::to_owned);
    Some(CreatedOrder {
        order_uuid: uuid("orderUuid")?,
        customer_uuid: uuid("customerUuid"),
        // The order waits for a signature even if its link is unusable.
        has_unusable_link: has_link && usable_link.is_none(),
        bank_id_url: usable_link,
        status: if has_link { Status::Sent } else { Status::Invoiced },
    })
}

fn is_link(text: &str) -> bool {
    text.len() <= MAX_LINK_BYTES
        && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn refusal(reply: Option<&Value>) -> Vec<Violation> {
    let mut found = Vec::new();
    if let Some(errors) = reply.and_then(|reply| reply.get("errors")) {
        sentences::collect(errors, &mut found);
    }
    if found.is_empty() {
        let said = reply.and_then(|reply| reply.get("message")).and_then(Value::as_str);
        found.push(sentences::violation(said.unwrap_or("Front Payment refused without saying why")));
    }
    found
}

/// Reads a whole reply to a status read.
///
/// # Errors
/// [`StatusError`] if the reply has no status, or one of another order.
pub fn read_status(http_status: u16, body: &[u8], order_uuid: &str) -> Result<StatusRead, StatusError> {
    let other = |reason: &str| StatusError::Other(reason.to_owned());
    match http_status {
        200..=299 => {}
        401 => return Err(StatusError::Unauthorized),
        404 => return Err(StatusError::NotFound),
        status => return Err(StatusError::Other(format!("answered {status}"))),
    }
    let reply = read_json(body).ok_or_else(|| other("answered no JSON"))?;
    let data = reply.get("data").unwrap_or(&Value::Null);
    if data.get("uuid").and_then(Value::as_str).is_some_and(|uuid| uuid != order_uuid) {
        return Err(other("answered for another order"));
    }
    let word = data.get("status").and_then(Value::as_str).filter(|word| callback::is_status(word) && !word.trim().is_empty());
    let word = StatusWord::read(word.ok_or_else(|| other("answered without a status"))?);
    Ok(StatusRead { word, order_amount: amount(data.get("orderAmount")), refunded_amount: amount(data.get("refundedAmount")) })
}

/// A number, or a numeric string. Anything else is no amount.
fn amount(value: Option<&Value>) -> Option<Decimal> {
    match value? {
        Value::Number(number) => Decimal::parse(&number.to_string()).ok(),
        Value::String(text) => Decimal::parse(text).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(status: u16, body: &Value) -> SubmitReply {
        read_submit(status, body.to_string().as_bytes(), &[])
    }

    fn row(status: u16, body: &str, trusted: &[u16]) -> &'static str {
        match read_submit(status, body.as_bytes(), trusted) {
            SubmitReply::Created(_) => "created",
            SubmitReply::Rejected(_) => "rejected",
            SubmitReply::Unauthorized => "unauthorized",
            SubmitReply::Unavailable => "unavailable",
            SubmitReply::Failed => "failed",
            SubmitReply::Unknown => "unknown",
        }
    }

    #[test]
    fn every_row_of_the_outcomes_table() {
        let ok = r#"{"status_code":201,"data":{"orderUuid":"ODR1","customerUuid":"CSRT1","bankIdUrl":"https://b.example/"}}"#;
        let rejected = r#"{"status_code":417,"errors":["The order date does not match the format d M, Y."]}"#;
        let failed = r#"{"status_code":500,"errors":null}"#;
        for (status, body, expected) in [
            (201, ok, "created"),
            (200, ok, "created"),
            (201, &format!("\u{feff}{ok}"), "created"),
            (202, ok, "created"),
            (201, "", "unknown"),
            (201, "{}", "unknown"),
            (201, "<html>", "unknown"),
            (204, "", "unknown"),
            (201, r#"{"data":{"orderUuid":""}}"#, "unknown"),
            (201, r#"{"data":{"orderUuid":17}}"#, "unknown"),
            (201, r#"{"data":{"orderUuid":"ODR 1"}}"#, "unknown"),
            (201, r#"{"data":[]}"#, "unknown"),
            (417, rejected, "rejected"),
            (417, "", "rejected"),
            (417, "<html>", "rejected"),
            (400, rejected, "rejected"),
            (404, r#"{"status_code":404,"errors":"no"}"#, "rejected"),
            (422, r#"{"status_code":422,"errors":[]}"#, "rejected"),
            (404, r#"{"status_code":404,"data":null}"#, "failed"),
            (404, r#"{"status_code":404,"errors":null}"#, "failed"),
            (422, r#"{"errors":["not in its own form"]}"#, "failed"),
            (403, "<html>", "failed"),
            (400, "", "failed"),
            (401, rejected, "unauthorized"),
            (401, "", "unauthorized"),
            (429, rejected, "unavailable"),
            (429, "", "unavailable"),
            (503, failed, "unavailable"),
            (503, "<html>", "unavailable"),
            (301, "", "failed"),
            (302, ok, "failed"),
            (307, "", "failed"),
            (304, "", "unknown"),
            (500, failed, "unknown"),
            (510, r#"{"status_code":510,"errors":"x"}"#, "unknown"),
            (500, "<html>", "unknown"),
            (500, "", "unknown"),
            (500, r#"["status_code"]"#, "unknown"),
            (510, r#"{"a":1}"#, "unknown"),
            (502, failed, "unknown"),
            (504, failed, "unknown"),
            (520, failed, "unknown"),
            (599, "", "unknown"),
            (101, "", "unknown"),
        ] {
            assert_eq!(row(status, body, &[]), expected, "{status} {body}");
        }
        let own = r#"{"status_code":500,"errors":{}}"#;
        for (status, body, trusted, expected) in [
            (500, own, [500].as_slice(), "failed"),
            (510, own, &[500], "unknown"),
            (510, own, &[500, 510], "failed"),
            (500, "<html>", &[500, 510], "unknown"),
            (502, own, &[500, 510], "unknown"),
        ] {
            assert_eq!(row(status, body, trusted), expected, "{status} {body}, trusted: {trusted:?}");
        }
    }

    #[test]
    fn every_reply_to_a_cancellation() {
        let paid = r#"{"status_code":400,"message":"orderStatusAlreadyPaid","errors":null}"#;
        let refused = |sentence: &str| CancelReply::Refused(vec![Violation::new("", crate::order::Code::Provider, sentence)]);
        for (status, body, expected) in [
            (202, r#"{"message":"cancelledOrderSuccessfully","is_data":false}"#, CancelReply::Accepted),
            (200, "", CancelReply::Accepted),
            (400, paid, refused("orderStatusAlreadyPaid")),
            (417, r#"{"errors":["No."]}"#, refused("No.")),
            (404, "<html>", refused("Front Payment refused without saying why")),
            (403, "", refused("Front Payment refused without saying why")),
            (401, paid, CancelReply::Unauthorized),
            (429, "", CancelReply::Unavailable),
            (503, "", CancelReply::Unavailable),
            (302, "", CancelReply::Unknown),
            (500, paid, CancelReply::Unknown),
            (510, paid, CancelReply::Unknown),
        ] {
            assert_eq!(read_cancel(status, body.as_bytes()), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_link_decides_whether_the_customer_has_to_sign() {
        let created = |data: Value| match read(201, &json!({"status_code": 201, "data": data})) {
            SubmitReply::Created(created) => created,
            _ => panic!("not created"),
        };
        let sent = created(json!({"orderUuid": "ODR1", "customerUuid": "CSRT1", "bankIdUrl": "https://b.example/x"}));
        assert_eq!((sent.status, sent.bank_id_url.as_deref()), (Status::Sent, Some("https://b.example/x")));
        assert_eq!((sent.order_uuid.as_str(), sent.customer_uuid.as_deref()), ("ODR1", Some("CSRT1")));
        let sister = created(json!({"orderUuid": "ODR1", "bankIdUrl": null, "paymentUrl": "https://p.example/x"}));
        assert_eq!((sister.status, sister.bank_id_url.as_deref()), (Status::Sent, Some("https://p.example/x")));
        for none in [
            json!({"orderUuid": "ODR1"}),
            json!({"orderUuid": "ODR1", "bankIdUrl": ""}),
            json!({"orderUuid": "ODR1", "bankIdUrl": null}),
        ] {
            let invoiced = created(none);
            assert_eq!((invoiced.status, invoiced.bank_id_url, invoiced.customer_uuid), (Status::Invoiced, None, None));
        }
        let structured = created(json!({"orderUuid": "ODR1", "bankIdUrl": {"url": "https://b.example/"}}));
        assert_eq!((structured.status, structured.bank_id_url), (Status::Sent, None));
        let odd = created(json!({"orderUuid": "ODR1", "bankIdUrl": "javascript:alert(1)"}));
        assert_eq!((odd.status, odd.bank_id_url), (Status::Sent, None), "it waits for a signature, but nobody is sent there");
    }

    #[test]
    fn a_status_reply_is_read() {
        let read = |status, body: &str| read_status(status, body.as_bytes(), "ODR1").map_err(|error| error.to_string());
        let at = |status, body: &str| read(status, body).map(|read| read.word);
        assert_eq!(
            at(200, r#"{"data":{"uuid":"ODR1","status":"PARTIAL REFUNDED"}}"#),
            Ok(StatusWord::Known(Status::PartialRefunded))
        );
        assert_eq!(at(200, r#"{"data":{"status":"Purring","orderAmount":40}}"#), Ok(StatusWord::Known(Status::Purring)));
        assert_eq!(at(200, r#"{"data":{"uuid":"ODR2","status":"SENT"}}"#), Err("answered for another order".to_owned()));
        for (status, body) in [
            (200, "{}"),
            (200, "<html>"),
            (200, r#"{"data":{"status":""}}"#),
            (200, r#"{"data":{"status":"<b>"}}"#),
            (404, "{}"),
            (401, ""),
            (500, ""),
            (302, ""),
        ] {
            assert!(at(status, body).is_err(), "{status} {body}");
        }
        let amounts = |amounts: &str| {
            let read = read(200, &format!(r#"{{"data":{{"status":"PAID",{amounts}}}}}"#)).unwrap();
            [read.order_amount, read.refunded_amount].map(|amount| amount.map(|amount| amount.text().to_owned()))
        };
        let texts = |order: Option<&str>, refunded: Option<&str>| [order, refunded].map(|text| text.map(str::to_owned));
        assert_eq!(amounts(r#""orderAmount":40,"refundedAmount":0"#), texts(Some("40"), Some("0")));
        assert_eq!(amounts(r#""orderAmount":"40.00","refundedAmount":10.50"#), texts(Some("40.00"), Some("10.50")));
        assert_eq!(amounts(r#""orderAmount":null,"refundedAmount":[]"#), texts(None, None));
    }

    proptest! {
        #[test]
        fn any_reply_gets_a_row(status in 100u16..=599, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _row = read_submit(status, &body, &[500]);
            let _cancel = read_cancel(status, &body);
            let _status = read_status(status, &body, "ODR1");
        }
    }
}
