//! Which shop sends a request.

use std::sync::Arc;

use super::ApiRequest;
use super::problem::{Problem, Slug};
use crate::bridge::Bridge;
use crate::secrets::Secret;

/// The shop that the API key in `Authorization` belongs to, and the secret that says so.
pub(super) async fn authorize<S, F>(bridge: &Bridge<S, F>, request: &ApiRequest<'_>) -> Result<(Arc<Secret>, String), Problem> {
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
    if let Some(shop_id) = secret.shop_of(key) {
        let shop_id = shop_id.to_owned();
        return Ok((secret, shop_id));
    }
    // The key may have been issued a moment ago.
    let newer = bridge.newer_secret(&secret, reply_by).await.ok_or_else(unauthorized)?;
    let shop_id = newer.shop_of(key).ok_or_else(unauthorized)?.to_owned();
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
