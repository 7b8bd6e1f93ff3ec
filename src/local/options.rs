//! What `cargo run --` takes.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;

use super::{Error, listen, sandbox, smoke};
use crate::store::EmbeddedStore;

/// The bridge on localhost: POST /orders, GET /orders/{orderId}, Front Payment's callbacks, and a
/// sandbox of Front Payment, with an embedded database. No AWS, no account.
#[derive(Debug, Parser)]
#[command(name = "local", version, args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(flatten)]
    pub(super) serving: Serving,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// One order, unattended: submitted, signed, invoiced; then the end. Free port, in memory
    Demo,
    /// The sandbox of Front Payment alone, for a bridge that runs elsewhere on this machine
    Sandbox(Serving),
    /// One order sent to a deployed stack, and read back. A real invoice, if the stack speaks to Front Payment's production
    Smoke(smoke::Target),
    /// Whether the bridge can use a file as its secret. Prints the shops, and no key
    CheckSecret {
        /// The secret's JSON document; - reads standard input
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct Serving {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Where the orders are kept over a restart
    #[arg(long, default_value = ".local", value_name = "DIR")]
    data_dir: PathBuf,
    /// Keep the orders in memory: they end with the process
    #[arg(long, conflicts_with = "data_dir")]
    in_memory: bool,
    /// How many requests a minute the sandbox of Front Payment takes before it answers 429
    #[arg(long, default_value_t = sandbox::RATE_LIMIT, value_name = "REQUESTS")]
    pub(super) rate_limit: u32,
}

impl Serving {
    pub(super) async fn open(&self) -> Result<(TcpListener, EmbeddedStore), Error> {
        let listener = listen(self.port).await?;
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
