//! What the bridge writes to its log, at every level, kept until it is looked at.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing_subscriber::filter::LevelFilter;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Where the log goes.
struct Kept;

impl Write for Kept {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        lines().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines() -> MutexGuard<'static, Vec<u8>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the log from now on.
pub fn init() {
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(LevelFilter::TRACE);
    log.without_time().with_writer(|| Kept).init();
}

/// What was written since it was last asked for.
pub fn take() -> String {
    String::from_utf8(std::mem::take(&mut *lines())).expect("the log is text")
}
