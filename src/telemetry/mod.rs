//! The log: JSON lines on stdout, each with the ids of its request.
//!
//! `AWS_LAMBDA_LOG_LEVEL` or `RUST_LOG` sets the level of the bridge's own lines. Other crates always stay at WARN, because
//! at lower levels they log whole requests, tokens included.

mod report;

pub use report::{ProviderCalls, ReplyHead, RequestReport};

use std::error::Error;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber, field};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use uuid::Uuid;

use crate::REVISION;

/// The crate whose lines are the bridge's.
pub const OWN_CRATE: &str = "front_payment_bridge";

/// Starts the log of a Lambda function.
pub fn init_json() {
    std::panic::set_hook(Box::new(log_panic));
    tracing_subscriber::registry().with(json_lines(std::io::stdout).with_filter(filter(level(), &[OWN_CRATE]))).init();
}

/// Logs the place of a panic, but not its message, which may quote anything.
fn log_panic(panic: &PanicHookInfo<'_>) {
    tracing::error!(at = panic.location().map(field::display), "panic");
}

/// Each line has the ids of its request and the revision of the program at its root.
pub fn json_lines<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = json_subscriber::fmt::layer().flatten_event(true).with_target(false);
    let lines = lines.with_current_span(false).with_span_list(false).flatten_current_span_on_top_level(true);
    let mut lines = lines.with_writer(writer);
    lines.inner_layer_mut().add_static_field("version", REVISION.into());
    lines
}

/// From now on, every log line of the request has the order's id.
pub(crate) fn record_order_id(order_id: Uuid) {
    Span::current().record("orderId", field::display(order_id));
}

/// How a program ends: an error and its causes are one line on stderr.
#[must_use]
pub fn exit_code(result: Result<(), Box<dyn Error + Send + Sync>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error_chain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes in one line.
#[must_use]
pub fn error_chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

/// Logs the lines of these crates at their level, and only warnings and errors of all others.
#[must_use]
pub fn filter(own: LevelFilter, own_crates: &[&str]) -> Targets {
    // The SDK's transport logs closed connections as ERROR, although nobody has to do anything.
    Targets::new()
        .with_default(own.min(LevelFilter::WARN))
        .with_target("aws_smithy_runtime", LevelFilter::OFF)
        .with_targets(own_crates.iter().map(|name| (*name, own)))
}

/// The level of the bridge's own lines.
#[must_use]
pub fn level() -> LevelFilter {
    let read = |name| std::env::var(name).ok().and_then(|text| parse(&text));
    read("AWS_LAMBDA_LOG_LEVEL").or_else(|| read("RUST_LOG")).unwrap_or(LevelFilter::INFO)
}

/// A level, or directives like those of `RUST_LOG`, of which only the one for the bridge counts.
fn parse(text: &str) -> Option<LevelFilter> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" => None,
        "fatal" => Some(LevelFilter::ERROR),
        text => LevelFilter::from_str(text).ok().or_else(|| {
            let targets = Targets::from_str(text).ok()?;
            let own = targets.iter().find(|(target, _)| *target == OWN_CRATE).map(|(_, level)| level);
            own.or(targets.default_level())
        }),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Once;

    use super::*;
    use tracing::Level;

    static EVERY_THREAD_HAS_A_LOG: Once = Once::new();

    /// tracing caches for each log statement whether anybody listens. A thread without a subscriber can make it cache "nobody"
    /// for all threads. So a test that reads the log gives every thread a subscriber.
    pub(crate) fn every_thread_has_a_log() {
        EVERY_THREAD_HAS_A_LOG.call_once(|| {
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(json_lines(std::io::sink))).unwrap();
        });
    }

    #[test]
    fn a_panic_is_logged_with_the_ids_of_its_request_and_without_its_message() {
        every_thread_has_a_log();
        let file = tempfile::NamedTempFile::new().unwrap();
        let log = tracing_subscriber::registry().with(json_lines(file.reopen().unwrap()));
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));
        let panicked = tracing::subscriber::with_default(log, || {
            let _request = tracing::error_span!("request", requestId = "request-1", orderId = field::Empty).entered();
            record_order_id(Uuid::nil());
            std::panic::catch_unwind(|| panic!("MARK of a person"))
        });
        std::panic::set_hook(hook);
        assert!(panicked.is_err());
        let line = std::fs::read_to_string(file.path()).unwrap();
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&read["message"], &read["level"]), (&"panic".into(), &"ERROR".into()));
        assert_eq!((&read["requestId"], &read["orderId"]), (&"request-1".into(), &Uuid::nil().to_string().into()));
        assert_eq!(read["version"], REVISION);
        assert!(read["at"].as_str().unwrap().starts_with("src/telemetry/mod.rs:") && !line.contains("MARK"), "{line}");
    }

    #[test]
    fn levels_and_directives_are_read() {
        for (text, level) in [
            ("DEBUG", LevelFilter::DEBUG),
            ("info", LevelFilter::INFO),
            ("FATAL", LevelFilter::ERROR),
            ("off", LevelFilter::OFF),
            ("warn,front_payment_bridge=trace", LevelFilter::TRACE),
            ("aws_smithy_runtime=trace,warn", LevelFilter::WARN),
            ("front_payment_bridge=off", LevelFilter::OFF),
        ] {
            assert_eq!(parse(text), Some(level), "{text}");
        }
        assert_eq!((parse(""), parse("hyper=trace")), (None, None), "then the default holds");
    }

    #[test]
    fn other_crates_are_capped_at_warn() {
        let most = filter(LevelFilter::TRACE, &[OWN_CRATE]);
        assert!(most.would_enable(OWN_CRATE, &Level::TRACE));
        assert!(!most.would_enable("aws_smithy_runtime", &Level::ERROR));
        for other in ["aws_config", "hyper", "reqwest", "lambda_runtime", "rustls"] {
            assert!(!most.would_enable(other, &Level::INFO), "{other}");
            assert!(most.would_enable(other, &Level::WARN), "{other}");
        }
        assert!(!filter(LevelFilter::ERROR, &[OWN_CRATE]).would_enable("hyper", &Level::WARN));
    }
}
