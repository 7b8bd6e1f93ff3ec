//! Events of `callbacks`, and what each must have done.

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge_fuzz::callback::{Said, is_signed, said, signed};
use front_payment_bridge_fuzz::heard::{after, has_amount};
use front_payment_bridge_fuzz::rank;
use front_payment_bridge_fuzz::reply::Lambda;
use front_payment_bridge_fuzz::stage::CALLBACK_SECRET;
use serde_json::Value;

use super::{Story, inside};

impl Story {
    pub(super) async fn callbacks(&mut self, event: &str) {
        let token = self.stage.bridge.front_payment.callback_token(&self.order_id);
        let event = event
            .replace("{query}", &inside(&signed(&self.query, CALLBACK_SECRET)))
            .replace("{unsigned}", &inside(&self.query))
            .replace("{order}", &self.order_id)
            .replace("{ORDER}", &self.order_id.to_uppercase())
            .replace("{its-token}", token.as_deref().unwrap_or("token"));
        // The order that the event names after the replacements, which need not be the last one.
        let named = |event: &Value| event["pathParameters"]["orderId"].as_str().unwrap_or_default().to_owned();
        let order_id = serde_json::from_str(&event).map(|event| named(&event)).unwrap_or_default();
        let (before, calls) = (self.stage.stored(&order_id), self.stage.bridge.front_payment.calls());
        let may_fail = self.stage.bridge.store.is_failing() || self.seconds_left < 8;
        let Some((event, reply)) = self.invoke(Lambda::Callbacks, event).await else { return };

        let after = self.stage.stored(&order_id);
        let calls = self.stage.bridge.front_payment.calls().since(calls);
        assert!(calls.status_reads <= 1 && calls.submits + calls.cancels == 0, "calls that nobody asked for");
        let was_read = calls.status_reads > 0;
        let is_routed = event["routeKey"] == "GET /callbacks/{orderId}/{token}";
        let known = before.as_ref().filter(|known| is_routed && event["pathParameters"]["token"] == known.callback_token);
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        let verified = known.map(|known| verified(known, query));
        let (verified, why) =
            (verified.as_ref().and_then(|it| it.as_ref().ok()), verified.as_ref().and_then(|it| it.as_ref().err()));
        // 400 means that the event itself was malformed.
        if !may_fail && reply.status != 400 {
            assert_eq!(known.is_none(), reply.status == 404, "{}", reply.status);
            let has_uuid = known.is_some_and(|known| known.order_uuid.is_some());
            match reply.status {
                200 => assert!(verified.is_some() || was_read, "an unverified callback is taken"),
                _ if verified.is_some() => panic!("{} for a verified callback", reply.status),
                403 => assert!(!has_uuid, "a status that could be read"),
                503 => assert!(has_uuid, "a status that cannot be read"),
                status => assert_eq!(status, 404),
            }
            assert_eq!(self.unverified.as_deref(), why.copied(), "{query}");
        }
        if let (Some(before), Some(after), false) = (&before, &after, was_read) {
            is_as_heard(before, after, verified);
        }
        if let (Some(said), Some(after), 200) = (verified, &after, reply.status) {
            let is_it = |uuid: Option<&str>, word: &str| uuid == Some(&said.order_uuid) && word == said.word;
            assert!(after.history.iter().any(|entry| is_it(entry.order_uuid.as_deref(), &entry.status)), "nobody noted it");
        }
    }
}

/// Whether docs/api.md calls this callback verified: signed, each name once, valid forms, the order's amount. Else the
/// reason, as in the log.
fn verified(order: &StoredOrder, query: &str) -> Result<Said, &'static str> {
    if query.is_empty() {
        return Err("none");
    }
    let said = said(query).ok_or("shape")?;
    match (is_signed(query, CALLBACK_SECRET), has_amount(order, &said.amount)) {
        (true, true) => Ok(said),
        (true, false) => Err("amount"),
        (false, _) => Err("checksum"),
    }
}

/// Without a status read, only a verified callback changes an order, and only as docs/api.md says.
fn is_as_heard(before: &StoredOrder, stored: &StoredOrder, verified: Option<&Said>) {
    let Some(said) = verified else {
        assert!(before == stored, "an order changed without a reason");
        return;
    };
    if before != stored {
        let (expected, found) = (after(before, said), (stored.order_uuid.as_deref(), rank(stored.status.name())));
        assert_eq!(found, (expected.order_uuid, expected.rank), "{}", said.word);
    }
}
