//! What a reply of Front Payment means. The HTTP status decides; the body is read tolerantly.

use serde_json::Value;

use super::{callback, is_provider_id, sentences};
use crate::order::{CreatedOrder, Status, StatusWord, Violation};
use crate::telemetry::ReplyHead;

/// A longer link does not fit into an item.
const MAX_LINK_BYTES: usize = 8_192;

/// One call of submit.
pub struct SubmitCall {
    pub reply: SubmitReply,
    pub head: ReplyHead,
    /// For the log. Contains nothing of the order, and no text of the reply.
    pub reason: String,
}

/// How a submit ended.
pub enum SubmitReply {
    Created(CreatedOrder),
    /// Front Payment refused the order, with these sentences.
    Rejected(Vec<Violation>),
    /// The token was rejected; nothing was created.
    Unauthorized,
    /// No connection, or Front Payment asks to try later.
    Unavailable {
        /// A 503: Front Payment says nothing about the order.
        may_exist: bool,
    },
    /// Front Payment did not take the order.
    Failed {
        /// It was not refused before it was processed.
        may_exist: bool,
        /// A 500 or 510 in Front Payment's own JSON: it reports a failure, but may have created the order.
        unproven: bool,
    },
    /// The order may or may not have been created.
    Unknown,
}

/// One status call.
pub struct StatusCall {
    pub status: Result<StatusWord, StatusError>,
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

impl SubmitReply {
    /// Reads a whole reply to a submit.
    #[must_use]
    pub fn read(http_status: u16, body: &[u8]) -> Self {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let own = json.as_ref().filter(|json| json.get("status_code").is_some());
        match http_status {
            200..=299 => json.as_ref().and_then(created).map_or(Self::Unknown, Self::Created),
            401 => Self::Unauthorized,
            429 => Self::Unavailable { may_exist: false },
            503 => Self::Unavailable { may_exist: true },
            417 => Self::Rejected(refusal(json.as_ref())),
            400..=499 if own.is_some_and(|own| own.get("errors").is_some_and(|errors| !errors.is_null())) => {
                Self::Rejected(refusal(own))
            }
            300..=303 | 307 | 308 | 400..=499 => Self::Failed { may_exist: true, unproven: false },
            500 | 510 if own.is_some() => Self::Failed { may_exist: true, unproven: true },
            _ => Self::Unknown,
        }
    }
}

fn created(reply: &Value) -> Option<CreatedOrder> {
    let data = reply.get("data")?;
    let uuid = |name| data.get(name).and_then(Value::as_str).filter(|uuid| is_provider_id(uuid)).map(str::to_owned);
    // A sister endpoint calls the link `paymentUrl`. Whether there is a link decides, not the type of the customer.
    let is_there = |value: &&Value| !value.is_null() && value.as_str() != Some("");
    let link = ["bankIdUrl", "paymentUrl"].into_iter().filter_map(|name| data.get(name)).find(is_there);
    let usable_link = link.and_then(Value::as_str).filter(|url| is_link(url)).map(str::to_owned);
    Some(CreatedOrder {
        order_uuid: uuid("orderUuid")?,
        customer_uuid: uuid("customerUuid"),
        // With an unusable link, too, the order waits for a signature.
        has_unusable_link: link.is_some() && usable_link.is_none(),
        bank_id_url: usable_link,
        status: if link.is_some() { Status::Sent } else { Status::Invoiced },
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
        found.push(sentences::violation(said.unwrap_or("Front Payment refused the order without saying why")));
    }
    found
}

/// # Errors
/// [`StatusError`] where the reply has no status, or one of another order.
pub fn read_status(http_status: u16, body: &[u8], order_uuid: &str) -> Result<StatusWord, StatusError> {
    if http_status == 401 {
        return Err(StatusError::Unauthorized);
    }
    if http_status == 404 {
        return Err(StatusError::NotFound);
    }
    if !(200..=299).contains(&http_status) {
        return Err(StatusError::Other(format!("answered {http_status}")));
    }
    let reply: Value = serde_json::from_slice(body).map_err(|_| StatusError::Other("answered no JSON".to_owned()))?;
    let data = reply.get("data");
    if data.and_then(|data| data.get("uuid")).and_then(Value::as_str).is_some_and(|uuid| uuid != order_uuid) {
        return Err(StatusError::Other("answered for another order".to_owned()));
    }
    match data.and_then(|data| data.get("status")).and_then(Value::as_str) {
        Some(word) if callback::is_status(word) => Ok(StatusWord::read(word)),
        _ => Err(StatusError::Other("answered without a status".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(status: u16, body: &Value) -> SubmitReply {
        SubmitReply::read(status, body.to_string().as_bytes())
    }

    fn row(status: u16, body: &str) -> &'static str {
        match SubmitReply::read(status, body.as_bytes()) {
            SubmitReply::Created(_) => "created",
            SubmitReply::Rejected(_) => "rejected",
            SubmitReply::Unauthorized => "unauthorized",
            SubmitReply::Unavailable { may_exist: false } => "not let in",
            SubmitReply::Unavailable { may_exist: true } => "unavailable",
            SubmitReply::Failed { unproven: true, .. } => "failed, unproven",
            SubmitReply::Failed { unproven: false, .. } => "failed",
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
            (429, rejected, "not let in"),
            (429, "", "not let in"),
            (503, failed, "unavailable"),
            (503, "<html>", "unavailable"),
            (301, "", "failed"),
            (302, ok, "failed"),
            (307, "", "failed"),
            (304, "", "unknown"),
            (500, failed, "failed, unproven"),
            (510, r#"{"status_code":510,"errors":"x"}"#, "failed, unproven"),
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
            assert_eq!(row(status, body), expected, "{status} {body}");
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
        let at = |status, body: &str| read_status(status, body.as_bytes(), "ODR1").map_err(|e| e.to_string());
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
    }

    proptest! {
        #[test]
        fn any_reply_gets_a_row(status in 100u16..=599, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _row = SubmitReply::read(status, &body);
            let _status = read_status(status, &body, "ODR1");
        }
    }
}
