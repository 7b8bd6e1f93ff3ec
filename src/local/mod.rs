//! `cargo run`: the three functions on localhost, called as AWS calls them, with an embedded database and a sandbox of
//! Front Payment. The Lambda binaries contain nothing of it.

mod bridge_client;
mod check_secret;
mod clock;
mod console;
mod demo;
mod demo_secret;
mod example_order;
mod explain;
mod gateway;
mod invocation;
mod journal;
mod listen;
mod options;
mod ordered_json;
mod page;
pub mod sandbox;
mod server;
mod settle;
mod smoke;
mod terminal;
mod trigger;
mod watched_store;
mod welcome;
mod worker;

pub use clock::MovableClock;
pub use demo_secret::{API_KEY, WEBHOOKS_API_KEY};
pub use example_order::example_order;
pub use options::Options;
pub use page::Frame;
pub use server::Local;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use tokio::net::TcpListener;
use tracing_subscriber::Layer;

use crate::environment::ConfigError;
use crate::http_client::TlsError;
use crate::store::{EmbeddedStore, OpenError, StoreError};
use crate::telemetry;
use journal::Journal;
use options::Command;

const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Why `local` ends with an error, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {0}; choose another port with --port")]
    Port(SocketAddr, #[source] io::Error),
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
    #[error("nothing is explained: {0}")]
    Explain(String),
    #[error("nothing is passed on: {0}")]
    Listen(String),
    #[error(transparent)]
    Settle(#[from] settle::SettleError),
    #[error(transparent)]
    Secret(#[from] check_secret::CheckSecretError),
}

/// Runs until the command is done, or until Ctrl-C.
///
/// # Errors
/// [`Error`] says why it cannot, and what to do.
pub async fn run(options: Options) -> Result<(), Error> {
    match options.command {
        None => {
            let (listener, store) = options.serving.open().await?;
            let journal = log(options.serving.json, Some(store.clone()));
            let local = Local::start(listener, store, options.serving.rate_limit, journal)?;
            println!("{}", welcome::of_bridge(local.base()));
            if options.serving.open {
                open_in_browser(local.base());
            }
            until_ctrl_c(local).await
        }
        Some(Command::Sandbox(serving)) => {
            let (listener, store) = serving.open().await?;
            let journal = log(serving.json, None);
            let sandbox = Local::start_sandbox(listener, &store, serving.rate_limit, &journal)?;
            println!("{}", welcome::of_sandbox(sandbox.base()));
            until_ctrl_c(sandbox).await
        }
        Some(Command::Demo) => {
            let store = EmbeddedStore::in_memory().map_err(Error::InMemory)?;
            let journal = log(false, Some(store.clone()));
            let local = Local::start(bind(HOST, 0).await?, store, sandbox::RATE_LIMIT, journal)?;
            let base = local.base().to_owned();
            tokio::select! {
                ended = local.serve() => ended,
                shown = demo::run(&base) => shown.map_err(Error::Demo),
            }
        }
        Some(Command::Smoke(target)) => smoke::run(&target).await.map_err(Error::Smoke),
        Some(Command::Settle { command }) => Ok(settle::run(&command).await?),
        Some(Command::CheckSecret { file }) => {
            say(&check_secret::run(&file)?);
            Ok(())
        }
        Some(Command::Explain(called)) => {
            say(&explain::run(&called).await?);
            Ok(())
        }
        Some(Command::Listen(wanted)) => listen::run(&wanted).await.map_err(Error::Listen),
        Some(Command::Trigger(wanted)) => {
            say(&trigger::run(&wanted).await.map_err(Error::Trigger)?);
            Ok(())
        }
    }
}

/// Starts the log on stderr: as lines for people, or as JSON like on AWS.
fn log(as_json: bool, store: Option<EmbeddedStore>) -> Arc<Journal> {
    let journal = Arc::new(Journal::default());
    if as_json {
        telemetry::init_local(Box::new(journal.layer().and_then(telemetry::json_lines(std::io::stderr))));
    } else {
        telemetry::init_local(Box::new(journal.layer()));
        tokio::spawn(terminal::print(journal.follow(), store));
    }
    journal
}

/// Prints a line, unless the reader has enough, as `head` has.
fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}

async fn until_ctrl_c(local: Local) -> Result<(), Error> {
    tokio::select! {
        ended = local.serve() => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// By the command that desktops have for it. Where there is none, the address is in the terminal.
fn open_in_browser(address: &str) {
    let command = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Err(error) = std::process::Command::new(command).arg(address).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        eprintln!("{command} cannot open a browser: {error}");
    }
}

/// Port 0 takes a free one.
async fn bind(host: Ipv4Addr, port: u16) -> Result<TcpListener, Error> {
    let address = SocketAddr::from((host, port));
    TcpListener::bind(address).await.map_err(|error| Error::Port(address, error))
}
