//! Which shop sends a request.

use std::sync::Arc;

use super::ApiRequest;
use super::problem::{Problem, Slug};
use crate::bridge::Bridge;
use crate::secrets::Secret;
use crate::telemetry::RequestReport;

/// The shop that the API key in `Authorization` belongs to, and the secret in which it was found. Reports the shop and the
/// number of the key.
pub(super) async fn authorize<S, F>(
    bridge: &Bridge<S, F>,
    request: &ApiRequest<'_>,
    report: &mut RequestReport,
) -> Result<(Arc<Secret>, String), Problem> {
    let reply_by = request.deadline.reply_by();
    let secret = bridge.secret(reply_by).await.map_err(|_| {
        Problem::new(
            Slug::SecretUnavailable,
            "The bridge has no usable secret yet. Try again; its operator finds the reason in the log.",
        )
    })?;
    let unauthorized = || {
        Problem::new(
            Slug::Unauthorized,
            "The API key is missing, is not sent as a bearer token, or belongs to no shop. Send Authorization: Bearer <key>.",
        )
    };
    let key = request.event.header("authorization").and_then(bearer).ok_or_else(unauthorized)?;
    let mut noted = |(shop_id, number): (&str, u64)| {
        (report.shop_id, report.api_key) = (Some(shop_id.to_owned()), Some(number));
        shop_id.to_owned()
    };
    if let Some(shop_id) = secret.shop_of(key).map(&mut noted) {
        return Ok((secret, shop_id));
    }
    // The key may be newer than the cached secret.
    let newer = bridge.newer_secret(&secret, reply_by).await.ok_or_else(unauthorized)?;
    let shop_id = newer.shop_of(key).map(noted).ok_or_else(unauthorized)?;
    Ok((newer, shop_id))
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, key) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim()).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authorization_of_any_shape() {
        for (header, key) in [
            ("Bearer k", Some("k")),
            ("bearer k", Some("k")),
            ("BEARER  k ", Some("k")),
            ("Bearer a b", Some("a b")),
            ("Bearer", None),
            ("Bearer ", None),
            ("", None),
            ("k", None),
            ("Basic k", None),
            ("Bearerk", None),
            ("Bearer\tk", None),
        ] {
            assert_eq!(bearer(header), key, "{header:?}");
        }
    }
}
