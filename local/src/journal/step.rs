//! Makes a log line into a step of the diagram: a call between shop, bridge and Front Payment.

use super::Entry;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    Shop,
    Bridge,
    FrontPayment,
}

/// A call, or something that a party did by itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    pub from: Party,
    pub to: Party,
    pub text: String,
    /// The call failed, or was unverified.
    pub is_bad: bool,
}

impl Step {
    /// `None` for a line that the diagram leaves out.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        use Party::{Bridge, FrontPayment, Shop};
        let field = |name| entry.field(name).unwrap_or_default();
        let (outcome, code) = (field("outcome"), field("statusCode"));
        let answered = |name: &str| entry.field(name).map_or("no answer".to_owned(), str::to_owned);
        let (from, to, text) = match (field("route"), entry.message.as_str()) {
            ("notification", _) => {
                let answer = entry.field("shopStatusCode").or(entry.field("shopError")).unwrap_or("not called");
                (Bridge, Shop, format!("notification {} → {answer}, {outcome}", field("status")))
            }
            ("reading", _) => (Bridge, Bridge, format!("reconciliation: {}, {outcome}", field("status"))),
            ("operator", _) => (Bridge, Bridge, format!("operator: {}, {outcome}", field("event"))),
            (route, _) if route.contains("/callbacks/") => {
                let why = entry.field("unverified").map(|why| format!(", not verified: {why}")).unwrap_or_default();
                (Bridge, Bridge, format!("callback {outcome}{why}"))
            }
            ("", "submit") => (Bridge, FrontPayment, format!("submit → {}", answered("answered"))),
            ("", "status") => (Bridge, FrontPayment, format!("status? → {}", answered("answered"))),
            ("", "cancel") => (Bridge, FrontPayment, format!("cancel → {}", answered("answered"))),
            ("", "callback" | "callback failed") => {
                (FrontPayment, Bridge, format!("callback {} → {}", field("status"), answered("answered")))
            }
            ("", "callback lost") => (FrontPayment, FrontPayment, format!("callback {} gets lost", field("status"))),
            ("", "status changed") => (FrontPayment, FrontPayment, format!("the order is {}", field("status"))),
            ("", _) => return None,
            (route, _) => (Shop, Bridge, format!("{route} → {code} {outcome}")),
        };
        let is_failure = |name| entry.field(name).and_then(|code| code.parse::<u16>().ok()).is_some_and(|code| code >= 400);
        let is_bad = ["statusCode", "answered", "shopStatusCode", "providerStatusCode"].into_iter().any(is_failure)
            || entry.fields.contains_key("shopError")
            || entry.fields.contains_key("unverified")
            || outcome == "refused"
            || text.contains("no answer")
            || entry.message == "callback lost";
        Some(Self { from, to, text, is_bad })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use tracing::Level;

    fn step(message: &str, fields: &[(&'static str, &str)]) -> Option<(Party, Party, String, bool)> {
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let (at, message) = (Timestamp::UNIX_EPOCH, message.to_owned());
        let entry = Entry { at, began_at: at, level: Level::INFO, message, order_id: None, fields };
        Step::of(&entry).map(|step| (step.from, step.to, step.text, step.is_bad))
    }

    #[test]
    fn summary_lines_become_arrows() {
        use Party::{Bridge, FrontPayment, Shop};
        let accepted = step("request", &[("route", "POST /orders"), ("outcome", "accepted"), ("statusCode", "201")]);
        assert_eq!(accepted, Some((Shop, Bridge, "POST /orders → 201 accepted".to_owned(), false)));
        let callback = [("route", "GET /callbacks/{orderId}/{token}"), ("outcome", "read-back"), ("statusCode", "200")];
        let unverified = step("request", &[callback.as_slice(), &[("unverified", "checksum")]].concat());
        assert_eq!(unverified, Some((Bridge, Bridge, "callback read-back, not verified: checksum".to_owned(), true)));
        let called = step("callback", &[("status", "PAID"), ("answered", "200")]);
        assert_eq!(called, Some((FrontPayment, Bridge, "callback PAID → 200".to_owned(), false)));
        let told = [("route", "notification"), ("outcome", "undelivered"), ("status", "INVOICED"), ("shopError", "timeout")];
        assert_eq!(
            step("notification", &told),
            Some((Bridge, Shop, "notification INVOICED → timeout, undelivered".to_owned(), true))
        );
        let reading = [("route", "reading"), ("outcome", "news"), ("status", "PAID"), ("providerStatusCode", "200")];
        assert_eq!(step("reading", &reading), Some((Bridge, Bridge, "reconciliation: PAID, news".to_owned(), false)));
        let settled = [("route", "operator"), ("event", "settle"), ("outcome", "done"), ("status", "SENT")];
        assert_eq!(step("operator", &settled), Some((Bridge, Bridge, "operator: settle, done".to_owned(), false)));
        assert_eq!(step("submit", &[]), Some((Bridge, FrontPayment, "submit → no answer".to_owned(), true)));
        assert_eq!(step("sweep", &[]), None);
    }
}
