//! The log of the bridge, as the functions write it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once};

use front_payment_bridge::telemetry;
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

/// tracing caches for each log statement whether anybody listens. A thread without a subscriber can make it cache "nobody"
/// for all threads. So every thread gets a subscriber.
static EVERY_THREAD_HAS_A_LOG: Once = Once::new();

/// Captures what is logged on this thread, from its creation to its end.
pub struct Log {
    written: Buffer,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub fn capture() -> Self {
        EVERY_THREAD_HAS_A_LOG.call_once(|| {
            let ignored = tracing_subscriber::registry().with(telemetry::json_lines(io::sink));
            tracing::subscriber::set_global_default(ignored).unwrap();
        });
        let written = Buffer::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::registry().with(telemetry::json_lines(move || writer.clone()));
        Self { written, _guard: tracing::subscriber::set_default(subscriber) }
    }

    pub fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.written.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The summary line of the latest request.
    pub fn summary(&self) -> Value {
        self.lines().into_iter().rfind(|line| line["message"] == "request").expect("no summary line")
    }

    pub fn errors(&self) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["level"] == "ERROR").collect()
    }
}
