//! The commands of `cargo run --`.

pub(super) mod check_secret;
mod demo;
pub(super) mod explain;
mod listen;
mod operator;
mod options;
mod smoke;
mod trigger;
mod welcome;

pub use options::Options;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use front_payment_bridge::telemetry;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::journal::Journal;
use super::sandbox::SandboxSettings;
use super::{Error, HOST, Local, terminal};
use crate::store::EmbeddedStore;
use explain::{Explanation, Verdict};
use options::Command;

/// Where `cargo run` listens.
const LOCAL_URL: &str = "http://127.0.0.1:3000";
/// Longer than the portal takes, which waits until its callback is answered.
const MAX_PORTAL: Duration = Duration::from_secs(35);

/// Runs until the command is done, or until Ctrl-C.
///
/// # Errors
/// [`Error`] says why the command fails, and what to do.
pub async fn run(options: Options) -> Result<ExitCode, Error> {
    match options.command {
        None => {
            let (listener, store) = options.serving.open().await?;
            let journal = log(options.serving.json, Some(store.clone()));
            let local = Local::start(listener, store, options.serving.sandbox(), journal).await?;
            let signals = Signals::listen()?;
            say(&welcome::of_bridge(local.base()));
            if options.serving.open {
                open_in_browser(local.base());
            }
            signals.end(local).await?;
        }
        Some(Command::Sandbox(serving)) => {
            let (listener, store) = serving.open().await?;
            log(serving.json, None);
            let sandbox = Local::start_sandbox(listener, &store, serving.sandbox())?;
            let signals = Signals::listen()?;
            say(&welcome::of_sandbox(sandbox.base()));
            signals.end(sandbox).await?;
        }
        Some(Command::Demo) => {
            let store = EmbeddedStore::in_memory().map_err(Error::InMemory)?;
            let journal = log(false, Some(store.clone()));
            let local = Local::start(bind(HOST, 0).await?, store, SandboxSettings::default(), journal).await?;
            let base = local.base().to_owned();
            tokio::select! {
                ended = local.serve() => ended?,
                shown = demo::run(&base) => shown.map_err(Error::Demo)?,
            }
        }
        Some(Command::Smoke(target)) => smoke::run(&target).await.map_err(Error::Smoke)?,
        Some(Command::CheckSecret { file }) => say(&check_secret::run(&file)?),
        Some(Command::Explain(called)) => {
            let Explanation { verdict, conclusion, reasons } = explain::run(&called).await?;
            say(&format!("{conclusion}\n\n{}", reasons.join("\n")));
            if verdict == Verdict::Unverified {
                return Ok(ExitCode::FAILURE);
            }
        }
        Some(Command::Listen(wanted)) => listen::run(&wanted).await.map_err(Error::Listen)?,
        Some(Command::Trigger(wanted)) => say(&trigger::run(&wanted).await.map_err(Error::Trigger)?),
        Some(Command::Operator(wanted)) => say(&operator::run(&wanted).await.map_err(Error::Operator)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts the log on stderr: as lines for people, or as JSON like on AWS.
fn log(as_json: bool, store: Option<EmbeddedStore>) -> Arc<Journal> {
    let journal = Arc::new(Journal::default());
    let filter = telemetry::filter(telemetry::level(), &[telemetry::OWN_CRATE, "local"]);
    if as_json {
        let lines = journal.layer().and_then(telemetry::json_lines(std::io::stderr));
        tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    } else {
        tracing_subscriber::registry().with(journal.layer().with_filter(filter)).init();
        tokio::spawn(terminal::print(journal.follow(), store));
    }
    journal
}

/// Prints a line. Ignores an error, because a reader like `head` may stop reading.
fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}

/// Ctrl-C and SIGTERM, which end the program properly. The first process of a container ignores signals without a handler.
struct Signals([Signal; 2]);

impl Signals {
    /// Must be called before the program says that it runs, because the reader of that line may end it at once.
    fn listen() -> Result<Self, Error> {
        let signal = |kind| signal(kind).map_err(Error::Server);
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]))
    }

    async fn end(self, local: Local) -> Result<(), Error> {
        let Self([mut interrupted, mut terminated]) = self;
        tokio::select! {
            ended = local.serve() => ended,
            _ = interrupted.recv() => Ok(()),
            _ = terminated.recv() => Ok(()),
        }
    }
}

/// Opens a browser with the usual command of a desktop. If there is none, the address is still in the terminal.
fn open_in_browser(address: &str) {
    let command = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Err(error) = std::process::Command::new(command).arg(address).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        eprintln!("{command} cannot open a browser: {error}");
    }
}

/// Binds the address. Port 0 takes a free port.
async fn bind(host: Ipv4Addr, port: u16) -> Result<TcpListener, Error> {
    let address = SocketAddr::from((host, port));
    TcpListener::bind(address).await.map_err(|error| Error::Port(address, error))
}
