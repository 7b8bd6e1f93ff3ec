//! Events of `orders`, and what each must have done.

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge_fuzz::key::key;
use front_payment_bridge_fuzz::provider::Calls;
use front_payment_bridge_fuzz::reply::{CANCEL, GET, HEALTH, LIST, Lambda, NOTIFY, POST, Reply};
use front_payment_bridge_fuzz::stage::{KEYS, SHOPS};
use serde_json::Value;

use super::{Story, inside};

/// Status reads a minute that shops can cause with `?refresh=true`.
const REFRESHES: usize = 10;

impl Story {
    pub(super) async fn orders(&mut self, event: &str) {
        let event = event
            .replace("{body}", &inside(&self.body))
            .replace("{order}", &self.order_id)
            .replace("{ORDER}", &self.order_id.to_uppercase())
            .replace("{cursor}", &self.cursor)
            .replace("{key-a}", KEYS[0])
            .replace("{key-b}", KEYS[1])
            .replace("{large}", &"a".repeat(256 * 1024));
        let named = |event: &Value| event["pathParameters"]["orderId"].as_str().unwrap_or_default().to_owned();
        let named = serde_json::from_str(&event).map(|event| named(&event)).unwrap_or_default();
        let before = self.stage.stored(&named);
        let (answers, may_fail) = (self.stage.bridge.store.will_answer(), self.stage.bridge.store.is_failing());
        let calls = self.stage.bridge.front_payment.calls();
        let Some((event, reply)) = self.invoke(Lambda::Orders, event).await else { return };

        let calls = self.stage.bridge.front_payment.calls().since(calls);
        let keys = keys_in(&event);
        let route = event["routeKey"].as_str().unwrap_or_default();
        let is_called = match route {
            POST => calls.submits <= 1 && calls.status_reads + calls.cancels == 0,
            GET => calls.status_reads <= 1 && calls.submits + calls.cancels == 0,
            CANCEL => calls.cancels <= 1 && calls.status_reads <= 2 && calls.submits == 0,
            _ => calls.all() == 0,
        };
        let has_time = self.seconds_left >= 8 || calls.submits + calls.cancels == 0;
        assert!(is_called && has_time && (!keys.is_empty() || calls.all() == 0), "calls that nobody asked for");
        assert!(!keys.is_empty() || route == HEALTH || [400, 401, 404].contains(&reply.status), "{} without a key", reply.status);
        self.count_refreshes(&event, if route == GET { calls.status_reads } else { 0 });

        let knows_base =
            self.has_base || (event["requestContext"]["domainName"] == "api.example.no" && event["rawPath"] == "/orders");
        assert!(reply.status != 500 || (!knows_base && route == POST && calls.submits == 0), "an internal error");
        if [GET, CANCEL, NOTIFY].contains(&route) && ![400, 401, 503].contains(&reply.status) {
            let is_own = keys.iter().any(|shop| before.as_ref().is_some_and(|order| order.shop_id == SHOPS[*shop]));
            assert!((reply.status != 404) == is_own || keys.len() > 1, "{} of {named}", reply.status);
        }
        match (route, &keys[..]) {
            (HEALTH, _) if reply.status != 400 => self.is_healthy(&reply, answers),
            (POST, [shop]) => self.is_of_its_key(&event, &reply, *shop, calls),
            (LIST, [shop]) if reply.status != 400 => self.is_listed(&event, &reply, *shop),
            (CANCEL, _) => {
                let before = before.filter(|_| [200, 202, 409, 502, 504].contains(&reply.status));
                before.into_iter().for_each(|before| self.is_called_off(&event, &before, &reply, calls, may_fail));
            }
            _ => {}
        }
        let is_notified = !reply.text.contains("\"not_notifiable\"") || keys.contains(&0);
        assert!(is_notified, "a warning for a shop that is not notified");
        if let Some(order_id) = reply.body["orderId"].as_str() {
            order_id.clone_into(&mut self.order_id);
            // If the store does not answer, the bridge cannot know whose order it is.
            if let ([shop], false) = (&keys[..], reply.status == 503) {
                let owner = self.stage.owners.entry(order_id.to_owned()).or_insert(*shop);
                assert!(owner == shop, "another shop's order");
            }
        }
    }

