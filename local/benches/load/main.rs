//! The program `local` under load, with a sandbox and shops that misbehave at random. Then an audit compares every 201 with
//! the store and the sandbox, and every notification with the store. `cargo bench --bench load`; it needs wrk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod audit;
mod local;
mod notifications;
mod self_test;
mod shops;
mod transcript;
mod wrk;

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use clap::Parser;
use front_payment_bridge::http_client;
use front_payment_bridge::order::{EntrySource, HistoryEntry, NotificationState, Status, StoredOrder};

use ::local::sandbox::Sandbox;
use ::local::store::EmbeddedStore;
use ::local::{Frame, MovableClock};
use audit::Evidence;
use local::Local;
use notifications::Notified;
use shops::Shops;
use transcript::Transcript;
use wrk::{Summary, Wrk};

/// How much memory may grow in the second half of a run.
const MAX_GROWTH_PER_CENT: u64 = 5;
/// Longer than the longest silence in the log during the load: a slow shop has ten seconds to answer.
const MAX_ANSWER: Duration = Duration::from_secs(12);
/// Shorter, because after the load every shop answers or refuses at once.
const QUIET_SWEEP: Duration = Duration::from_secs(3);
/// In seconds. In a shorter run, caches still grow in the second half.
const MIN_RUN: usize = 50;

/// Errors that the bridge logs because of lost replies, and of orders that were created although the reply was a 500.
const EXPECTED_ERRORS: [&str; 3] = [
    "Front Payment may or may not have the order",
    "Front Payment has this order twice",
    "the stored order is cancelled or expired at Front Payment, and another one lives",
];

