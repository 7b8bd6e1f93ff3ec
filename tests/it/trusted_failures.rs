//! After a 500 or 510, the order may exist, unless `TRUSTED_FAILURES` says that this failure creates nothing.

use serde_json::json;

use crate::support::documents::example;
use crate::support::peer::{Peer, reply};
use crate::support::world::{ORDERS, World, body, post, slug};

/// A failure in Front Payment's own JSON form.
fn own(status: u16) -> String {
    format!(
        r#"{{"status_code":{status},"status_message":"Internal Server Error","message":"failed","is_data":false,"data":null,"errors":null}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_500_or_510_creates_nothing_only_where_front_payment_has_confirmed_it() {
    let world = World::new().await;
    for (trusted, status, answer, expected) in [
        ("", 500, own(500), "UNKNOWN"),
        ("", 510, own(510), "UNKNOWN"),
        ("500", 500, own(500), "FAILED"),
        ("500", 510, own(510), "UNKNOWN"),
        ("510,500", 510, own(510), "FAILED"),
        ("500,510", 500, "<html>".to_owned(), "UNKNOWN"),
        ("500,510", 502, own(502), "UNKNOWN"),
    ] {
        let front_payment = Peer::start(reply(status, "retry-after: 5\r\n", &answer)).await;
        let variables = [("TRUSTED_FAILURES", trusted), ("FRONT_PAYMENT_BASE_URL", front_payment.base_url.as_str())];
        let orders = world.start(ORDERS, &variables).await;
        let key = format!("{trusted}-{status}-{}", answer.len());
        let key = Some(key.replace(',', "+"));
        let first = orders.invoke(&post(&example(), key.as_deref())).await;
        let again = orders.invoke(&post(&example(), key.as_deref())).await;
        let rows = [&first, &again].map(|reply| (reply["statusCode"].clone(), slug(reply), body(reply)["nextStep"].clone()));
        let row = |status: u16, slug: &str, next_step: &str| (json!(status), slug.to_owned(), json!(next_step));
        let (rows_expected, sent) = if expected == "FAILED" {
            ([row(502, "front-payment-failed", "retry"), row(502, "front-payment-failed", "retry")], 2)
        } else {
            ([row(504, "outcome-unknown", "look"), row(409, "outcome-unknown", "look")], 1)
        };
        assert_eq!(rows, rows_expected, "{status} {answer}, trusted: {trusted}");
        assert_eq!(front_payment.requests().len(), sent, "{status} {answer}, trusted: {trusted}");
        assert_eq!(first["headers"].get("retry-after"), None);
        let stored = world.stored(body(&first)["orderId"].as_str().unwrap()).await;
        assert_eq!(stored.status.name(), expected, "{status} {answer}, trusted: {trusted}");
    }
}
