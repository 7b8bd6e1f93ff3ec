//! A neighbour on a socket that behaves as badly as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What it does once it has read a whole request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Writes these bytes and closes.
    Says(Vec<u8>),
    /// Closes at once.
    Closes,
    /// Resets the connection.
    Resets,
    /// Says nothing.
    Hangs,
    /// Writes these bytes, and then nothing more, and does not close.
    SaysAndHangs(Vec<u8>),
    /// Writes these bytes after a while.
    SaysAfter(Duration, Vec<u8>),
}

pub struct Peer {
    pub base_url: String,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: tokio::task::JoinHandle<()>,
}

/// A whole reply, with its length.
pub fn reply(status: u16, headers: &str, body: &str) -> Behaviour {
    Behaviour::Says(format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes())
}

impl Peer {
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = requests.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (behaviour, seen) = (behaviour.clone(), seen.clone());
                tokio::spawn(async move {
                    serve(&mut stream, &behaviour, &seen).await;
                    if matches!(behaviour, Behaviour::Resets) {
                        stream.set_zero_linger().unwrap();
                    }
                });
            }
        });
        Self { base_url, requests, accepting }
    }

    /// The same over TLS, as `localhost`; and the PEM of the authority that says so.
    pub async fn start_tls(behaviour: Behaviour) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = requests.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, behaviour, seen) = (acceptor.clone(), behaviour.clone(), seen.clone());
                tokio::spawn(async move {
                    // A client that does not trust us hangs up.
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        serve(&mut stream, &behaviour, &seen).await;
                    }
                });
            }
        });
        (Self { base_url, requests, accepting }, authority.pem())
    }

    /// Every request so far, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), behaviour: &Behaviour, requests: &Mutex<Vec<String>>) {
    let Some(request) = read_request(stream).await else { return };
    requests.lock().unwrap().push(request);
    let (bytes, hangs): (&[u8], bool) = match behaviour {
        Behaviour::Says(bytes) => (bytes, false),
        Behaviour::SaysAndHangs(bytes) => (bytes, true),
        Behaviour::SaysAfter(while_passes, bytes) => {
            tokio::time::sleep(*while_passes).await;
            (bytes, false)
        }
        Behaviour::Closes | Behaviour::Resets => return,
        Behaviour::Hangs => (&[], true),
    };
    // The other side may have had enough before all is written.
    if stream.write_all(bytes).await.is_ok() && stream.flush().await.is_ok() && hangs {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut request = Vec::new();
    let mut chunk = [0; 65_536];
    loop {
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(text);
        }
    }
}
