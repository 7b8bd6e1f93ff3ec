//! `local` under load, with the sandbox misbehaving at random; then an audit of every 201 that was given
//! out against the store and the sandbox. `cargo bench --bench load`; it needs wrk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod audit;
mod doctor;
mod local;
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
use front_payment_bridge::local::sandbox::Sandbox;
use front_payment_bridge::order::{EntrySource, Status};
use front_payment_bridge::store::EmbeddedStore;

use audit::Evidence;
use local::Local;
use transcript::Transcript;
use wrk::{Summary, Wrk};

/// By how much memory may grow in the second half of a run that is long enough for its caches to be warm by then.
const MOST_GROWTH_PER_CENT: u64 = 5;
const LONG_ENOUGH: usize = 50;

/// What the bridge says of replies that are lost, and of orders that were denied.
const EXPECTED_ERRORS: [&str; 2] = ["Front Payment may or may not have the order", "Front Payment has the order twice"];

#[derive(Parser)]
struct Options {
    /// How long the load lasts
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many connections it comes over
    #[arg(long, default_value_t = 200)]
    connections: u32,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What was measured while the load went on.
struct Run {
    summary: Summary,
    /// KiB, once a second.
    resident: Vec<u64>,
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
    let evidence = evidence(directory.path(), &transcript);
    let mut findings = run.findings;
    findings.extend(evidence.findings());
    let not_found = transcript.replies.iter().filter(|reply| reply.code == 404).count();
    if not_found > transcript.sent.get("forgery").copied().unwrap_or_default() {
        findings.push(format!("{not_found} replies of 404, more than there were forgeries"));
    }
    let log = fs::read_to_string(directory.path().join("log")).unwrap();
    findings.extend(log.lines().filter(|line| is_alarming(line)).map(str::to_owned));

    println!("{} connections for {} s:\n", options.connections, options.seconds);
    report(&run.summary, &transcript, &evidence, &log);
    findings.extend(memory(&run.resident, evidence.stored.len()));
    let doctored = doctor::check(&evidence).map_err(|overlooked| findings.push(overlooked)).unwrap_or_default();
    row("doctored", doctored, "wrong orders shown to the audit, and all found");

    if findings.is_empty() {
        println!("\n{} replies of 201 audited: nothing lost, nothing doubled", given_out(&evidence));
        return ExitCode::SUCCESS;
    }
    println!("\n{} findings:", findings.len());
    findings.iter().take(50).for_each(|finding| println!("- {finding}"));
    println!("log, transcript and database are kept in {}", directory.keep().display());
    ExitCode::FAILURE
}

/// Puts `local` under load, waits until it has come to rest, and ends it.
fn load(options: &Options, directory: &Path) -> Result<Run, String> {
    let local = Local::start(directory);
    let mut wrk = Wrk::start(&local.base, options.connections, options.seconds, directory)?;
    let mut resident = Vec::new();
    while wrk.0.try_wait().unwrap().is_none() {
        sleep(Duration::from_secs(1));
        resident.extend(local.resident());
    }
    let summary = wrk.finish()?;
    let mut findings: Vec<String> = summary.socket_errors().into_iter().collect();
    findings.extend(local.record_result().err());
    findings.extend(local.end().err());
    Ok(Run { summary, resident, findings })
}

/// What the shop, the bridge and the sandbox have, the latter two from the file that they have left.
fn evidence(directory: &Path, transcript: &Transcript) -> Evidence {
    let store = EmbeddedStore::open(&directory.join("orders.redb")).unwrap();
    let sandbox = Sandbox::open(store.database(), String::new(), http_client::build(None).unwrap()).unwrap();
    Evidence { replies: transcript.replies.clone(), stored: store.all().unwrap(), at_provider: sandbox.orders().unwrap() }
}

/// Errors that no misbehaviour of the sandbox accounts for.
fn is_alarming(line: &str) -> bool {
    let is_expected = || EXPECTED_ERRORS.iter().any(|expected| line.contains(expected));
    line.contains("panicked") || line.contains("callback failed") || line.trim_start().starts_with("ERROR") && !is_expected()
}

fn given_out(evidence: &Evidence) -> usize {
    evidence.replies.iter().filter(|reply| reply.code == 201).count()
}

fn report(summary: &Summary, transcript: &Transcript, evidence: &Evidence, log: &str) {
    let figure = |label| summary.after(label).unwrap_or("?");
    // For a reply that is slow by request wrk counts all those that its eight seconds had room for: they are the last per cent.
    let within = |share| format!("{share} within {}", figure(share));
    let speed = format!("{} a second; {}", figure("Requests/sec:"), ["50%", "90%", "99%"].map(within).join(", "));
    row("requests", transcript.sent.values().sum::<usize>(), speed);
    let kinds: Vec<_> = transcript.sent.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    row("", "", kinds.join(", "));
    row("replies", transcript.replies.len(), "");
    transcript.by_code().iter().for_each(|(code, count)| row("", count, code));
    let stored = |status: &dyn Fn(Status) -> bool| evidence.stored.iter().filter(|record| status(record.status)).count();
    row("stored", evidence.stored.len(), "orders");
    row("", stored(&|status| status >= Status::Sent), "accepted");
    row("", stored(&|status| status == Status::Unknown), "UNKNOWN: replies that were lost, and no callback");
    row("", stored(&|status| status < Status::Unknown), "FAILED or REJECTED");
    row("in the sandbox", evidence.at_provider.len(), "orders");
    let history = || evidence.stored.iter().flat_map(|record| &record.history);
    row("callbacks noted", history().filter(|entry| entry.source == EntrySource::Callback).count(), "");
    row("", history().filter(|entry| entry.other_order_uuid.is_some()).count(), "notes of a second order, denied by a 500");
    let refused = log.lines().filter(|line| line.contains("too many statuses")).count();
    row("", refused, "more that were to be read back than may be in a minute");
}

/// Memory over time, and a finding if it goes on growing.
fn memory(resident: &[u64], orders: usize) -> Option<String> {
    let (half, end) = (resident[resident.len() / 2], *resident.last()?);
    let early = resident[resident.len().min(10) - 1];
    let kib = |kib: u64| format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024);
    let growth = end.saturating_sub(half);
    let each = growth * 1024 / (orders as u64 / 2).max(1);
    let most = kib(*resident.iter().max()?);
    let over_time = format!("{} after ten seconds, {} at half time, {} at the end", kib(early), kib(half), kib(end));
    row("memory", most, format!("at most; {over_time}"));
    if resident.len() < LONG_ENOUGH {
        return None;
    }
    row("", each, "bytes more for each order of the second half");
    (growth * 100 > half * MOST_GROWTH_PER_CENT)
        .then(|| format!("memory grew from {} to {} in the second half", kib(half), kib(end)))
}

fn row(label: &str, count: impl Display, note: impl Display) {
    println!("{label:<16}{count:>9}  {note}");
}
