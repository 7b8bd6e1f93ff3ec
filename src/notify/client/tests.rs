use std::future::{pending, ready};
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::notify::PrivateHosts;

const PUBLIC: [&str; 2] = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"];

fn sockets(addresses: &[&str]) -> Vec<SocketAddr> {
    addresses.iter().map(|address| (address.parse::<IpAddr>().unwrap(), 0).into()).collect()
}

fn tls() -> Tls {
    Tls::new(None).unwrap()
}

/// A client for which every name has these addresses.
fn client_with(tls: &Tls, addresses: &[&str]) -> ShopClient {
    let addresses = sockets(addresses);
    ShopClient::with_look_up(tls, move |_| ready(Ok(addresses.clone()))).unwrap()
}

fn public_target(url: &str) -> Target {
    Target::parse(url, None, &PrivateHosts::default()).unwrap()
}

fn private_target(url: &str) -> Target {
    let host = url::Url::parse(url).unwrap().host_str().unwrap().to_owned();
    let target = Target::parse(url, Some(std::slice::from_ref(&host)), &PrivateHosts::parse(&host).unwrap()).unwrap();
    assert!(target.may_be_private());
    target
}

async fn call(client: &ShopClient, target: &Target) -> Result<u16, Failure> {
    let sent = client.request(Method::GET, target).timeout(Duration::from_secs(20)).send().await;
    sent.map(|response| response.status().as_u16()).map_err(|error| failure(&error))
}

async fn resolve(addresses: &[&str], only_public: bool) -> Result<Vec<SocketAddr>, String> {
    let addresses = sockets(addresses);
    let resolver = Resolver { look_up: move |_| ready(Ok(addresses.clone())), only_public };
    resolver.resolve("shop.example".parse().unwrap()).await.map(Iterator::collect).map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_resolver_returns_the_checked_addresses_or_none() {
    assert_eq!(resolve(&PUBLIC, true).await, Ok(sockets(&PUBLIC)));
    for private in ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00:ec2::254", "0.0.0.0"] {
        let [v4, v6] = PUBLIC;
        for addresses in [&[private][..], &[private, v4, v6], &[v4, private, v6], &[v4, v6, private]] {
            let refused = Err("the name has an address that is not public".to_owned());
            assert_eq!(resolve(addresses, true).await, refused, "{addresses:?}");
            assert_eq!(resolve(addresses, false).await, Ok(sockets(addresses)));
        }
    }
    assert_eq!(resolve(&[], true).await, Err("the name has no address".to_owned()));
    assert_eq!(resolve(&[], false).await, Err("the name has no address".to_owned()));
}

