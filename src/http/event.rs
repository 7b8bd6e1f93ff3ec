//! A request as API Gateway's HTTP API sends it to Lambda, payload 2.0.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use url::{Url, form_urlencoded};

/// Every member is optional, because whatever a client sends must get a reply.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The route key as in template.yaml, for example `POST /orders`.
    #[serde(default)]
    pub route_key: Option<String>,
    /// Decoded by API Gateway; includes the prefix of a stage or of a domain's mapping.
    #[serde(default)]
    raw_path: Option<String>,
    /// As the client sent it.
    #[serde(default)]
    raw_query_string: Option<String>,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    path_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    request_context: Option<RequestContext>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    domain_name: Option<String>,
}

impl Event {
    /// API Gateway writes the names in lower case, and joins repeated headers with commas.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let headers = self.headers.as_ref()?;
        headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    #[must_use]
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.as_ref()?.get(name).map(String::as_str)
    }

    /// As received; empty without a query.
    #[must_use]
    pub fn raw_query(&self) -> &str {
        self.raw_query_string.as_deref().unwrap_or_default()
    }

    #[must_use]
    pub fn has_query(&self, name: &str, value: &str) -> bool {
        form_urlencoded::parse(self.raw_query().as_bytes()).any(|parameter| parameter == (name.into(), value.into()))
    }

    /// `None` if the event says that the body is base64, and it is not.
    #[must_use]
    pub fn body(&self) -> Option<Vec<u8>> {
        let body = self.body.as_deref().unwrap_or_default();
        if self.is_base64_encoded == Some(true) { BASE64_STANDARD.decode(body).ok() } else { Some(body.as_bytes().to_vec()) }
    }

    /// The public base URL of this API, from the request's own address: its domain, and what precedes the route in its
    /// path. Without a trailing slash.
    #[must_use]
    pub fn public_base(&self, route_path: &str) -> Option<String> {
        let domain = self.request_context.as_ref()?.domain_name.as_deref()?;
        let prefix = self.raw_path.as_deref()?.trim_end_matches('/').strip_suffix(route_path)?;
        let mut base = Url::parse(&format!("https://{domain}")).ok()?;
        let is_bare = base.path() == "/" && base.query().is_none() && base.fragment().is_none() && base.username().is_empty();
        if !is_bare {
            return None;
        }
        base.set_path(prefix);
        Some(base.as_str().trim_end_matches('/').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(json: serde_json::Value) -> Event {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn an_event_may_lack_everything() {
        for sparse in [
            json!({}),
            json!({"headers": null, "pathParameters": null, "body": null, "requestContext": null, "rawQueryString": null}),
        ] {
            let event = event(sparse);
            assert_eq!((event.header("authorization"), event.raw_query(), event.body()), (None, "", Some(Vec::new())));
        }
    }

    #[test]
    fn the_public_base_is_what_precedes_the_route() {
        let base = |domain: &str, path: &str| {
            event(json!({"rawPath": path, "requestContext": {"domainName": domain}})).public_base("/orders")
        };
        assert_eq!(
            base("a1.execute-api.eu-north-1.amazonaws.com", "/orders").as_deref(),
            Some("https://a1.execute-api.eu-north-1.amazonaws.com")
        );
        assert_eq!(base("api.example.no", "/prod/orders").as_deref(), Some("https://api.example.no/prod"));
        assert_eq!(base("api.example.no", "/orders/v1/orders").as_deref(), Some("https://api.example.no/orders/v1"));
        assert_eq!(base("api.example.no", "/a b/orders").as_deref(), Some("https://api.example.no/a%20b"));
        for (domain, path) in [
            ("", "/orders"),
            ("a b", "/orders"),
            ("x@y", "/orders"),
            ("x/y", "/orders"),
            ("x?y", "/orders"),
            ("api.example.no", "/else"),
        ] {
            assert_eq!(base(domain, path), None, "{domain} {path}");
        }
    }

    #[test]
    fn a_body_may_be_base64() {
        assert_eq!(event(json!({"body": "e30=", "isBase64Encoded": true})).body(), Some(b"{}".to_vec()));
        assert_eq!(event(json!({"body": "e30", "isBase64Encoded": true})).body(), None);
        assert_eq!(event(json!({"body": "e30=", "isBase64Encoded": false})).body(), Some(b"e30=".to_vec()));
    }
}
