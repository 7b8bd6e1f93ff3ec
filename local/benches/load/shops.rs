//! The shops that are notified during the load. Each has an address of its own, because the bridge counts failures by host.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ::local::sandbox::SHOP_KEY;
use sha2::{Digest, Sha256};

/// Longer than the bridge waits for a shop.
const TOO_LONG: Duration = Duration::from_secs(11);

/// How a shop behaves. The path of its URLs has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Answers 200.
    Steady,
    /// During the load it answers at random: 200, 500, a redirect, too late, or with a broken connection. Afterwards: 200.
    Unsteady,
    /// During the load its port refuses every connection. Afterwards it answers 200.
    Down,
    /// Refuses every connection, for ever.
    Dead,
}

/// A notification that a shop has answered with 200.
#[derive(Debug, Clone)]
pub struct Told {
    pub order_uuid: String,
    pub status: String,
    pub is_verified: bool,
}

pub struct Shops {
    /// The notifications, in the order of arrival.
    told: Arc<Mutex<Vec<Told>>>,
    is_loaded: Arc<AtomicBool>,
    down: Option<TcpListener>,
    pub urls: Vec<(Manner, String)>,
}

impl Shops {
    pub fn start() -> Self {
        let (told, is_loaded) = (Arc::default(), Arc::new(AtomicBool::new(true)));
        let urls = vec![];
        let mut shops = Self { told, is_loaded, down: None, urls };
        for manner in [Manner::Steady, Manner::Unsteady] {
            shops.serve(manner, listen(manner, 0));
        }
        // The port is reserved and closed again, because a listener that does not accept would keep callers waiting.
        for manner in [Manner::Down, Manner::Dead] {
            let port = port(&listen(manner, 0));
            shops.urls.push((manner, url(manner, port)));
        }
        shops
    }

    /// Ends the load: from now on every shop answers, except the dead one.
    pub fn recover(&mut self) {
        self.is_loaded.store(false, Ordering::SeqCst);
        let down = self.urls.iter().find(|(manner, _)| *manner == Manner::Down).unwrap();
        let port = down.1.split(':').nth(2).unwrap().split('/').next().unwrap().parse().unwrap();
        let listener = listen(Manner::Down, port);
        self.down = Some(listener.try_clone().unwrap());
        self.answer(Manner::Down, listener);
    }

    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    fn serve(&mut self, manner: Manner, listener: TcpListener) {
        self.urls.push((manner, url(manner, port(&listener))));
        self.answer(manner, listener);
    }

    /// Its threads run until the process ends.
    fn answer(&self, manner: Manner, listener: TcpListener) {
        let (told, is_loaded) = (self.told.clone(), self.is_loaded.clone());
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (told, is_loaded) = (told.clone(), is_loaded.clone());
                thread::spawn(move || answer(&connection.unwrap(), manner, &told, &is_loaded));
            }
        });
    }
}

/// All addresses of 127.0.0.0/8 are this machine.
fn address(manner: Manner) -> &'static str {
    match manner {
        Manner::Steady => "127.0.0.2",
        Manner::Unsteady => "127.0.0.3",
        Manner::Down => "127.0.0.4",
        Manner::Dead => "127.0.0.5",
    }
}

fn listen(manner: Manner, port: u16) -> TcpListener {
    TcpListener::bind((address(manner), port)).unwrap()
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}

fn url(manner: Manner, port: u16) -> String {
    format!("http://{}:{port}/status", address(manner))
}

/// Answers the requests of one connection.
fn answer(connection: &TcpStream, manner: Manner, told: &Mutex<Vec<Told>>, is_loaded: &AtomicBool) {
    let mut lines = BufReader::new(connection).lines();
    while let Some(Ok(request)) = lines.next() {
        for line in lines.by_ref() {
            match line {
                Ok(line) if line.is_empty() => break,
                Ok(_) => {}
                Err(_) => return,
            }
        }
        let is_loaded = is_loaded.load(Ordering::SeqCst);
        let misbehaves = manner == Manner::Unsteady && is_loaded;
        let mut random = [0];
        getrandom::fill(&mut random).unwrap();
        let answer = match random[0] % 20 {
            0 if misbehaves => "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
            1 if misbehaves => "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
            2 if misbehaves => return,
            3 if misbehaves && random[0] > 200 => {
                thread::sleep(TOO_LONG);
                return;
            }
            _ => {
                told.lock().unwrap().push(read(&request));
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
            }
        };
        if { connection }.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads a request line like `GET /status?orderUuid=… HTTP/1.1`.
fn read(request: &str) -> Told {
    let query = request.split_once('?').and_then(|(_, rest)| rest.split_once(' ')).map(|(query, _)| query).unwrap_or_default();
    let parameters: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let get = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let signed: String = parameters.iter().filter(|(name, _)| name != "checksum").map(|(_, value)| value.as_str()).collect();
    let is_verified = get("checksum") == hex::encode(Sha256::digest(signed + SHOP_KEY));
    Told { order_uuid: get("orderUuid"), status: get("status"), is_verified }
}
