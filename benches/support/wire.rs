//! The part of HTTP/1.1 that the measured programs use: requests with a length, one after the other.

use std::future::Future;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A complete request.
pub struct Call {
    pub method: String,
    pub target: String,
    pub body: Vec<u8>,
    head: String,
}

/// A complete reply.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Answers requests.
pub trait Service: Send + Sync + 'static {
    fn answer(&self, call: Call) -> impl Future<Output = Reply> + Send;
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Answers the requests on a connection until the client closes it.
pub async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, service: &impl Service) {
    let mut unread = Vec::new();
    while let Some(call) = read(&mut stream, &mut unread).await {
        let reply = service.answer(call).await;
        let mut bytes = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", reply.status, reply.body.len()).into_bytes();
        for (name, value) in &reply.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&reply.body);
        // Fails if the process was ended.
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin), unread: &mut Vec<u8>) -> Option<Call> {
    let end = loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        more(stream, unread).await?;
    };
    let head = String::from_utf8(unread[..end].to_vec()).unwrap();
    let mut words = head.split(' ').map(str::to_owned);
    let mut call = Call { method: words.next()?, target: words.next()?, body: Vec::new(), head };
    assert!(call.header("transfer-encoding").is_none(), "a request without a length: {}", call.target);
    let length: usize = call.header("content-length").map_or(0, |length| length.parse().unwrap());
    let whole = end + 4 + length;
    while unread.len() < whole {
        more(stream, unread).await?;
    }
    call.body = unread[end + 4..whole].to_vec();
    unread.drain(..whole);
    Some(call)
}

async fn more(stream: &mut (impl AsyncRead + Unpin), unread: &mut Vec<u8>) -> Option<()> {
    unread.reserve(65_536);
    stream.read_buf(unread).await.ok().filter(|read| *read > 0).map(|_| ())
}
