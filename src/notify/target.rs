//! The URL at which a shop is called: its callbackUrl, if that may be called.
//!
//! A shop chooses the URL, so it must not lead the bridge to a service that only the bridge can reach. This module checks
//! what the URL itself shows. [`ShopClient`](super::ShopClient) checks the addresses of the host at each connection.

use std::fmt;

use rustls::pki_types::DnsName;
use url::{Host, Url};

/// The URL of a shop that may be called. It has no fragment, and no dot at the end of its host.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    may_be_private: bool,
}

/// Why a callbackUrl cannot be called. The text does not quote the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCallable {
    #[error("it is not an absolute URL with a host")]
    NotAbsolute,
    #[error("it is not an https URL")]
    NotHttps,
    #[error("it contains a user name or a password")]
    Credentials,
    #[error("its host is not in notify.hosts")]
    NotListed,
    #[error("its host is an IP address; it must be a name")]
    IpAddress,
    #[error("its host is not a DNS name")]
    NotAName,
}

impl Target {
    /// `notify_hosts`, if given, are the only hosts that may be called for this shop. Those that `private_hosts` also names
    /// may have private addresses, be IP addresses and use plain http.
    ///
    /// # Errors
    /// [`NotCallable`], with the first reason.
    pub fn parse(callback_url: &str, notify_hosts: Option<&[String]>, private_hosts: &PrivateHosts) -> Result<Self, NotCallable> {
        let mut url = Url::parse(callback_url).map_err(|_| NotCallable::NotAbsolute)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(NotCallable::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotCallable::Credentials);
        }
        url.set_fragment(None);
        if let Some(name) = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
            url.set_host(Some(&name)).map_err(|_| NotCallable::NotAName)?;
        }
        let host = url.host().ok_or(NotCallable::NotAbsolute)?.to_owned();
        let is_listed = notify_hosts.map(|listed| listed.iter().any(|listed| parse_host(listed).as_ref() == Some(&host)));
        if is_listed == Some(false) {
            return Err(NotCallable::NotListed);
        }
        let may_be_private = is_listed == Some(true) && private_hosts.contain(&host, url.port_or_known_default());
        match host {
            _ if url.scheme() == "http" && !may_be_private => Err(NotCallable::NotHttps),
            Host::Ipv4(_) | Host::Ipv6(_) if !may_be_private => Err(NotCallable::IpAddress),
            Host::Domain(name) if !is_dns_name(&name) => Err(NotCallable::NotAName),
            _ => Ok(Self { url, may_be_private }),
        }
    }

    /// The same target with another query, which is percent-encoded already.
    #[must_use]
    pub fn with_query(mut self, query: &str) -> Self {
        self.url.set_query(Some(query));
        self
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether the host may have private addresses.
    pub fn may_be_private(&self) -> bool {
        self.may_be_private
    }
}

/// Shows no URL, because a shop's URL must not be in the log.
impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Target").field("may_be_private", &self.may_be_private).finish_non_exhaustive()
    }
}

/// `PRIVATE_SHOP_HOSTS`. A host without a port stands for all ports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivateHosts(Vec<(Host, Option<u16>)>);

impl PrivateHosts {
    /// Reads `host` and `host:port` between commas, IPv6 addresses in brackets.
    ///
    /// # Errors
    /// What is wrong, as a text that follows `PRIVATE_SHOP_HOSTS: `.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split(',').map(|entry| parse_entry(entry.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// The hosts of both lists.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    fn contain(&self, host: &Host, port: Option<u16>) -> bool {
        self.0.iter().any(|(private, only)| private == host && (only.is_none() || *only == port))
    }
}

fn parse_entry(entry: &str) -> Result<(Host, Option<u16>), String> {
    if entry.is_empty() {
        return Err("an entry is empty; expected hosts like shop.internal,10.0.0.7:8443,[fd00::7]".to_owned());
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if !entry.ends_with(']') => (host, Some(port)),
        _ => (entry, None),
    };
    if host.contains(':') && !host.starts_with('[') {
        return Err(format!("{entry} is not a host or host:port; put an IPv6 address in brackets, without a scheme or a path"));
    }
    let host = parse_host(host).ok_or_else(|| format!("{entry} has no valid host; expected host or host:port"))?;
    let port = port.map(|port| parse_port(port).ok_or_else(|| format!("{entry} has no valid port; expected 1 to 65535")));
    Ok((host, port.transpose()?))
}

/// Accepts digits only, because `u16` itself also reads `+1`.
fn parse_port(text: &str) -> Option<u16> {
    let port = text.parse().ok().filter(|port| *port > 0)?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(port)
}

/// A host as a URL has it: in lower case, with IDNA applied, an IPv4 address in its usual form, and without a dot at the
/// end.
fn parse_host(text: &str) -> Option<Host> {
    match Host::parse(text.strip_suffix('.').unwrap_or(text)).ok()? {
        Host::Domain(name) => is_dns_name(&name).then_some(Host::Domain(name)),
        address => Some(address),
    }
}

/// rustls cannot connect to any other name.
fn is_dns_name(name: &str) -> bool {
    DnsName::try_from(name).is_ok() && !name.ends_with('.')
}

#[cfg(test)]
mod tests;
