//! A server on a socket that behaves as a test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An address where nothing listens.
pub const NOBODY: &str = "http://127.0.0.1:1";

/// A recorded 201 of Front Payment's, with other ids.
pub const CREATED: &str = r#"{"status_code":201,"status_message":"OK","message":"orderCreatedSuccessfully","is_data":true,"data":{"orderUuid":"ODR1","customerUuid":"CSRT1","bankIdUrl":"https://bankid.example/login"}}"#;

/// What the server does after it has read a whole request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Writes these bytes and closes the connection.
    Writes(Vec<u8>),
    /// Closes the connection.
    Closes,
    /// Resets the connection.
    Resets,
    /// Writes nothing and does not close the connection.
    Hangs,
    /// Writes these bytes and does not close the connection.
    WritesAndHangs(Vec<u8>),
    /// Waits, writes these bytes and closes the connection.
    WritesAfter(Duration, Vec<u8>),
}

pub struct Peer {
    pub base_url: String,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: tokio::task::JoinHandle<()>,
}

/// A whole reply. It says that the connection is closed then, or the client would use it again at once.
pub fn reply(status: u16, headers: &str, body: &str) -> Behaviour {
    Behaviour::Writes(reply_bytes(status, &format!("connection: close\r\n{headers}"), body))
}

/// Each header ends with CR and LF.
pub fn reply_bytes(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

/// A status of Front Payment's.
pub fn status_reply(order_uuid: &str, status: &str) -> Behaviour {
    reply(200, "", &format!(r#"{{"status_code":200,"data":{{"uuid":"{order_uuid}","status":"{status}"}}}}"#))
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

    /// Like [`Self::start`], over TLS, as `localhost`, with its own certificate authority. Also returns the authority's PEM.
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
                    // A client that does not trust the authority closes the connection.
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
        Behaviour::Writes(bytes) => (bytes, false),
        Behaviour::WritesAndHangs(bytes) => (bytes, true),
        Behaviour::WritesAfter(pause, bytes) => {
            tokio::time::sleep(*pause).await;
            (bytes, false)
        }
        Behaviour::Closes | Behaviour::Resets => return,
        Behaviour::Hangs => (&[], true),
    };
    // The client may close the connection before everything is written.
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
