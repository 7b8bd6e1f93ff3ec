//! The embedded database, in a file or in memory. Only one thread writes.

use std::iter;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use front_payment_bridge::store::{BoxError, StoreError};
use front_payment_bridge::telemetry::error_chain;
use redb::backends::InMemoryBackend;
use redb::{Builder, Database, DatabaseError, Key, ReadTransaction, ReadableDatabase, TableDefinition, Value, WriteTransaction};
use tokio::sync::oneshot;

/// Small, because redb's default is a gibibyte, and a long-running process would fill it.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// A write within a transaction. It returns what to do after the commit.
type Write = Box<dyn FnOnce(&WriteTransaction) -> AfterCommit + Send>;
type AfterCommit = Box<dyn FnOnce() + Send>;

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another process has the database open")]
    InUse,
    #[error("the database cannot be opened")]
    Database(#[source] BoxError),
}

/// The database of the bridge's store and the sandbox. Each has its own table.
///
/// A commit waits for the disk, and commits do not overlap. All writes that arrive during a commit share the next one.
pub struct EmbeddedDatabase {
    database: Arc<Reopening>,
    /// Both are `Some` until this is dropped.
    writes: Option<Sender<Write>>,
    writer: Option<JoinHandle<()>>,
}

impl EmbeddedDatabase {
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        let file = file.to_owned();
        Self::start(move || builder().create(&file))
    }

    pub fn in_memory() -> Result<Self, OpenError> {
        Self::start(|| builder().create_with_backend(InMemoryBackend::new()))
    }

    fn start(open: impl Fn() -> Result<Database, DatabaseError> + Send + Sync + 'static) -> Result<Self, OpenError> {
        let database = Arc::new(Reopening { open: Box::new(open), current: RwLock::default() });
        database.get().map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => OpenError::InUse,
            error => OpenError::Database(error.into()),
        })?;
        let (writes, queue) = mpsc::channel();
        let writing = database.clone();
        let writer = thread::Builder::new().name("redb".to_owned()).spawn(move || commit_all(&writing, &queue));
        let writer = writer.map_err(|error| OpenError::Database(error.into()))?;
        Ok(Self { database, writes: Some(writes), writer: Some(writer) })
    }

    pub fn create_table<K: Key, V: Value>(&self, table: TableDefinition<'_, K, V>) -> Result<(), StoreError> {
        let write = self.database.get().map_err(database_error)?.begin_write().map_err(database_error)?;
        write.open_table(table).map_err(database_error)?;
        write.commit().map_err(database_error)
    }

    /// Reads committed data.
    pub fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>) -> Result<T, StoreError> {
        read(&self.database.get().map_err(database_error)?.begin_read().map_err(database_error)?)
    }

    /// Returns after the write is on disk. A write that fails must not have changed anything, because it shares its
    /// transaction with others.
    pub async fn write<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        write: impl FnOnce(&WriteTransaction) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (sender, result) = oneshot::channel();
        let write: Write = Box::new(move |transaction| {
            let result = write(transaction);
            Box::new(move || drop(sender.send(result))) // the caller may no longer wait
        });
        let is_queued = self.writes.as_ref().is_some_and(|writes| writes.send(write).is_ok());
        match result.await {
            Ok(result) if is_queued => result,
            _ => Err(StoreError::failed("the embedded database did not commit").into()),
        }
    }
}

impl Drop for EmbeddedDatabase {
    /// Waits until the writer has ended, so that the file is closed and another process can open it.
    fn drop(&mut self) {
        drop(self.writes.take());
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the writer of the embedded database panicked");
        }
    }
}

/// Opens the database again after a failure, because after one redb refuses everything.
struct Reopening {
    open: Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>,
    current: RwLock<Option<Arc<Database>>>,
}

impl Reopening {
    fn get(&self) -> Result<Arc<Database>, DatabaseError> {
        if let Some(database) = &*self.current.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(database.clone());
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = &*current {
            return Ok(database.clone());
        }
        let database = Arc::new((self.open)()?);
        *current = Some(database.clone());
        Ok(database)
    }

    fn close(&self) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn commit_all(database: &Reopening, writes: &Receiver<Write>) {
    while let Ok(first) = writes.recv() {
        if let Err(error) = commit(database, iter::once(first).chain(writes.try_iter())) {
            tracing::error!(error = error_chain(&*error), "the embedded database cannot write; is the disk full?");
            database.close();
        }
    }
}

/// Commits the writes. If that fails, the dropped channels tell the callers.
fn commit(database: &Reopening, writes: impl Iterator<Item = Write>) -> Result<(), BoxError> {
    let transaction = database.get()?.begin_write()?;
    let after_commit: Vec<AfterCommit> = writes.map(|write| write(&transaction)).collect();
    transaction.commit()?;
    after_commit.into_iter().for_each(|act| act());
    Ok(())
}

/// A failure of the database as a [`StoreError`].
pub fn database_error(error: impl Into<BoxError>) -> StoreError {
    StoreError::failed(error)
}
