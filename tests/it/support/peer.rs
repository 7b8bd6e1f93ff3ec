//! A neighbour on a socket that behaves as badly as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

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
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, behaviour.clone(), seen.clone()));
            }
        });
        Self { base_url, requests, accepting }
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

async fn serve(mut stream: TcpStream, behaviour: Behaviour, requests: Arc<Mutex<Vec<String>>>) {
    let Some(request) = read_request(&mut stream).await else { return };
    requests.lock().unwrap().push(request);
    let (bytes, hangs) = match behaviour {
        Behaviour::Says(bytes) => (bytes, false),
        Behaviour::SaysAndHangs(bytes) => (bytes, true),
        Behaviour::Closes => return,
        Behaviour::Hangs => (Vec::new(), true),
        Behaviour::Resets => {
            stream.set_zero_linger().unwrap();
            return;
        }
    };
    // The other side may have had enough before all is written.
    if stream.write_all(&bytes).await.is_ok() && hangs {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
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
