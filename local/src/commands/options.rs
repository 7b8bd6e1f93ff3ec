//! The options and commands of `cargo run --`.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use front_payment_bridge::REVISION;
use tokio::net::TcpListener;

use super::{bind, explain, listen, operator, smoke, trigger};
use crate::sandbox::SandboxSettings;
use crate::store::EmbeddedStore;
use crate::{Error, HOST, sandbox};

const ENVIRONMENT: &str = "Settings from the environment, as on AWS: ADVISORY_CHECKS, ALLOWED_TAX_RATES, ACCEPT_ORDERS,
ORDER_RETENTION_DAYS, PRIVATE_SHOP_HOSTS, CALLBACK_BASE_URL (docs/configuration.md).
`trigger` without a word lists the words of the sandbox.";

/// The bridge on localhost, with an embedded database, a sandbox of Front Payment and a demo shop. It needs no AWS and no
/// account.
#[derive(Debug, Parser)]
#[command(name = "local", version = REVISION, args_conflicts_with_subcommands = true, after_help = ENVIRONMENT)]
pub struct Options {
    #[command(flatten)]
    pub(super) serving: Serving,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Submit and sign one order, read it, and show how the shop is told; then end. Takes a free port and keeps nothing
    Demo,
    /// Only the sandbox of Front Payment, for a bridge that runs elsewhere on this machine
    Sandbox(Serving),
    /// Check that a deployed stack answers, has its secret and reads its table. Sends no order, unless asked to
    Smoke(smoke::Target),
    /// Check whether the bridge can use a file as its secret. Prints the shops, but no key
    CheckSecret {
        /// The secret's JSON document; - reads standard input
        file: PathBuf,
    },
    /// Say whether a callback or a notification is verified, and why. Prints no key
    Explain(explain::Explain),
    /// Send an order that goes wrong to the bridge on this machine, or give an order a status in the sandbox's portal
    Trigger(trigger::Trigger),
    /// Pass what the sandbox's shop is told on to your own shop, and show its answers
    Listen(listen::Listen),
    /// Send an event of the operator's to the worker of the bridge on this machine, and print its answer
    Operator(operator::Operator),
}

#[derive(Debug, Args)]
pub(super) struct Serving {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The address to listen on. In a container, 0.0.0.0: then everybody who reaches it can use the sandbox
    #[arg(long, default_value_t = HOST, value_name = "ADDRESS")]
    host: Ipv4Addr,
    /// Open the pages in a browser
    #[arg(long)]
    pub(super) open: bool,
    /// The directory of the database, which survives a restart
    #[arg(long, default_value = ".local", value_name = "DIR")]
    data_dir: PathBuf,
    /// Keep the orders in memory only
    #[arg(long, conflicts_with = "data_dir")]
    in_memory: bool,
    /// Log JSON lines, as on AWS
    #[arg(long)]
    pub(super) json: bool,
    /// The sandbox answers 429 after this many requests in a minute
    #[arg(long, default_value_t = sandbox::RATE_LIMIT, value_name = "REQUESTS")]
    rate_limit: u32,
    /// Another host than this machine that the sandbox may call back. Can be repeated
    #[arg(long = "callback-host", value_name = "HOST")]
    callback_hosts: Vec<String>,
}

impl Serving {
    pub(super) fn sandbox(&self) -> SandboxSettings {
        SandboxSettings { rate_limit: self.rate_limit, callback_hosts: self.callback_hosts.clone() }
    }

    pub(super) async fn open(&self) -> Result<(TcpListener, EmbeddedStore), Error> {
        let listener = bind(self.host, self.port).await?;
        if !self.host.is_loopback() {
            eprintln!(
                "WARNING: other machines can reach this. It has no secrets of yours, but whoever can call it sees its orders."
            );
        }
        if self.in_memory {
            return Ok((listener, EmbeddedStore::in_memory().map_err(Error::InMemory)?));
        }
        let directory = || self.data_dir.clone();
        std::fs::create_dir_all(&self.data_dir).map_err(|error| Error::DataDir(directory(), error))?;
        let store = EmbeddedStore::open(&self.data_dir.join("orders.redb"));
        let store = store.map_err(|error| Error::DataFile(directory(), error))?;
        Ok((listener, store))
    }
}
