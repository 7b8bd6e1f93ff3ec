//! A notification in the format standard-webhooks.

use front_payment_bridge::notify::standard_webhooks::{ID, SIGNATURE, TIMESTAMP, sign};
use jiff::{SignedDuration, Timestamp};

use super::{Explanation, NamedKey, Verdict};
use crate::ordered_json::Node;

/// The tolerance of the Standard Webhooks libraries.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

/// A request as it was received: headers, an empty line, and the body.
pub(crate) struct Webhook<'t> {
    /// The names are in lower case.
    headers: Vec<(String, &'t str)>,
    body: &'t str,
}

impl<'t> Webhook<'t> {
    /// `None` if the text has no header `webhook-…`.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let text = text.trim_start();
        let (head, body) = text.split_once("\r\n\r\n").or_else(|| text.split_once("\n\n"))?;
        let headers = head.lines().filter_map(|line| line.split_once(':'));
        let headers: Vec<_> = headers.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim())).collect();
        headers.iter().any(|(name, _)| name.starts_with("webhook-")).then_some(Self { headers, body })
    }

    fn header(&self, wanted: &str) -> Option<&'t str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value)
    }

    pub(super) fn explained(&self, keys: &[NamedKey], now: Timestamp) -> Explanation {
        let missing = [ID, TIMESTAMP, SIGNATURE].into_iter().filter(|name| self.header(name).is_none());
        let mut said = vec!["A notification of the bridge's to a shop, in the format standard-webhooks.".to_owned()];
        said.extend(missing.map(|name| format!("{name} is missing.")));
        let sent_at = self.header(TIMESTAMP).and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok());
        let is_signed = sent_at.is_some_and(|sent_at| self.is_signed(sent_at, keys, &mut said));
        let age = sent_at.map(|sent_at| now.duration_since(sent_at)).filter(|age| age.abs() > MAX_AGE);
        if let Some(age) = age {
            let when = if age.is_negative() { "in the future" } else { "ago" };
            said.push(format!(
                "It was sent {:#} {when}: libraries refuse more than five minutes.",
                SignedDuration::from_secs(age.abs().as_secs())
            ));
        }
        let (verdict, conclusion) = match (is_signed, age) {
            (true, None) => {
                (Verdict::Verified, "The notification is verified, if orderId and orderUuid are those of the shop's order.")
            }
            (true, Some(_)) => (Verdict::Depends, "The notification is verified only if it came within five minutes."),
            (false, _) => (Verdict::Unverified, "The notification is unverified: the shop must not use it."),
        };
        Explanation { verdict, conclusion, reasons: said }
    }

    /// Says which body and key give a signature. Returns whether that is the body as it was received.
    fn is_signed(&self, sent_at: Timestamp, keys: &[NamedKey], said: &mut Vec<String>) -> bool {
        let (id, signatures) = (self.header(ID).unwrap_or_default(), self.header(SIGNATURE).unwrap_or_default());
        let written_anew: Option<Node> = serde_json::from_str(self.body).ok();
        let written_anew = written_anew.and_then(|body| serde_json::to_string(&body).ok()).unwrap_or_default();
        // A copied request often ends with a line break that was not sent.
        let bodies =
            [(true, "the body", self.body.trim_end_matches(['\r', '\n'])), (false, "the body in another form", &written_anew)];
        for (is_as_it_came, what, body) in bodies {
            for (name, key) in keys {
                let expected = sign(id, sent_at.as_second(), body, std::slice::from_ref(key));
                if !expected.is_empty() && signatures.split(' ').any(|signature| signature == expected) {
                    said.push(format!("The signature is right for webhook-id, webhook-timestamp, {what}, and {name}."));
                    if !is_as_it_came {
                        said.push(
                            "Something has parsed the body and written it again. Verify the bytes as they were received."
                                .to_owned(),
                        );
                    }
                    return is_as_it_came;
                }
            }
        }
        let keys: Vec<_> = keys.iter().map(|(name, _)| name.as_str()).collect();
        said.push(format!("No signature is right, with {}.", keys.join(", ")));
        said.push("Either the key is another one, or the id, the time or the body was changed.".to_owned());
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::explain::sandbox_keys;
    use crate::sandbox::SHOP_KEY;
    use front_payment_bridge::secrets::Redacted;

    const BODY: &str = r#"{"type":"order.status","timestamp":"2026-01-01T12:04:00.000Z","data":{"status":"INVOICED"}}"#;
    const SENT_AT: i64 = 1_767_269_041;

    fn said(body: &str, key: &str, after: i64) -> Vec<String> {
        let signature = sign("msg_1", SENT_AT, BODY, &[Redacted::new(key)]);
        let request = format!(
            "POST /status HTTP/1.1\r\nWebhook-Id: msg_1\r\nwebhook-timestamp: {SENT_AT}\r\nwebhook-signature: v1,old {signature}\r\n\r\n{body}"
        );
        let webhook = Webhook::read(&request).unwrap();
        said_of(&webhook, Timestamp::from_second(SENT_AT + after).unwrap())
    }

    /// The reasons without the first, which names the kind of call; then the conclusion.
    fn said_of(webhook: &Webhook<'_>, now: Timestamp) -> Vec<String> {
        let explained = webhook.explained(&sandbox_keys(false), now);
        [&explained.reasons[1..], &[explained.conclusion.to_owned()]].concat()
    }

    #[test]
    fn a_signature_is_right_or_the_body_was_written_again() {
        let right = "The signature is right for webhook-id, webhook-timestamp, the body, and the demo shop's key.";
        assert_eq!(
            said(BODY, SHOP_KEY, 60),
            [right, "The notification is verified, if orderId and orderUuid are those of the shop's order."]
        );
        assert_eq!(said(&format!("{BODY}\n"), SHOP_KEY, -60)[0], right);
        let pretty = BODY.replace(',', ",\n  ").replace("order.status", "order\\u002estatus");
        let rewritten = said(&pretty, SHOP_KEY, 0);
        assert!(rewritten[1].starts_with("Something has parsed the body") && rewritten[2].contains("must not"), "{rewritten:?}");
    }

    #[test]
    fn another_key_a_changed_body_or_a_late_one_is_named() {
        for other in
            [said(BODY, "whsec_YW5vdGhlciBrZXkgb2Ygc29tZWJvZHk=", 0), said(&BODY.replace("INVOICED", "PAID"), SHOP_KEY, 0)]
        {
            assert_eq!(other[0], "No signature is right, with the demo shop's key.");
            assert_eq!(other[2], "The notification is unverified: the shop must not use it.");
        }
        let late = said(BODY, SHOP_KEY, 7200);
        assert_eq!(
            late[1..],
            [
                "It was sent 2h ago: libraries refuse more than five minutes.",
                "The notification is verified only if it came within five minutes."
            ]
        );
        let request = "webhook-id: msg_1\n\n{}";
        let missing = said_of(&Webhook::read(request).unwrap(), Timestamp::now());
        let unverified = "The notification is unverified: the shop must not use it.";
        assert_eq!(missing, ["webhook-timestamp is missing.", "webhook-signature is missing.", unverified]);
        assert!(Webhook::read("content-type: text/plain\n\n{}").is_none() && Webhook::read("nothing").is_none());
    }
}
