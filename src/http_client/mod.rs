//! The HTTP clients for AWS, Front Payment and shops share one TLS configuration and one set of root certificates.

mod pooled;
mod preconnect;
pub(crate) mod retry_after;

pub use pooled::{ClientLease, PooledClient};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, RootCertStore};

use crate::REVISION;

/// The TLS configuration with its root certificates. A clone is cheap.
#[derive(Debug, Clone)]
pub struct Tls(ClientConfig);

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("SSL_CERT_FILE: {} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] pem::Error),
    #[error("SSL_CERT_FILE: {} contains an unusable certificate", .0.display())]
    BadCertificate(PathBuf, #[source] rustls::Error),
    #[error("SSL_CERT_FILE: {} contains no certificate", .0.display())]
    NoCertificate(PathBuf),
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
}

impl Tls {
    /// Trusts the certificates in a PEM file. Without a file, trusts Mozilla's.
    ///
    /// # Errors
    /// [`TlsError`] where the file cannot be used.
    pub fn new(ssl_cert_file: Option<&Path>) -> Result<Self, TlsError> {
        let roots = match ssl_cert_file {
            None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
            Some(file) => read_roots(file)?,
        };
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(tls))
    }
}

/// A client with the common settings: it follows no redirects and never retries, and connecting may take three seconds.
///
/// # Errors
/// [`TlsError`] where the certificate file cannot be used.
pub fn build(ssl_cert_file: Option<&Path>) -> Result<Client, TlsError> {
    builder(&Tls::new(ssl_cert_file)?).build().map_err(TlsError::Client)
}

pub(crate) fn builder(tls: &Tls) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls.0.clone())
        .user_agent(format!("front-payment-bridge/{REVISION}"))
        // A proxy named in the environment would see tokens that are sent over plain http to this machine.
        .no_proxy()
        .redirect(redirect::Policy::none())
        // Without this limit, reqwest clones every request before it asks the policy.
        .retry(retry::never().max_retries_per_request(0))
        .connect_timeout(Duration::from_secs(3))
}

fn read_roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let unreadable = |error| TlsError::Unreadable(file.to_owned(), error);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(unreadable)? {
        let added = roots.add(certificate.map_err(unreadable)?);
        added.map_err(|error| TlsError::BadCertificate(file.to_owned(), error))?;
    }
    if roots.is_empty() { Err(TlsError::NoCertificate(file.to_owned())) } else { Ok(roots) }
}
