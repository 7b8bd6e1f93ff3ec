//! Lists of orders, page by page.

use front_payment_bridge::order::StoredOrder;
use front_payment_bridge_fuzz::callback::parameters;
use front_payment_bridge_fuzz::key::key;
use front_payment_bridge_fuzz::reply::{LIST, Lambda, Reply};
use front_payment_bridge_fuzz::stage::{KEYS, SHOPS};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::orders::key_headers;
use super::{STEPS, Story};

impl Story {
    /// A list contains the shop's own orders only, sorted, and filtered by its parameters.
    pub(super) fn is_listed(&mut self, event: &Value, reply: &Reply, shop: usize) {
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        let parameters: Vec<(String, String)> = parameters(query.as_bytes())
            .into_iter()
            .map(|(name, value)| (String::from_utf8_lossy(&name).into_owned(), String::from_utf8_lossy(&value).into_owned()))
            .collect();
        let values =
            |name: &str| parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect::<Vec<_>>();
        let [since, limit, cursor] = ["updatedSince", "limit", "cursor"].map(values);
        let ids: Vec<&str> = reply.orders_or_none().iter().filter_map(|order| order["orderId"].as_str()).collect();
        let headers = key_headers(event);
        if let [header] = &headers[..] {
            let is_right = key(header).is_some() && parameters.is_empty();
            assert!([401, 503].contains(&reply.status) || is_right == (reply.status == 200), "{header:?}: {}", reply.status);
            if reply.status == 200 {
                let id = key(header).and_then(|key| self.ids.get(&(shop, key.to_owned())));
                let stored = id.filter(|id| self.stage.stored(id).is_some());
                assert_eq!(ids, stored.map(String::as_str).into_iter().collect::<Vec<_>>(), "of {header:?}");
                assert_eq!(reply.body.as_object().expect("a list").len(), 1, "{}", reply.text);
            }
        }
        if !headers.is_empty() {
            return;
        }
        let is_known = parameters.len() == since.len() + limit.len() + cursor.len();
        let is_once = [&since, &limit, &cursor].iter().all(|values| values.len() <= 1);
        let is_number = |text: &&&String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let most = match limit.first() {
            None => Some(50),
            limit => limit.filter(is_number).and_then(|limit| limit.parse().ok()).filter(|most| (1..=100).contains(most)),
        };
        let since = since.first().map(|since| (*since).clone());
        let given = |cursor: &&String| self.cursors.get(*cursor).is_some_and(|(of, _)| *of == shop);
        let is_right = is_known && is_once && most.is_some() && cursor.iter().all(given);
        assert!(is_right || [401, 422, 503].contains(&reply.status), "{} for {query}", reply.status);
        let is_same_list = cursor.iter().all(|cursor| self.cursors.get(*cursor).is_some_and(|(_, of)| *of == since));
        if reply.status == 422 {
            // This check knows `updatedSince` in seconds only, so it does not judge other texts.
            let is_odd = since.as_ref().is_some_and(|since| !is_number(&&since) || since.len() > 10);
            assert!(!is_right || is_odd || !is_same_list, "{}", reply.text);
        }
        if reply.status != 200 {
            return;
        }
        let settled = self.stage.bridge.clock.now().as_second() - 10;
        let since_seconds = since.as_ref().and_then(|since| since.parse::<i64>().ok());
        assert!(ids.len() <= most.unwrap_or_default(), "{} orders", ids.len());
        let orders: Vec<StoredOrder> = ids.iter().map(|id| self.stage.stored(id).expect("it is listed")).collect();
        assert!(orders.iter().all(|order| order.shop_id == SHOPS[shop]), "another shop's order");
        assert!(orders.is_sorted_by_key(|order| order.updated_at), "{}", reply.text);
        for order in &orders {
            let at = order.updated_at.as_second();
            assert!(at <= settled && since_seconds.is_none_or(|since| at > since), "{at} is not between {since:?} and {settled}");
        }
        assert!(reply.body.get("next").is_some() != reply.body.get("until").is_some(), "{}", reply.text);
        if let Some(until) = reply.body["until"].as_str() {
            let until = until.parse::<Timestamp>().expect("an instant").as_second();
            let earliest = since_seconds.unwrap_or(settled);
            assert!(until >= earliest && (since.is_some() || until <= settled), "{until}, not {settled}");
        }
        self.has_listed = true;
        if let Some(next) = reply.body["next"].as_str() {
            next.clone_into(&mut self.cursor);
            self.cursors.insert(next.to_owned(), (shop, since));
        }
    }

    /// Page by page, a shop gets all of its orders, each once.
    pub(super) async fn lists_everything(&mut self) {
        self.stage.bridge.store.will_fail("");
        self.stage.pass(10);
        self.seconds_left = 29;
        for (shop, key) in KEYS.iter().enumerate() {
            let (mut found, mut query) = (Vec::new(), String::new());
            for _ in 0..STEPS {
                let event =
                    json!({"routeKey": LIST, "headers": {"authorization": format!("Bearer {key}")}, "rawQueryString": query});
                let (event, reply) = self.invoke(Lambda::Orders, event.to_string()).await.expect("an event");
                self.is_listed(&event, &reply, shop);
                found.extend(reply.orders().iter().map(|order| order["orderId"].to_string().replace('"', "")));
                match reply.body["next"].as_str() {
                    Some(cursor) => query = format!("cursor={cursor}"),
                    None => break,
                }
            }
            let all = self.stage.bridge.store.all().into_iter().filter(|order| order.shop_id == SHOPS[shop]);
            let mut all: Vec<String> = all.map(|order| order.order_id.to_string()).collect();
            (found.sort(), all.sort());
            assert_eq!(found, all, "of {}", SHOPS[shop]);
        }
    }
}
