//! The client for shops. A shop chooses its URL, so this client connects to public addresses only.
//!
//! The resolver checks the addresses, and the connection goes to one of those that it checked. So a name whose addresses
//! change between the check and the connection (DNS rebinding) does not get around the check.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::net::SocketAddr;
use std::time::Duration;

use http::header::RETRY_AFTER;
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Method, RequestBuilder};

use super::{Failure, Message, ShopCall, Shops, Target, is_public};
use crate::http_client::{Tls, TlsError, builder, retry_after};

/// As long as the whole request may take: the three seconds of the other clients are too short for a slow shop.
const MAX_CONNECT: Duration = Duration::from_secs(10);

/// It follows no redirects, uses no proxy and never retries. The caller sets the time limit of the whole request, look-up and
/// connection included.
pub struct ShopClient {
    public: Client,
    /// For the hosts of `PRIVATE_SHOP_HOSTS`, whose addresses are not checked.
    unchecked: Client,
}

impl ShopClient {
    /// # Errors
    /// [`TlsError`] if reqwest does not accept the TLS configuration.
    pub fn new(tls: &Tls) -> Result<Self, TlsError> {
        Self::with_look_up(tls, getaddrinfo)
    }

    fn with_look_up<L, F>(tls: &Tls, look_up: L) -> Result<Self, TlsError>
    where
        L: Fn(String) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        let client = |only_public| {
            let resolver = Resolver { look_up: look_up.clone(), only_public };
            // No connection is kept, so that each one has its own look-up. Shops are called so seldom that a kept connection
            // would hardly be used.
            let client = builder(tls).dns_resolver(resolver).pool_max_idle_per_host(0).connect_timeout(MAX_CONNECT);
            client.build().map_err(TlsError::Client)
        };
        Ok(Self { public: client(true)?, unchecked: client(false)? })
    }

    /// A request without a time limit. It needs a [`Target`], because the resolver never sees an IP address that stands in
    /// the URL itself; `Target` has checked that one.
    fn request(&self, method: Method, target: &Target) -> RequestBuilder {
        let client = if target.may_be_private() { &self.unchecked } else { &self.public };
        client.request(method, target.url().clone())
    }
}

impl Shops for ShopClient {
    async fn call(&self, message: &Message, within: Duration) -> ShopCall {
        let request = self.request(message.method.clone(), &message.target).timeout(within).body(message.body.clone());
        let request = message.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        match request.send().await {
            Ok(answer) => {
                let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let retry_after = retry_after.and_then(|value| retry_after::parse(value, Timestamp::now()));
                ShopCall::Answered { http_status: answer.status().as_u16(), retry_after }
            }
            Err(error) => ShopCall::Failed(failure(&error)),
        }
    }
}

struct Resolver<L> {
    look_up: L,
    only_public: bool,
}

#[derive(Debug, thiserror::Error)]
enum ResolveError {
    #[error("the name cannot be looked up")]
    Failed(#[source] io::Error),
    #[error("the name has no address")]
    NoAddress,
    #[error("the name has an address that is not public")]
    NotPublic,
}

impl<L, F> Resolve for Resolver<L>
where
    L: Fn(String) -> F + Send + Sync,
    F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
{
    fn resolve(&self, name: Name) -> Resolving {
        let (looking_up, only_public) = ((self.look_up)(name.as_str().to_owned()), self.only_public);
        Box::pin(async move {
            let addresses = looking_up.await.map_err(ResolveError::Failed)?;
            if addresses.is_empty() {
                return Err(ResolveError::NoAddress.into());
            }
            // One address that is not public is enough to refuse the name, because the connection might go to it.
            if only_public && !addresses.iter().all(|address| is_public(address.ip())) {
                return Err(ResolveError::NotPublic.into());
            }
            Ok::<Addrs, _>(Box::new(addresses.into_iter()))
        })
    }
}

/// The system's resolver. Its thread goes on even if the caller no longer waits.
async fn getaddrinfo(name: String) -> io::Result<Vec<SocketAddr>> {
    // The port does not matter here: reqwest puts that of the URL in its place.
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// Names the failure without the text of `error`, which contains the URL and must not be logged.
fn failure(error: &reqwest::Error) -> Failure {
    match find::<ResolveError>(error) {
        Some(ResolveError::NotPublic) => Failure::Address,
        Some(ResolveError::Failed(_) | ResolveError::NoAddress) => Failure::Dns,
        None if error.is_timeout() => Failure::Timeout,
        None if find::<rustls::Error>(error).is_some() => Failure::Tls,
        None => Failure::Connection,
    }
}

fn find<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let first: &(dyn Error + 'static) = error;
    // `source()` of an `io::Error` skips the error inside it, so that one is taken out first.
    let mut causes = successors(Some(first), |&error| match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inside) => Some(inside),
        None => error.source(),
    });
    causes.find_map(|error| error.downcast_ref())
}

#[cfg(test)]
mod tests;
