//! What the bridge writes to its log, at every level, kept until it is looked at.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use front_payment_bridge::telemetry::json_lines;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

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
    tracing_subscriber::registry().with(json_lines(|| Kept).with_filter(LevelFilter::TRACE)).init();
}

/// What was written since it was last asked for.
pub fn take() -> String {
    String::from_utf8(std::mem::take(&mut *lines())).expect("the log is text")
}
