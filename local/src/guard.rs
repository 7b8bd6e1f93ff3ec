//! Which requests the server answers. It listens on a machine whose browsers also show other sites. A page of such a site
//! must not read orders, send them or move the clock.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use url::Url;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The host names that a request may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hosts {
    /// Names of this machine, and the name of a tunnel. Any other name could be DNS rebinding: a stranger's name with this
    /// machine's address.
    Loopback { tunnel: Option<String> },
    /// Any name, because other machines are to reach this server, and their name for it is unknown.
    Any,
}

/// Refuses requests that a page of another site could have made.
pub(super) async fn guard(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    match refusal(&hosts, request.method(), request.headers()) {
        None => next.run(request).await,
        Some((status, text)) => (status, text).into_response(),
    }
}

fn refusal(hosts: &Hosts, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(HOST).unwrap_or_default();
    if !hosts.has(host) {
        let text = "This server answers to localhost and 127.0.0.1 only. With --host, it answers to other names.\n";
        return Some((StatusCode::MISDIRECTED_REQUEST, text));
    }
    // Only browsers send these headers; curl and shops do not.
    let is_same_origin = match (text(ORIGIN), text(SEC_FETCH_SITE)) {
        (Some(origin), _) if origin.split_once("://").is_none_or(|(_, of)| of != host) => false,
        (_, Some(site)) => ["same-origin", "none"].contains(&site),
        _ => true,
    };
    let is_link = [Method::GET, Method::HEAD].contains(method) && text(SEC_FETCH_MODE) == Some("navigate");
    let is_refused = !is_same_origin && !is_link;
    is_refused
        .then_some((StatusCode::FORBIDDEN, "The page of another site has made this request. Open the sandbox's own pages.\n"))
}

impl Hosts {
    /// `host` is the value of a `Host` header.
    fn has(&self, host: &str) -> bool {
        let Self::Loopback { tunnel } = self else { return true };
        let name = host.parse::<Authority>().ok().map(|authority| authority.host().to_ascii_lowercase());
        name.is_some_and(|name| is_loopback_name(&name) || tunnel.as_ref() == Some(&name))
    }
}

/// Whether a host name means this machine, whatever a name server says.
pub(super) fn is_loopback_name(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

/// The path of the page that contained the form, if it is a page of this server.
pub(super) fn own_referer(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let (referer, host) = (Url::parse(text(http::header::REFERER)?).ok()?, text(HOST)?);
    let is_own = referer.scheme() == "http" && referer.authority() == host && !referer.path().starts_with("//");
    is_own.then(|| referer[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: Hosts = Hosts::Loopback { tunnel: None };

    fn status(hosts: &Hosts, method: &Method, headers: &[(&'static str, &'static str)]) -> Option<u16> {
        let pairs = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        refusal(hosts, method, &pairs.collect()).map(|(status, _)| status.as_u16())
    }

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        for (host, expected) in [
            ("127.0.0.1:3000", None),
            ("localhost:3000", None),
            ("LOCALHOST", None),
            ("[::1]:3000", None),
            ("127.8.9.1", None),
            ("evil.example:3000", Some(421)),
            ("localhost.evil.example", Some(421)),
            ("127.0.0.1.evil.example", Some(421)),
            ("192.168.1.5:3000", Some(421)),
            ("0.0.0.0:3000", Some(421)),
            ("", Some(421)),
            ("a b", Some(421)),
        ] {
            assert_eq!(status(&LOOPBACK, &Method::GET, &[("host", host)]), expected, "{host}");
            assert_eq!(status(&Hosts::Any, &Method::GET, &[("host", host)]), None, "{host}");
        }
        assert_eq!(status(&LOOPBACK, &Method::GET, &[]), Some(421));
        let tunnel = Hosts::Loopback { tunnel: Some("tunnel.example".to_owned()) };
        assert_eq!(status(&tunnel, &Method::GET, &[("host", "Tunnel.example")]), None);
        assert_eq!(status(&tunnel, &Method::GET, &[("host", "evil.example")]), Some(421));
    }

    #[test]
    fn a_page_of_another_site_changes_and_reads_nothing() {
        let own = ("host", "127.0.0.1:3000");
        for (method, headers, expected) in [
            (Method::POST, vec![], None),
            (Method::POST, vec![("origin", "http://127.0.0.1:3000")], None),
            (Method::POST, vec![("origin", "http://127.0.0.1:3000"), ("sec-fetch-site", "same-origin")], None),
            (Method::POST, vec![("origin", "http://127.0.0.1:8080")], Some(403)),
            (Method::POST, vec![("origin", "http://127.0.0.1:30000")], Some(403)),
            (Method::POST, vec![("origin", "null")], Some(403)),
            (Method::POST, vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], Some(403)),
            (Method::GET, vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], None),
            (Method::GET, vec![("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")], Some(403)),
            (Method::GET, vec![("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")], None),
            (Method::OPTIONS, vec![("origin", "https://evil.example")], Some(403)),
        ] {
            let headers = [vec![own], headers].concat();
            assert_eq!(status(&LOOPBACK, &method, &headers), expected, "{method} {headers:?}");
            assert_eq!(status(&Hosts::Any, &method, &headers), expected, "{method} {headers:?}");
        }
    }

    #[test]
    fn a_form_leads_back_to_a_page_of_this_server_only() {
        for (referer, expected) in [
            ("http://127.0.0.1:3000/console/orders?search=a&b=c", Some("/console/orders?search=a&b=c")),
            ("http://127.0.0.1:3000/", Some("/")),
            ("http://127.0.0.1:8080/console", None),
            ("http://evil.example/console", None),
            ("http://127.0.0.1:3000//evil.example", None),
            ("http://127.0.0.1:3000/\\evil.example", None),
            (r"a:/\evil.example", None),
            ("nothing", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "127.0.0.1:3000".parse().unwrap());
            headers.insert(http::header::REFERER, referer.parse().unwrap());
            assert_eq!(own_referer(&headers).as_deref(), expected, "{referer}");
        }
    }
}
