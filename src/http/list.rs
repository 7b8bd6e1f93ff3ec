//! `GET /orders`: the order of a key, or a shop's orders by their last change.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};
use url::form_urlencoded;
use uuid::Uuid;

use super::authorization::authorize;
use super::orders::{Orders, cannot_read};
use super::problem::{Problem, Slug};
use super::request_log::HandlerResult;
use super::{ApiRequest, idempotency_key, json};
use crate::clock::parse_rfc_3339;
use crate::front_payment::FrontPayment;
use crate::order::{Code, StoredOrder};
use crate::order_view::{Instant, OrderView};
use crate::store::{Cursor, IndexQuery, OrderIndex, Partition};
use crate::submit;
use crate::telemetry::RequestReport;

/// Later changes are not listed yet: an earlier write may still be running, and the index lags behind.
const SETTLING_TIME: SignedDuration = SignedDuration::from_secs(10);
const DEFAULT_LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 100;
/// Orders that are read at once.
const MAX_RUNNING: usize = 10;

#[derive(Serialize)]
struct ListView<'a> {
    orders: Vec<OrderView<'a>>,
    /// The `cursor` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Only on the last page: the `updatedSince` of the next list.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
struct Parameters {
    /// In Unix milliseconds.
    since: i64,
    limit: u16,
    after: Option<Cursor>,
}

impl<S: OrderIndex, F: FrontPayment> Orders<S, F> {
    pub(super) async fn list(&self, request: &ApiRequest<'_>, report: &mut RequestReport) -> HandlerResult {
        let (_, shop_id) = authorize(&self.bridge, request, report).await?;
        let query: Vec<(String, String)> = form_urlencoded::parse(request.event.raw_query().as_bytes()).into_owned().collect();
        if request.event.header("idempotency-key").is_some() {
            return self.find_by_key(request, &shop_id, &query).await;
        }
        let Parameters { since, limit, after } = parameters(&shop_id, &query)?;
        let (by, now) = (request.deadline.reply_by(), self.bridge.clock.now());
        let until = now.saturating_sub(SETTLING_TIME).unwrap_or(now).as_millisecond();
        let mut index = IndexQuery::until(Partition::Shop { shop_id: &shop_id }, until, limit);
        (index.later_than, index.after) = (Some(since), after);
        let page = self.bridge.list(&index, by).await.map_err(|error| cannot_read(&error))?;
        let orders = stream::iter(page.items).map(|entry| self.bridge.load(entry.order_id, by)).buffered(MAX_RUNNING);
        let orders: Vec<Option<StoredOrder>> = orders.try_collect().await.map_err(|error| cannot_read(&error))?;
        let own = |order: &&StoredOrder| order.shop_id == shop_id && !order.is_past_retention(now);
        let next = page.next.map(|cursor| write_cursor(cursor, &shop_id, since));
        let until = next.is_none().then(|| Timestamp::from_millisecond(until.max(since)).unwrap_or(now)).map(Instant);
        let orders = orders.iter().flatten().filter(own).map(|order| OrderView::of_list(order, now)).collect();
        Ok(("listed", json(StatusCode::OK, "application/json", Vec::new(), &ListView { orders, next, until })))
    }

    /// One order or none. The read is consistent, but a request with this key may still arrive.
    async fn find_by_key(&self, request: &ApiRequest<'_>, shop_id: &str, query: &[(String, String)]) -> HandlerResult {
        const HEADER: &str = "Idempotency-Key";
        let key = idempotency_key::read(request.event).map_err(|_| invalid(HEADER, idempotency_key::EXPECTED))?;
        if let Some((name, _)) = query.first() {
            return Err(invalid(name, "goes with a list; beside the header Idempotency-Key there is no parameter"));
        }
        let order_id = submit::order_id(shop_id, key.unwrap_or_default());
        let (by, now) = (request.deadline.reply_by(), self.bridge.clock.now());
        let order = self.bridge.load(order_id, by).await.map_err(|error| cannot_read(&error))?;
        let order = order.filter(|order| order.shop_id == shop_id && !order.is_past_retention(now));
        let orders = order.iter().map(|order| OrderView::of_list(order, now)).collect();
        Ok(("found", json(StatusCode::OK, "application/json", Vec::new(), &ListView { orders, next: None, until: None })))
    }
}