    /// Health needs no key, and one result is valid for ten seconds.
    fn is_healthy(&mut self, reply: &Reply, answers: bool) {
        let found = self.health.filter(|(at, _)| self.seconds < at + 10);
        let (at, status) = found.unwrap_or((self.seconds, if answers { 200 } else { 503 }));
        assert_eq!(reply.status, status, "{}", reply.text);
        self.health = Some((at, status));
    }

    /// One key names one order, and a request with an invalid key sends nothing.
    fn is_of_its_key(&mut self, event: &Value, reply: &Reply, shop: usize, calls: Calls) {
        let headers = key_headers(event);
        let key = match &headers[..] {
            [] => None,
            [header] => key(header),
            _ => return,
        };
        assert!(key.is_some() || headers.is_empty() || (calls.submits == 0 && reply.status >= 400), "{headers:?} is a key");
        if let (Some(key), Some(order_id)) = (key, reply.body["orderId"].as_str()) {
            let known = self.ids.entry((shop, key.to_owned())).or_insert_with(|| order_id.to_owned());
            assert_eq!(known, order_id, "another order for {key:?}");
            let is_others = |(of, id): (&(usize, String), &String)| id == order_id && *of != (shop, key.to_owned());
            assert!(!self.ids.iter().any(is_others), "the order of another key");
        }
        let step = reply.body["nextStep"].as_str();
        assert!(reply.status != 500 || step == Some(if key.is_some() { "retry" } else { "look" }), "{}", reply.text);
    }

    /// A cancellation is stored before it is sent. It stays stored until Front Payment refuses it.
    fn is_called_off(&self, event: &Value, before: &StoredOrder, reply: &Reply, calls: Calls, may_fail: bool) {
        let after = self.stage.stored(&before.order_id.to_string()).expect("it is stored");
        let slug = reply.slug().unwrap_or_default();
        let step = reply.body["nextStep"].as_str().unwrap_or_default();
        let Some(own) = &before.order_uuid else {
            let expected = match before.status_at(self.stage.bridge.clock.now()).name() {
                "SUBMITTING" => "retry",
                "UNKNOWN" => "look",
                _ => "correct",
            };
            assert_eq!((slug, step, calls.all()), ("not-accepted", expected, 0));
            return;
        };
        assert_ne!(slug, "not-accepted");
        assert!(calls.cancels == 1 || reply.status == 200, "{} though nothing was sent", reply.status);
        let asked = |order: &StoredOrder| order.history.iter().filter(|entry| entry.status == "CANCEL_REQUESTED").count();
        let body = event["body"].as_str().unwrap_or_default();
        let body: Option<Value> = serde_json::from_str(if body.is_empty() { "null" } else { body }).ok();
        let Some(body) = body.filter(|_| event["isBase64Encoded"] != true) else { return };
        if body["orderUuid"].as_str().is_some_and(|uuid| uuid != own) {
            assert_eq!(after.cancel_requested_at, before.cancel_requested_at);
        } else if calls.cancels == 1 {
            assert_eq!(
                asked(&after),
                asked(before) + usize::from(before.cancel_requested_at.is_none()),
                "sent, not written down"
            );
            let is_refused = slug == "cannot-be-cancelled";
            assert!(may_fail || after.cancel_requested_at.is_none() == is_refused, "{slug}");
        }
    }

    /// `?refresh=true` causes few status reads.
    fn count_refreshes(&mut self, event: &Value, status_reads: usize) {
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        assert!(status_reads == 0 || query.contains("=true"), "{status_reads} status reads that nobody asked for");
        self.refreshes.retain(|at| at + 60 > self.seconds);
        self.refreshes.extend(vec![self.seconds; status_reads]);
        assert!(self.refreshes.len() <= REFRESHES, "{} status reads in a minute", self.refreshes.len());
    }
}

/// The shops whose keys are in the event's authorization.
fn keys_in(event: &Value) -> Vec<usize> {
    let headers = event["headers"].as_object().into_iter().flatten();
    let given = headers.filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).filter_map(|(_, value)| value.as_str());
    let given = given.collect::<Vec<_>>().join("\n");
    (0..KEYS.len()).filter(|shop| given.contains(KEYS[*shop])).collect()
}

pub(super) fn key_headers(event: &Value) -> Vec<&str> {
    let headers = event["headers"].as_object().into_iter().flatten();
    headers.filter(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")).filter_map(|(_, value)| value.as_str()).collect()
}