#[tokio::test]
async fn a_name_without_public_addresses_alone_is_not_called() {
    let server = Server::start(None, Reply::Ok).await;
    let target = public_target(&format!("https://shop.example:{}/", server.port));
    for addresses in [&["127.0.0.1"][..], &["127.0.0.1", "93.184.215.14"], &["93.184.215.14", "::ffff:127.0.0.1"]] {
        assert_eq!(call(&client_with(&tls(), addresses), &target).await, Err(Failure::Address), "{addresses:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_failed_look_up_is_told_apart() {
    let failing = |kind: io::ErrorKind| ShopClient::with_look_up(&tls(), move |_| ready(Err(kind.into()))).unwrap();
    let target = public_target("https://shop.example/");
    assert_eq!(call(&failing(io::ErrorKind::NotFound), &target).await, Err(Failure::Dns));
    // The resolver's own time limit, not the client's.
    assert_eq!(call(&failing(io::ErrorKind::TimedOut), &target).await, Err(Failure::Dns));
    assert_eq!(call(&client_with(&tls(), &[]), &target).await, Err(Failure::Dns));
    assert_eq!(call(&failing(io::ErrorKind::NotFound), &private_target("http://shop.internal/")).await, Err(Failure::Dns));
}

#[tokio::test]
async fn each_connection_has_its_own_look_up() {
    let server = Server::start(None, Reply::Ok).await;
    let looked_up = Arc::new(AtomicUsize::default());
    let counter = looked_up.clone();
    let client = ShopClient::with_look_up(&tls(), move |name| {
        assert_eq!(name, "shop.internal");
        counter.fetch_add(1, Ordering::SeqCst);
        ready(Ok(sockets(&["127.0.0.1"])))
    })
    .unwrap();
    let target = private_target(&format!("http://shop.internal:{}/hook", server.port));
    for times in 1..=3 {
        assert_eq!(call(&client, &target).await, Ok(200));
        assert_eq!((looked_up.load(Ordering::SeqCst), server.connections()), (times, times));
    }
}

#[tokio::test]
async fn the_system_finds_localhost_private() {
    let server = Server::start(None, Reply::Ok).await;
    let client = ShopClient::new(&tls()).unwrap();
    let url = format!("https://localhost:{}/", server.port);
    assert_eq!(call(&client, &public_target(&url)).await, Err(Failure::Address));
    assert_eq!(call(&client, &public_target(&url.replace("localhost", "localhost."))).await, Err(Failure::Address));
    assert_eq!(server.connections(), 0);
    assert_eq!(call(&client, &private_target(&url.replace("https", "http"))).await, Ok(200));
}

#[tokio::test]
async fn private_hosts_are_called_over_http_and_https() {
    let (acceptor, trusted) = certified("shop.internal");
    let (plain, secure) = (Server::start(None, Reply::Ok).await, Server::start(Some(acceptor), Reply::Ok).await);
    let client = client_with(&trusted, &["127.0.0.1"]);
    assert_eq!(call(&client, &private_target(&format!("http://127.0.0.1:{}/", plain.port))).await, Ok(200));
    assert_eq!(call(&client, &private_target(&format!("http://shop.internal:{}/", plain.port))).await, Ok(200));
    assert_eq!(call(&client, &private_target(&format!("https://shop.internal:{}/", secure.port))).await, Ok(200));
    assert_eq!(call(&client, &private_target(&format!("https://SHOP.internal.:{}/", secure.port))).await, Ok(200));
    let not_private = public_target(&format!("https://shop.internal:{}/", secure.port));
    assert_eq!(call(&client, &not_private).await, Err(Failure::Address));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let inside = Server::start(None, Reply::Ok).await;
    let outside = Server::start(None, Reply::RedirectTo(inside.port)).await;
    let client = client_with(&tls(), &["127.0.0.1"]);
    assert_eq!(call(&client, &private_target(&format!("http://shop.internal:{}/", outside.port))).await, Ok(302));
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn a_tls_failure_is_told_apart() {
    let (acceptor, trusted) = certified("other.internal");
    let secure = Server::start(Some(acceptor), Reply::Ok).await;
    let plain = Server::start(None, Reply::Garbage).await;
    let target = |server: &Server| private_target(&format!("https://shop.internal:{}/", server.port));
    for (client_tls, server) in [(&tls(), &secure), (&trusted, &secure), (&trusted, &plain)] {
        assert_eq!(call(&client_with(client_tls, &["127.0.0.1"]), &target(server)).await, Err(Failure::Tls));
    }
}

#[tokio::test]
async fn a_failed_connection_is_told_apart() {
    let client = client_with(&tls(), &["127.0.0.1"]);
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(call(&client, &private_target(&format!("http://shop.internal:{unused}/"))).await, Err(Failure::Connection));
    for reply in [Reply::Close, Reply::Garbage] {
        let server = Server::start(None, reply).await;
        let target = private_target(&format!("http://shop.internal:{}/", server.port));
        assert_eq!(call(&client, &target).await, Err(Failure::Connection));
    }
}

#[tokio::test]
async fn a_timeout_is_told_apart() {
    let (acceptor, trusted) = certified("shop.internal");
    let (plain, secure) = (Server::start(None, Reply::Nothing).await, Server::start(Some(acceptor), Reply::Nothing).await);
    let client = client_with(&trusted, &["127.0.0.1"]);
    for url in [
        format!("http://shop.internal:{}/", plain.port),
        format!("https://shop.internal:{}/", secure.port),
        // A server that does not answer the handshake.
        format!("https://shop.internal:{}/", plain.port),
    ] {
        let request = client.request(Method::GET, &private_target(&url)).timeout(Duration::from_millis(200));
        assert_eq!(failure(&request.send().await.unwrap_err()), Failure::Timeout, "{url}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_connect_timeout_includes_the_look_up() {
    let client = ShopClient::with_look_up(&tls(), |_| pending()).unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(call(&client, &public_target("https://shop.example/")).await, Err(Failure::Timeout));
    assert!(start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
}

/// What a server does after a request.
#[derive(Clone, Copy)]
enum Reply {
    Ok,
    RedirectTo(u16),
    Garbage,
    Close,
    Nothing,
}

struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start(tls: Option<TlsAcceptor>, reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::default());
        let counter = connections.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, tls.clone(), reply));
            }
        });
        Self { port, connections, accepting }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, reply: Reply) {
    match tls {
        None => answer(stream, reply).await,
        Some(tls) => {
            // A client that does not trust the certificate closes the connection.
            if let Ok(stream) = tls.accept(stream).await {
                answer(stream, reply).await;
            }
        }
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, reply: Reply) {
    let read = stream.read(&mut [0; 4_096]).await;
    let text = match reply {
        Reply::Ok => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
        Reply::RedirectTo(port) => {
            format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{port}/\r\ncontent-length: 0\r\n\r\n")
        }
        Reply::Garbage => "220 mail.example\r\n\r\n".to_owned(),
        Reply::Close => return,
        Reply::Nothing => pending().await,
    };
    if read.is_ok() && stream.write_all(text.as_bytes()).await.is_ok() {
        stream.flush().await.ok();
        // The client closes the connection, because it keeps none; the server waits for that.
        stream.read_u8().await.ok();
    }
}

/// The server's side of TLS for this name, and a client configuration that trusts its authority.
fn certified(name: &str) -> (TlsAcceptor, Tls) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(authority.pem().as_bytes()).unwrap();
    (TlsAcceptor::from(Arc::new(config)), Tls::new(Some(file.path())).unwrap())
}