fn parameters(shop_id: &str, query: &[(String, String)]) -> Result<Parameters, Problem> {
    let known = ["updatedSince", "limit", "cursor"];
    if let Some((unknown, _)) = query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(invalid(unknown, "is no parameter of this list; there are updatedSince, limit and cursor"));
    }
    let one = |name: &str| {
        let mut values = query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(invalid(name, "stands more than once")),
        }
    };
    let since = one("updatedSince")?.map(|text| {
        instant(text).ok_or_else(|| invalid("updatedSince", "must be a time like 2026-06-15T12:00:00Z, or Unix seconds"))
    });
    let since = since.transpose()?.map_or(i64::MIN, Timestamp::as_millisecond);
    let limit = one("limit")?.map(|text| limit(text).ok_or_else(|| invalid("limit", "must be a whole number from 1 to 100")));
    let after = one("cursor")?.map(|text| {
        let detail = "is not the next of a page of this shop with the same updatedSince";
        read_cursor(text, shop_id, since).ok_or_else(|| invalid("cursor", detail))
    });
    Ok(Parameters { since, limit: limit.transpose()?.unwrap_or(DEFAULT_LIMIT), after: after.transpose()? })
}

fn invalid(parameter: &str, detail: &str) -> Problem {
    const WHAT: &str = "The list was not read. Correct the parameter that errors names.";
    Problem::new(Slug::ValidationFailed, WHAT).because_of_parameter(parameter, Code::InvalidFormat, detail)
}

/// RFC 3339 or Unix seconds. A `+` that was not escaped arrives as a space.
fn instant(text: &str) -> Option<Timestamp> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Timestamp::from_second(text.parse().ok()?).ok();
    }
    parse_rfc_3339(&text.replace(' ', "+"))
}

fn limit(text: &str) -> Option<u16> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(limit)
}

/// Opaque to the shop. It can be used only by the same shop, with the same `updatedSince`.
fn write_cursor(cursor: Cursor, shop_id: &str, since: i64) -> String {
    let Cursor { order_id, at } = cursor;
    BASE64_URL_SAFE_NO_PAD.encode(format!("{at}.{order_id}.{}", binding(cursor, shop_id, since)))
}

fn read_cursor(text: &str, shop_id: &str, since: i64) -> Option<Cursor> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let mut parts = text.split('.');
    let (at, order_id, bound) = (parts.next()?.parse().ok()?, Uuid::parse_str(parts.next()?).ok()?, parts.next()?);
    let cursor = Cursor { order_id, at };
    (bound == binding(cursor, shop_id, since) && parts.next().is_none()).then_some(cursor)
}

fn binding(Cursor { order_id, at }: Cursor, shop_id: &str, since: i64) -> String {
    let digest = Sha256::digest(format!("{shop_id}\0{since}\0{at}\0{order_id}"));
    hex::encode(digest.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    #[test]
    fn a_cursor_opens_only_its_own_list() {
        let cursor = Cursor { order_id: ID, at: 1_781_481_600_000 };
        let text = write_cursor(cursor, "shop-a", 5);
        assert_eq!(read_cursor(&text, "shop-a", 5), Some(cursor));
        assert_eq!((read_cursor(&text, "shop-b", 5), read_cursor(&text, "shop-a", 6)), (None, None));
        for other in ["", "x", "MS4x", &text[1..], &format!("{text}A")] {
            assert_eq!(read_cursor(other, "shop-a", 5), None, "{other}");
        }
    }

    #[test]
    fn times_are_rfc_3339_or_unix_seconds() {
        for (text, millis) in [
            ("0", Some(0)),
            ("1781481600", Some(1_781_481_600_000)),
            ("2026-06-15T00:00:00Z", Some(1_781_481_600_000)),
            ("2026-06-15T02:00:00.250+02:00", Some(1_781_481_600_250)),
            ("2026-06-15T02:00:00 02:00", Some(1_781_481_600_000)),
            ("2026-06-15T00:00:00", None),
            ("2026-06-15", None),
            ("-1", None),
            ("1.5", None),
            ("99999999999999999999", None),
            ("", None),
        ] {
            assert_eq!(instant(text).map(Timestamp::as_millisecond), millis, "{text}");
        }
    }

    #[test]
    fn limits() {
        for (text, expected) in
            [("1", Some(1)), ("100", Some(100)), ("0", None), ("101", None), ("+5", None), ("", None), ("x", None)]
        {
            assert_eq!(limit(text), expected, "{text}");
        }
    }
}
