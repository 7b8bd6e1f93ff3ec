//! Keeps the bridge's log, at every level, for the checks.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use front_payment_bridge::telemetry::json_lines;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// A writer that appends to the kept log.
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

/// Sends the log here from now on.
pub fn init() {
    tracing_subscriber::registry().with(json_lines(|| Kept).with_filter(LevelFilter::TRACE)).init();
}

/// Returns what was logged since the last call.
pub fn take() -> String {
    String::from_utf8(std::mem::take(&mut *lines())).expect("the log is text")
}