#[derive(Parser)]
struct Options {
    /// How long the load lasts
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Number of connections
    #[arg(long, default_value_t = 200)]
    connections: u32,
    /// Cargo passes this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What was measured during the load.
struct Run {
    summary: Summary,
    /// In KiB, measured once a second.
    resident: Vec<u64>,
    notified: Notified,
    findings: Vec<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let directory = tempfile::tempdir().unwrap();
    let run = match load(&options, directory.path()) {
        Ok(run) => run,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let transcript = Transcript::read(directory.path());
    let evidence = evidence(directory.path(), &transcript, run.notified);
    let mut findings = run.findings;
    findings.extend(evidence.findings());
    let not_found = transcript.replies.iter().filter(|reply| reply.code == 404).count();
    if not_found > transcript.sent.get("guess").copied().unwrap_or_default() {
        findings.push(format!("{not_found} replies of 404, more than guessed callback URLs"));
    }
    let log = fs::read_to_string(directory.path().join("log")).unwrap();
    findings.extend(log.lines().filter(|line| is_alarming(line)).map(str::to_owned));

    println!("{} connections for {} s:\n", options.connections, options.seconds);
    report(&run.summary, &transcript, &evidence, &log);
    findings.extend(memory(&run.resident, evidence.stored.len()));
    let faults = self_test::check(&evidence).map_err(|overlooked| findings.push(overlooked)).unwrap_or_default();
    row("faults", faults, "faults put into a sound order, and all found by the audit");

    if findings.is_empty() {
        println!("\n{} replies of 201 audited: nothing lost, nothing duplicated", given_out(&evidence));
        return ExitCode::SUCCESS;
    }
    println!("\n{} findings:", findings.len());
    findings.iter().take(50).for_each(|finding| println!("- {finding}"));
    println!("log, transcript and database are kept in {}", directory.keep().display());
    ExitCode::FAILURE
}

/// Puts `local` under load, waits until it is idle, and ends it.
fn load(options: &Options, directory: &Path) -> Result<Run, String> {
    let (local, mut shops) = (Local::start(directory), Shops::start());
    let urls = shops.urls.iter().map(|(_, url)| url.as_str());
    let mut wrk = Wrk::start(&local.base, options.connections, options.seconds, directory, urls)?;
    let mut resident = Vec::new();
    while wrk.0.try_wait().unwrap().is_none() {
        sleep(Duration::from_secs(1));
        resident.extend(local.resident());
    }
    let summary = wrk.finish()?;
    let mut findings: Vec<String> = summary.socket_errors().into_iter().collect();
    findings.extend(local.wait_until_idle(MAX_ANSWER).err());
    shops.recover();
    // After a failed attempt, others follow after 1, 5, 15 and 30 minutes. The sweep makes those that waited for their host.
    for _ in 0..4 {
        findings.extend(local.forward("1h").err());
        findings.extend(local.wait_until_idle(QUIET_SWEEP).err());
    }
    findings.extend(local.end().err());
    let notified = Notified { told: shops.told(), urls: shops.urls.clone() };
    Ok(Run { summary, resident, notified, findings })
}

/// The replies that the shop got, and the data that the bridge and the sandbox have left in their file.
fn evidence(directory: &Path, transcript: &Transcript, notified: Notified) -> Evidence {
    let store = EmbeddedStore::open(&directory.join("orders.redb")).unwrap();
    let frame = Frame::new(String::new(), false, MovableClock::open(store.database()).unwrap());
    let sandbox = Sandbox::open(store.database(), frame.into(), http_client::build(None).unwrap()).unwrap();
    Evidence {
        replies: transcript.replies.clone(),
        stored: store.all().unwrap(),
        at_provider: sandbox.orders().unwrap(),
        notified,
    }
}

/// Whether a log line is an error that no misbehaviour of the sandbox explains.
fn is_alarming(line: &str) -> bool {
    let is_expected = || EXPECTED_ERRORS.iter().any(|expected| line.contains(expected));
    line.contains("panicked") || line.contains("callback failed") || line.contains(r#""level":"ERROR""#) && !is_expected()
}

fn given_out(evidence: &Evidence) -> usize {
    evidence.replies.iter().filter(|reply| reply.code == 201).count()
}

fn report(summary: &Summary, transcript: &Transcript, evidence: &Evidence, log: &str) {
    let figure = |label| summary.after(label).unwrap_or("?");
    // For each slow reply, wrk also counts the requests that it could have made in the eight seconds. They are in the last
    // per cent.
    let within = |share| format!("{share} within {}", figure(share));
    let speed = format!("{} a second; {}", figure("Requests/sec:"), ["50%", "90%", "99%"].map(within).join(", "));
    row("requests", transcript.sent.values().sum::<usize>(), speed);
    let kinds: Vec<_> = transcript.sent.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    row("", "", kinds.join(", "));
    row("replies", transcript.replies.len(), "");
    transcript.by_code().iter().for_each(|(code, count)| row("", count, code));
    let stored = |status: &dyn Fn(Status) -> bool| evidence.stored.iter().filter(|order| status(order.status)).count();
    row("stored", evidence.stored.len(), "orders");
    row("", stored(&|status| status >= Status::Sent), "accepted");
    row("", stored(&|status| status == Status::Unknown), "UNKNOWN: the reply was lost, and there was no callback");
    row("", stored(&|status| status < Status::Unknown), "FAILED or REJECTED");
    row("in the sandbox", evidence.at_provider.len(), "orders");
    let count = |is_counted: &dyn Fn(&StoredOrder, &HistoryEntry) -> bool| {
        let counted = |order: &StoredOrder| order.history.iter().filter(|entry| is_counted(order, entry)).count();
        evidence.stored.iter().map(counted).sum::<usize>()
    };
    row("notifications", evidence.notified.told.len(), "answered by a shop with 200");
    let owed = |order: &&StoredOrder| order.notifications.as_ref().is_some_and(|told| told.state == NotificationState::Pending);
    row("", evidence.stored.iter().filter(owed).count(), "orders of the dead shop, which is still owed their status");
    row("callbacks noted", count(&|_, entry| entry.source == EntrySource::Callback), "");
    row("", count(&|order, entry| entry.is_about_other_order(order)), "entries about a second order, which was behind a 500");
    let refused = log.lines().filter(|line| line.contains("has read as many statuses")).count();
    row("", refused, "statuses not read, because of the limit of 60 a minute");
}

/// Prints the memory over time. Returns a finding if it keeps growing.
fn memory(resident: &[u64], orders: usize) -> Option<String> {
    let (half, end) = (resident[resident.len() / 2], *resident.last()?);
    let early = resident[resident.len().min(10) - 1];
    let kib = |kib: u64| format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024);
    let growth = end.saturating_sub(half);
    let each = growth * 1024 / (orders as u64 / 2).max(1);
    let most = kib(*resident.iter().max()?);
    let over_time = format!("{} after ten seconds, {} at half time, {} at the end", kib(early), kib(half), kib(end));
    row("memory", most, format!("at most; {over_time}"));
    if resident.len() < MIN_RUN {
        return None;
    }
    row("", each, "bytes of growth for each order of the second half");
    (growth * 100 > half * MAX_GROWTH_PER_CENT)
        .then(|| format!("memory grew from {} to {} in the second half", kib(half), kib(end)))
}

fn row(label: &str, count: impl Display, note: impl Display) {
    println!("{label:<16}{count:>9}  {note}");
}
