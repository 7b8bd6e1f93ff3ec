//! `cargo run`: the three functions on localhost, called as AWS calls them, with an embedded database and a sandbox of
//! Front Payment. The Lambda binaries contain nothing of it.

// `println!` panics if standard output is closed, as it is after `| head`.
#![deny(clippy::print_stdout)]

mod bridge_client;
mod clock;
mod commands;
mod console;
mod demo_secret;
mod example_order;
mod gateway;
mod guard;
mod invocation;
mod journal;
mod ordered_json;
mod page;
mod printable;
pub mod sandbox;
mod server;
pub mod store;
mod terminal;
mod watched_store;
mod worker;

pub use clock::MovableClock;
pub use commands::{Options, run};
pub use demo_secret::{API_KEY, WEBHOOKS_API_KEY};
pub use example_order::example_order;
pub use page::Frame;
pub use server::Local;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use front_payment_bridge::environment::ConfigError;
use front_payment_bridge::http_client::TlsError;
use front_payment_bridge::store::StoreError;

use crate::store::OpenError;

const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Why `local` ends with an error, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {0}: {problem}; choose another port with --port", problem = port_problem(.1))]
    Port(SocketAddr, io::Error),
    #[error("cannot create the data directory {}; choose another one with --data-dir, or use --in-memory", .0.display())]
    DataDir(PathBuf, #[source] io::Error),
    #[error("cannot use the database in {}; choose another directory with --data-dir, or use --in-memory", .0.display())]
    DataFile(PathBuf, #[source] OpenError),
    #[error("cannot create the embedded database in memory")]
    InMemory(#[source] OpenError),
    #[error("cannot create the sandbox's tables in the database")]
    Sandbox(#[source] StoreError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the sandbox's address is not a URL")]
    Address(#[source] url::ParseError),
    #[error(transparent)]
    Setting(#[from] ConfigError),
    #[error("the demo shop cannot be notified: {0}")]
    ShopHost(String),
    #[error("the server ended")]
    Server(#[source] io::Error),
    #[error("the demo failed: {0}")]
    Demo(String),
    #[error("the smoke test failed: {0}")]
    Smoke(String),
    #[error("{0}")]
    Trigger(String),
    #[error("{0}")]
    Operator(String),
    #[error("nothing is explained: {0}")]
    Explain(String),
    #[error("nothing is passed on: {0}")]
    Listen(String),
    #[error(transparent)]
    Secret(#[from] commands::check_secret::CheckSecretError),
}

fn port_problem(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!("another program uses it, perhaps this one in another terminal ({error})"),
        _ => error.to_string(),
    }
}
