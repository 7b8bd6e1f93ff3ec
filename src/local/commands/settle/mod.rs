//! `cargo run -- settle`: lists UNKNOWN orders as CSV, and stores the operator's decisions about them.

mod apply;
mod sheet;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::aws::Aws;
use crate::clock::Clock;
use crate::environment::{ConfigError, Environment, ProcessEnvironment};
use crate::http_client::{PooledClient, Tls, TlsError};
use crate::order::Queue;
use crate::store::{DynamoDbStore, OrderQueue, StoreError};
use sheet::{Row, SheetError};

const MAX_IDLE: Duration = Duration::from_secs(20);

#[derive(Debug, Subcommand)]
pub(super) enum Settle {
    /// Print the orders that wait for the operator as CSV, with an empty column `decision` to fill in
    List(Table),
    /// Say what the decisions in a file would do, and change nothing without --write
    Apply {
        /// What `list` printed. A decision is an orderUuid of Front Payment's, not-created, or empty
        file: PathBuf,
        #[command(flatten)]
        table: Table,
        /// Store the decisions
        #[arg(long)]
        write: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Table {
    /// The stack's OrdersTableName. Region and credentials come from AWS's environment variables
    #[arg(long, env = "ORDERS_TABLE")]
    table: String,
}

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the table cannot be read")]
    Table(#[source] StoreError),
    #[error("cannot read {}", .0.display())]
    File(PathBuf, #[source] SheetError),
    #[error("the list cannot be printed")]
    Print(#[source] SheetError),
    #[error("{0} of the decisions cannot be stored; see above. Nothing was written")]
    Refused(usize),
    #[error("{0} decisions are not stored, because the table did not answer. Run it again: what is settled stays settled")]
    Unfinished(usize),
}

pub(super) async fn run(command: &Settle) -> Result<(), SettleError> {
    match command {
        Settle::List(table) => {
            let rows = waiting(&table.open()?).await.map_err(SettleError::Table)?;
            sheet::write(&rows, io::stdout()).map_err(SettleError::Print)
        }
        Settle::Apply { file, table, write } => {
            let decisions = sheet::read(file).map_err(|error| SettleError::File(file.clone(), error))?;
            apply::run(&table.open()?, &decisions, *write).await
        }
    }
}

impl Table {
    fn open(&self) -> Result<DynamoDbStore, SettleError> {
        let aws = Aws::read(&ProcessEnvironment)?;
        let certificates = ProcessEnvironment.get("SSL_CERT_FILE")?.map(PathBuf::from);
        let http = PooledClient::new(Tls::new(certificates.as_deref())?, Clock::system(), MAX_IDLE)?;
        Ok(DynamoDbStore::new(aws.dynamodb(Arc::new(http)), self.table.clone(), None))
    }
}

/// UNKNOWN orders, the oldest first. Each one is read from the table, because the index may lag behind.
async fn waiting<S: OrderQueue>(store: &S) -> Result<Vec<Row>, StoreError> {
    let now = Timestamp::now();
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = store.due(Queue::Settle, now.as_second(), after).await?;
        for entry in page.items {
            let order = store.load(entry.order_id).await?.filter(|order| order.is_to_settle(now));
            rows.extend(order.as_ref().map(Row::of));
        }
        after = page.next;
        if after.is_none() {
            return Ok(rows);
        }
    }
}
