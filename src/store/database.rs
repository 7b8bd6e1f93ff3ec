//! The embedded database itself: a file or memory, with one thread that writes.

use std::iter;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, Key, ReadTransaction, ReadableDatabase, TableDefinition, Value, WriteTransaction};
use tokio::sync::oneshot;

use super::Unavailable;

/// What it may keep of the file in memory. Its own default is a gibibyte, which a process that runs
/// for long would fill.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// A change, made within a transaction; and what is to be done once that is committed.
type Change = Box<dyn FnOnce(&WriteTransaction) -> Answer + Send>;
type Answer = Box<dyn FnOnce() + Send>;

/// A database that several use beside each other, a table each.
///
/// A commit waits for the disk, and there is one at a time: what comes meanwhile waits together, and
/// shares the next one.
pub struct Redb {
    database: Arc<Database>,
    /// Both are there until the end.
    changes: Option<Sender<Change>>,
    writer: Option<JoinHandle<()>>,
}

impl Redb {
    pub(super) fn open(file: &Path) -> Result<Self, Unavailable> {
        Self::with(builder().create(file))
    }

    pub(super) fn in_memory() -> Result<Self, Unavailable> {
        Self::with(builder().create_with_backend(InMemoryBackend::new()))
    }

    fn with(database: Result<Database, redb::DatabaseError>) -> Result<Self, Unavailable> {
        let database = Arc::new(database.map_err(unavailable)?);
        let (changes, queue) = mpsc::channel();
        let writing = database.clone();
        let writer = thread::Builder::new().name("redb".to_owned()).spawn(move || write_all(&writing, &queue));
        Ok(Self { database, changes: Some(changes), writer: Some(writer.map_err(unavailable)?) })
    }

    /// Makes sure that a table is there.
    pub(crate) fn create_table<K: Key, V: Value>(&self, table: TableDefinition<'_, K, V>) -> Result<(), Unavailable> {
        let write = self.database.begin_write().map_err(unavailable)?;
        write.open_table(table).map_err(unavailable)?;
        write.commit().map_err(unavailable)
    }

    /// Reads what is committed.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, Unavailable>) -> Result<T, Unavailable> {
        work(&self.database.begin_read().map_err(unavailable)?)
    }

    /// Makes a change, and returns once it is on the disk. One that fails must not have written
    /// anything: it shares its transaction with others.
    pub(crate) async fn write<T: Send + 'static, E: From<Unavailable> + Send + 'static>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (sender, result) = oneshot::channel();
        let change: Change = Box::new(move |write| {
            let result = change(write);
            Box::new(move || drop(sender.send(result))) // whoever asked may have gone
        });
        let is_queued = self.changes.as_ref().is_some_and(|changes| changes.send(change).is_ok());
        match result.await {
            Ok(result) if is_queued => result,
            _ => Err(unavailable("the change was not committed").into()),
        }
    }
}

impl Drop for Redb {
    /// Waits for the writer, so that the file is closed, and another one may open it, once this is gone.
    fn drop(&mut self) {
        drop(self.changes.take());
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the embedded database's writer panicked");
        }
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn write_all(database: &Database, changes: &Receiver<Change>) {
    while let Ok(first) = changes.recv() {
        if let Err(error) = commit(database, iter::once(first).chain(changes.try_iter())) {
            tracing::error!(error = %error, "the embedded database does not write");
        }
    }
}

/// Who asked for a change that is not committed hears of it by its answer's being dropped.
fn commit(database: &Database, changes: impl Iterator<Item = Change>) -> Result<(), Unavailable> {
    let write = database.begin_write().map_err(unavailable)?;
    let answers: Vec<Answer> = changes.map(|change| change(&write)).collect();
    write.commit().map_err(unavailable)?;
    answers.into_iter().for_each(|answer| answer());
    Ok(())
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
pub(crate) fn unavailable(error: impl std::fmt::Display) -> Unavailable {
    Unavailable(error.to_string())
}
