//! HTTP clients, for AWS and Front Payment alike: one TLS configuration, one set of roots.

mod kept;
mod neighbour;

pub use neighbour::{Lease, Neighbour};

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config::ConfigError;

const CERTIFICATES: &str = "SSL_CERT_FILE";

/// Whom to trust, and how to speak to them. Shared by all clients; a copy costs nothing.
#[derive(Debug, Clone)]
pub struct Tls(ClientConfig);

impl Tls {
    /// Trusts the certificates in a PEM file, or Mozilla's if there is none.
    ///
    /// # Errors
    /// [`ConfigError`] where the file cannot be used.
    pub fn new(ssl_cert_file: Option<&Path>) -> Result<Self, ConfigError> {
        let roots = match ssl_cert_file {
            None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
            Some(file) => read_roots(file)?,
        };
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| no_tls(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(tls))
    }
}

/// A client of anybody. It follows no redirects, tries nothing again on its own, and has three seconds to connect.
///
/// # Errors
/// [`ConfigError`] where the file of certificates cannot be used.
pub fn build(ssl_cert_file: Option<&Path>) -> Result<Client, ConfigError> {
    builder(&Tls::new(ssl_cert_file)?).build().map_err(|error| no_tls(&error))
}

fn builder(tls: &Tls) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls.0.clone())
        .user_agent(concat!("front-payment-bridge/", env!("CARGO_PKG_VERSION")))
        // A proxy named in the environment would see tokens that are meant for this machine alone.
        .no_proxy()
        .redirect(redirect::Policy::none())
        // Nought at most, too: it would copy each request before it asks whether to try again.
        .retry(retry::never().max_retries_per_request(0))
        .connect_timeout(Duration::from_secs(3))
}

fn read_roots(file: &Path) -> Result<RootCertStore, ConfigError> {
    let unusable = |why: &dyn std::fmt::Display| ConfigError::new(CERTIFICATES, format!("{}: {why}", file.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))? {
        roots.add(certificate.map_err(|error| unusable(&error))?).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() { Err(unusable(&"there is no certificate in it")) } else { Ok(roots) }
}

fn no_tls(error: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::new(CERTIFICATES, format!("TLS cannot be set up: {error}"))
}
